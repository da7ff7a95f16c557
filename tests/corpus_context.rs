//! What the events of real traces mean together is what PerfView showed on Windows, and what the traces say of themselves.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod perfview;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use etweir::context::{CallStack, Context, StackWindow};
use etweir::decode::Decoder;
use etweir::testkit::corpus;
use etweir::trace::{Event, OwnedEvent};
use etweir::{EtlReader, Limits, Ticks};

const NET45: &str = "perfview-net45-x86.etl";
const NET452: &str = "perfview-net452-x86-compressed.etl";

/// The whole first pass.
fn context(trace: &Path) -> (Context, Decoder) {
    let (mut context, mut decoder) = (Context::new(), Decoder::new());
    context.read(&mut EtlReader::open(trace).expect("a trace"), &mut decoder).expect("a readable file");
    (context, decoder)
}

fn each(trace: &Path, mut show: impl FnMut(&Event<'_>)) {
    let mut reader = EtlReader::open(trace).expect("a trace");
    while let Some(buffer) = reader.next_buffer().expect("a readable file") {
        buffer.events().for_each(|event| show(&event.expect("no damage")));
    }
}

/// An event that a line of a baseline may show: its time, and the process that it is about here.
struct Candidate {
    microseconds: i64,
    time: Ticks,
    process_id: Option<u32>,
}

#[test]
fn events_are_about_the_processes_that_perfview_showed() {
    let Some(folder) = corpus::folder("events_are_about_the_processes_that_perfview_showed") else { return };
    let (mut lines, mut named, mut unnamed, mut only_here) = (0, 0, 0, BTreeSet::new());
    for entry in fs::read_dir(folder.join("truth/perfview")).expect("the folder of truth") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let trace = folder.join("etl").join(name.replace(".baseline.txt", ".etl"));
        let (context, mut decoder) = context(&trace);
        let processes = context.processes.as_ref().expect("processes");
        let candidates = candidates(&trace, &context, &mut decoder);
        for line in perfview::lines(&path) {
            let Some(process_id) = line.process_id else { continue };
            let at_place = &candidates[&(line.processor, line.data_len)];
            let event = at_place
                .iter()
                .find(|event| line.is_at(event.microseconds) && event.process_id == Some(process_id));
            let event = event.unwrap_or_else(|| panic!("{name}: nothing is about the process of {line:?}"));
            lines += 1;
            // PerfView cuts the ending.
            let found = processes.name(process_id, event.time);
            let found = found.map(|name| name.strip_suffix(".exe").unwrap_or(name));
            if line.process_name == format!("Process({process_id})") {
                unnamed += 1;
                only_here.extend(found.map(str::to_owned));
            } else {
                assert_eq!(found, Some(&*line.process_name), "{name}: {line:?}");
                named += 1;
            }
        }
    }
    println!(
        "{lines} lines with a process: {named} with a name, {unnamed} without; named here alone: {only_here:?}"
    );
    assert_eq!((lines, named, unnamed), (1041, 981, 60));
    // Processes that had ended before the trace, of which only the event of their last handle tells.
    assert_eq!(only_here.into_iter().collect::<Vec<_>>(), ["LogonUI", "smss"]);
}

fn candidates(
    trace: &Path,
    context: &Context,
    decoder: &mut Decoder,
) -> HashMap<(u16, usize), Vec<Candidate>> {
    let header = EtlReader::open(trace).expect("a trace").header().expect("a header").clone();
    let mut candidates: HashMap<_, Vec<_>> = HashMap::new();
    each(trace, |event| {
        let Some(time) = event.time_stamp() else { return };
        let since = i128::from(time.get() - header.time_stamp.get()) * 1_000_000;
        let place = (event.processor_index(), event.user_data().len());
        candidates.entry(place).or_default().push(Candidate {
            microseconds: i64::try_from(since / i128::from(header.perf_freq)).expect("in range"),
            time,
            process_id: context.subject_process_id(event, &decoder.decode(event)),
        });
    });
    candidates
}

/// A StackWalk event: what it says that it belongs to, and its addresses.
struct Walk {
    time: i64,
    thread_id: u32,
    frames: Vec<u64>,
}

fn words(payload: &[u8]) -> Vec<u64> {
    payload.chunks(8).map(|word| u64::from_le_bytes(word.try_into().expect("8 bytes"))).collect()
}

