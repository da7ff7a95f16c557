//! What a process id stands for at a time.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use etweir::context::Context;
use etweir::decode::{
    Candidate, Decoder, EventNames, Found, InType, Property, Query, Schema, SchemaKind, SchemaSource,
};
use etweir::trace::SessionInfo;
use etweir::write::{EventSpec, FullSpec, RecordSpec, Width};
use etweir::{Limits, Ticks};

use crate::records::wide;
use crate::{
    KERNEL_PROCESS, Logged, PROCESS, context, context_of, each, full, guid, manifest, payload, perf, system,
    u32s, u64s,
};

const START: u16 = 0x0301;
const END: u16 = 0x0302;
const DC_START: u16 = 0x0303;
const DC_END: u16 = 0x0304;
const DEFUNCT: u16 = 0x0327;

/// The payload of version 3 of the class, with the SID of LocalSystem.
pub(crate) fn payload(id: u32, parent: u32, exit_status: u32, name: &str) -> Vec<u8> {
    payload!(
        u64s(&[0xFFFF_A000_0000_0000 + u64::from(id)]), // UniqueProcessKey
        u32s(&[id, parent, 1, exit_status]),            // ProcessId, ParentId, SessionId, ExitStatus
        u64s(&[0x1AA000]),                              // DirectoryTableBase
        u64s(&[1, 0]),                                  // UserSID: a TOKEN_USER
        [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0],          // and S-1-5-18
        name.as_bytes(),                                // ImageFileName
        [0],
        wide(&format!("\"C:\\{name}\" -x")), // CommandLine
    )
}

fn event(hook: u16, time: i64, id: u32, name: &str) -> RecordSpec {
    system(hook, 3, time, (500, 501), &payload(id, 500, 259, name)).into()
}

fn name(context: &Context, id: u32, time: i64) -> Option<&str> {
    context.processes.as_ref().expect("processes").name(id, Ticks(time))
}

#[test]
fn a_process_has_its_name_from_its_start_on_and_after_its_end() {
    let context = context(&[event(START, 100, 7, "a.exe"), event(END, 200, 7, "a.exe")]);
    assert_eq!(name(&context, 7, 99), None);
    for time in [100, 150, 200, 5000] {
        assert_eq!(name(&context, 7, time), Some("a.exe"), "at {time}");
    }
    assert_eq!(name(&context, 8, 150), None);
}

#[test]
fn the_rundown_at_the_end_names_the_processes_of_the_start() {
    let context = context(&[event(DC_END, 900, 7, "a.exe"), event(DC_START, 10, 8, "b.exe")]);
    assert_eq!(name(&context, 7, 0), Some("a.exe"));
    assert_eq!(name(&context, 8, 0), Some("b.exe"));
    assert_eq!(name(&context, 8, 900), Some("b.exe"));
}

#[test]
fn an_id_that_is_used_again_stands_for_the_process_of_the_time_in_whatever_order_events_come() {
    let mut events = vec![
        event(DC_START, 10, 7, "a.exe"),
        event(END, 200, 7, "a.exe"),
        event(START, 300, 7, "b.exe"),
        event(END, 400, 7, "b.exe"),
        event(DC_END, 900, 7, "c.exe"),
    ];
    for _ in 0..events.len() {
        events.rotate_left(1);
        for events in [events.clone(), events.iter().rev().cloned().collect()] {
            let context = context(&events);
            for (time, expected) in [
                (0, "a.exe"),
                (200, "a.exe"),
                (250, "a.exe"),
                (300, "b.exe"),
                (400, "b.exe"),
                // Its start is lost, and lies somewhere behind the end of the one before.
                (401, "c.exe"),
                (1000, "c.exe"),
            ] {
                assert_eq!(name(&context, 7, time), Some(expected), "at {time}");
            }
        }
    }
}

