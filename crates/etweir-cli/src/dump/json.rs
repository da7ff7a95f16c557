//! Events as JSON lines.

use core::fmt;

use anyhow::Result;
use etweir::Limits;
use etweir::decode::Decoded;
use etweir::decode::format::Formatting;
use etweir::record::Stack;
use etweir::trace::Event;
use serde::Serializer;

use crate::dump::heads::Heads;
use crate::dump::why::Why;
use crate::knowledge::Known;
use crate::names::Names;
use crate::text::{GuidText, Hex, Times, append_hexadecimal, padded_hexadecimal};

/// The keys have the order of the contract.
pub(super) struct JsonLines {
    times: Times,
    limits: Limits,
    heads: Heads,
    /// Payloads are wanted although they are decoded.
    payload: bool,
}

impl JsonLines {
    pub(super) fn new(payload: bool) -> Self {
        Self { times: Times::new(), limits: Limits::default(), heads: Heads::new(), payload }
    }

    /// Appends an event as one object and a line break.
    pub(super) fn append<'a>(
        &mut self,
        to: &mut Vec<u8>,
        file: Option<&str>,
        event: &Event<'a>,
        known: Option<&Known<'a>>,
    ) -> Result<()> {
        let decoded = known.map(|known| &known.decoded);
        to.push(b'{');
        if let Some(file) = file {
            to.extend_from_slice(b"\"file\":");
            append_text(to, file)?;
            to.push(b',');
        }
        self.append_place(to, event);
        to.extend_from_slice(self.heads.of(event, decoded, |to| append_head(to, event, decoded)));
        append_relations(to, event, known);
        let payload = event.user_data();
        let mut error = event.record().damage().map(Why::Damage);
        let mut is_whole = false;
        if let Some(decoded) = decoded {
            error = error.or(decoded.damage().map(Why::Damage));
            if let Some(schema) = decoded.schema() {
                let clock = event.context().session().clock();
                let formatting = Formatting::new(clock, &self.limits);
                let mut fields = decoded.fields();
                to.extend_from_slice(b",\"fields\":");
                let result = formatting.write_json_fields(&mut fields, to);
                is_whole = result.is_ok() && fields.rest().is_empty();
                error = error.or(result.err().map(|error| Why::json(schema, error)));
                if let Some(template) = &schema.names().message {
                    to.extend_from_slice(b",\"message\":");
                    append_display(to, &formatting.message(template, decoded.fields()))?;
                }
                to.extend_from_slice(b",\"schema\":\"");
                to.extend_from_slice(schema.kind().as_str().as_bytes());
                to.push(b'"');
            }
        }
        if let Some(error) = error {
            to.extend_from_slice(b",\"error\":");
            append_display(to, &error)?;
        }
        if self.payload || !is_whole {
            to.extend_from_slice(b",\"payload\":\"");
            Hex(payload).append(to);
            to.push(b'"');
        }
        to.extend_from_slice(b"}\n");
        Ok(())
    }

    /// When and where it was logged.
    fn append_place(&mut self, to: &mut Vec<u8>, event: &Event<'_>) {
        to.extend_from_slice(b"\"time\":");
        match event.time().and_then(|time| self.times.text(time)) {
            Some(time) => {
                to.push(b'"');
                to.extend_from_slice(time.as_bytes());
                to.push(b'"');
            }
            None => to.extend_from_slice(b"null"),
        }
        to.extend_from_slice(b",\"ticks\":");
        append_number(to, event.time_stamp().map(|ticks| ticks.0));
        to.extend_from_slice(b",\"cpu\":");
        append_number(to, Some(event.processor_index()));
        to.extend_from_slice(b",\"pid\":");
        append_number(to, event.process_id());
        to.extend_from_slice(b",\"tid\":");
        append_number(to, event.thread_id());
    }
}