/// All of them. A key stands for the frames of the next event that tells them.
fn walks(trace: &Path) -> Vec<Walk> {
    let (mut walks, mut keys) = (Vec::new(), Vec::new());
    let mut told: HashMap<u64, BTreeMap<i64, Vec<u64>>> = HashMap::new();
    each(trace, |event| {
        if event.hook_id().is_none_or(|hook| hook >> 8 != 0x18) {
            return;
        }
        let (payload, stamp) = (event.user_data(), event.time_stamp().expect("a time stamp").get());
        if let 35 | 36 = event.opcode() {
            let frames = words(payload);
            told.entry(frames[0]).or_default().insert(stamp, frames[1..].to_vec());
            return;
        }
        keys.push((event.opcode() != 32).then_some(stamp));
        walks.push(Walk {
            time: i64::from_le_bytes(payload[..8].try_into().expect("8 bytes")),
            thread_id: u32::from_le_bytes(payload[12..16].try_into().expect("4 bytes")),
            frames: words(&payload[16..]),
        });
    });
    for (walk, key) in walks.iter_mut().zip(keys) {
        if let Some(stamp) = key {
            let (_, frames) = told[&walk.frames[0]].range(stamp..).next().expect("a stack for the key");
            walk.frames.clone_from(frames);
        }
    }
    walks
}

/// The stacks of the kernel's events, by time and thread.
type KernelStacks = HashMap<(i64, u32), Vec<Vec<u64>>>;

/// How many walks are wholly in the stack of their event, how many have an event with that half of another walk, and how many
/// have no event.
fn joined(walks: &[Walk], stacks: &KernelStacks) -> (usize, usize, usize) {
    let (mut whole, mut other, mut none) = (0, 0, 0);
    for walk in walks {
        let inside = |stack: &Vec<u64>| stack.windows(walk.frames.len()).any(|part| part == walk.frames);
        match stacks.get(&(walk.time, walk.thread_id)) {
            None => none += 1,
            Some(stacks) if stacks.iter().any(inside) => whole += 1,
            Some(_) => other += 1,
        }
    }
    (whole, other, none)
}

#[test]
fn every_stack_walk_is_joined_to_its_event() {
    let Some(folder) = corpus::folder("every_stack_walk_is_joined_to_its_event") else { return };
    for (name, expected) in [(NET45, (18_531, 1, 0)), (NET452, (12_401, 0, 0))] {
        let trace = folder.join("etl").join(name);
        let walks = walks(&trace);
        let (context, _) = context(&trace);
        let (mut stacks, mut events, mut incomplete) = (KernelStacks::new(), 0, 0);
        each(&trace, |event| {
            let Some(stack) = context.stack(event) else { return };
            incomplete += usize::from(stack.is_incomplete());
            if let Some(thread_id) = stack.thread_id().filter(|_| event.hook_id().is_some()) {
                let time = event.time_stamp().expect("a time stamp").get();
                stacks.entry((time, thread_id)).or_default().push(stack.addresses().collect());
                events += 1;
            }
        });
        let found = joined(&walks, &stacks);
        println!(
            "{name}: {} walks, {found:?} joined whole, to the other of two, to nothing; {events} events",
            walks.len()
        );
        assert_eq!(incomplete, 0, "{name}: every key is resolved");
        assert_eq!(found, expected, "{name}");
    }
}

/// All events in the order of time, those without one in front.
fn in_time_order(trace: &Path) -> Vec<OwnedEvent> {
    let mut events = Vec::new();
    each(trace, |event| events.push(event.to_owned_event()));
    events.sort_by_key(|event| event.event().time_stamp());
    events
}

#[test]
fn a_window_over_the_stream_joins_what_comes_in_time() {
    let Some(folder) = corpus::folder("a_window_over_the_stream_joins_what_comes_in_time") else { return };
    // Keys are told when a stack leaves the kernel's table or the session stops, mostly long after.
    for (name, expected) in [(NET45, (71_650, 0, 2)), (NET452, (8307, 7635, 0))] {
        let trace = folder.join("etl").join(name);
        let (context, _) = context(&trace);
        let events = in_time_order(&trace);
        let mut window = StackWindow::new(10_000, &Limits::default());
        let (mut given, mut same, mut incomplete, mut lost) = (0, 0, 0, 0);
        let mut check = |event: &Event<'_>, found: Option<CallStack<'_>>| {
            assert_eq!(event.time_stamp(), events[given].event().time_stamp(), "{name}: event {given}");
            given += 1;
            let Some(whole) = context.stack(event) else {
                return assert!(found.is_none(), "{name}: {event:?}");
            };
            match found {
                Some(found) if found.addresses().eq(whole.addresses()) => same += 1,
                Some(found) if found.is_incomplete() => incomplete += 1,
                _ => lost += 1,
            }
        };
        events.iter().for_each(|event| window.push(&event.event(), &mut check));
        window.flush(&mut check);
        println!(
            "{name}: {given} events, {same} stacks as in two passes, {incomplete} incomplete, {lost} lost in part"
        );
        assert_eq!((given, events.len()), (events.len(), given));
        assert_eq!((same, incomplete, lost), expected, "{name}");
    }
}

