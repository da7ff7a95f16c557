//! Volumes, files, registry keys.

use etweir::Ticks;
use etweir::context::Volumes;
use etweir::decode::Decoder;
use etweir::trace::Event;
use etweir::write::RecordSpec;

use crate::records::wide;
use crate::{SYSTEM_CONFIG_EX, ask, context, full, payload, perf, system, u32s, u64s};

fn mapping(nt_path: &str, dos_path: &str) -> RecordSpec {
    full(SYSTEM_CONFIG_EX, 35, 0, 0, &payload!(wide(nt_path), wide(dos_path))).into()
}

#[test]
fn the_longest_beginning_of_a_path_counts() {
    let context = context(&[
        mapping("\\Device\\HarddiskVolume1\\", "C:\\"),
        mapping("\\Device\\HarddiskVolume10\\", "D:\\"),
        mapping("\\Device\\HarddiskVolume1\\mount\\", "E:\\"),
        mapping("\\??\\", ""),
    ]);
    let volumes = context.volumes.as_ref().expect("volumes");
    for (nt_path, expected) in [
        ("\\Device\\HarddiskVolume1\\a\\b.dll", Some("C:\\a\\b.dll")),
        ("\\Device\\HarddiskVolume10\\a", Some("D:\\a")),
        ("\\Device\\HarddiskVolume1\\mount\\a", Some("E:\\a")),
        ("\\device\\harddiskvolume1\\Mount\\a", Some("E:\\a")),
        ("\\??\\C:\\a", Some("C:\\a")),
        ("\\Device\\HarddiskVolume1", None),
        ("\\Device\\HarddiskVolume2\\a", None),
        ("C:\\a", None),
        ("", None),
        ("\\Device\\HarddiskVolume\u{e9}\u{e9}\u{e9}", None),
    ] {
        assert_eq!(volumes.dos_path(nt_path).as_deref(), expected, "{nt_path}");
    }
    assert_eq!(volumes.split("\\Device\\HarddiskVolume10\\a"), Some(("D:\\", "a")));
}

#[test]
fn the_system_root_is_the_windows_directory() {
    let paths = payload!(wide("C:\\Windows\\system32"), wide("C:\\Windows\\"));
    let context = context(&[full(SYSTEM_CONFIG_EX, 33, 0, 0, &paths)]);
    let volumes = context.volumes.as_ref().expect("volumes");
    assert_eq!(volumes.system_directory(), Some("C:\\Windows\\system32"));
    assert_eq!(volumes.windows_directory(), Some("C:\\Windows\\"));
    assert_eq!(
        volumes.dos_path("\\systemroot\\System32\\hal.dll").as_deref(),
        Some("C:\\Windows\\System32\\hal.dll")
    );
}

#[test]
fn a_mapping_that_is_told_again_is_replaced() {
    let mut volumes = Volumes::default();
    volumes.map("\\Device\\A\\", "X:\\");
    volumes.map("\\device\\a\\", "Y:\\");
    assert_eq!(volumes.iter().collect::<Vec<_>>(), [("\\Device\\A\\", "Y:\\")]);
}

/// Name, FileCreate, FileDelete, FileRundown: FileObject, FileName
fn file(opcode: u16, time: i64, key: u64, name: &str) -> RecordSpec {
    perf(0x0400 | opcode, 2, time, &payload!(u64s(&[key]), wide(name))).into()
}

#[test]
fn a_file_has_its_name_from_its_creation_to_its_deletion() {
    let context = context(&[
        file(32, 100, 0xF00D, "\\Device\\HarddiskVolume2\\a.txt"),
        file(35, 200, 0xF00D, "\\Device\\HarddiskVolume2\\a.txt"),
        file(32, 300, 0xF00D, "\\Device\\HarddiskVolume2\\b.txt"),
        file(36, 900, 0xBEEF, "\\Device\\HarddiskVolume2\\c.txt"),
        file(0, 500, 0xCAFE, "\\Device\\HarddiskVolume2\\d.txt"),
    ]);
    let files = context.files.as_ref().expect("files");
    let name = |key, time| files.name(key, Ticks(time)).map(|name| &name[name.len() - 5..]);
    assert_eq!(
        [99, 100, 250, 300].map(|time| name(0xF00D, time)),
        [None, Some("a.txt"), Some("a.txt"), Some("b.txt")]
    );
    assert_eq!(name(0xBEEF, 0), Some("c.txt"), "the rundown names files of the start");
    assert_eq!(name(0xCAFE, 0), Some("d.txt"), "a name may be told when a file is used first");
    assert_eq!(name(1, 500), None);
    assert_eq!(files.iter().count(), 4);
}

