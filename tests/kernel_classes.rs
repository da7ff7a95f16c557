//! Each rule by which a classic event finds its layout, on payloads spelled out by hand.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

#[macro_use]
mod records;

use etweir::decode::{Exactness, SchemaKind};
use etweir::testkit::check;
use proptest::collection::vec;
use proptest::prelude::*;
use records::{decode, full, perf, show, wide};

const PROCESS: &str = "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c";
const THREAD: &str = "3d6fa8d1-fe05-11d0-9dda-00c04fd7ba7c";
const IMAGE: &str = "2cb15d1d-5fc1-11d2-abe1-00a0c911f518";
const IMAGE_ID: &str = "b3e675d7-2554-4f18-830b-2762732560de";
const HEAP: &str = "222962ab-6180-4b88-a825-346b75f2a24a";
const SYSTEM_CONFIG: &str = "01853a65-418f-4f36-aefc-dc0f1d2fd235";

fn u16(number: u16) -> [u8; 2] {
    number.to_le_bytes()
}

fn u32(number: u32) -> [u8; 4] {
    number.to_le_bytes()
}

fn u64(number: u64) -> [u8; 8] {
    number.to_le_bytes()
}

fn hook(hook_id: u16, version: u8, pointer: u8, payload: &[u8]) -> String {
    decode(perf(hook_id, version, pointer, payload), show)
}

fn class(guid: &str, opcode: u8, version: u8, pointer: u8, payload: &[u8]) -> String {
    decode(full(guid, opcode, version, pointer, payload), show)
}

#[test]
fn a_hook_belongs_to_the_class_of_its_group() {
    let payload = payload![u64(0xFFFF_F800_0268_F318), u32(3488), u16(1), [0x58, 0]];
    assert_eq!(
        hook(0x0F2E, 2, 8, &payload),
        "PerfInfo/SampleProf InstructionPointer=0xfffff8000268f318 ThreadId=3488 Count=1 Flags=88 Rank=0"
    );
    let names = decode(perf(0x0F2E, 2, 8, &payload), |decoded| decoded.names().clone());
    assert_eq!(names.provider.as_deref(), Some("PerfInfo"));
    assert_eq!(names.task.as_deref(), Some("PerfInfo"));
    assert_eq!(names.opcode.as_deref(), Some("SampleProf"));
    assert_eq!(decode(perf(0x0F2E, 2, 8, &payload), |decoded| decoded.kind()), Some(SchemaKind::Kernel));
}

#[test]
fn an_image_load_in_the_process_group_is_one_of_the_image_class() {
    let payload = payload![u32(0x40_0000), u32(0x1000), u32(4), wide("a.dll")];
    assert_eq!(
        hook(0x030A, 1, 4, &payload),
        r#"Image/Load ImageBase=0x400000 ImageSize=0x1000 ProcessId=4 FileName="a.dll""#
    );
}

#[test]
fn a_structure_of_c_is_aligned_where_its_members_are() {
    let delay = payload![u32(7), [0; 4], u64(500)];
    for pointer in [4, 8] {
        assert_eq!(hook(0x052F, 2, pointer, &delay), "Thread/DelayExecution ThreadId=7 Delta=500");
    }
    let wait = payload![u32(7), u32(0x1234_5678), [5]];
    assert_eq!(hook(0x052D, 2, 4, &wait), "Thread/WaitSingle ThreadId=7 Object=0x12345678 ObjectType=5");
    let wait = payload![u32(7), [0; 4], u64(0x1234_5678), [5]];
    assert_eq!(hook(0x052D, 2, 8, &wait), "Thread/WaitSingle ThreadId=7 Object=0x12345678 ObjectType=5");
}

#[test]
fn of_a_hook_without_a_row_the_name_is_known() {
    assert_eq!(hook(0x0221, 2, 8, &[1, 2, 3]), "PageFault/REMOVEPAGEBYCOLOR +3");
    assert_eq!(hook(0x1320, 2, 8, &[]), "ModBound/MODULEBOUND_ENT");
}

