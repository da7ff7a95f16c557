//! The walk over a payload: one property after the other, each where the one before ends.
//!
//! Work is bounded by the payload's length, whatever the schema: elements that cost more than their bytes allow are refused
//! before they are visited, see `charge`.

use core::slice;

use crate::decode::cursor::{Cursor, Fault, ansi_text, unicode_text};
use crate::decode::error::DecodeError;
use crate::decode::plan::{OUTER, REGISTERS, Step, has_length};
use crate::decode::schema::{Count, Length, Property, Schema};
use crate::decode::types::{InType, OutType};
use crate::decode::value::{Str, Value};
use crate::decode::view::{Array, Struct};
use crate::time::FileTime;
use crate::utf16::Utf16;

/// A property and its value.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Field<'a> {
    /// What it is called, and how it is to be shown.
    pub property: &'a Property,
    /// Its value, borrowed from the payload.
    pub value: Value<'a>,
}

/// The properties of an event with their values, in the order of the payload.
///
/// Each step reads one value; nothing is allocated. An error ends the walk; [`Fields::rest`] then starts at the property
/// that could not be read. A property that is [`optional`](Property::optional) is left out where the payload has no room for
/// it, and so are the optional ones behind it. The work of a whole walk, with all its arrays and structures, grows with the
/// payload's length and the number of properties, and with nothing else.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    schema: &'a Schema,
    properties: slice::Iter<'a, Property>,
    steps: slice::Iter<'a, Step>,
    cursor: Cursor<'a>,
    /// Past the index of the last property.
    end: u16,
    wbem_sid: WbemSid,
    /// Values that properties to come refer to.
    registers: [u32; REGISTERS],
    /// How many values of arrays and structures may still be visited.
    fuel: usize,
}

/// How a WBEM SID is read that starts with a zero.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum WbemSid {
    /// Not decided: no such SID was met yet.
    Open,
    /// The zero is all there is.
    Absent,
    /// A `TOKEN_USER` of zeros and the SID.
    Zeros,
}

/// Values inside of arrays and structures that a walk may visit, for each byte of the payload. Members without bytes are
/// visited too, such as arrays of no elements, so there are somewhat more values than bytes in honest payloads.
const VISITS_PER_BYTE: usize = 8;
/// The same for small payloads.
const LEAST_VISITS: usize = 256;

impl<'a> Fields<'a> {
    pub(super) fn new(schema: &'a Schema, payload: &'a [u8], start: usize, pointer_size: u8) -> Self {
        let top_level = schema.top_level();
        Self {
            schema,
            properties: top_level.iter(),
            steps: schema.steps().iter(),
            cursor: Cursor::new(payload.get(start..).unwrap_or_default(), start, pointer_size == 8),
            end: u16::try_from(top_level.len()).unwrap_or(u16::MAX),
            wbem_sid: WbemSid::Open,
            registers: [0; REGISTERS],
            fuel: payload.len().saturating_mul(VISITS_PER_BYTE).saturating_add(LEAST_VISITS),
        }
    }

    /// From the last property on whose place is known without a look at the payload, and which is not past `index`.
    pub(super) fn near(
        schema: &'a Schema,
        index: usize,
        payload: &'a [u8],
        start: usize,
        pointer_size: u8,
    ) -> Self {
        let all = Self::new(schema, payload, start, pointer_size);
        let steps = schema.steps().get(..=index).unwrap_or_default();
        // What is passed over leaves nothing in the registers.
        let known = steps.iter().rposition(|step| step.at.get(all.cursor.wide).is_some());
        let Some(first) = known.filter(|_| !schema.has_references()) else { return all };
        let at = steps.get(first).and_then(|step| step.at.get(all.cursor.wide)).unwrap_or_default();
        let at = start.saturating_add(usize::try_from(at).unwrap_or(usize::MAX));
        let cursor = Cursor::new(payload.get(at..).unwrap_or_default(), at, all.cursor.wide);
        let properties = schema.top_level().get(first..).unwrap_or_default().iter();
        Self { cursor, properties, steps: schema.steps().get(first..).unwrap_or_default().iter(), ..all }
    }

