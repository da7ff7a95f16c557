//! Instrumentation manifests become schemas, and say what makes no sense in them.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use etweir::Limits;
use etweir::decode::manifest::{Manifest, ManifestError, ManifestErrorKind, Provider};
use etweir::decode::{Count, InType, Length, OutType, Schema, SchemaError, SchemaKind, ValueMapKind};

/// A manifest with one provider that has these parts, and these strings in English.
fn manifest(parts: &str, strings: &str) -> String {
    format!(
        r#"<instrumentationManifest xmlns="http://schemas.microsoft.com/win/2004/08/events">
<instrumentation><events>
<provider name="Shop" guid="{{00112233-4455-6677-8899-AABBCCDDEEFF}}" symbol="S" resourceFileName="s" messageFileName="s">
{parts}
</provider>
</events></instrumentation>
<localization><resources culture="en-US"><stringTable>{strings}</stringTable></resources></localization>
</instrumentationManifest>"#
    )
}

fn parse(text: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(text.as_bytes(), &Limits::default())
}

/// A manifest without problems.
fn good(parts: &str, strings: &str) -> Manifest {
    let manifest = parse(&manifest(parts, strings)).expect("a manifest");
    assert_eq!(manifest.problem_count(), 0, "{:?}", manifest.problems());
    manifest
}

fn provider(manifest: &Manifest) -> &Provider {
    &manifest.providers()[0]
}

fn schema(manifest: &Manifest, id: u16) -> Schema {
    let found = provider(manifest).schema(id, 0, SchemaKind::Manifest, &Limits::default());
    found.expect("an event").expect("a schema")
}

/// The schema of event 1 with a template of these items.
fn template(items: &str) -> Schema {
    let parts = format!(
        r#"<templates><template tid="t">{items}</template></templates>
        <events><event value="1" template="t"/></events>"#
    );
    schema(&good(&parts, ""), 1)
}

/// Each problem with its line, as text.
fn problems(parts: &str) -> (Manifest, Vec<String>) {
    let manifest = parse(&manifest(parts, "")).expect("a manifest");
    assert_eq!(manifest.problem_count(), manifest.problems().len());
    let problems = manifest.problems().iter().map(|problem| format!("{}: {}", problem.line, problem.kind));
    let problems = problems.collect();
    (manifest, problems)
}

#[test]
fn names_around_an_event_are_the_messages_or_else_the_names() {
    let manifest = good(
        r#"<channels><channel chid="c1" name="Shop/Admin" type="Admin"/></channels>
        <levels><level name="Loud" value="0x10" message="$(string.loud)"/></levels>
        <tasks><task name="Sale" value="7"><opcodes><opcode name="Begin" value="11"/></opcodes></task></tasks>
        <keywords><keyword name="Money" mask="0x4" message="Cash"/><keyword name="Goods" mask="0x8"/></keywords>
        <events><event value="02050" version="1" level="Loud" task="Sale" opcode="Begin" channel="c1"
            keywords="Goods Money win:AuditSuccess" message="$(string.text)" name="SaleBegan"/></events>"#,
        r#"<string id="loud" value="Very loud&#13;&#10;"/><string id="text" value="Sold %1 for %2.%n"/>"#,
    );
    assert_eq!(provider(&manifest).id().to_string(), "00112233-4455-6677-8899-aabbccddeeff");
    assert_eq!(provider(&manifest).events().collect::<Vec<_>>(), [(2050, 1)]);
    let schema = provider(&manifest).schema(2050, 1, SchemaKind::Manifest, &Limits::default());
    let schema = schema.expect("an event").expect("a schema");
    let names = schema.names();
    assert_eq!(names.provider.as_deref(), Some("Shop"));
    assert_eq!(names.event.as_deref(), Some("SaleBegan"));
    assert_eq!(names.level.as_deref(), Some("Very loud"));
    assert_eq!(names.task.as_deref(), Some("Sale"));
    assert_eq!(names.opcode.as_deref(), Some("Begin"));
    assert_eq!(names.channel.as_deref(), Some("Shop/Admin"));
    assert_eq!(names.keywords, ["Cash", "Goods", "win:AuditSuccess"]);
    assert_eq!(names.message.as_deref(), Some("Sold %1 for %2.%n"));
    assert_eq!(schema.kind(), SchemaKind::Manifest);
}