#[test]
fn an_opcode_or_a_class_that_nobody_knows_is_not_decoded() {
    // SystemConfig 19 was seen and has no published name.
    for record in [perf(0x0B13, 2, 8, &[0; 8]), perf(0x2A00, 2, 8, &[0; 8])] {
        let exactness = decode(record, |decoded| decoded.outcome().exactness);
        assert_eq!(exactness, Exactness::Not);
    }
    assert_eq!(class("00000000-0000-0000-0000-0000000000ff", 1, 0, 8, &[1]), "? +1");
}

#[test]
fn a_version_without_a_row_has_that_of_the_highest_below_and_leaves_the_rest() {
    let payload = payload![
        u32(0),
        u32(0x43),
        u32(512),
        u32(0),
        u64(4096),
        u64(0xA0),
        u64(0xB0),
        u64(99),
        u32(44),
        u32(1)
    ];
    assert_eq!(
        hook(0x010A, 7, 8, &payload),
        "DiskIo/Read (lower version) DiskNumber=0 IrpFlags=67 TransferSize=512 Reserved=0 ByteOffset=4096 \
         FileObject=0xa0 Irp=0xb0 HighResResponseTime=99 IssuingThreadId=44 +4"
    );
    // Version 2 has a row of its own.
    assert_eq!(
        hook(0x010A, 2, 8, &payload[..48]),
        "DiskIo/Read DiskNumber=0 IrpFlags=67 TransferSize=512 Reserved=0 ByteOffset=4096 FileObject=0xa0 Irp=0xb0 \
         HighResResponseTime=99"
    );
}

#[test]
fn a_row_without_a_version_is_taken_for_any() {
    let payload = payload![u32(1), u32(2), u32(3), u32(4)];
    for version in [0, 2, 255] {
        assert_eq!(
            hook(0x1722, version, 4, &payload),
            "CritSecTrace/Collision LockCount=1 SpinCount=2 OwningThread=0x3 CritSecAddr=0x4"
        );
    }
}