    /// The members of one element.
    pub(super) fn members(
        schema: &'a Schema,
        structure: &'a Property,
        cursor: Cursor<'a>,
        outer: [u32; OUTER],
        fuel: usize,
    ) -> Self {
        let (start, end) = (usize::from(structure.members.start), usize::from(structure.members.end));
        let mut registers = [0; REGISTERS];
        for (register, value) in registers.iter_mut().zip(outer) {
            *register = value;
        }
        Self {
            schema,
            properties: schema.properties().get(start..end).unwrap_or_default().iter(),
            steps: schema.steps().get(start..end).unwrap_or_default().iter(),
            cursor,
            end: structure.members.end,
            wbem_sid: WbemSid::Absent,
            registers,
            fuel,
        }
    }

    /// The bytes that are not read yet: after the last property those that are left over, after an error those from the
    /// property on that could not be read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.cursor.rest
    }

    /// Walks to the end: whether all properties are there and no byte is left.
    pub(super) fn fits(mut self) -> bool {
        self.all(|field| field.is_ok()) && self.cursor.rest.is_empty()
    }

    /// The index of the property that was taken from `properties` last.
    fn index(&self) -> u16 {
        let left = u16::try_from(self.properties.len()).unwrap_or(u16::MAX);
        self.end.saturating_sub(left).saturating_sub(1)
    }

    /// Keeps a value that others refer to: only such a one has a register.
    #[inline]
    fn save(&mut self, step: &Step, value: u64) {
        if let Some(register) = self.registers.get_mut(usize::from(step.save)) {
            *register = u32::try_from(value).unwrap_or(u32::MAX);
        }
    }

    /// A property of any type, or why it cannot be read.
    #[inline(never)]
    fn other(
        &mut self,
        mut property: &'a Property,
        mut step: &'a Step,
    ) -> Option<Result<Field<'a>, DecodeError>> {
        loop {
            let value =
                if step.plain { self.cursor.plain(property.in_type) } else { self.special(property, step) };
            match value {
                Ok(value) => {
                    self.save(step, value.as_u64().unwrap_or_default());
                    return give(property, value);
                }
                // What is there of it is no value, and none of those that follow.
                Err(Fault::Short(_)) if property.optional => {
                    while property.optional {
                        (property, step) = (self.properties.next()?, self.steps.next()?);
                    }
                }
                Err(fault) => {
                    let rest = self.cursor.rest.len();
                    let error = fault.at(self.index(), property.in_type.name(), self.cursor.at(), rest);
                    self.properties = [].iter();
                    return Some(Err(error));
                }
            }
        }
    }

    /// A property of which more has to be known than its type.
    fn special(&mut self, property: &'a Property, step: &'a Step) -> Result<Value<'a>, Fault> {
        let start = self.cursor;
        self.special_at(property, step).map_err(|fault| {
            let read = start.rest.len().saturating_sub(self.cursor.rest.len());
            self.cursor = start;
            if let Fault::Short(need) = fault { Fault::Short(need.saturating_add(read)) } else { fault }
        })
    }

    fn special_at(&mut self, property: &'a Property, step: &'a Step) -> Result<Value<'a>, Fault> {
        if property.align != 1 {
            self.cursor.align(property.align)?;
        }
        let element = Element {
            schema: self.schema,
            property,
            step,
            index: self.index(),
            outer: self.outer_values(property, step)?,
        };
        let count = match property.count {
            Count::One if property.in_type == InType::WbemSid => return self.wbem_sid(),
            Count::One => return element.read(&mut self.cursor, &mut self.fuel),
            Count::Fixed(count) => count.into(),
            Count::Prefixed => self.cursor.prefix()?,
            Count::Property(_) => self.register(step.count, "counted by no integer that precedes")?,
            Count::Rest => return self.rest_array(element),
        };
        self.array(element, count)
    }

    fn register(&self, register: u8, what: &'static str) -> Result<u32, Fault> {
        self.registers.get(usize::from(register)).copied().ok_or(Fault::Unreadable(what))
    }

    /// What the elements need from outside: a length, or the values that members refer to.
    fn outer_values(&self, property: &Property, step: &Step) -> Result<[u32; OUTER], Fault> {
        if property.in_type == InType::Struct {
            return Ok(step.outer.map(|register| self.register(register, "").unwrap_or_default()));
        }
        let length = match property.length {
            _ if !has_length(property) => 0,
            Length::Natural | Length::Rest => 0,
            Length::Fixed(length) => length.into(),
            Length::Property(_) => self.register(step.length, "measured by no integer that precedes")?,
        };
        let mut outer = [0; OUTER];
        outer[0] = length;
        Ok(outer)
    }

    /// An array of `count` elements.
    fn array(&mut self, element: Element<'a>, count: u32) -> Result<Value<'a>, Fault> {
        let most = self.schema.array_elements();
        if count > most {
            return Err(Fault::TooMany { what: "elements", count: count.into(), most: most.into() });
        }
        let (start, len) = (self.cursor, usize::try_from(count).unwrap_or(usize::MAX));
        match element.size(start.wide) {
            Some(size) => {
                self.cursor.bytes(size.saturating_mul(len))?;
                charge(&mut self.fuel, len, element.step.cost)?;
            }
            None => {
                for _ in 0..count {
                    charge(&mut self.fuel, 1, 1)?;
                    element.read(&mut self.cursor, &mut self.fuel)?;
                }
            }
        }
        Ok(element.array(start, self.cursor, count))
    }

    /// An array of all elements that fit.
    fn rest_array(&mut self, element: Element<'a>) -> Result<Value<'a>, Fault> {
        let start = self.cursor;
        if let Some(size) = element.size(start.wide) {
            let count = start.rest.len().checked_div(size).unwrap_or_default();
            return self.array(element, u32::try_from(count).unwrap_or(u32::MAX));
        }
        let most = self.schema.array_elements();
        let mut count = 0_u32;
        while !self.cursor.rest.is_empty() {
            if count == most {
                let count = u64::from(count).saturating_add(1);
                return Err(Fault::TooMany { what: "elements", count, most: most.into() });
            }
            let before = self.cursor.rest.len();
            charge(&mut self.fuel, 1, 1)?;
            element.read(&mut self.cursor, &mut self.fuel)?;
            if self.cursor.rest.len() == before {
                break;
            }
            count = count.saturating_add(1);
        }
        Ok(element.array(start, self.cursor, count))
    }

    /// A WBEM SID at the top level. One that starts with a zero is four bytes long; where the row then leaves bytes, and
    /// fits exactly with a SID behind a `TOKEN_USER` of zeros, it is that. The first such SID decides for all.
    fn wbem_sid(&mut self) -> Result<Value<'a>, Fault> {
        if self.wbem_sid == WbemSid::Open && self.cursor.zero_token_user() {
            let fits = |reading| {
                let mut ahead = Self { wbem_sid: reading, ..self.clone() };
                ahead.cursor.wbem_sid(reading == WbemSid::Zeros).is_ok() && ahead.fits()
            };
            self.wbem_sid =
                if !fits(WbemSid::Absent) && fits(WbemSid::Zeros) { WbemSid::Zeros } else { WbemSid::Absent };
        }
        let zeros = self.wbem_sid == WbemSid::Zeros && self.cursor.zero_token_user();
        self.cursor.wbem_sid(zeros)
    }
}