#[test]
fn all_facts_of_a_process_are_known() {
    let payload = payload!(
        u64s(&[0xFFFF_A000_1234_5678]),
        u32s(&[7, 500, u32::MAX, 0]),
        u64s(&[0x1AA000]),
        u32s(&[1]), // Flags: a package
        u64s(&[1, 0]),
        [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0],
        b"app.exe\0",
        wide("app.exe /now"),
        wide("Vendor.App_1.0_x64"),
        wide("Vendor!App"),
    );
    let mut end = payload.clone();
    end[20..24].copy_from_slice(&0xC000_0005_u32.to_le_bytes());
    let context = context(&[system(START, 4, 100, (1, 2), &payload), system(END, 4, 200, (7, 9), &end)]);
    let processes = context.processes.as_ref().expect("processes");
    let process = processes.at(7, Ticks(150)).expect("a process");
    assert_eq!((process.id(), process.parent_id(), process.session_id()), (7, Some(500), None));
    assert_eq!(process.unique_process_key(), Some(0xFFFF_A000_1234_5678));
    assert_eq!(process.image_file_name(), Some("app.exe"));
    assert_eq!(process.command_line(), Some("app.exe /now"));
    assert_eq!(process.package_full_name(), Some("Vendor.App_1.0_x64"));
    assert_eq!(process.application_id(), Some("Vendor!App"));
    assert_eq!(process.user_sid().expect("a SID").to_string(), "S-1-5-18");
    assert_eq!((process.start(), process.end()), (Some(Ticks(100)), Some(Ticks(200))));
    assert_eq!(process.exit_status(), Some(0xC000_0005));
    assert_eq!(processes.iter().count(), 1);
}

#[test]
fn every_header_is_understood() {
    let payload = payload(7, 500, 259, "a.exe");
    let records: [RecordSpec; 4] = [
        perf(DC_START, 3, 10, &payload).into(),
        system(DC_START, 3, 10, (1, 2), &payload).into(),
        full(PROCESS, 3, 3, 10, &payload).into(),
        // As sessions in real time deliver them: CLASSIC_HEADER.
        EventSpec {
            provider_id: guid(PROCESS),
            opcode: 3,
            version: 3,
            flags: 0x0100,
            time_stamp: 10,
            payload: payload.clone(),
            ..EventSpec::default()
        }
        .into(),
    ];
    for record in records {
        assert_eq!(name(&context(core::slice::from_ref(&record)), 7, 50), Some("a.exe"), "{record:?}");
    }
}

#[test]
fn ids_have_the_size_of_pointers_in_version_0() {
    // ProcessId, ParentId, no SID, name
    let wide_ids = payload!(u64s(&[7, 500]), u32s(&[0]), b"a.exe\0");
    let narrow_ids = payload!(u32s(&[8, 500, 0]), b"b.exe\0");
    let wide_event: RecordSpec = full(PROCESS, 3, 0, 10, &wide_ids).into();
    let narrow = FullSpec { width: Width::Bits32, ..full(PROCESS, 3, 0, 10, &narrow_ids) };
    let context = context(&[wide_event, narrow.into()]);
    assert_eq!((name(&context, 7, 10), name(&context, 8, 10)), (Some("a.exe"), Some("b.exe")));
}

#[test]
fn a_process_that_ended_before_the_trace_has_a_name_unless_its_id_has_another() {
    let context = context(&[
        event(DEFUNCT, 500, 7, "old.exe"),
        event(DEFUNCT, 500, 8, "old.exe"),
        event(DC_START, 10, 8, "new.exe"),
    ]);
    assert_eq!(name(&context, 7, 100), Some("old.exe"));
    assert_eq!(name(&context, 8, 100), Some("new.exe"));
}

