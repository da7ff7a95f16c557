//! Which module lies at an address, and what symbol servers call it.

use etweir::Ticks;
use etweir::context::Context;
use etweir::write::{FullSpec, RecordSpec, Width};

use crate::records::wide;
use crate::{IMAGE, IMAGE_ID, KERNEL_PROCESS, context, full, guid, manifest, payload, perf, u32s, u64s};

const LOAD: u16 = 0x030A;
const UNLOAD: u16 = 0x1402;
const DC_START: u16 = 0x1403;
const DC_END: u16 = 0x1404;
const HAL: u64 = 0xFFFF_F800_0000_0000;

/// Version 2 of the class.
pub(crate) fn payload(process: u32, base: u64, size: u64, path: &str) -> Vec<u8> {
    payload!(
        u64s(&[base, size]),
        u32s(&[process, 0x1234, 0x5010_ACD2, 0]), // ProcessId, ImageChecksum, TimeDateStamp, Reserved0
        u64s(&[0x1_8000_0000]),                   // DefaultBase
        u32s(&[0; 4]),
        wide(path),
    )
}

fn event(hook: u16, time: i64, process: u32, base: u64, name: &str) -> RecordSpec {
    perf(hook, 2, time, &payload(process, base, 0x1000, &format!("\\Device\\HarddiskVolume2\\{name}"))).into()
}

fn at(context: &Context, process: u32, address: u64, time: i64) -> Option<&str> {
    context.images.as_ref().expect("images").at(process, address, Ticks(time), None)?.name()
}

#[test]
fn an_image_lies_at_its_addresses_from_load_to_unload() {
    let context = context(&[event(LOAD, 100, 7, 0x10000, "a.dll"), event(UNLOAD, 200, 7, 0x10000, "a.dll")]);
    for (address, time, expected) in [
        (0x10000, 100, Some("a.dll")),
        (0x10FFF, 200, Some("a.dll")),
        (0x11000, 150, None),
        (0xFFFF, 150, None),
        (0x10000, 99, None),
        (0x10000, 201, None),
    ] {
        assert_eq!(at(&context, 7, address, time), expected, "{address:#x} at {time}");
    }
    assert_eq!(at(&context, 8, 0x10000, 150), None, "another process");
    let image = context.images.as_ref().expect("images").at(7, 0x10010, Ticks(150), None).expect("an image");
    assert_eq!((image.process_id(), image.base(), image.size()), (7, 0x10000, 0x1000));
    assert_eq!(image.path(), Some("\\Device\\HarddiskVolume2\\a.dll"));
    assert_eq!((image.checksum(), image.default_base()), (0x1234, 0x1_8000_0000));
    assert_eq!((image.load(), image.unload()), (Some(Ticks(100)), Some(Ticks(200))));
}

#[test]
fn the_rundown_at_the_end_tells_what_was_there_before() {
    let context = context(&[
        event(DC_END, 900, 7, 0x10000, "a.dll"),
        event(LOAD, 500, 7, 0x20000, "b.dll"),
        event(DC_END, 900, 7, 0x20000, "b.dll"),
        event(DC_START, 0, 7, 0x30000, "c.dll"),
    ]);
    assert_eq!(at(&context, 7, 0x10000, 0), Some("a.dll"), "no load was seen");
    assert_eq!(at(&context, 7, 0x20000, 499), None, "the load was seen");
    assert_eq!(at(&context, 7, 0x20000, 500), Some("b.dll"));
    assert_eq!(at(&context, 7, 0x30000, 5000), Some("c.dll"));
}