#[inline]
fn give<'a>(property: &'a Property, value: Value<'a>) -> Option<Result<Field<'a>, DecodeError>> {
    Some(Ok(Field { property, value }))
}

/// Takes the visits of `count` elements from what is left.
fn charge(fuel: &mut usize, count: usize, cost: u32) -> Result<(), Fault> {
    let visits = count.saturating_mul(usize::try_from(cost).unwrap_or(usize::MAX));
    match fuel.checked_sub(visits) {
        Some(left) => {
            *fuel = left;
            Ok(())
        }
        None => Err(Fault::TooMany {
            what: "values for the bytes that are there",
            count: u64::try_from(visits).unwrap_or(u64::MAX),
            most: u64::try_from(*fuel).unwrap_or(u64::MAX),
        }),
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, DecodeError>;

    /// The types that most properties have are read right here, each with a return of its own, so that the value is built
    /// where the caller wants it and not moved there.
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (property, step) = (self.properties.next()?, self.steps.next()?);
        if step.plain {
            match property.in_type {
                InType::UInt32 | InType::HexInt32 => {
                    if let Ok(value) = self.cursor.array().map(u32::from_le_bytes) {
                        self.save(step, value.into());
                        return give(property, Value::UInt(value.into()));
                    }
                }
                InType::Pointer => {
                    if let Ok(value) = self.cursor.pointer() {
                        self.save(step, value);
                        return give(property, Value::Pointer(value));
                    }
                }
                InType::UInt64 | InType::HexInt64 => {
                    if let Ok(value) = self.cursor.array().map(u64::from_le_bytes) {
                        self.save(step, value);
                        return give(property, Value::UInt(value));
                    }
                }
                InType::UInt16 => {
                    if let Ok(value) = self.cursor.array().map(u16::from_le_bytes) {
                        self.save(step, value.into());
                        return give(property, Value::UInt(value.into()));
                    }
                }
                InType::UInt8 => {
                    if let Ok([value]) = self.cursor.array() {
                        self.save(step, value.into());
                        return give(property, Value::UInt(value.into()));
                    }
                }
                InType::Int32 => {
                    if let Ok(value) = self.cursor.array().map(i32::from_le_bytes) {
                        self.save(step, i64::from(value).cast_unsigned());
                        return give(property, Value::Int(value.into()));
                    }
                }
                InType::Int64 => {
                    if let Ok(value) = self.cursor.array().map(i64::from_le_bytes) {
                        self.save(step, value.cast_unsigned());
                        return give(property, Value::Int(value));
                    }
                }
                InType::Int8 => {
                    if let Ok(value) = self.cursor.array().map(i8::from_le_bytes) {
                        self.save(step, i64::from(value).cast_unsigned());
                        return give(property, Value::Int(value.into()));
                    }
                }
                InType::FileTime => {
                    if let Ok(value) = self.cursor.array().map(i64::from_le_bytes) {
                        return give(property, Value::FileTime(FileTime(value)));
                    }
                }
                InType::UnicodeString => {
                    if let Ok(text) = self.cursor.unicode_string() {
                        return give(property, Value::Str(Str::Utf16(text)));
                    }
                }
                InType::AnsiString => {
                    if let Ok(text) = self.cursor.ansi_string() {
                        return give(property, Value::Str(Str::Ansi(text)));
                    }
                }
                _ => {}
            }
        }
        self.other(property, step)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.properties.len()))
    }
}

