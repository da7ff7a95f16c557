//! All components together, and each left out.

use etweir::Limits;
use etweir::context::{Context, Processes};
use etweir::decode::Decoder;
use etweir::write::RecordSpec;

use crate::{Logged, ask, context_of, images, perf, processes, stacks, system};

const K: u64 = 0xFFFF_F800_0000_0000;

fn logged() -> Vec<Logged> {
    let image = |process, base, path| {
        RecordSpec::from(perf(0x1403, 2, 0, &images::payload(process, base, 0x1000, path)))
    };
    let records = [
        system(0x0303, 3, 0, (1, 2), &processes::payload(7, 1, 259, "a.exe")).into(),
        image(0, K, "\\SystemRoot\\system32\\ntoskrnl.exe"),
        image(7, 0x7FF6_0000_0000, "\\Device\\HarddiskVolume2\\a.exe"),
        stacks::walk(100, 105, 70, &[K + 0x10, 0x7FF6_0000_0020, 0x1234]),
    ];
    records.into_iter().map(|record| (0, record)).collect()
}

#[test]
fn the_frames_of_an_event_have_names() {
    let context = context_of(&logged(), &mut Decoder::new());
    let frames = ask(stacks::sample(100, 70), |event| {
        context.frames(event).map(|frame| frame.to_string()).collect::<Vec<_>>()
    });
    // The stack itself says whose it is: no event told of the thread.
    assert_eq!(frames, ["ntoskrnl.exe+0x10", "a.exe+0x20", "0x1234"]);
    assert_eq!(ask(stacks::sample(101, 70), |event| context.frames(event).count()), 0);
}

#[test]
fn what_is_left_out_costs_nothing_and_answers_nothing() {
    let limits = Limits::default();
    let mut context = Context::nothing(&limits);
    let mut decoder = Decoder::new();
    let observe = |context: &mut Context, decoder: &mut Decoder| {
        crate::each(&logged(), etweir::trace::SessionInfo::unknown(), |event| {
            context.observe(event, decoder)
        });
        context.finish(decoder);
    };
    observe(&mut context, &mut decoder);
    ask(stacks::sample(100, 70), |event| {
        assert!(context.stack(event).is_none());
        assert!(context.process_name(event).is_none() && context.process_id(event).is_none());
        assert_eq!(context.frames(event).count(), 0);
    });
    context.processes = Some(Processes::new(&limits));
    observe(&mut context, &mut decoder);
    ask(system(0x0501, 3, 100, (7, 70), &[]), |event| {
        assert_eq!(context.process_name(event), Some("a.exe"));
    });
}

#[test]
fn events_that_cannot_be_read_say_so() {
    use etweir::context::{ClrMethods, FileNames, Images, Observed, RegistryKeys, Stacks, Threads, Volumes};

    let limits = Limits::default();
    let mut decoder = Decoder::new();
    let short = |hook| perf(hook, 2, 0, &[1, 2, 3]);
    ask(short(0x0301), |event| {
        assert_eq!(Processes::new(&limits).observe(event, &mut decoder), Observed::Unreadable);
        assert_eq!(Threads::new(&limits).observe(event, &mut decoder), Observed::Other);
    });
    ask(short(0x0501), |event| {
        assert_eq!(Threads::new(&limits).observe(event, &mut decoder), Observed::Unreadable);
    });
    ask(short(0x1403), |event| {
        assert_eq!(Images::new(&limits).observe(event, &mut decoder), Observed::Unreadable);
    });
    ask(short(0x1820), |event| assert_eq!(Stacks::new(&limits).observe(event), Observed::Unreadable));
    ask(short(0x0424), |event| {
        assert_eq!(FileNames::new(&limits).observe(event, &mut decoder), Observed::Unreadable);
    });
    ask(short(0x0916), |event| {
        assert_eq!(RegistryKeys::new(&limits).observe(event, &mut decoder), Observed::Unreadable);
    });
    ask(crate::manifest(crate::CLR, 143, 1, 0, &[1]), |event| {
        assert_eq!(ClrMethods::new(&limits).observe(event), Observed::Unreadable);
        assert_eq!(Volumes::new(&limits).observe(event), Observed::Other);
    });
}