#[test]
fn images_have_their_symbols() {
    let Some(folder) = corpus::folder("images_have_their_symbols") else { return };
    for (name, expected) in [(NET45, (2805, 2802, 2773, 22)), (NET452, (1867, 1867, 1840, 21))] {
        let (context, _) = context(&folder.join("etl").join(name));
        let images = context.images.as_ref().expect("images");
        let (mut all, mut stamps, mut pdbs, mut il_pdbs) = (0, 0, 0, 0);
        for image in images.iter() {
            all += 1;
            stamps += usize::from(image.time_date_stamp().is_some());
            pdbs += usize::from(image.pdb().is_some());
            il_pdbs += usize::from(image.il_pdb().is_some());
        }
        println!(
            "{name}: {all} images, {stamps} with a time stamp, {pdbs} with symbols, {il_pdbs} with those of IL"
        );
        assert_eq!((all, stamps, pdbs, il_pdbs), expected, "{name}");
    }
    let (context, _) = context(&folder.join("etl").join(NET452));
    let images = context.images.as_ref().expect("images");
    let volumes = context.volumes.as_ref().expect("volumes");
    let ntdll = images.iter().find(|image| image.base() == 0x7F9_D02F_0000).expect("the ntdll of a process");
    assert_eq!(ntdll.path(), Some("\\Device\\HarddiskVolume2\\Windows\\System32\\ntdll.dll"));
    assert_eq!(
        volumes.dos_path(ntdll.path().expect("a path")).as_deref(),
        Some("C:\\Windows\\System32\\ntdll.dll")
    );
    assert_eq!(ntdll.symbol_server_key().as_deref(), Some("ntdll.dll/5010ACD21be000/ntdll.dll"));
    let key = ntdll.pdb().expect("symbols").symbol_server_key();
    assert_eq!(key.as_deref(), Some("ntdll.pdb/6048FDB62DCD41C18835594844CE71432/ntdll.pdb"));
    let kernel = images.at(3988, 0xFFFF_F800_2148_9123, Ticks(1_600_000_000), None);
    assert_eq!(kernel.and_then(|image| image.name()), Some("ntoskrnl.exe"));
    let driver = volumes.dos_path("\\SystemRoot\\system32\\hal.dll");
    assert_eq!(driver.as_deref(), Some("C:\\Windows\\system32\\hal.dll"));
}

#[test]
fn frames_lie_in_images_and_methods() {
    let Some(folder) = corpus::folder("frames_lie_in_images_and_methods") else { return };
    for (name, expected) in [
        (NET45, (185_961, 71_652, 60_207, 1_382_402, 550)),
        (NET452, (168_298, 15_942, 66_476, 431_481, 671)),
    ] {
        let trace = folder.join("etl").join(name);
        let (context, _) = context(&trace);
        let (mut events, mut stacks, mut methods, mut images, mut unknown) = (0, 0, 0, 0, 0);
        each(&trace, |event| {
            events += 1;
            stacks += usize::from(context.stack(event).is_some());
            for frame in context.frames(event) {
                match (frame.method(), frame.image()) {
                    (Some(_), _) => methods += 1,
                    (None, Some(_)) => images += 1,
                    (None, None) => unknown += 1,
                }
            }
        });
        println!(
            "{name}: {events} events, {stacks} stacks; frames: {methods} in methods, {images} in images, {unknown} in nothing"
        );
        assert_eq!((events, stacks, methods, images, unknown), expected, "{name}");
    }
}

/// Of the traces that tell anything: processes, threads, images, methods, volumes, files; events that have a process with a
/// name, and events with a stack.
#[rustfmt::skip]
const TOLD: [(&str, [usize; 8]); 8] = [
    ("perfview-net45-x86.etl",             [48, 652, 2805,    473,  8, 7659, 178_297, 71_652]),
    ("perfview-net452-x86-compressed.etl", [39, 714, 1867, 14_064,  9, 2942, 161_186, 15_942]),
    ("perfview-self-describing-single.etl", [0,   0,    0,      0, 10,    0,       0,      0]),
    ("sawbuck-image-data-32-v0.etl",        [0,   0,   25,      0,  0,    0,       0,      0]),
    ("sawbuck-image-data-32-v2.etl",        [0,   0,   25,      0,  0,    0,       0,      0]),
    ("sawbuck-process-data-32-v1.etl",      [1,   0,    0,      0,  0,    0,       0,      0]),
    ("sawbuck-process-data-64-v2.etl",      [4,   0,    0,      0,  0,    0,       0,      0]),
    ("tx-kernel-process.etl",               [6, 364, 1254,      0,  0,    0,    3231,      0]),
];

