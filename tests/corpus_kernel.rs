//! The classic and kernel events of real traces are decoded with the table of classes, to the last byte.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use etweir::decode::{Certainty, Decoded, Decoder, Exactness, SchemaKind, Str, Value, mof};
use etweir::record::RecordKind;
use etweir::testkit::corpus;
use etweir::trace::Event;
use etweir::{EtlReader, Guid, Limits};

#[test]
fn every_classic_event_of_real_traces_decodes_to_its_last_byte() {
    let Some(folder) = corpus::folder("every_classic_event_of_real_traces_decodes_to_its_last_byte") else {
        return;
    };
    let mut paths: Vec<_> = fs::read_dir(folder.join("etl"))
        .expect("the traces")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let mut wholly = Vec::new();
    for path in &paths {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let (count, gaps) = count(path);
        println!("{name}: {count:?}");
        assert_eq!((count.partly, count.not), (0, 0), "{name}: {gaps:?}");
        wholly.push((name, count.wholly));
    }
    let wholly: Vec<_> = wholly.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(wholly, WHOLLY);
}

/// All classic and kernel events of each file, those of its header buffer included.
const WHOLLY: [(&str, u64); 24] = [
    ("airbus-amsi", 2),
    ("airbus-lxcore", 2),
    ("findneedle-wppemitter", 4),
    ("findneedle-wppenum", 4),
    ("findneedle-wppstr", 4),
    ("findneedle-wpptime", 4),
    ("findneedle-wpptypes", 4),
    ("krabs-powershell", 2),
    ("perfview-gcevents-circular", 2),
    ("perfview-net45-x86", 63_673),
    ("perfview-net452-x86-compressed", 127_800),
    ("perfview-primitive-types", 2),
    ("perfview-self-describing-single", 22),
    ("perfview-small-32bit-compressed", 1),
    ("s4-cldflt-wpp-systemtime", 4),
    ("s4-sih", 2),
    ("s4-waasmedic-circular", 4),
    ("sawbuck-image-data-32-v0", 27),
    ("sawbuck-image-data-32-v2", 27),
    ("sawbuck-process-data-32-v1", 3),
    ("sawbuck-process-data-64-v2", 9),
    ("tx-bond-eventsource", 1),
    ("tx-http-server", 1),
    ("tx-kernel-process", 1),
];

#[test]
fn records_of_programs_with_pointers_of_another_width_are_read_with_it() {
    let test = "records_of_programs_with_pointers_of_another_width_are_read_with_it";
    let Some(folder) = corpus::folder(test) else { return };
    let mut starts = Vec::new();
    each_event(&folder.join("etl/sawbuck-process-data-64-v2.etl"), |event, decoded| {
        if decoded.names().event.as_deref() == Some("Process/Start") {
            starts.push((event.pointer_size(), decoded.pointer_size()));
            let Some(Value::Str(Str::Utf16(text))) = decoded.get("CommandLine") else { panic!("no text") };
            assert_eq!(text.to_string().split('\\').next_back(), Some("notepad.exe\" "));
            let Some(Value::Sid(sid)) = decoded.get("UserSID") else { panic!("no user") };
            assert_eq!(sid.to_string(), "S-1-5-21-753675414-103939432-3550797041-1000");
        }
    });
    assert_eq!(starts, [(4, 8)]);
}

#[test]
fn stack_walks_of_the_clr_have_as_many_frames_as_they_count() {
    let test = "stack_walks_of_the_clr_have_as_many_frames_as_they_count";
    let Some(folder) = corpus::folder(test) else { return };
    let clr: Guid = "e13c0d23-ccbc-4e12-931b-d9cc2eee27e4".parse().expect("a GUID");
    for (name, expected) in [("perfview-net45-x86", 54_165), ("perfview-net452-x86-compressed", 5_206)] {
        let mut walks = 0;
        each_event(&folder.join("etl").join(name).with_extension("etl"), |event, decoded| {
            if event.provider_id() == clr && event.id() == 82 {
                assert_eq!(decoded.outcome().exactness, Exactness::Wholly, "{name}");
                let Some(Value::Array(frames)) = decoded.get("Stack") else { panic!("no stack") };
                assert_eq!(decoded.get_u64("FrameCount"), u64::try_from(frames.len()).ok());
                walks += 1;
            }
        });
        assert_eq!(walks, expected, "{name}");
    }
}

#[test]
fn packed_documents_expand_to_xml() {
    let Some(folder) = corpus::folder("packed_documents_expand_to_xml") else { return };
    let mut documents = Vec::new();
    each_event(&folder.join("etl/perfview-self-describing-single.etl"), |event, decoded| {
        let text = mof::document(event.provider_id(), event.opcode(), event.user_data(), &Limits::default());
        if let Some(text) = text {
            let text = text.expect("a whole document");
            let opcode = decoded.names().opcode.as_deref().expect("a name");
            assert!(text.starts_with(&format!("<{opcode}>")), "{opcode}: {text:.40}");
            assert!(text.ends_with(&format!("</{opcode}>")), "{opcode}");
            documents.push((opcode.to_owned(), text.encode_utf16().count() * 2));
        }
    });
    // Each is packed with the zero that ends it.
    documents.sort();
    let documents: Vec<_> = documents.iter().map(|(name, len)| (name.as_str(), *len)).collect();
    assert_eq!(documents, [("Metrics", 2_346), ("SystemConfig", 17_886), ("WinSPR", 1_050)]);
}

/// Classic and kernel events: decoded wholly, in part, and without a row.
#[derive(Debug, Default, Eq, PartialEq)]
struct Count {
    wholly: u64,
    partly: u64,
    not: u64,
}

/// The count of a file, and what is not decoded wholly by identity.
fn count(path: &Path) -> (Count, BTreeMap<String, u64>) {
    let (mut count, mut gaps) = (Count::default(), BTreeMap::new());
    each_event(path, |event, decoded| {
        if matches!(event.kind(), RecordKind::Event32 | RecordKind::Event64 | RecordKind::Message) {
            return;
        }
        let outcome = decoded.outcome();
        assert!(decoded.kind().is_none_or(|kind| kind == SchemaKind::Kernel));
        assert_eq!(decoded.certainty(), Certainty::Sure, "{event:?}");
        match outcome.exactness {
            Exactness::Wholly => count.wholly += 1,
            Exactness::Partly => count.partly += 1,
            Exactness::Not => count.not += 1,
        }
        if outcome.exactness != Exactness::Wholly {
            let (class, opcode, version) = (event.provider_id(), event.opcode(), event.version());
            let (len, left) = (event.user_data().len(), outcome.rest.len());
            let gap = format!("{class}/{opcode}/v{version}: {left} of {len} left, {:?}", outcome.error);
            *gaps.entry(gap).or_default() += 1;
        }
    });
    (count, gaps)
}

fn each_event(path: &Path, mut check: impl FnMut(&Event<'_>, &Decoded<'_>)) {
    let mut reader = EtlReader::open(path).expect("a trace");
    let mut decoder = Decoder::new();
    while let Some(buffer) = reader.next_buffer().expect("a readable file") {
        for event in buffer.events() {
            let event = event.expect("no damage");
            check(&event, &decoder.decode(&event));
        }
    }
}