/// What all events of one identity have in common.
fn append_head(to: &mut Vec<u8>, event: &Event<'_>, decoded: Option<&Decoded<'_>>) {
    let names = Names::of(event, decoded);
    to.extend_from_slice(b",\"provider\":\"");
    to.extend_from_slice(GuidText::new(event.provider_id()).as_str().as_bytes());
    to.push(b'"');
    append_name(to, "provider_name", names.provider.as_deref());
    for (key, number) in [
        ("id", event.id()),
        ("version", event.version().into()),
        ("channel", event.channel().into()),
        ("level", event.level().into()),
        ("opcode", event.opcode().into()),
        ("task", event.task()),
    ] {
        append_key(to, key);
        append_number(to, Some(number));
    }
    append_key(to, "keywords");
    to.push(b'"');
    to.extend_from_slice(&padded_hexadecimal(event.keyword()));
    to.push(b'"');
    if let Some(event) = names.event {
        append_key(to, "event");
        // Appending cannot fail.
        let _ = append_display(to, &event);
    }
    append_name(to, "kind", Some(event.kind().name()));
    append_name(to, "level_name", names.level);
    append_name(to, "task_name", names.task);
    append_name(to, "opcode_name", names.opcode);
    append_name(to, "channel_name", names.channel);
    let mut keywords = names.keywords().peekable();
    if keywords.peek().is_some() {
        append_key(to, "keyword_names");
        append_array(to, keywords, |to, keyword| {
            let _ = append_text(to, keyword);
        });
    }
}

/// The process, activities and stacks.
fn append_relations<'a>(to: &mut Vec<u8>, event: &Event<'a>, known: Option<&Known<'a>>) {
    append_name(to, "process_name", known.and_then(|known| known.process_name(event)));
    for (key, id) in
        [("activity_id", event.activity_id()), ("related_activity_id", event.related_activity_id())]
    {
        if let Some(id) = id {
            append_name(to, key, Some(GuidText::new(id).as_str()));
        }
    }
    if let Some(stack) = known.and_then(|known| known.stack(event)) {
        append_addresses(to, stack.addresses());
    } else {
        let mut stacks = event.extended_data().filter_map(|item| item.stack()).peekable();
        if stacks.peek().is_some() {
            append_addresses(to, stacks.flat_map(Stack::frames));
        }
    }
    let mut frames = known.into_iter().flat_map(|known| known.frames(event)).peekable();
    if frames.peek().is_some() {
        append_key(to, "frames");
        append_array(to, frames, |to, frame| {
            // Appending cannot fail.
            let _ = append_display(to, &frame);
        });
    }
}

fn append_addresses(to: &mut Vec<u8>, addresses: impl Iterator<Item = u64>) {
    append_key(to, "stack");
    append_array(to, addresses, |to, address| {
        to.push(b'"');
        append_hexadecimal(to, address);
        to.push(b'"');
    });
}

fn append_array<T>(to: &mut Vec<u8>, items: impl Iterator<Item = T>, append: impl Fn(&mut Vec<u8>, T)) {
    to.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            to.push(b',');
        }
        append(to, item);
    }
    to.push(b']');
}

fn append_key(to: &mut Vec<u8>, key: &str) {
    to.extend_from_slice(b",\"");
    to.extend_from_slice(key.as_bytes());
    to.extend_from_slice(b"\":");
}

fn append_name(to: &mut Vec<u8>, key: &str, name: Option<&str>) {
    if let Some(name) = name {
        append_key(to, key);
        // Appending cannot fail.
        let _ = append_text(to, name);
    }
}

fn append_number<N: itoa::Integer>(to: &mut Vec<u8>, number: Option<N>) {
    match number {
        Some(number) => to.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        None => to.extend_from_slice(b"null"),
    }
}

fn append_text(to: &mut Vec<u8>, text: &str) -> Result<()> {
    Ok(serde_json::to_writer(to, text)?)
}

fn append_display(to: &mut Vec<u8>, text: &impl fmt::Display) -> Result<()> {
    Ok(serde_json::Serializer::new(to).collect_str(text)?)
}
