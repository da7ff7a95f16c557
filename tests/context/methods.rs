//! Methods of the CLR by address, and the names of frames.

use etweir::Ticks;
use etweir::context::{Context, Symbolizer};
use etweir::write::{EventSpec, RecordSpec, Width};

use crate::records::wide;
use crate::{CLR, CLR_RUNDOWN, context, guid, images, manifest, payload, perf, u32s, u64s};

/// MethodID, ModuleID, MethodStartAddress, MethodSize, MethodToken, MethodFlags, MethodNamespace, MethodName,
/// MethodSignature, ClrInstanceID
fn method(provider: &str, id: u16, time: i64, start: u64, name: &str) -> RecordSpec {
    let payload = payload!(
        u64s(&[0x1111, 0x2222, start]),
        u32s(&[0x100, 0x0600_0001, 8]),
        wide("Test.Program"),
        wide(name),
        wide("void  ()"),
        [9, 0],
    );
    RecordSpec::from(EventSpec { process_id: 7, ..manifest(provider, id, 1, time, &payload) })
}

fn at(context: &Context, process: u32, address: u64, time: i64) -> Option<String> {
    let method = context.methods.as_ref().expect("methods").at(process, address, Ticks(time), None)?;
    Some(method.to_string())
}

#[test]
fn code_belongs_to_its_method_from_load_to_unload() {
    let context = context(&[
        method(CLR, 143, 100, 0x5000, "Main"),
        method(CLR, 144, 200, 0x5000, "Main"),
        method(CLR, 143, 300, 0x5080, "Other"),
    ]);
    for (address, time, expected) in [
        (0x5000, 100, Some("Test.Program.Main")),
        (0x50FF, 200, Some("Test.Program.Main")),
        (0x5100, 150, None),
        (0x5000, 99, None),
        (0x5000, 201, None),
        (0x5090, 300, Some("Test.Program.Other")),
    ] {
        assert_eq!(at(&context, 7, address, time).as_deref(), expected, "{address:#x} at {time}");
    }
    assert_eq!(at(&context, 8, 0x5000, 150), None);
}

#[test]
fn the_rundown_tells_what_was_compiled_before() {
    let context = context(&[
        method(CLR_RUNDOWN, 144, 900, 0x5000, "AtEnd"),
        method(CLR_RUNDOWN, 143, 10, 0x6000, "AtStart"),
        method(CLR, 140, 900, 0x7000, "OfClr2"),
    ]);
    assert_eq!(at(&context, 7, 0x5010, 0).as_deref(), Some("Test.Program.AtEnd"));
    assert_eq!(at(&context, 7, 0x6010, 950).as_deref(), Some("Test.Program.AtStart"));
    assert_eq!(at(&context, 7, 0x7010, 0).as_deref(), Some("Test.Program.OfClr2"));
}

/// ModuleID, AssemblyID, ModuleFlags, Reserved1, ModuleILPath, ModuleNativePath, ClrInstanceID, ManagedPdbSignature,
/// ManagedPdbAge, ManagedPdbBuildPath, and the same of the native symbols
fn module(time: i64) -> RecordSpec {
    let payload = payload!(
        u64s(&[0x2222, 0x3333]),
        u32s(&[0, 0]),
        wide("C:\\app\\test.exe"),
        wide("C:\\Windows\\assembly\\test.ni.exe"),
        [9, 0],
        guid("6048fdb6-2dcd-41c1-8835-594844ce7143").to_bytes(),
        u32s(&[2]),
        wide("C:\\build\\test.pdb"),
        [0; 20],
        wide(""),
    );
    RecordSpec::from(EventSpec { process_id: 7, ..manifest(CLR, 152, 2, time, &payload) })
}