#[test]
fn standard_names_need_no_definition() {
    let manifest = good(
        r#"<channels><importChannel chid="sys" name="System"/></channels>
        <events><event value="1" level="win:Error" opcode="win:Stop" task="win:None" channel="sys"/></events>"#,
        "",
    );
    let schema = schema(&manifest, 1);
    assert_eq!(schema.names().level.as_deref(), Some("win:Error"));
    assert_eq!(schema.names().opcode.as_deref(), Some("win:Stop"));
    assert_eq!(schema.names().task, None);
    assert_eq!(schema.names().channel.as_deref(), Some("System"));
}

#[test]
fn an_opcode_of_a_task_counts_in_that_task_only() {
    let manifest = good(
        r#"<opcodes><opcode name="Go" value="20"/></opcodes>
        <tasks>
          <task name="A" value="1"><opcodes><opcode name="Go" value="30" message="Go A"/></opcodes></task>
          <task name="B" value="2"/>
        </tasks>
        <events><event value="1" task="A" opcode="Go"/><event value="2" task="B" opcode="Go"/></events>"#,
        "",
    );
    assert_eq!(schema(&manifest, 1).names().opcode.as_deref(), Some("Go A"));
    assert_eq!(schema(&manifest, 2).names().opcode.as_deref(), Some("Go"));
}

#[test]
fn channels_without_a_value_are_numbered_from_16() {
    // The third channel has the number of the second, so the name of that stays.
    let manifest = good(
        r#"<channels><channel chid="a" name="A"/><channel chid="b" name="B"/>
        <channel chid="c" name="C" value="17"/></channels>
        <events><event value="1" channel="b"/><event value="2" channel="C"/></events>"#,
        "",
    );
    assert_eq!(schema(&manifest, 1).names().channel.as_deref(), Some("B"));
    assert_eq!(schema(&manifest, 2).names().channel.as_deref(), Some("B"));
}

#[test]
fn types_are_told_by_what_follows_the_colon() {
    let schema = template(
        r#"<data name="a" inType="win:UInt32" outType="xs:HexInt32"/>
        <data name="b" inType="w:GUID" outType="x:GUID"/>
        <data name="c"/>
        <data name="d" inType="win:UInt16" outType="win:Port" tags="0x12"/>"#,
    );
    let types: Vec<_> =
        schema.properties().iter().map(|property| (property.in_type, property.out_type)).collect();
    assert_eq!(
        types,
        [
            (InType::UInt32, OutType::Hex),
            (InType::Guid, OutType::Guid),
            (InType::UnicodeString, OutType::Default),
            (InType::UInt16, OutType::Port),
        ]
    );
    assert_eq!(schema.properties()[3].tags, 0x12);
}

#[test]
fn lengths_and_counts_are_numbers_or_items_in_front() {
    let schema = template(
        r#"<data name="n" inType="win:UInt16"/>
        <data name="a" inType="win:Binary" length="n"/>
        <data name="b" inType="win:UnicodeString" length="0x10" count="3"/>
        <data name="c" inType="win:UInt8" count="n"/>
        <data name="d" inType="win:UInt64" length="8"/>"#,
    );
    let amounts: Vec<_> =
        schema.properties().iter().map(|property| (property.count, property.length)).collect();
    assert_eq!(
        amounts,
        [
            (Count::One, Length::Natural),
            (Count::One, Length::Property(0)),
            (Count::Fixed(3), Length::Fixed(16)),
            (Count::Property(0), Length::Natural),
            (Count::One, Length::Natural),
        ]
    );
}

#[test]
fn members_of_structures_stand_behind_the_top_level_and_mean_their_siblings_first() {
    let schema = template(
        r#"<data name="n" inType="win:UInt16"/>
        <struct name="s" count="n">
          <data name="n" inType="win:UInt8"/>
          <data name="own" inType="win:UInt32" count="n"/>
          <struct name="inner"><data name="deep" inType="win:Binary" length="n"/></struct>
        </struct>
        <struct name="t"><data name="outer" inType="win:UInt8" count="n"/></struct>"#,
    );
    let names: Vec<_> = schema.properties().iter().map(|property| &*property.name).collect();
    assert_eq!(names, ["n", "s", "t", "n", "own", "inner", "outer", "deep"]);
    assert_eq!(schema.top_level().len(), 3);
    let properties = schema.properties();
    assert_eq!((properties[1].members.clone(), properties[1].count), (3..6, Count::Property(0)));
    assert_eq!(properties[2].members, 6..7);
    assert_eq!(properties[4].count, Count::Property(3));
    assert_eq!(properties[5].members, 7..8);
    assert_eq!(properties[6].count, Count::Property(0));
    assert_eq!(properties[7].length, Length::Property(3));
}