#[test]
fn kernel_process_events_of_old_versions_need_no_schema() {
    // ProcessID, CreateTime, ParentProcessID, SessionID, ImageName; version 1 has Flags in front of the name
    let start = |flags: &[u32], id: u32, path: &str| {
        payload!(u32s(&[id]), u64s(&[0]), u32s(&[500, 1]), u32s(flags), wide(path))
    };
    // ProcessID, CreateTime, ExitTime, ExitCode, TokenElevationType, HandleCount, CommitCharge, CommitPeak, CPUCycleCount,
    // five counts of operations, ImageName
    let stop = payload!(
        u32s(&[7]),
        u64s(&[0, 0]),
        u32s(&[3, 1, 20]),
        u64s(&[0, 0, 0]),
        u32s(&[0; 5]),
        b"averylongname.\0",
    );
    let context = context(&[
        manifest(KERNEL_PROCESS, 1, 0, 100, &start(&[], 7, "\\Device\\HarddiskVolume2\\averylongname.exe")),
        manifest(KERNEL_PROCESS, 1, 1, 100, &start(&[0], 8, "\\Device\\HarddiskVolume2\\b.exe")),
        manifest(KERNEL_PROCESS, 2, 1, 200, &stop),
    ]);
    assert_eq!(name(&context, 8, 150), Some("b.exe"));
    // The name that the start tells is the whole one.
    assert_eq!(name(&context, 7, 150), Some("averylongname.exe"));
    assert_eq!(name(&context, 7, 250), Some("averylongname.exe"));
    let process = context.processes.as_ref().expect("processes").at(7, Ticks(150)).expect("a process");
    assert_eq!(process.image_file_name(), Some("\\Device\\HarddiskVolume2\\averylongname.exe"));
    assert_eq!((process.parent_id(), process.session_id()), (Some(500), Some(1)));
    assert_eq!((process.end(), process.exit_status()), (Some(Ticks(200)), Some(3)));
}

/// Knows ProcessRundown in a version whose layout is not known without it, once it is told to.
struct Late(AtomicBool);

impl SchemaSource for Late {
    fn find(&self, query: &Query<'_>) -> Found {
        if query.event().id() != 15 || !self.0.load(Ordering::Relaxed) {
            return Found::nothing();
        }
        let properties = vec![
            Property::new("ProcessID", InType::UInt32),
            Property::new("ProcessSequenceNumber", InType::UInt64),
            Property::new("ImageName", InType::UnicodeString),
        ];
        let schema = Schema::new(SchemaKind::Manifest, EventNames::default(), properties, 3);
        Found::one(Candidate::new(Arc::new(schema.expect("a schema"))))
    }
}

#[test]
fn an_event_whose_schema_comes_later_is_read_at_the_end() {
    let source = Arc::new(Late(false.into()));
    let mut decoder = Decoder::with_sources(vec![source.clone()], &Limits::default());
    let rundown = payload!(u32s(&[7]), u64s(&[99]), wide("\\Device\\Mup\\x\\a.exe"));
    let logged: [Logged; 1] = [(0, manifest(KERNEL_PROCESS, 15, 1, 100, &rundown).into())];
    let mut context = Context::new();
    each(&logged, SessionInfo::unknown(), |event| context.observe(event, &mut decoder));
    assert_eq!(name(&context, 7, 10), None);
    source.0.store(true, Ordering::Relaxed);
    decoder.forget();
    context.finish(&mut decoder);
    assert_eq!(name(&context, 7, 10), Some("a.exe"));
}

#[test]
fn what_the_kernel_says_goes_before_kernel_process() {
    let start = payload!(u32s(&[7]), u64s(&[0]), u32s(&[500, 1, 0]), wide("\\x\\manifest.exe"));
    let logged =
        [(0, manifest(KERNEL_PROCESS, 1, 1, 101, &start).into()), (0, event(START, 100, 7, "kernel.exe"))];
    let context = context_of(&logged, &mut Decoder::new());
    assert_eq!(name(&context, 7, 150), Some("kernel.exe"));
    let process = context.processes.as_ref().expect("processes").at(7, Ticks(150)).expect("a process");
    assert_eq!(process.start(), Some(Ticks(100)), "one start, not two");
}