#[test]
fn every_trace_tells_what_is_in_it() {
    let Some(folder) = corpus::folder("every_trace_tells_what_is_in_it") else { return };
    let (mut found, mut files) = (BTreeMap::new(), 0);
    for entry in fs::read_dir(folder.join("etl")).expect("the traces") {
        let trace = entry.expect("an entry").path();
        let name = trace.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let (context, _) = context(&trace);
        let (mut named, mut stacks) = (0, 0);
        each(&trace, |event| {
            named += usize::from(context.process_name(event).is_some());
            stacks += usize::from(context.stack(event).is_some());
        });
        let told = [
            context.processes.as_ref().expect("processes").iter().count(),
            context.threads.as_ref().expect("threads").iter().count(),
            context.images.as_ref().expect("images").iter().count(),
            context.methods.as_ref().expect("methods").iter().count(),
            context.volumes.as_ref().expect("volumes").iter().count(),
            context.files.as_ref().expect("files").iter().count(),
            named,
            stacks,
        ];
        files += 1;
        println!("{name}: {told:?}");
        if told != [0; 8] {
            found.insert(name, told);
        }
    }
    let expected: BTreeMap<_, _> = TOLD.iter().map(|&(name, told)| (name.to_owned(), told)).collect();
    assert_eq!((found, files), (expected, 24));
}

/// First address of a method -> its size and full name, by process: what the events of the CLR say, whenever.
type Code = HashMap<u32, BTreeMap<u64, (u64, String)>>;

fn code(trace: &Path) -> Code {
    let (clr, rundown) = ("e13c0d23-ccbc-4e12-931b-d9cc2eee27e4", "a669021c-c450-4609-a035-5af59af4df18");
    let mut code = Code::new();
    each(trace, |event| {
        let provider = event.provider_id().to_string();
        if !matches!((provider.as_str(), event.id()), (of, 143 | 144) if of == clr || of == rundown) {
            return;
        }
        let payload = event.user_data();
        let number = |at: usize| u64::from_le_bytes(payload[at..at + 8].try_into().expect("8 bytes"));
        let units: Vec<_> = payload[36..]
            .chunks_exact(2)
            .map(|unit| u16::from_le_bytes(unit.try_into().expect("2 bytes")))
            .collect();
        let mut texts = units.split(|&unit| unit == 0).map(String::from_utf16_lossy);
        let name = format!("{}.{}", texts.next().expect("a type"), texts.next().expect("a name"));
        let process_id = event.process_id().expect("a process");
        code.entry(process_id).or_default().insert(number(16), (number(24) & 0xFFFF_FFFF, name));
    });
    code
}

#[test]
fn frames_in_code_of_the_clr_have_the_names_of_its_methods() {
    let Some(folder) = corpus::folder("frames_in_code_of_the_clr_have_the_names_of_its_methods") else {
        return;
    };
    for (name, expected) in [(NET45, (60_207, 60_207)), (NET452, (66_476, 66_476))] {
        let trace = folder.join("etl").join(name);
        let (context, _) = context(&trace);
        let code = code(&trace);
        let (mut inside, mut named, mut others) = (0, 0, BTreeMap::<String, usize>::new());
        each(&trace, |event| {
            let process_id = context.stack(event).and_then(|stack| stack.process_id()).or(event.process_id());
            let Some(code) = process_id.and_then(|process_id| code.get(&process_id)) else { return };
            for (index, frame) in context.frames(event).enumerate() {
                let lookup = frame.address().saturating_sub(u64::from(index > 0));
                let Some((start, (size, method))) = code.range(..=lookup).next_back() else { continue };
                if lookup - start >= *size {
                    continue;
                }
                inside += 1;
                if frame.to_string().trim_start_matches('.') == method.trim_start_matches('.') {
                    named += 1;
                } else {
                    *others.entry(format!("{frame} for {method}")).or_default() += 1;
                }
            }
        });
        println!(
            "{name}: {inside} frames in code of the CLR, {named} with the name of its method; {others:?}"
        );
        assert_eq!((inside, named), expected, "{name}");
    }
}