#[test]
fn an_event_lies_as_another_of_its_kind_does_in_its_version() {
    let payload = payload![u32(0x7640_0000), u32(0x9000), wide(r"C:\LPK.DLL")];
    for (opcode, name) in [(10, "Load"), (2, "UnLoad"), (3, "DCStart"), (4, "DCEnd")] {
        assert_eq!(
            class(IMAGE, opcode, 0, 4, &payload),
            format!(r#"Image/{name} BaseAddress=0x76400000 ModuleSize=36864 ImageFileName="C:\\LPK.DLL""#)
        );
    }
}

#[test]
fn a_row_of_a_higher_version_is_a_guess() {
    let payload = payload![u32(1), u32(2), u32(3), u32(4), u32(5)];
    assert_eq!(
        hook(0x1C20, 1, 4, &payload),
        "ThreadPoolTrace/CBEnqueue (guess) PoolId=0x1 TaskId=0x2 CallbackFunction=0x3 CallbackContext=0x4 \
         SubProcessTag=0x5"
    );
}

#[test]
fn a_context_switch_of_version_1_has_16_or_20_bytes() {
    let payload = payload![u32(7), u32(9), [8, 10, 6, 6, 15, 1, 5, 2], u32(3)];
    let start = "Thread/CSwitch NewThreadId=7 OldThreadId=9 NewThreadPriority=8 OldThreadPriority=10 \
                 NewThreadQuantum=6 OldThreadQuantum=6 OldThreadWaitReason=15 OldThreadWaitMode=1 OldThreadState=5 \
                 OldThreadWaitIdealProcessor=2";
    assert_eq!(hook(0x0524, 1, 8, &payload[..16]), start);
    assert_eq!(hook(0x0524, 1, 8, &payload), format!("{start} NewThreadWaitTime=3"));
}

#[test]
fn wait_reasons_modes_and_states_have_texts() {
    let payload = payload![u32(7), u32(9), [8, 10, 6, 6, 15, 1, 5, 2], u32(3), u32(0)];
    let texts = decode(perf(0x0524, 2, 8, &payload), |decoded| {
        let mut texts = Vec::new();
        for field in decoded.fields().map(|field| field.expect("a value")) {
            if let (Some(map), Some(number)) = (&field.property.map, field.value.as_u64()) {
                let text = map.entries().iter().find(|(value, _)| u64::from(*value) == number);
                texts.push(text.map(|(_, text)| text.to_string()).unwrap_or_default());
            }
        }
        texts
    });
    assert_eq!(texts, ["WrQueue", "UserMode", "Waiting"]);
}

#[test]
fn the_end_of_a_thread_of_version_1_has_two_ids_or_all_of_its_start() {
    let ids = payload![u32(4), u32(7)];
    let all = payload![ids, u32(1), u32(2), u32(3), u32(4), u32(5), u32(6), [1]];
    for (opcode, name) in [(2, "End"), (4, "DCEnd")] {
        assert_eq!(class(THREAD, opcode, 1, 4, &ids), format!("Thread/{name} ProcessId=4 TThreadId=7"));
        assert_eq!(
            class(THREAD, opcode, 1, 4, &all),
            format!(
                "Thread/{name} ProcessId=4 TThreadId=7 StackBase=0x1 StackLimit=0x2 UserStackBase=0x3 \
                 UserStackLimit=0x4 StartAddr=0x5 Win32StartAddr=0x6 WaitMode=1"
            )
        );
    }
}

#[test]
fn a_thread_of_version_3_may_have_a_name() {
    let payload = payload![u32(4), u32(7), [0; 28], u32(0), [8, 5, 2, 0]];
    assert!(class(THREAD, 1, 3, 4, &payload).ends_with("IoPriority=2 ThreadFlags=0"));
    let named = payload![payload, wide("worker")];
    assert!(class(THREAD, 1, 3, 4, &named).ends_with(r#"IoPriority=2 ThreadFlags=0 ThreadName="worker""#));
}

#[test]
fn priorities_have_the_numbers_that_reserves_had() {
    let priority = payload![u32(7), [8, 9], u16(0)];
    assert_eq!(
        hook(0x0530, 2, 8, &priority),
        "Thread/SetPriority ThreadId=7 OldPriority=8 NewPriority=9 Reserved=0"
    );
    assert_eq!(
        hook(0x0531, 2, 8, &priority),
        "Thread/SetBasePriority ThreadId=7 OldPriority=8 NewPriority=9 Reserved=0"
    );
    let reserve = payload![u64(0xA0), u32(1), u32(2), u32(3), [4]];
    assert_eq!(
        hook(0x0530, 2, 8, &reserve),
        "Thread/ReserveCreate Reserve=0xa0 Period=1 Budget=2 ObjectFlags=3 Processor=4"
    );
}

#[test]
fn tcp_ip_events_of_version_1_have_six_fields_or_more() {
    let payload = payload![u32(4), u32(100), [10, 0, 0, 1], [10, 0, 0, 2], [0, 80], [0xC0, 0]];
    let start = "TcpIp/Recv PID=4 size=100 daddr=16777226 saddr=33554442 dport=20480 sport=192";
    assert_eq!(hook(0x060B, 1, 4, &payload), start);
    let more = payload![payload, u32(9), u32(5)];
    assert_eq!(hook(0x060B, 1, 4, &more), format!("{start} connid=0x9 seqnum=5"));
}

#[test]
fn the_length_decides_between_the_versions_of_heap_events() {
    let payload = payload![u32(1), u32(2), u32(3), u32(4), u32(5), u32(6), u32(7), u32(8)];
    let start = "HeapTrace/Expand";
    let fields = "HeapHandle=0x1 CommittedSize=2 CommitAddress=0x3 FreeSpace=4 CommittedSpace=5 ReservedSpace=6 NoOfUCRs=7";
    assert_eq!(class(HEAP, 37, 2, 4, &payload[..28]), format!("{start} {fields}"));
    assert_eq!(class(HEAP, 37, 3, 4, &payload), format!("{start} {fields} AllocatedSpace=8"));
    assert_eq!(class(HEAP, 37, 2, 4, &payload), format!("{start} (guess) {fields} AllocatedSpace=8"));
    assert_eq!(class(HEAP, 37, 3, 4, &payload[..28]), format!("{start} {fields}"));
}

#[test]
fn a_file_event_with_the_old_version_and_the_new_length_has_the_new_layout() {
    let old = payload![u64(1), u64(2), u64(3), u64(4)];
    assert_eq!(hook(0x0441, 2, 8, &old), "FileIo/Cleanup IrpPtr=0x1 TTID=0x2 FileObject=0x3 FileKey=0x4");
    let new = payload![u64(1), u64(3), u64(4), u32(2)];
    assert_eq!(hook(0x0441, 3, 8, &new), "FileIo/Cleanup IrpPtr=0x1 FileObject=0x3 FileKey=0x4 TTID=2");
    assert_eq!(
        hook(0x0441, 2, 8, &new),
        "FileIo/Cleanup (guess) IrpPtr=0x1 FileObject=0x3 FileKey=0x4 TTID=2"
    );
    // A new one that has grown to the old length is no old one.
    let grown = payload![new, u32(0)];
    assert_eq!(hook(0x0441, 3, 8, &grown), "FileIo/Cleanup IrpPtr=0x1 FileObject=0x3 FileKey=0x4 TTID=2 +4");
}

#[test]
fn a_read_may_have_flags_of_newer_systems() {
    let payload = payload![u64(0), u32(1), u32(2), u32(3), u32(4), u32(512), u32(0x900), u32(7)];
    assert!(hook(0x0443, 3, 4, &payload[..32]).ends_with("IoSize=512 IoFlags=2304"));
    assert!(hook(0x0443, 3, 4, &payload).ends_with("IoSize=512 IoFlags=2304 ExtraFlags=7"));
}

#[test]
fn the_port_of_an_alpc_wait_is_8_bit_text_or_utf_16() {
    for version in [0, 2] {
        let ansi = payload![u32(1), b"\\RPC\0"];
        let text = hook(0x1A24, version, 8, &ansi);
        assert!(text.ends_with(r#"IsServerPort=1 PortName=a"\\RPC""#), "{text}");
        let unicode = payload![u32(1), wide("\\RPC")];
        let text = hook(0x1A24, version, 8, &unicode);
        assert!(text.ends_with(r#"IsServerPort=1 PortName="\\RPC""#), "{text}");
        // An even number of characters would also make UTF-16.
        let even = payload![u32(1), b"abc\0"];
        assert!(hook(0x1A24, version, 8, &even).ends_with(r#"PortName=a"abc""#));
    }
}

#[test]
fn a_numa_node_has_16_bytes_or_as_the_mof_says_8() {
    let real = payload![u32(1), u64(0xF), u16(0), [0; 6]];
    assert_eq!(
        hook(0x0B18, 2, 8, &real),
        "SystemConfig/NumaNode NodeCount=1 NodeMap=[{Mask=15,Group=0,Reserved=000000000000}]"
    );
    let mof = payload![u32(2), u64(0xF), u64(0xF0)];
    assert_eq!(hook(0x0B18, 2, 8, &mof), "SystemConfig/NumaNode NodeCount=2 NodeMap=[15,240]");
}

#[test]
fn the_configuration_of_windows_2000_has_a_text_in_place_of_a_fixed_size() {
    let payload = payload![u32(500), u32(1), u32(256), u32(4096), u32(65536), wide("PC")];
    assert_eq!(
        class(SYSTEM_CONFIG, 10, 0, 4, &payload),
        r#"HWConfig/CPU MHz=500 NumberOfProcessors=1 MemSize=256 PageSize=4096 AllocationGranularity=65536 ComputerName="PC""#
    );
}

#[test]
fn a_fixed_text_ends_at_its_first_zero() {
    let mut name = wide("PC");
    name.extend(wide("what was there before"));
    name.resize(512, 0);
    let payload = payload![u32(500), u32(1), u32(256), u32(4096), u32(65536), name, [0; 268], u32(1)];
    let text = class(SYSTEM_CONFIG, 10, 2, 4, &payload);
    assert!(text.ends_with(r#"ComputerName="PC" DomainName="" HyperThreadingFlag=0x1"#), "{text}");
}

#[test]
fn a_disk_channel_of_a_64_bit_system_has_a_32_bit_header() {
    let payload = payload![u32(0), u32(1), u32(1040), u32(9), wide("Channel 0")];
    assert_eq!(
        hook(0x0B17, 2, 4, &payload),
        r#"SystemConfig/IDEChannel TargetId=0 DeviceType=1 DeviceTimingMode=1040 LocationInformationLen=9 LocationInformation="Channel 0""#
    );
}

#[test]
fn a_mark_is_text_and_nothing_else() {
    assert_eq!(hook(0x0F22, 0, 8, b"begin\0"), r#"PerfInfo/Mark Message=a"begin""#);
}

#[test]
fn an_interval_of_version_3_has_the_name_of_its_source() {
    let payload = payload![u32(0), u32(10_000), u32(1_000), wide("Timer")];
    for hook_id in [0x0F48, 0x0F49, 0x0F4A] {
        let text = hook(hook_id, 3, 8, &payload);
        assert!(
            text.ends_with(r#"Source=0 NewInterval=10000 OldInterval=1000 SourceName="Timer""#),
            "{text}"
        );
    }
    assert!(hook(0x0F48, 3, 8, &payload[..12]).ends_with("OldInterval=1000"));
}

#[test]
fn counters_are_as_many_names_as_they_say() {
    let payload = payload![u32(2), wide("LLCMisses"), wide("Cycles")];
    assert_eq!(
        hook(0x0F30, 2, 8, &payload),
        r#"PerfInfo/PmcCtrConfig CounterCount=2 CounterName=["LLCMisses","Cycles"]"#
    );
}

#[test]
fn a_stack_has_all_addresses_to_the_end() {
    let head = payload![u64(99), u32(4), u32(7)];
    let wide = payload![head, u64(0xFFFF_F800_0000_0001), u64(0x7FF6_0000_0002), [0xEE; 3]];
    assert_eq!(
        hook(0x1820, 2, 8, &wide),
        "StackWalk/Stack EventTimeStamp=99 StackProcess=4 StackThread=7 Stack=[0xfffff80000000001,0x7ff600000002] +3"
    );
    let narrow = payload![head, u32(1), u32(2), u32(3)];
    assert!(hook(0x1820, 2, 4, &narrow).ends_with("Stack=[0x1,0x2,0x3]"));
    assert!(hook(0x1820, 2, 4, &head).ends_with("StackThread=7 Stack=[]"));
    let key = payload![head, u64(0xABC)];
    assert_eq!(
        hook(0x1826, 2, 8, &key),
        "StackWalk/StackKeyUser EventTimeStamp=99 StackProcess=4 StackThread=7 StackKey=0xabc"
    );
    assert_eq!(
        hook(0x1824, 2, 8, &payload![u64(0xABC), u64(1)]),
        "StackWalk/KeyRundown Key=0xabc StackFrame=[0x1]"
    );
}

#[test]
fn branches_lie_at_a_multiple_of_a_pointer() {
    let head = payload![u64(99), u32(4), u32(7), u32(0x11)];
    let wide = payload![head, [0; 4], u64(1), u64(2), u64(0), u64(3), u64(4), u64(0)];
    let start = "LastBranchRecord/Sample EventTimeStamp=99 ProcessId=4 ThreadId=7 FilterFlags=17 Branches=";
    let branches = "[{From=0x1,To=0x2,Reserved=0x0},{From=0x3,To=0x4,Reserved=0x0}]";
    assert_eq!(hook(0x0C20, 2, 8, &wide), format!("{start}{branches}"));
    let narrow = payload![head, u32(1), u32(2), u32(0), u32(3), u32(4), u32(0)];
    assert_eq!(hook(0x0C20, 2, 4, &narrow), format!("{start}{branches}"));
}

#[test]
fn a_full_header_may_have_pointers_of_another_width_than_it_says() {
    let sid = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    let end = payload![u32(4), u32(0), u32(0), u32(259)];
    let wide_payload = payload![u64(0xA0), end, u64(1), u64(0), sid, b"System\0", wide("")];
    let expected = "Process/DCStart UniqueProcessKey=0xa0 ProcessId=4 ParentId=0 SessionId=0 ExitStatus=259 \
                    UserSID=S-1-5-18 ImageFileName=a\"System\" CommandLine=\"\"";
    assert_eq!(class(PROCESS, 3, 2, 8, &wide_payload), expected);
    assert_eq!(class(PROCESS, 3, 2, 4, &wide_payload), expected);
    let narrow_payload = payload![u32(0xA0), end, u32(1), u32(0), sid, b"System\0", wide("")];
    assert_eq!(class(PROCESS, 3, 2, 8, &narrow_payload), expected);
    // A kernel record has what its header says, and is wrong then.
    let text = hook(0x0303, 2, 4, &wide_payload);
    assert!(text.contains("error") || text.contains('+'), "{text}");
}

#[test]
fn a_process_without_a_user_has_four_bytes_in_place_of_a_sid() {
    let payload = payload![u32(0xA0), u32(4), u32(0), u32(0), u32(259), u32(0), b"System\0", wide("")];
    assert_eq!(
        hook(0x0303, 2, 4, &payload),
        "Process/DCStart UniqueProcessKey=0xa0 ProcessId=4 ParentId=0 SessionId=0 ExitStatus=259 UserSID=null \
         ImageFileName=a\"System\" CommandLine=\"\""
    );
}

#[test]
fn the_header_of_a_log_file_has_its_two_texts_behind_either_width() {
    for pointer in [4_u8, 8] {
        let pointers = vec![0; usize::from(pointer) * 2];
        let payload = payload![
            u32(65536),
            [6, 1, 1, 5],
            u32(7601),
            u32(4),
            u64(131_087_674_469_774_997),
            u32(156_250),
            u32(0),
            u32(0x1_0001),
            u32(405),
            u32(1),
            u32(pointer.into()),
            u32(0),
            u32(2993),
            pointers,
            [0; 176],
            u64(131_086_937_101_250_000),
            u64(10_000_000),
            u64(131_087_674_424_789_313),
            u32(1),
            u32(0),
            wide("Relogger"),
            wide("a.etl")
        ];
        let text = hook(0x0000, 2, pointer, &payload);
        assert!(
            text.starts_with("EventTraceEvent/Header BufferSize=65536 Version=83951878 ProviderVersion=7601")
        );
        assert!(text.contains(" EndTime=2016-05-26T20:17:26.9774997Z "), "{text}");
        assert!(text.contains(" PerfFreq=10000000 StartTime=2016-05-26T20:17:22.4789313Z ReservedFlags=1 "));
        assert!(text.ends_with(r#" SessionNameString="Relogger" LogFileNameString="a.etl""#), "{text}");
        // Odd files have none.
        let cut = payload.len() - wide("Relogger").len() - wide("a.etl").len();
        let text = hook(0x0000, 2, pointer, &payload[..cut]);
        assert!(text.ends_with(" ReservedFlags=1 BuffersLost=0"), "{text}");
    }
}

#[test]
fn the_extensions_of_the_log_file_header_have_rows() {
    let masks: Vec<u8> = (1..=9).flat_map(u32).collect();
    let text = hook(0x0005, 2, 8, &masks);
    assert!(
        text.starts_with("EventTraceEvent/Extension GroupMask1=1 ") && text.ends_with("KernelEventVersion=9")
    );
    assert_eq!(hook(0x0008, 2, 8, &[]), "EventTraceEvent/RDComplete");
    let guid = [0x11; 16];
    let text = "11111111-1111-1111-1111-111111111111";
    assert_eq!(
        hook(0x0040, 2, 8, &payload![guid, u32(2), b"a.pdb\0"]),
        format!(r#"EventTraceEvent/DbgIdRSDS Guid={text} Age=2 PdbName=a"a.pdb""#)
    );
    assert_eq!(
        hook(0x0041, 2, 8, &payload![u32(9), u32(2), b"a.pdb\0"]),
        r#"EventTraceEvent/DbgIdNB10 TimeDateStamp=9 Age=2 PdbName=a"a.pdb""#
    );
    assert_eq!(hook(0x0042, 2, 8, b"9200.1\0"), r#"EventTraceEvent/BuildInfo BuildString=a"9200.1""#);
    assert_eq!(
        hook(0x0043, 2, 8, &payload![u32(2), guid, guid, wide("a.exe")]),
        format!(r#"EventTraceEvent/ProviderBinaryPath GuidCount=2 Guid=[{text},{text}] BinaryPath="a.exe""#)
    );
    assert_eq!(
        hook(0x0052, 2, 8, &payload![u32(2), u32(0), u64(7), u64(8)]),
        "EventTraceEvent/LastDroppedTimes ProcessorCount=2 Reserved=0 LastDroppedTime=[7,8]"
    );
}

#[test]
fn lost_events_have_no_payload() {
    for (opcode, name) in [(32, "RTLostEvent"), (33, "RTLostBuffer"), (34, "RTLostFile")] {
        let text = class("6a399ae0-4bc6-4de9-870b-3657f8947e7e", opcode, 0, 8, &[]);
        assert_eq!(text, format!("Lost_Event/{name}"));
    }
}

#[test]
fn what_merging_says_of_images_has_rows() {
    let image = payload![u64(0x7FF6_0000_0000), u32(4)];
    let start = |name| format!("KernelTraceControl/{name} ImageBase=0x7ff600000000 ProcessId=4");
    assert_eq!(class(IMAGE_ID, 40, 1, 8, &image), start("Deterministic"));
    assert_eq!(
        class(IMAGE_ID, 34, 2, 8, &payload![image, u32(1), u32(2), u32(3), wide("a.dbg")]),
        format!(r#"{} ImageChecksum=1 TimeDateStamp=2 ImageSize=3 DbgFileName="a.dbg""#, start("DbgFile"))
    );
    assert_eq!(
        class(IMAGE_ID, 38, 2, 8, &payload![image, u32(1), u16(256), u16(257)]),
        format!("{} TimeDateStamp=1 MajorVersion=256 MinorVersion=257", start("DbgPPDB"))
    );
    assert_eq!(
        class(IMAGE_ID, 39, 1, 8, &payload![image, u16(256), u16(256), [0x22; 16], u32(1)]),
        format!(
            "{} MajorVersion=256 MinorVersion=256 PdbGuid=22222222-2222-2222-2222-222222222222 PdbAge=1",
            start("EmbeddedPDB")
        )
    );
    let text = class(IMAGE_ID, 41, 1, 8, &wide("a.dll: not found"));
    assert_eq!(text, r#"KernelTraceControl/UnreadableImage Message="a.dll: not found""#);
}

#[test]
fn a_network_interface_has_1352_bytes() {
    let mut payload = vec![0; 1352];
    payload[8] = 11;
    payload[28..28 + 16].copy_from_slice(&wide("Ethern8")[..16]);
    payload[1056] = 6;
    payload[1060..1066].copy_from_slice(&[0, 0x15, 0x5D, 1, 2, 3]);
    payload[1124] = 0xDC;
    payload[1152] = 1;
    payload[1192..1200].copy_from_slice(&u64(1_000_000_000));
    payload[1344] = 9;
    let record = || full("9b79ee91-b5fd-41c0-a243-4248e266e9d0", 36, 0, 8, &payload);
    assert_eq!(decode(record(), |decoded| decoded.outcome().exactness), Exactness::Wholly);
    let text = decode(record(), show);
    assert!(text.contains(r#" InterfaceIndex=11 "#) && text.contains(r#" Alias="Ethern8" "#), "{text}");
    assert!(text.contains(" PhysicalAddressLength=6 PhysicalAddress=00155d010203"), "{text}");
    assert!(text.contains(" Mtu=220 ") && text.contains(" StatusFlags=1 Pad1=000000 "), "{text}");
    assert!(text.contains(" TransmitLinkSpeed=1000000000 ") && text.ends_with(",0,9]"), "{text}");
}

#[test]
fn packed_documents_and_their_sizes_have_rows() {
    assert_eq!(
        class("ed54dff8-c409-4cf6-bf83-05e1e61a09c4", 35, 0, 8, &payload![u32(1), u32(6), [0x91, 0xB1, 7]]),
        "WinSAT/Metrics State=1 UncompressedSize=6 CompressedDocument=91b107"
    );
    let perf_track = "bf6ef1cb-89b5-490a-80ac-b180cfbcff0f";
    assert_eq!(
        class(perf_track, 33, 0, 8, &payload![u32(6), [0x91, 0xB1]]),
        "PerfTrack/Scenario UncompressedSize=6 CompressedDocument=91b1"
    );
    assert_eq!(
        class(perf_track, 34, 1, 8, &payload![b"scenario\0", u32(600_000)]),
        r#"PerfTrack/Name Name=a"scenario" Value=600000"#
    );
    assert_eq!(class(perf_track, 48, 0, 8, &[1]), "PerfTrack/Schema +1");
}

#[test]
fn a_handle_may_lack_the_name_of_its_object() {
    let payload = payload![u32(0xA0), u32(4), u16(7)];
    assert!(hook(0x1120, 2, 4, &payload).ends_with("Handle=4 ObjectType=7"));
    let named = payload![payload, wide("Event")];
    assert!(hook(0x1120, 2, 4, &named).ends_with(r#"Handle=4 ObjectType=7 ObjectName="Event""#));
    let duplicate = payload![u32(0xA0), u32(4), u32(8), u32(1234), u16(7)];
    assert!(hook(0x1122, 2, 4, &duplicate).ends_with("TargetProcessId=1234 ObjectType=7"));
    let newer = payload![duplicate, u32(4321)];
    assert!(hook(0x1122, 2, 4, &newer).ends_with("ObjectType=7 SourceProcessId=4321"));
}

#[test]
fn classic_providers_are_in_the_table_too() {
    let payload = payload![u64(1), [0x33; 16], b"GET\0", b"/a\0", b"x=1\0"];
    assert_eq!(
        class("06a01367-79d3-4594-8eb3-c721603c4679", 1, 0, 8, &payload),
        "AspNetTraceEvent/Start ConnID=1 ContextId=33333333-3333-3333-3333-333333333333 Method=a\"GET\" Path=a\"/a\" \
         QueryString=a\"x=1\""
    );
}

proptest! {
    #[test]
    fn any_identity_with_any_payload_is_decoded_without_a_panic(bytes in vec(any::<u8>(), 0..400)) {
        check::classic(&bytes);
    }

    /// Identities of the table, which random bytes seldom hit.
    #[test]
    fn known_hooks_with_any_payload_are_decoded_without_a_panic(
        group in 0_u8..0x1F,
        event_type in any::<u8>(),
        version in 0_u8..6,
        kind in 0_u8..8,
        class in any::<u8>(),
        payload in vec(prop_oneof![Just(0_u8), any::<u8>()], 0..300),
    ) {
        let head = [event_type, group, event_type, version, class, kind];
        check::classic(&[&head[..], &payload].concat());
    }
}
