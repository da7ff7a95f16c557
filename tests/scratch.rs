//! scratch
use std::collections::BTreeMap;
use std::fs;
use etweir::EtlReader;
use etweir::decode::*;
use etweir::prescan::prescan;
use etweir::testkit::corpus;
use etweir::record::RecordKind;
#[test]
fn scratch() {
    let folder = corpus::folder("x").unwrap();
    let mut paths: Vec<_> = fs::read_dir(folder.join("etl")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let schemas = std::sync::Arc::new(TraceSchemas::default());
        let mut decoder = Decoder::with_sources(vec![schemas.clone()], &Default::default());
        let t = std::time::Instant::now();
        prescan(&mut EtlReader::open(&path).unwrap(), &mut decoder).unwrap();
        let t1 = t.elapsed();
        let mut reader = EtlReader::open(&path).unwrap();
        let mut counts: BTreeMap<(String, Exactness), u64> = BTreeMap::new();
        let mut partly: BTreeMap<String, u64> = BTreeMap::new();
        let mut missing: BTreeMap<String, u64> = BTreeMap::new();
        while let Some(buffer) = reader.next_buffer().unwrap() {
            for event in buffer.events().flatten() {
                let modern = matches!(event.kind(), RecordKind::Event32 | RecordKind::Event64);
                let d = decoder.decode(&event);
                let o = d.outcome();
                *counts.entry((format!("{}{:?}{:?}", if modern {"E "} else {"- "}, d.kind(), d.certainty()), o.exactness)).or_default() += 1;
                let name = format!("{} {:?} id {} v {} op {}", event.provider_id(), d.provider_name(), event.id(), event.version(), event.opcode());
                if o.exactness == Exactness::Partly { *partly.entry(format!("{name} {:?} rest {}", o.error, o.rest.len())).or_default() += 1; }
                if modern && o.exactness == Exactness::Not { *missing.entry(name).or_default() += 1; }
            }
        }
        println!("== {} {:?}", path.file_name().unwrap().display(), t1);
        for c in counts { println!("   {c:?}"); }
        for c in partly.iter().take(20) { println!("   partly {c:?}"); }
        println!("   missing {} kinds {} events", missing.len(), missing.values().sum::<u64>());
        for c in missing.iter().take(12) { println!("     {c:?}"); }
        println!("   {:?}", schemas.report());
    }
}
