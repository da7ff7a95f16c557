//! Counts as tables for people and pipes: numbers first, names last.

use core::fmt::Write as _;
use std::collections::BTreeSet;
use std::io::{self, Write};

use etweir::decode::SchemaKind;

use crate::args::By;
use crate::stats::key::{Form, Key};
use crate::stats::tally::{Group, Tally};
use crate::text::Printable;

/// Appends the tables of a file, with an empty line between them.
pub(super) fn append(to: &mut Vec<u8>, by: By, tally: &Tally) -> io::Result<()> {
    append_groups(to, by, tally)?;
    if tally.decodes() {
        to.push(b'\n');
        append_schemas(to, tally)?;
        append_missing(to, tally)?;
    }
    Ok(())
}

fn append_groups(to: &mut Vec<u8>, by: By, tally: &Tally) -> io::Result<()> {
    let decodes = tally.decodes();
    let mut head = vec!["EVENTS", "%", "BYTES", "EVENTS/S", "BYTES/S"];
    if decodes {
        head.extend(["DECODED", "PARTLY", "NOT"]);
    }
    let mut table = Table::new(head, by.title());
    let mut add = |counts: &crate::stats::tally::Counts, name: String| {
        let mut row = vec![
            counts.events.to_string(),
            share(counts.events, tally.all.events),
            counts.bytes.to_string(),
            rate(tally, counts.events),
            rate(tally, counts.bytes),
        ];
        if decodes {
            row.extend([counts.decoded, counts.partly, counts.not].map(|count| count.to_string()));
        }
        table.row(row, name);
    };
    for (key, group) in tally.groups() {
        add(&group.counts, name(key, group));
    }
    add(&tally.all, "total".to_owned());
    table.append(to)
}

/// Where descriptions came from.
fn append_schemas(to: &mut Vec<u8>, tally: &Tally) -> io::Result<()> {
    let mut table = Table::new(vec!["EVENTS", "%", "PARTLY"], "SCHEMA");
    let mut all: Vec<_> = tally.schemas.iter().collect();
    all.sort_by_key(|(kind, counts)| (kind.is_none(), core::cmp::Reverse(counts.events)));
    for (kind, counts) in all {
        let row = vec![
            counts.events.to_string(),
            share(counts.events, tally.all.events),
            counts.partly.to_string(),
        ];
        table.row(row, kind.map_or("none", SchemaKind::as_str).to_owned());
    }
    table.append(to)
}

/// Whose events nothing describes, and what would.
fn append_missing(to: &mut Vec<u8>, tally: &Tally) -> io::Result<()> {
    let missing = tally.missing();
    if missing.is_empty() {
        return Ok(());
    }
    to.push(b'\n');
    let mut table = Table::new(vec!["EVENTS", "%"], "WITHOUT A SCHEMA");
    for (key, missing) in missing {
        let name = match (key, &missing.provider) {
            (None, _) => OTHERS.to_owned(),
            (Some((form, id)), provider) => {
                let name = provider.as_ref().map(|name| format!("{} ", Printable(name))).unwrap_or_default();
                format!("{} of {name}{id} {}={}", form.wanted(), form.keys(), ranges(&missing.numbers))
            }
        };
        table.row(vec![missing.events.to_string(), share(missing.events, tally.all.events)], name);
    }
    table.append(to)
}

impl By {
    const fn title(self) -> &'static str {
        match self {
            Self::Provider => "PROVIDER",
            Self::Event => "EVENT",
            Self::Process => "PROCESS",
            Self::Cpu => "CPU",
            Self::Kind => "KIND",
        }
    }
}

/// What there was no room for.
const OTHERS: &str = "(others)";

