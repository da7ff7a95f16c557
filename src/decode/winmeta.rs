//! The levels, opcodes, keywords, tasks and channels that every provider has, under the prefix `win:`.
//!
//! Source: payload reference, "Message text"; `winmeta.xml` of the Windows SDK; bit 49 is `WdiContext` of .NET's documented
//! `StandardEventKeywords`.

/// The name of a standard level.
pub(crate) fn level_name(level: u8) -> Option<&'static str> {
    name(&LEVELS, level)
}

/// The name of a standard opcode.
pub(crate) fn opcode_name(opcode: u8) -> Option<&'static str> {
    name(&OPCODES, opcode)
}

/// The name of a channel that no provider defines.
pub(crate) fn channel_name(channel: u8) -> Option<&'static str> {
    name(&CHANNELS, channel)
}

/// The names of the standard keywords among these bits, from the lowest bit up.
pub(crate) fn keyword_names(keyword: u64) -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().filter(move |(mask, _)| keyword & mask != 0).map(|&(_, name)| name)
}

/// The number of a standard level by its name, with the prefix.
#[cfg(feature = "manifest")]
pub(crate) fn level(name: &str) -> Option<u8> {
    value(&LEVELS, name)
}

/// The number of a standard opcode by its name, with the prefix.
#[cfg(feature = "manifest")]
pub(crate) fn opcode(name: &str) -> Option<u8> {
    value(&OPCODES, name)
}

/// The number of a channel that no provider defines, by its name.
#[cfg(feature = "manifest")]
pub(crate) fn channel(name: &str) -> Option<u8> {
    value(&CHANNELS, name)
}

/// The bit of a standard keyword by its name, with the prefix.
#[cfg(feature = "manifest")]
pub(crate) fn keyword(name: &str) -> Option<u64> {
    value(&KEYWORDS, name)
}

fn name<T: Copy + PartialEq>(names: &[(T, &'static str)], value: T) -> Option<&'static str> {
    names.iter().find(|(known, _)| *known == value).map(|&(_, name)| name)
}

#[cfg(feature = "manifest")]
fn value<T: Copy>(names: &[(T, &'static str)], name: &str) -> Option<T> {
    names.iter().find(|(_, known)| *known == name).map(|&(value, _)| value)
}

const LEVELS: [(u8, &str); 16] = [
    (0, "win:LogAlways"),
    (1, "win:Critical"),
    (2, "win:Error"),
    (3, "win:Warning"),
    (4, "win:Informational"),
    (5, "win:Verbose"),
    (6, "win:ReservedLevel6"),
    (7, "win:ReservedLevel7"),
    (8, "win:ReservedLevel8"),
    (9, "win:ReservedLevel9"),
    (10, "win:ReservedLevel10"),
    (11, "win:ReservedLevel11"),
    (12, "win:ReservedLevel12"),
    (13, "win:ReservedLevel13"),
    (14, "win:ReservedLevel14"),
    (15, "win:ReservedLevel15"),
];

const OPCODES: [(u8, &str); 11] = [
    (0, "win:Info"),
    (1, "win:Start"),
    (2, "win:Stop"),
    (3, "win:DC_Start"),
    (4, "win:DC_Stop"),
    (5, "win:Extension"),
    (6, "win:Reply"),
    (7, "win:Resume"),
    (8, "win:Suspend"),
    (9, "win:Send"),
    (240, "win:Receive"),
];

const KEYWORDS: [(u64, &str); 8] = [
    (1 << 48, "win:ResponseTime"),
    (1 << 49, "win:WDIContext"),
    (1 << 50, "win:WDIDiag"),
    (1 << 51, "win:SQM"),
    (1 << 52, "win:AuditFailure"),
    (1 << 53, "win:AuditSuccess"),
    (1 << 54, "win:CorrelationHint"),
    (1 << 55, "win:EventlogClassic"),
];

const CHANNELS: [(u8, &str); 6] = [
    (0, "TraceClassic"),
    (8, "System"),
    (9, "Application"),
    (10, "Security"),
    (11, "TraceLogging"),
    (12, "ProviderMetadata"),
];