#[test]
fn a_method_knows_its_module() {
    // ModuleID, AssemblyID, AppDomainID, ModuleFlags, Reserved1, ModuleILPath, ModuleNativePath, ClrInstanceID
    let of_domain =
        payload!(u64s(&[0x2222, 0x3333, 1]), u32s(&[0, 0]), wide("C:\\app\\test.exe"), wide(""), [9, 0]);
    let of_domain = EventSpec { process_id: 7, ..manifest(CLR, 151, 1, 60, &of_domain) };
    let context = context(&[module(50), of_domain.into(), method(CLR, 143, 100, 0x5000, "Main")]);
    let method =
        context.methods.as_ref().expect("methods").at(7, 0x5000, Ticks(100), None).expect("a method");
    assert_eq!((method.start_address(), method.size(), method.process_id()), (0x5000, 0x100, 7));
    assert_eq!(
        (method.method_id(), method.module_id(), method.assembly_id()),
        (0x1111, 0x2222, Some(0x3333))
    );
    assert_eq!((method.token(), method.flags()), (0x0600_0001, 8));
    assert_eq!((method.namespace(), method.name()), (Some("Test.Program"), Some("Main")));
    assert_eq!(method.signature(), Some("void  ()"));
    assert_eq!(method.module_name(), Some("test.exe"));
    assert_eq!(method.module_native_path(), Some("C:\\Windows\\assembly\\test.ni.exe"));
    let pdb = (guid("6048fdb6-2dcd-41c1-8835-594844ce7143"), 2, Some("C:\\build\\test.pdb"));
    assert_eq!(method.module_pdb(), Some(pdb));
    assert_eq!((method.load(), method.unload()), (Some(Ticks(100)), None));
}

#[test]
fn addresses_have_64_bits_in_events_of_32_bit_processes() {
    let RecordSpec::Event(event) = method(CLR, 143, 100, 0x5000, "Main") else { panic!("an event") };
    let context = context(&[EventSpec { width: Width::Bits32, ..event }]);
    assert_eq!(at(&context, 7, 0x5000, 100).as_deref(), Some("Test.Program.Main"));
}

#[test]
fn a_frame_is_a_method_or_an_offset_in_a_module_or_an_address() {
    let image = perf(0x030A, 2, 50, &images::payload(7, 0x4000, 0x1800, "\\x\\mscorlib.ni.dll"));
    let context = context(&[image.into(), method(CLR, 143, 100, 0x5000, "Main")]);
    let symbolizer = Symbolizer::new(context.images.as_ref(), context.methods.as_ref());
    let show = |address| symbolizer.frame(7, address, Ticks(200), None).to_string();
    assert_eq!(show(0x5010), "Test.Program.Main", "a method goes before the image that it lies in");
    assert_eq!(show(0x4010), "mscorlib.ni.dll+0x10");
    assert_eq!(show(0x5800), "0x5800");
    let frame = symbolizer.frame(7, 0x5010, Ticks(200), None);
    assert_eq!((frame.address(), frame.offset()), (0x5010, Some(0x10)));
    assert!(frame.method().is_some() && frame.image().is_some());
    let nothing = Symbolizer::default().frame(7, 0x5010, Ticks(200), None);
    assert_eq!((nothing.to_string().as_str(), nothing.offset()), ("0x5010", None));
}

#[test]
fn return_addresses_are_looked_up_one_byte_earlier_and_the_innermost_is_not() {
    let context = context(&[method(CLR, 143, 100, 0x5000, "Caller"), method(CLR, 143, 100, 0x5100, "Next")]);
    let symbolizer = context.symbolizer();
    // Both calls are the last instruction of their methods.
    let frames = symbolizer.frames(7, [0x5100, 0x5100, 0x5000].into_iter(), Ticks(200), None);
    let shown: Vec<_> = frames.map(|frame| (frame.to_string(), frame.address())).collect();
    assert_eq!(
        shown,
        [
            ("Test.Program.Next".to_owned(), 0x5100),
            ("Test.Program.Caller".to_owned(), 0x5100),
            ("0x5000".to_owned(), 0x5000),
        ]
    );
}