impl core::iter::FusedIterator for Fields<'_> {}

/// How the elements of a property are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub(super) schema: &'a Schema,
    pub(super) property: &'a Property,
    pub(super) step: &'a Step,
    pub(super) index: u16,
    /// The length first, or what the members refer to.
    pub(super) outer: [u32; OUTER],
}

impl<'a> Element<'a> {
    /// One element.
    pub(super) fn read(self, cursor: &mut Cursor<'a>, fuel: &mut usize) -> Result<Value<'a>, Fault> {
        let property = self.property;
        match property.in_type {
            InType::Struct => self.structure(cursor, fuel),
            InType::UnicodeString if has_length(property) => {
                let bytes = cursor.bytes(self.len_bytes(cursor, 2))?;
                Ok(Value::Str(Str::Utf16(Utf16::new(self.without_padding(bytes, 2)))))
            }
            InType::AnsiString if has_length(property) => {
                let bytes = cursor.bytes(self.len_bytes(cursor, 1))?;
                Ok(Value::Str(Str::Ansi(self.without_padding(bytes, 1))))
            }
            InType::Binary if has_length(property) => {
                cursor.bytes(self.len_bytes(cursor, 1)).map(Value::Binary)
            }
            InType::Binary if property.out_type == OutType::Ipv6 => cursor.bytes(16).map(Value::Binary),
            in_type => cursor.plain(in_type),
        }
    }

    fn length(self) -> usize {
        let [length, ..] = self.outer;
        usize::try_from(length).unwrap_or(usize::MAX)
    }

    /// Bytes of a value with a length, in whole units.
    fn len_bytes(self, cursor: &Cursor<'_>, unit: usize) -> usize {
        if self.property.length == Length::Rest {
            let len = cursor.rest.len();
            return len.saturating_sub(len.checked_rem(unit).unwrap_or_default());
        }
        self.length().saturating_mul(unit)
    }

    /// Text of a declared length without the zeros that fill it up. What a fixed length holds behind the first zero is
    /// whatever the writer's memory held; where the length is a value of its own, only zeros at the end are no text.
    fn without_padding(self, bytes: &'a [u8], unit: usize) -> &'a [u8] {
        let zero = |unit: &[u8]| unit.iter().all(|&byte| byte == 0);
        let mut units = bytes.chunks_exact(unit);
        let len = if let Length::Fixed(_) = self.property.length {
            units.position(zero)
        } else {
            Some(units.rposition(|unit| !zero(unit)).map_or(0, |last| last.saturating_add(1)))
        };
        len.and_then(|len| bytes.get(..len.saturating_mul(unit))).unwrap_or(bytes)
    }

    fn structure(self, cursor: &mut Cursor<'a>, fuel: &mut usize) -> Result<Value<'a>, Fault> {
        let start = *cursor;
        if let Some(size) = self.step.size.get(start.wide) {
            cursor.bytes(usize::try_from(size).unwrap_or(usize::MAX))?;
            charge(fuel, 1, self.step.cost)?;
        } else {
            charge(fuel, self.property.members.len(), 1)?;
            let mut members = Fields::members(self.schema, self.property, *cursor, self.outer, *fuel);
            for member in members.by_ref() {
                member.map_err(Fault::Member)?;
            }
            *cursor = members.cursor;
            *fuel = members.fuel;
        }
        Ok(Value::Struct(Struct::new(self, start, *cursor)))
    }

    /// Bytes of one element, if all have the same.
    pub(super) fn size(self, wide: bool) -> Option<usize> {
        if let Length::Property(_) = self.property.length {
            match self.property.in_type {
                InType::UnicodeString => return Some(self.length().saturating_mul(2)),
                InType::AnsiString | InType::Binary => return Some(self.length()),
                _ => {}
            }
        }
        self.step.size.get(wide).map(|size| usize::try_from(size).unwrap_or(usize::MAX))
    }

    /// The elements between two places.
    fn array(self, start: Cursor<'a>, end: Cursor<'a>, count: u32) -> Value<'a> {
        let array = Array::new(self, start, end, count);
        match self.property.in_type {
            InType::UnicodeChar => unicode_text(array.as_bytes()),
            InType::AnsiChar => ansi_text(array.as_bytes()),
            _ => Value::Array(array),
        }
    }
}

impl<'a> Cursor<'a> {
    /// The bytes from here to `end`, as a cursor of their own.
    pub(super) fn until(self, end: Self) -> Self {
        let len = self.rest.len().saturating_sub(end.rest.len());
        Self::new(self.rest.get(..len).unwrap_or_default(), self.at(), self.wide)
    }
}