#[test]
fn maps_have_the_texts_of_the_string_table() {
    let manifest = good(
        r#"<maps>
          <valueMap name="v"><map value="1" message="$(string.one)"/><map value="0x2" message="Two "/></valueMap>
          <bitMap name="b"><map value="0x80000000" message="$(string.one)"/><map value="1" message="$(mc.5)"/></bitMap>
        </maps>
        <templates><template tid="t">
          <data name="x" inType="win:UInt32" map="v"/><data name="y" inType="win:UInt8" map="b"/>
        </template></templates>
        <events><event value="1" template="t"/></events>"#,
        r#"<string id="one" value="One"/>"#,
    );
    let schema = schema(&manifest, 1);
    let maps: Vec<_> =
        schema.properties().iter().map(|property| property.map.as_ref().expect("a map")).collect();
    assert_eq!((&*maps[0].name, maps[0].kind), ("v", ValueMapKind::Value));
    assert_eq!(maps[0].entries(), [(1, "One".into()), (2, "Two".into())]);
    assert_eq!((&*maps[1].name, maps[1].kind), ("b", ValueMapKind::Bits));
    // A message file is not there, so the number has no text.
    assert_eq!(maps[1].entries(), [(0x8000_0000, "One".into())]);
}

#[test]
fn english_is_preferred_and_the_first_language_fills_its_gaps() {
    let text = manifest(
        r#"<events><event value="1" message="$(string.a)"/><event value="2" message="$(string.b)"/>
        <event value="3" message="$(string.c)"/></events>"#,
        r#"<string id="a" value="english"/>"#,
    );
    let german = r#"<localization><resources culture="de-DE"><stringTable>
        <string id="a" value="deutsch"/><string id="b" value="deutsch"/></stringTable></resources>
        <resources culture="fr-FR"><stringTable><string id="c" value="francais"/></stringTable></resources>"#;
    let manifest = parse(&text.replace("<localization>", german)).expect("a manifest");
    assert_eq!(schema(&manifest, 1).names().message.as_deref(), Some("english"));
    assert_eq!(schema(&manifest, 2).names().message.as_deref(), Some("deutsch"));
    assert_eq!(schema(&manifest, 3).names().message, None);
}

#[test]
fn elements_may_have_any_prefix_and_text_any_unicode_encoding() {
    let text = r#"<?xml version="1.0" encoding="UTF-16"?><e:m xmlns:e="urn:x"><e:events>
        <e:provider name="Größe" guid="00112233-4455-6677-8899-aabbccddeeff">
        <e:events><e:event value="1"/></e:events></e:provider></e:events></e:m>"#;
    let little: Vec<u8> =
        "\u{FEFF}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> =
        "\u{FEFF}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let marked = format!("\u{FEFF}{text}");
    for bytes in [text.as_bytes(), marked.as_bytes(), &little, &big] {
        let manifest = Manifest::parse(bytes, &Limits::default()).expect("a manifest");
        assert_eq!(provider(&manifest).name(), "Größe");
        assert_eq!(provider(&manifest).events().collect::<Vec<_>>(), [(1, 0)]);
    }
}

#[test]
fn rendering_templates_and_foreign_elements_mean_nothing() {
    let schema = template(
        r#"<data name="a" inType="win:UInt8"/>
        <UserData><Thing xmlns="urn:t"><data name="b"/><events><provider/></events></Thing></UserData>"#,
    );
    assert_eq!(schema.properties().len(), 1);
}