fn name(key: Option<&Key>, group: &Group) -> String {
    let provider = |id: &etweir::Guid| match &group.provider {
        Some(name) => Printable(name).to_string(),
        None => id.to_string(),
    };
    match key {
        None => OTHERS.to_owned(),
        Some(Key::Provider(id)) => provider(id),
        Some(Key::Event { provider: id, form, number, .. }) => match (&group.event, form) {
            // The name of a class is part of the names of its events.
            (Some(event), Form::Opcode) => Printable(event).to_string(),
            (Some(event), Form::Id) if *number == 0 => format!("{} {}", provider(id), Printable(event)),
            (Some(event), _) => format!("{} {}({number})", provider(id), Printable(event)),
            (None, Form::Id) => format!("{} id {number}", provider(id)),
            (None, Form::Opcode) => format!("{} op {number}", provider(id)),
            (None, Form::Message) => format!("{} msg {number}", provider(id)),
        },
        Some(Key::Process { id, .. }) => {
            let id = id.map_or_else(|| "-".to_owned(), |id| id.to_string());
            group.process.as_ref().map_or_else(|| id.clone(), |name| format!("{}({id})", Printable(name)))
        }
        Some(Key::Cpu(cpu)) => cpu.to_string(),
        Some(Key::Kind(kind)) => kind.name().to_owned(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "nobody looks at so many digits")]
fn share(part: u64, all: u64) -> String {
    if all == 0 { "-".to_owned() } else { format!("{:.1}", part as f64 * 100.0 / all as f64) }
}

/// Whole numbers where these have digits enough.
fn rate(tally: &Tally, count: u64) -> String {
    match tally.rate(count) {
        None => "-".to_owned(),
        Some(rate) if rate >= 100.0 => format!("{rate:.0}"),
        Some(rate) => format!("{rate:.2}"),
    }
}

/// `1-3,7`.
fn ranges(numbers: &BTreeSet<u16>) -> String {
    const MOST: usize = 20;
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*number) => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    let mut text = String::new();
    for (index, (first, last)) in ranges.iter().enumerate() {
        if index == MOST {
            text.push_str(",...");
            break;
        }
        let comma = if index > 0 { "," } else { "" };
        let _ = match last {
            last if last == first => write!(text, "{comma}{first}"),
            last => write!(text, "{comma}{first}-{last}"),
        };
    }
    text
}

/// Columns of numbers, aligned to the right, and a last one of text.
struct Table {
    head: Vec<&'static str>,
    title: &'static str,
    rows: Vec<(Vec<String>, String)>,
}

impl Table {
    const fn new(head: Vec<&'static str>, title: &'static str) -> Self {
        Self { head, title, rows: Vec::new() }
    }

    fn row(&mut self, numbers: Vec<String>, name: String) {
        self.rows.push((numbers, name));
    }

    fn append(&self, to: &mut Vec<u8>) -> io::Result<()> {
        let mut widths: Vec<usize> = self.head.iter().map(|title| title.len()).collect();
        for (numbers, _) in &self.rows {
            for (width, number) in widths.iter_mut().zip(numbers) {
                *width = (*width).max(number.len());
            }
        }
        for (title, width) in self.head.iter().zip(&widths) {
            write!(to, "{title:>width$} ")?;
        }
        writeln!(to, " {}", self.title)?;
        for (numbers, name) in &self.rows {
            for (number, width) in numbers.iter().zip(&widths) {
                write!(to, "{number:>width$} ")?;
            }
            writeln!(to, " {name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_a_range() {
        let ranges = |numbers: &[u16]| ranges(&numbers.iter().copied().collect());
        assert_eq!(ranges(&[]), "");
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10, 65_535]), "1-3,7,9-10,65535");
        let even: Vec<u16> = (0..50).map(|number| number * 2).collect();
        assert!(ranges(&even).ends_with(",36,38,..."));
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let mut table = Table::new(vec!["N", "BYTES"], "NAME");
        table.row(vec!["1".to_owned(), "2".to_owned()], "a b".to_owned());
        table.row(vec!["100".to_owned(), "7".to_owned()], "c".to_owned());
        let mut to = Vec::new();
        table.append(&mut to).expect("memory");
        assert_eq!(String::from_utf8(to).expect("text"), "  N BYTES  NAME\n  1     2  a b\n100     7  c\n");
    }
}
