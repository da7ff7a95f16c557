//! What the properties of a schema come to when payloads are walked: sizes, references and work, settled beforehand.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::decode::schema::{Count, Length, Property, SchemaError};
use crate::decode::types::{InType, OutType};
use crate::limits::Limits;

/// How many values that others refer to may be pending at one time, in one structure or at the top.
pub(super) const REGISTERS: usize = 16;
/// How many values from outside the members of one structure may refer to.
pub(super) const OUTER: usize = 2;
/// No register: a reference that leads nowhere, or a value that nothing refers to.
pub(super) const NONE: u8 = u8::MAX;

/// What a walk has to know of a property besides its types.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// One packed value: its in-type alone says how it is read.
    pub(super) plain: bool,
    /// The register that the value goes to.
    pub(super) save: u8,
    /// The register with the number of elements.
    pub(super) count: u8,
    /// The register with the length.
    pub(super) length: u8,
    /// Of a structure: the registers whose values its members find in their first ones.
    pub(super) outer: [u8; OUTER],
    /// Bytes of one element.
    pub(super) size: Size,
    /// Values that a reader of one element comes by: 1, and its members.
    pub(super) cost: u32,
    /// Where the property lies, if all before it have fixed sizes: before its alignment.
    pub(super) at: Size,
}

/// Bytes with 4-byte and with 8-byte pointers; `None` where the payload decides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Size([u32; 2]);

impl Size {
    const VARIABLE: Self = Self([u32::MAX; 2]);

    const fn of(bytes: u32) -> Self {
        Self([bytes; 2])
    }

    const fn pointers(count: u32) -> Self {
        Self([count.saturating_mul(4), count.saturating_mul(8)])
    }

    fn plus(self, other: Self) -> Self {
        self.zip(other, |a, b| if a.max(b) == u32::MAX { u32::MAX } else { a.saturating_add(b) })
    }

    fn times(self, count: u16) -> Self {
        Self(self.0.map(|size| if size == u32::MAX { size } else { size.saturating_mul(count.into()) }))
    }

    fn zip(self, other: Self, f: impl Fn(u32, u32) -> u32) -> Self {
        let (Self([a4, a8]), Self([b4, b8])) = (self, other);
        Self([f(a4, b4), f(a8, b8)])
    }

    fn aligned(self, align: u8) -> Self {
        let Self([a4, a8]) = self;
        Self([round(a4, if align == 0 { 4 } else { align }), round(a8, if align == 0 { 8 } else { align })])
    }

    /// The bytes for this width of pointers.
    #[inline]
    pub(super) const fn get(self, wide: bool) -> Option<u32> {
        let Self([narrow, eight]) = self;
        let size = if wide { eight } else { narrow };
        if size == u32::MAX { None } else { Some(size) }
    }
}

fn round(at: u32, align: u8) -> u32 {
    at.checked_next_multiple_of(align.max(1).into()).unwrap_or(u32::MAX)
}

/// The steps of these properties, one each.
pub(super) fn plan(
    properties: &[Property],
    top_level: u16,
    limits: &Limits,
) -> Result<Vec<Step>, SchemaError> {
    let count = properties.len();
    let most = limits.schema_properties.min(u16::MAX.into());
    if count > most {
        return Err(SchemaError::TooMany { count, most });
    }
    if usize::from(top_level) > count {
        return Err(SchemaError::TopLevel { top_level: top_level.into(), count });
    }
    check_structures(properties, top_level, limits)?;
    let mut steps: Vec<Step> = properties.iter().map(Step::new).collect();
    let needs = size_structures(properties, &mut steps);
    assign_registers(properties, &mut steps, &needs, 0..top_level, &[]);
    place(properties, &mut steps, top_level);
    Ok(steps)
}