#[test]
fn addresses_that_are_used_again_belong_to_the_image_of_the_time() {
    let mut events = vec![
        event(LOAD, 100, 7, 0x10000, "a.dll"),
        event(UNLOAD, 200, 7, 0x10000, "a.dll"),
        event(LOAD, 300, 7, 0x10800, "b.dll"),
        event(UNLOAD, 400, 7, 0x10800, "b.dll"),
        event(LOAD, 500, 7, 0x10000, "c.dll"),
    ];
    for _ in 0..events.len() {
        events.rotate_left(1);
        let context = context(&events);
        let found: Vec<_> =
            [150, 250, 350, 450, 550].map(|time| at(&context, 7, 0x10900, time)).into_iter().collect();
        assert_eq!(found, [Some("a.dll"), None, Some("b.dll"), None, Some("c.dll")]);
    }
}

#[test]
fn images_of_the_kernel_are_those_of_all_processes() {
    let context = context(&[
        event(DC_START, 0, 0, HAL, "hal.dll"),
        event(DC_START, 0, 4, HAL + 0x10000, "driver.sys"),
        event(DC_START, 0, 4, 0x7FF0_0000_0000, "ntdll.dll"),
    ]);
    for process in [0, 4, 7] {
        assert_eq!(at(&context, process, HAL + 5, 10), Some("hal.dll"), "{process}");
        assert_eq!(at(&context, process, HAL + 0x10005, 10), Some("driver.sys"), "{process}");
    }
    assert_eq!(at(&context, 4, 0x7FF0_0000_0005, 10), Some("ntdll.dll"));
    assert_eq!(at(&context, 7, 0x7FF0_0000_0005, 10), None, "that of System alone");
}

#[test]
fn images_of_an_earlier_process_with_the_id_do_not_count() {
    // The unload is lost.
    let context = context(&[event(LOAD, 100, 7, 0x10000, "a.dll")]);
    let images = context.images.as_ref().expect("images");
    assert!(images.at(7, 0x10000, Ticks(600), Some(Ticks(50))).is_some());
    assert!(images.at(7, 0x10000, Ticks(600), Some(Ticks(500))).is_none());
}

#[test]
fn old_versions_and_other_headers_are_understood() {
    let narrow = |version, opcode, payload: Vec<u8>| FullSpec {
        width: Width::Bits32,
        ..full(IMAGE, opcode, version, 100, &payload)
    };
    let context = context(&[
        // BaseAddress, ModuleSize, ImageFileName: of the process that wrote it
        RecordSpec::from(narrow(0, 3, payload!(u32s(&[0x10000, 0x1000]), wide("C:\\v0.dll")))),
        // ImageBase, ImageSize, ProcessId, FileName
        narrow(1, 10, payload!(u32s(&[0x20000, 0x1000, 7]), wide("C:\\v1.dll"))).into(),
        full(IMAGE, 3, 3, 100, &payload(7, 0x30000, 0x1000, "C:\\v3.dll")).into(),
        // Kernel-Process: ImageBase, ImageSize, ProcessID, ImageCheckSum, TimeDateStamp, DefaultBase, ImageName
        manifest(
            KERNEL_PROCESS,
            5,
            0,
            100,
            &payload!(u64s(&[0x40000, 0x1000]), u32s(&[7, 1, 2]), u64s(&[3]), wide("\\Windows\\kp.dll")),
        )
        .into(),
    ]);
    assert_eq!(at(&context, 900, 0x10010, 100), Some("v0.dll"));
    assert_eq!(at(&context, 7, 0x20010, 100), Some("v1.dll"));
    assert_eq!(at(&context, 7, 0x30010, 100), Some("v3.dll"));
    assert_eq!(at(&context, 7, 0x40010, 100), Some("kp.dll"));
}

/// ImageId: ImageBase, ImageSize, ProcessId, TimeDateStamp, OriginalFileName
fn image_id(time: i64, base: u64, stamp: u32, name: &str) -> RecordSpec {
    full(IMAGE_ID, 0, 2, time, &payload!(u64s(&[base, 0x1000]), u32s(&[7, stamp]), wide(name))).into()
}

const PDB_GUID: &str = "6048fdb6-2dcd-41c1-8835-594844ce7143";