#[test]
fn an_event_source_manifest_is_like_any_other() {
    // As System.Diagnostics.Tracing writes it for: void Sold(byte[] picture, bool paid, char grade, Kind kind, DateTime when)
    let manifest = good(
        r#"<tasks><task name="Sold" message="$(string.task_Sold)" value="65533"/></tasks>
        <maps><valueMap name="Kind"><map value="0x0" message="$(string.map_KindBread)"/></valueMap></maps>
        <events><event value="1" version="0" level="win:Informational" symbol="Sold"
            message="$(string.event_Sold)" task="Sold" template="SoldArgs"/></events>
        <templates><template tid="SoldArgs">
          <data name="pictureSize" inType="win:UInt32"/>
          <data name="picture" inType="win:Binary" length="pictureSize"/>
          <data name="paid" inType="win:Boolean"/>
          <data name="grade" inType="win:UInt16" outType="xs:string"/>
          <data name="kind" inType="win:UInt32" map="Kind"/>
          <data name="when" inType="win:FILETIME"/>
        </template></templates>"#,
        r#"<string id="task_Sold" value="Sold"/><string id="map_KindBread" value="Bread"/>
        <string id="event_Sold" value="Sold a %1 of %2"/>"#,
    );
    let schema = schema(&manifest, 1);
    let payload =
        [2, 0, 0, 0, 0xCA, 0xFE, 1, 0, 0, 0, 0x41, 0, 0, 0, 0, 0, 0, 0x80, 0x3E, 0xD5, 0xDE, 0xB1, 0x9D, 1];
    let fields: Vec<String> = schema
        .fields(&payload, 8)
        .map(|field| field.expect("a field"))
        .map(|field| format!("{}={:?}", field.property.name, field.value))
        .collect();
    assert_eq!(
        fields,
        [
            "pictureSize=UInt(2)",
            "picture=Binary([202, 254])",
            "paid=Bool(true)",
            "grade=UInt(65)",
            "kind=UInt(0)",
            "when=FileTime(FileTime(116444736000000000))",
        ]
    );
    assert_eq!(schema.names().message.as_deref(), Some("Sold a %1 of %2"));
}

#[test]
fn a_type_that_is_not_known_ends_what_can_be_read_and_nothing_else() {
    let (manifest, problems) = problems(
        r#"<templates><template tid="t">
        <data name="a" inType="win:UInt8"/>
        <data name="b" inType="win:Int7" outType="win:None"/>
        <data name="c" inType="win:UInt8" count="nothing"/>
        <data name="d" inType="win:Binary"/>
        </template></templates>
        <events><event value="1" template="t"/></events>"#,
    );
    assert_eq!(
        problems,
        [
            "6: data has the inType \"win:Int7\", which means nothing",
            "6: data has the outType \"win:None\", which means nothing",
            "7: data refers to the count \"nothing\", which is not there",
            "8: data has no length",
        ]
    );
    let schema = schema(&manifest, 1);
    let types: Vec<_> = schema.properties().iter().map(|property| property.in_type).collect();
    assert_eq!(types, [InType::UInt8, InType::Unknown, InType::Unknown, InType::Binary]);
}

#[test]
fn what_makes_no_sense_is_left_out_and_named_with_its_line() {
    let (manifest, problems) = problems(
        r#"<tasks><task name="A" value="70000"/><task value="1"/></tasks>
        <keywords><keyword name="K" mask="fun"/></keywords>
        <events><event value="1" template="none"/>
        <event value="2" task="A" keywords="K" level="-1" opcode="4" channel="c"/>
        <event value="2"/><event version="1"/><event value="3" version="300"/></events>"#,
    );
    assert_eq!(
        problems,
        [
            "4: task has the value \"70000\", which means nothing",
            "4: task has no name",
            "5: keyword has the mask \"fun\", which means nothing",
            "6: event refers to the template \"none\", which is not there",
            "7: event refers to the level \"-1\", which is not there",
            "7: event refers to the task \"A\", which is not there",
            "7: event refers to the channel \"c\", which is not there",
            "7: event refers to the keyword \"K\", which is not there",
            "8: event 2 version 0 is defined twice",
            "8: event has no value",
            "8: event has the version \"300\", which means nothing",
        ]
    );
    assert_eq!(provider(&manifest).events().collect::<Vec<_>>(), [(2, 0)]);
    assert_eq!(schema(&manifest, 2).names().opcode.as_deref(), Some("win:DC_Stop"));
}