#[test]
fn an_operation_refers_to_its_file_by_key_or_by_object() {
    let context = context(&[file(36, 900, 0xF00D, "\\x\\key.txt"), file(36, 900, 0xBEEF, "\\x\\object.txt")]);
    let files = context.files.as_ref().expect("files");
    // Read: Offset, IrpPtr, FileObject, FileKey, TTID, IoSize, IoFlags
    let read = |object, key| {
        let payload = payload!(u64s(&[0, 1, object, key]), u32s(&[70, 0, 0]));
        let mut decoder = Decoder::new();
        let name = |event: &Event<'_>| files.name_of(&decoder.decode(event), Ticks(100)).map(str::to_owned);
        ask(system(0x0443, 3, 100, (7, 70), &payload), name)
    };
    assert_eq!(read(0xBEEF, 0xF00D).as_deref(), Some("\\x\\key.txt"));
    assert_eq!(read(0xBEEF, 0x1).as_deref(), Some("\\x\\object.txt"));
    assert_eq!(read(0x2, 0x1), None);
}

#[test]
fn a_file_object_has_the_name_of_its_opening_until_it_is_closed() {
    // Create: IrpPtr, FileObject, TTID, CreateOptions, FileAttributes, ShareAccess, OpenPath
    let create = |time, object, path| -> RecordSpec {
        let payload = payload!(u64s(&[1, object]), u32s(&[70, 0, 0, 0]), wide(path));
        system(0x0440, 3, time, (7, 70), &payload).into()
    };
    // Close: IrpPtr, FileObject, FileKey, TTID
    let close = |time, object| -> RecordSpec {
        system(0x0442, 3, time, (7, 70), &payload!(u64s(&[1, object, 9]), u32s(&[70]))).into()
    };
    let context = context(&[
        create(100, 0xA0, "\\Device\\HarddiskVolume2\\a.txt"),
        close(200, 0xA0),
        create(300, 0xA0, "\\Device\\HarddiskVolume2\\b.txt"),
        close(400, 0xB0),
    ]);
    let files = context.files.as_ref().expect("files");
    let name = |time| files.name(0xA0, Ticks(time)).map(|name| &name[name.len() - 5..]);
    assert_eq!([50, 150, 250, 350].map(name), [None, Some("a.txt"), Some("a.txt"), Some("b.txt")]);
    assert_eq!(files.name(0xB0, Ticks(400)), None, "opened before the trace");
}

/// InitialTime, Status, Index, KeyHandle, KeyName
fn key(opcode: u16, time: i64, handle: u64, name: &str) -> RecordSpec {
    let payload = payload!(u64s(&[0]), u32s(&[0, 0]), u64s(&[handle]), wide(name));
    system(0x0900 | opcode, 2, time, (7, 70), &payload).into()
}

#[test]
fn a_registry_key_has_the_name_of_its_block() {
    let context = context(&[
        key(22, 100, 0xAA, "\\REGISTRY\\MACHINE\\SOFTWARE"),
        key(23, 200, 0xAA, "\\REGISTRY\\MACHINE\\SOFTWARE"),
        key(22, 300, 0xAA, "\\REGISTRY\\USER"),
        key(25, 900, 0xBB, "\\REGISTRY\\MACHINE\\SYSTEM"),
    ]);
    let registry = context.registry.as_ref().expect("keys");
    assert_eq!(registry.name(0xAA, Ticks(99)), None);
    assert_eq!(registry.name(0xAA, Ticks(150)), Some("\\REGISTRY\\MACHINE\\SOFTWARE"));
    assert_eq!(registry.name(0xAA, Ticks(300)), Some("\\REGISTRY\\USER"));
    assert_eq!(registry.name(0xBB, Ticks(0)), Some("\\REGISTRY\\MACHINE\\SYSTEM"));
    assert_eq!(registry.iter().count(), 3);

    let mut decoder = Decoder::new();
    // Open, and a query of the key itself.
    for (operation, expected) in [
        (key(11, 150, 0xAA, "Vendor\\App"), Some("\\REGISTRY\\MACHINE\\SOFTWARE\\Vendor\\App")),
        (key(13, 350, 0xAA, ""), Some("\\REGISTRY\\USER")),
        (key(11, 150, 0, "\\REGISTRY\\MACHINE"), Some("\\REGISTRY\\MACHINE")),
        (key(11, 150, 0, ""), None),
        (key(11, 150, 0xCC, "Vendor"), None),
    ] {
        let found = ask(operation.clone(), |event| {
            registry.full_name(&decoder.decode(event), event.time_stamp().expect("a stamp"))
        });
        assert_eq!(found.as_deref(), expected, "{operation:?}");
    }
}