/// DbgId: ImageBase, ProcessId, PdbGuid, PdbAge, PdbFileName
fn dbg_id(opcode: u8, time: i64, base: u64, age: u32, name: &str) -> RecordSpec {
    let payload =
        payload!(u64s(&[base]), u32s(&[7]), guid(PDB_GUID).to_bytes(), u32s(&[age]), name.as_bytes(), [0]);
    full(IMAGE_ID, opcode, 2, time, &payload).into()
}

#[test]
fn what_merging_adds_belongs_to_the_image_with_its_base_process_and_time() {
    let context = context(&[
        image_id(100, 0x10000, 0x5010_ACD2, "ntdll.dll.mui"),
        dbg_id(36, 100, 0x10000, 26, "C:\\build\\ntdll.pdb"),
        dbg_id(37, 100, 0x10000, 1, "il.pdb"),
        event(LOAD, 100, 7, 0x10000, "ntdll.dll"),
        event(UNLOAD, 200, 7, 0x10000, "ntdll.dll"),
        image_id(300, 0x10000, 0x1111_1111, "other.dll"),
        full(IMAGE_ID, 32, 2, 300, &payload!(u64s(&[0x10000]), u32s(&[7]))).into(),
        event(LOAD, 300, 7, 0x10000, "other.dll"),
    ]);
    let images = context.images.as_ref().expect("images");
    let image = images.at(7, 0x10000, Ticks(150), None).expect("an image");
    assert_eq!(image.original_file_name(), Some("ntdll.dll.mui"));
    let pdb = image.pdb().expect("symbols");
    assert_eq!((pdb.guid(), pdb.age(), pdb.name()), (guid(PDB_GUID), 26, Some("C:\\build\\ntdll.pdb")));
    // The age is hexadecimal, without zeros in front.
    assert_eq!(
        pdb.symbol_server_key().as_deref(),
        Some("ntdll.pdb/6048FDB62DCD41C18835594844CE71431A/ntdll.pdb")
    );
    assert_eq!(image.il_pdb().expect("symbols of the IL").name(), Some("il.pdb"));
    assert_eq!(image.symbol_server_key().as_deref(), Some("ntdll.dll/5010ACD21000/ntdll.dll"));

    let image = images.at(7, 0x10000, Ticks(350), None).expect("an image");
    assert_eq!((image.name(), image.time_date_stamp()), (Some("other.dll"), Some(0x1111_1111)));
    assert!(image.pdb().is_none() && image.il_pdb().is_none());
}

#[test]
fn what_is_told_again_with_the_rundown_is_the_same_image() {
    let context = context(&[
        image_id(10, 0x10000, 5, "a.dll"),
        dbg_id(36, 10, 0x10000, 1, "a.pdb"),
        event(DC_START, 10, 7, 0x10000, "a.dll"),
        image_id(900, 0x10000, 5, "a.dll"),
        dbg_id(36, 900, 0x10000, 1, "a.pdb"),
        event(DC_END, 900, 7, 0x10000, "a.dll"),
    ]);
    let images: Vec<_> = context.images.as_ref().expect("images").iter().collect();
    assert_eq!(images.len(), 1);
    assert_eq!(images[0].pdb().expect("symbols").name(), Some("a.pdb"));
}

#[test]
fn the_stamp_that_merging_added_goes_before_that_of_the_event() {
    let context = context(&[
        image_id(100, 0x10000, 0x5010_ACD2, "a.dll"),
        perf(LOAD, 2, 100, &{
            let mut without = payload(7, 0x10000, 0x1000, "a.dll");
            without[24..28].fill(0);
            without
        })
        .into(),
        event(LOAD, 100, 7, 0x20000, "b.dll"),
    ]);
    let images = context.images.as_ref().expect("images");
    let stamp = |address| images.at(7, address, Ticks(100), None).expect("an image").time_date_stamp();
    assert_eq!((stamp(0x10000), stamp(0x20000)), (Some(0x5010_ACD2), Some(0x5010_ACD2)));
}
