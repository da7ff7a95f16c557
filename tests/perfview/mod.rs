//! The event lines of PerfView's baselines.
//!
//! `EVENT <ms>: <name> PID=..; TID=..; PName=..; ProceNum=..; DataLen=..; <field>=<value>; ...`: strings are cut at 20
//! characters, numbers have commas between thousands, dates are in UTC.
#![allow(dead_code, reason = "each test uses its part of this module")]

use std::fs;
use std::path::Path;

/// An event line.
#[derive(Debug)]
pub(crate) struct Line {
    /// Since the log-file header, rounded either way in the last digit.
    pub(crate) microseconds: i64,
    /// `Provider/Task/Opcode`.
    pub(crate) name: String,
    /// The process that PerfView gives the event to; `None` for -1.
    pub(crate) process_id: Option<u32>,
    /// What it calls that process: a file name without its ending, or `Process(<id>)`.
    pub(crate) process_name: String,
    /// CPU of the buffer.
    pub(crate) processor: u16,
    /// Bytes of the payload.
    pub(crate) data_len: usize,
    /// What the payload shows, in the order of the line.
    pub(crate) fields: Vec<(String, String)>,
}

/// All event lines of a baseline.
pub(crate) fn lines(baseline: &Path) -> Vec<Line> {
    let text = String::from_utf8_lossy(&fs::read(baseline).expect("a readable file")).into_owned();
    text.lines().filter_map(Line::parse).collect()
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let (ms, rest) = line.strip_prefix("EVENT ")?.split_once(": ")?;
        let (name, rest) = rest.split_once(" PID=").expect("a process");
        let (process_id, rest) = rest.split_once("; TID=").expect("a thread");
        let (_, rest) = rest.split_once("; PName=").expect("the name of a process");
        let (process_name, rest) = rest.split_once("; ProceNum=").expect("a processor");
        let (processor, rest) = rest.split_once("; DataLen=").expect("a length");
        let (data_len, payload) = rest.split_once(';').expect("an end");
        Some(Self {
            microseconds: ms.replace([',', '.'], "").parse().expect("a number with three decimals"),
            name: name.to_owned(),
            process_id: process_id.parse().ok(),
            process_name: process_name.to_owned(),
            processor: processor.parse().expect("a processor"),
            data_len: data_len.replace(',', "").parse().expect("a length"),
            fields: fields(payload),
        })
    }

    /// Whether an event that is `microseconds` after the header may be the one of the line.
    pub(crate) fn is_at(&self, microseconds: i64) -> bool {
        (self.microseconds - microseconds).abs() <= 1
    }
}

/// `name=value` between semicolons. A part without a name belongs to the value in front of it.
fn fields(payload: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for part in payload.split("; ") {
        let part = part.trim_start();
        let named = part.split_once('=').filter(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        match (named, fields.last_mut()) {
            (Some((name, value)), _) => fields.push((name.to_owned(), value.to_owned())),
            (None, Some((_, value))) if !part.is_empty() => {
                value.push_str("; ");
                value.push_str(part);
            }
            _ => {}
        }
    }
    fields
}

/// Whether a line's value shows this text, to its 20th character where it is cut. Numbers have no commas in `text`.
pub(crate) fn shows_text(value: &str, text: &str) -> bool {
    match value.strip_suffix("...") {
        Some(start) if start.chars().count() == 20 => {
            text.starts_with(start) || is_number(start) && text.starts_with(&start.replace(',', ""))
        }
        _ => value == text,
    }
}

/// The number that a line's value shows, in decimal or hexadecimal, negative or not.
pub(crate) fn number(value: &str) -> Option<i128> {
    if let Some(hex) = value.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(i128::from);
    }
    is_number(value).then(|| value.replace(',', "").parse().ok())?
}

fn is_number(value: &str) -> bool {
    let plain = value.strip_prefix('-').unwrap_or(value);
    plain.starts_with(|c: char| c.is_ascii_digit())
        && plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b',')
}