/// Members lie past their structure and past the top level, in one structure only, and not too deep.
fn check_structures(properties: &[Property], top_level: u16, limits: &Limits) -> Result<(), SchemaError> {
    let mut depths = vec![0_usize; properties.len()];
    for (index, property) in properties.iter().enumerate() {
        if property.in_type != InType::Struct {
            continue;
        }
        let (first, end) = (usize::from(property.members.start), usize::from(property.members.end));
        let wrong = SchemaError::Members { property: index, first, end, count: properties.len() };
        if first <= index || first < usize::from(top_level) {
            return Err(wrong);
        }
        let depth = depths.get(index).map_or(1, |depth| depth.saturating_add(1));
        if depth > limits.struct_depth {
            return Err(SchemaError::TooDeep { property: index, most: limits.struct_depth });
        }
        for (member, inside) in (first..end).zip(depths.get_mut(first..end).ok_or(wrong)?) {
            if *inside != 0 {
                return Err(SchemaError::Shared { property: index, member });
            }
            *inside = depth;
        }
    }
    Ok(())
}

/// Sizes and costs of structures, innermost first; what the members of each refer to outside of it comes back.
fn size_structures(properties: &[Property], steps: &mut [Step]) -> Vec<Vec<u16>> {
    let mut needs: Vec<Vec<u16>> = vec![Vec::new(); properties.len()];
    for (index, property) in properties.iter().enumerate().rev() {
        if property.in_type != InType::Struct {
            continue;
        }
        let (mut size, mut cost, mut outside) = (Size::of(0), 1_u32, Vec::new());
        for member in property.members.clone() {
            let at = usize::from(member);
            let (Some(inner), Some(step)) = (properties.get(at), steps.get(at)) else { break };
            // Where an element starts decides how much lies between aligned members.
            size = if inner.align == 1 && !inner.optional {
                size.plus(whole_size(inner, step))
            } else {
                Size::VARIABLE
            };
            cost = cost.saturating_add(match inner.count {
                // The array, and its elements.
                Count::Fixed(count) => step.cost.saturating_mul(count.into()).saturating_add(1),
                _ => step.cost,
            });
            let nested = needs.get(at).map(Vec::as_slice).unwrap_or_default();
            for by in references(inner).chain(nested.iter().copied()) {
                if !property.members.contains(&by) && !outside.contains(&by) && outside.len() < OUTER {
                    outside.push(by);
                }
            }
        }
        if let (Some(step), Some(need)) = (steps.get_mut(index), needs.get_mut(index)) {
            (step.size, step.cost) = (size, cost);
            *need = outside;
        }
    }
    needs
}

/// Gives the values that others refer to a register from where they lie to where they are used last.
///
/// `outer` are the properties whose values the structure around brings, in the order of its first registers.
fn assign_registers(
    properties: &[Property],
    steps: &mut [Step],
    needs: &[Vec<u16>],
    range: Range<u16>,
    outer: &[u16],
) {
    // What each register holds until which property.
    let mut held: [Option<(u16, u16)>; REGISTERS] = [None; REGISTERS];
    for (register, by) in held.iter_mut().zip(outer) {
        *register = Some((*by, u16::MAX));
    }
    let mut last_use: BTreeMap<u16, u16> = BTreeMap::new();
    for user in range.clone() {
        let Some(property) = properties.get(usize::from(user)) else { break };
        let need = needs.get(usize::from(user)).map(Vec::as_slice).unwrap_or_default();
        for by in references(property).chain(need.iter().copied()).filter(|&by| by < user) {
            last_use.insert(by, user);
        }
    }
    for index in range.clone() {
        let at = usize::from(index);
        let (Some(property), Some(step)) = (properties.get(at), steps.get_mut(at)) else { break };
        let register_of = |by: u16| {
            let found = held.iter().position(|slot| slot.is_some_and(|(of, _)| of == by));
            found.and_then(|found| u8::try_from(found).ok()).unwrap_or(NONE)
        };
        if let Count::Property(by) = property.count {
            step.count = register_of(by);
        }
        if let Length::Property(by) = property.length {
            step.length = register_of(by);
        }
        if property.in_type == InType::Struct {
            let need = needs.get(at).map(Vec::as_slice).unwrap_or_default();
            let mut reachable = Vec::new();
            for &by in need {
                let register = register_of(by);
                if let Some(slot) = step.outer.get_mut(reachable.len())
                    && register != NONE
                {
                    *slot = register;
                    reachable.push(by);
                }
            }
            assign_registers(properties, steps, needs, property.members.clone(), &reachable);
        }
        for slot in &mut held {
            if slot.is_some_and(|(_, last)| last <= index) {
                *slot = None;
            }
        }
        if is_integer(property)
            && let Some(&last) = last_use.get(&index)
            && let Some(free) = held.iter().position(Option::is_none)
            && let (Some(slot), Some(step)) = (held.get_mut(free), steps.get_mut(at))
        {
            *slot = Some((index, last));
            step.save = u8::try_from(free).unwrap_or(NONE);
        }
    }
}