#[test]
fn a_provider_without_a_guid_is_left_out() {
    let text = manifest("", "").replace("<events>", r#"<events><provider name="x"/><provider guid="x"/>"#);
    let manifest = parse(&text).expect("a manifest");
    let problems: Vec<_> = manifest.problems().iter().map(|problem| problem.to_string()).collect();
    assert_eq!(
        problems,
        [
            "line 2 (byte 0x6b): provider has no guid",
            "line 2 (byte 0x7f): provider has the guid \"x\", which means nothing",
        ]
    );
    assert_eq!(manifest.providers().len(), 1);
}

#[test]
fn only_the_first_hundred_problems_are_kept() {
    let events = r#"<event value="x"/>"#.repeat(250);
    let manifest = parse(&manifest(&format!("<events>{events}</events>"), "")).expect("a manifest");
    assert_eq!((manifest.problem_count(), manifest.problems().len()), (250, 100));
}

#[test]
fn text_that_is_no_manifest_is_refused_with_its_place() {
    let error = |text: &str| parse(text).expect_err("no manifest").to_string();
    assert_eq!(error(""), "line 1 (byte 0x0): no provider is described");
    assert_eq!(error("just words"), "line 1 (byte 0x0): no provider is described");
    assert_eq!(error("<a>\n<b>\n</a>"), "line 3 (byte 0x8): no well-formed XML");
    assert_eq!(error("<a>\n<b>"), "line 2 (byte 0x7): the text ends inside 2 open elements");
    assert_eq!(
        error("<a>\n<events><provider guid=\"x/></events></a>"),
        "line 2 (byte 0xc): no well-formed XML"
    );
}

#[test]
fn entities_of_a_document_type_are_not_expanded() {
    let text = manifest(r#"<events><event value="1" message="&lol;"/></events>"#, "");
    let bomb = r#"<!DOCTYPE m [<!ENTITY lol "ha"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;">]>"#;
    let error = parse(&format!("{bomb}\n{text}")).expect_err("an unknown entity");
    assert!(matches!(error.kind, ManifestErrorKind::Xml(_)), "{error:?}");
    assert_eq!(error.line, 5);
    let source = core::error::Error::source(&error.kind).expect("a cause").to_string();
    assert!(source.contains("lol"), "{source}");
}

#[test]
fn a_manifest_past_the_limits_is_refused() {
    let mut limits = Limits::default();
    limits.xml_bytes = 100;
    let error = Manifest::parse(&[b' '; 101], &limits).expect_err("too large");
    assert_eq!(error.to_string(), "line 1 (byte 0x0): 101 bytes, more than 100");
    limits.xml_depth = 3;
    let error = Manifest::parse(b"<a><b><c>\n<d/></c></b></a>", &limits).expect_err("too deep");
    assert_eq!(error.to_string(), "line 2 (byte 0xa): an element lies deeper than 3 levels");
    let error = Manifest::parse(b"<a><b><c></c></b></a>", &limits).expect_err("no provider");
    assert_eq!(error.to_string(), "line 1 (byte 0x0): no provider is described");
}

#[test]
fn a_text_that_many_events_share_is_there_once_and_no_schema_is_larger_than_allowed() {
    let events: String =
        (0..1000).map(|id| format!(r#"<event value="{id}" message="$(string.s)"/>"#)).collect();
    let long = "x".repeat(65_000);
    let manifest =
        good(&format!("<events>{events}</events>"), &format!(r#"<string id="s" value="{long}"/>"#));
    assert_eq!(schema(&manifest, 999).names().message.as_deref().map(str::len), Some(65_000));
    let mut limits = Limits::default();
    limits.schema_bytes = 65_000;
    let error = provider(&manifest).schema(999, 0, SchemaKind::Manifest, &limits).expect("an event");
    // The message, `Shop`, `win:Info` and `win:LogAlways`.
    let expected = SchemaError::TooMuchText { bytes: 65_025, most: 65_000 };
    assert_eq!(error.expect_err("too much text"), expected);
}

#[test]
fn structures_past_the_limit_are_not_read() {
    let mut limits = Limits::default();
    limits.struct_depth = 1;
    let parts = r#"<templates><template tid="t"><data name="a" inType="win:UInt8"/><struct name="s">
        <data name="b" inType="win:UInt8"/><struct name="u"><data name="c" inType="win:UInt8"/></struct>
        </struct></template></templates><events><event value="1" template="t"/></events>"#;
    let manifest = Manifest::parse(manifest(parts, "").as_bytes(), &limits).expect("a manifest");
    assert_eq!(manifest.problems()[0].kind.to_string(), "an element lies deeper than 1 levels");
    let types: Vec<_> = schema(&manifest, 1).properties().iter().map(|property| property.in_type).collect();
    assert_eq!(types, [InType::UInt8, InType::Struct, InType::UInt8, InType::Unknown]);
}
