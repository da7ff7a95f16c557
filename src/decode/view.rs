//! Arrays and structures of a payload, read element by element when somebody asks.

use core::fmt;

use crate::decode::cursor::Cursor;
use crate::decode::plan::OUTER;
use crate::decode::schema::{Property, Schema};
use crate::decode::value::Value;
use crate::decode::walk::{Element, Field, Fields};

/// Several values of one property. `Copy`; borrowed from the payload and the schema.
#[derive(Clone, Copy)]
pub struct Array<'a> {
    span: Span<'a>,
    count: u32,
}

/// A structure: values with names. `Copy`; borrowed from the payload and the schema.
#[derive(Clone, Copy)]
pub struct Struct<'a> {
    span: Span<'a>,
}

/// Where elements lie, and what they need to be read. They were walked over once, so they can be read.
#[derive(Clone, Copy)]
struct Span<'a> {
    schema: &'a Schema,
    cursor: Cursor<'a>,
    outer: [u32; OUTER],
    property: u16,
}

impl<'a> Span<'a> {
    fn new(element: Element<'a>, start: Cursor<'a>, end: Cursor<'a>) -> Self {
        Self {
            schema: element.schema,
            cursor: start.until(end),
            outer: element.outer,
            property: element.index,
        }
    }

    fn element(self) -> Option<Element<'a>> {
        let index = usize::from(self.property);
        Some(Element {
            schema: self.schema,
            property: self.schema.properties().get(index)?,
            step: self.schema.steps().get(index)?,
            index: self.property,
            outer: self.outer,
        })
    }
}

impl<'a> Array<'a> {
    pub(super) fn new(element: Element<'a>, start: Cursor<'a>, end: Cursor<'a>, count: u32) -> Self {
        Self { span: Span::new(element, start, end), count }
    }

    /// The number of elements.
    #[must_use]
    pub fn len(self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    /// Whether there are no elements.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.count == 0
    }

    /// The bytes of all elements, without a count in front of them.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.span.cursor.rest
    }

    /// The elements in order.
    #[must_use]
    pub fn iter(self) -> Elements<'a> {
        Elements { element: self.span.element(), cursor: self.span.cursor, left: self.count }
    }
}

impl<'a> IntoIterator for Array<'a> {
    type Item = Value<'a>;
    type IntoIter = Elements<'a>;

    fn into_iter(self) -> Elements<'a> {
        self.iter()
    }
}

impl PartialEq for Array<'_> {
    /// The same values in the same order.
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Array<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}

/// The elements of an [`Array`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    element: Option<Element<'a>>,
    cursor: Cursor<'a>,
    left: u32,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        self.left = self.left.checked_sub(1)?;
        // What the elements cost was settled when the array was walked over.
        self.element?.read(&mut self.cursor, &mut usize::MAX.clone()).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl core::iter::FusedIterator for Elements<'_> {}
impl ExactSizeIterator for Elements<'_> {}

impl<'a> Struct<'a> {
    pub(super) fn new(element: Element<'a>, start: Cursor<'a>, end: Cursor<'a>) -> Self {
        Self { span: Span::new(element, start, end) }
    }

    /// The property that it is a value of.
    #[must_use]
    pub fn property(self) -> Option<&'a Property> {
        self.span.element().map(|element| element.property)
    }

    /// The bytes of all members.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.span.cursor.rest
    }

    /// The members with their values, in order.
    #[must_use]
    pub fn fields(self) -> Members<'a> {
        let Span { schema, cursor, outer, .. } = self.span;
        let property = self.property();
        Members {
            fields: property.map(|property| Fields::members(schema, property, cursor, outer, usize::MAX)),
        }
    }

    /// The value of the first member of this name.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        self.fields().find(|field| field.property.name == name).map(|field| field.value)
    }
}

impl<'a> IntoIterator for Struct<'a> {
    type Item = Field<'a>;
    type IntoIter = Members<'a>;

    fn into_iter(self) -> Members<'a> {
        self.fields()
    }
}

impl PartialEq for Struct<'_> {
    /// The same members with the same values in the same order.
    fn eq(&self, other: &Self) -> bool {
        self.fields().eq(other.fields())
    }
}

impl fmt::Debug for Struct<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.fields().map(|field| (&field.property.name, field.value))).finish()
    }
}

/// The members of a [`Struct`].
#[derive(Clone, Debug)]
pub struct Members<'a> {
    fields: Option<Fields<'a>>,
}

impl<'a> Iterator for Members<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        self.fields.as_mut()?.next()?.ok()
    }
}