/// Where the properties of the top level lie, up to the first whose size the payload decides.
fn place(properties: &[Property], steps: &mut [Step], top_level: u16) {
    let mut at = Size::of(0);
    for (property, step) in properties.iter().zip(steps).take(top_level.into()) {
        step.at = at;
        at = at.aligned(property.align);
        at = if property.optional { Size::VARIABLE } else { at.plus(whole_size(property, step)) };
    }
}

/// The bytes of a property with all its elements.
fn whole_size(property: &Property, step: &Step) -> Size {
    match property.count {
        Count::One => step.size,
        Count::Fixed(count) => step.size.times(count),
        Count::Prefixed | Count::Property(_) | Count::Rest => Size::VARIABLE,
    }
}

/// The properties that a property refers to.
fn references(property: &Property) -> impl Iterator<Item = u16> + use<> {
    let count = if let Count::Property(by) = property.count { Some(by) } else { None };
    let length = if let Length::Property(by) = property.length { Some(by) } else { None };
    count.into_iter().chain(length)
}

/// Whether a count or a length may be taken from it.
fn is_integer(property: &Property) -> bool {
    property.count == Count::One
        && matches!(
            property.in_type,
            InType::Int8
                | InType::UInt8
                | InType::Int16
                | InType::UInt16
                | InType::Int32
                | InType::UInt32
                | InType::Int64
                | InType::UInt64
                | InType::HexInt32
                | InType::HexInt64
                | InType::Pointer
                | InType::SizeT
        )
}

impl Step {
    fn new(property: &Property) -> Self {
        // A structure and what has a length or a count of its own are read with a closer look.
        let plain = property.count == Count::One
            && property.align == 1
            && !has_length(property)
            && !matches!(
                property.in_type,
                InType::Struct | InType::Binary | InType::WbemSid | InType::Unknown
            );
        Self {
            plain,
            save: NONE,
            count: NONE,
            length: NONE,
            outer: [NONE; OUTER],
            size: element_size(property),
            cost: 1,
            at: Size::VARIABLE,
        }
    }
}

/// Whether the length means something for the in-type and is there.
pub(super) fn has_length(property: &Property) -> bool {
    property.length != Length::Natural
        && matches!(property.in_type, InType::UnicodeString | InType::AnsiString | InType::Binary)
}

fn element_size(property: &Property) -> Size {
    match (property.in_type, property.length) {
        (InType::UnicodeString, Length::Fixed(units)) => Size::of(u32::from(units).saturating_mul(2)),
        (InType::AnsiString | InType::Binary, Length::Fixed(bytes)) => Size::of(bytes.into()),
        (InType::Binary, Length::Natural) if property.out_type == OutType::Ipv6 => Size::of(16),
        (InType::Null, _) => Size::of(0),
        (InType::Int8 | InType::UInt8 | InType::Boolean8 | InType::AnsiChar, _) => Size::of(1),
        (InType::Int16 | InType::UInt16 | InType::UnicodeChar, _) => Size::of(2),
        (InType::Int32 | InType::UInt32 | InType::HexInt32 | InType::Boolean | InType::Float, _) => {
            Size::of(4)
        }
        (
            InType::Int64
            | InType::UInt64
            | InType::HexInt64
            | InType::Double
            | InType::FileTime
            | InType::WmiTime,
            _,
        ) => Size::of(8),
        (InType::Guid | InType::SystemTime, _) => Size::of(16),
        (InType::Pointer | InType::SizeT, _) => Size::pointers(1),
        _ => Size::VARIABLE,
    }
}
