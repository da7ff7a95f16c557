//! Events of other providers whose payload is known not to follow its own description.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::decode::schema::{Count, EventNames, Property, Schema, SchemaKind};
use crate::decode::source::{Found, Query, SchemaSource};
use crate::decode::types::InType;
use crate::guid::Guid;
use crate::record::RecordKind;

/// The real layout of an event whose description is known to be wrong; `None` for all others.
///
/// `told` is the description that the trace or a manifest gives, if any: its names and its kind are kept. Without one the
/// names are those of the public manifest.
///
/// The table holds the stack walks of the CLR: the manifest says two frames, the payload has as many as it counts.
/// Source: payload reference on manifests, "TRACE_EVENT_INFO and relatives", known liars.
#[must_use]
pub fn corrected(provider: Guid, id: u16, told: Option<&Schema>) -> Option<Schema> {
    let liar = LIARS.iter().find(|liar| liar.provider == provider && liar.id == id)?;
    let (kind, names) = match told {
        Some(told) => (told.kind(), told.names().clone()),
        None => (SchemaKind::Manifest, liar.names()),
    };
    let properties = clr_stack_walk();
    let top_level = properties.len().try_into().ok()?;
    Schema::new(kind, names, properties, top_level).ok()
}

/// The real layout of events whose own description is known to be wrong, for traces that do not describe them at all. Where
/// a description is found, a decoder corrects it by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Corrections;

impl SchemaSource for Corrections {
    fn find(&self, query: &Query<'_>) -> Found {
        let event = query.event();
        if !matches!(event.kind(), RecordKind::Event32 | RecordKind::Event64) {
            return Found::nothing();
        }
        let schema = corrected(query.provider(), event.id(), None);
        schema.map_or_else(Found::nothing, |schema| Found::one(Arc::new(schema)))
    }
}

struct Liar {
    provider: Guid,
    id: u16,
    provider_name: &'static str,
    task: &'static str,
    event: &'static str,
}

impl Liar {
    fn names(&self) -> EventNames {
        EventNames {
            provider: Some(self.provider_name.into()),
            task: Some(self.task.into()),
            opcode: Some("CLRStackWalk".into()),
            event: Some(self.event.into()),
            ..EventNames::default()
        }
    }
}

/// `CLRStackWalk` of the four providers of the CLR, each under its own id; 82 is another event of the private provider.
///
/// Source: the public manifest of the CLR, `ClrEtwAll.man`, template `ClrStackWalk`.
static LIARS: [Liar; 4] = [
    Liar {
        provider: Guid::from_parts(
            0xE13C_0D23,
            0xCCBC,
            0x4E12,
            [0x93, 0x1B, 0xD9, 0xCC, 0x2E, 0xEE, 0x27, 0xE4],
        ),
        id: 82,
        provider_name: "Microsoft-Windows-DotNETRuntime",
        task: "CLRStack",
        event: "CLRStack/CLRStackWalk",
    },
    Liar {
        provider: Guid::from_parts(
            0xA669_021C,
            0xC450,
            0x4609,
            [0xA0, 0x35, 0x5A, 0xF5, 0x9A, 0xF4, 0xDF, 0x18],
        ),
        id: 0,
        provider_name: "Microsoft-Windows-DotNETRuntimeRundown",
        task: "CLRStackRundown",
        event: "CLRStackRundown/CLRStackWalk",
    },
    Liar {
        provider: Guid::from_parts(
            0xCC2B_CBBA,
            0x16B6,
            0x4CF3,
            [0x89, 0x90, 0xD7, 0x4C, 0x2E, 0x8A, 0xF5, 0x00],
        ),
        id: 1,
        provider_name: "Microsoft-Windows-DotNETRuntimeStress",
        task: "CLRStackStress",
        event: "CLRStackStress/CLRStackWalk",
    },
    Liar {
        provider: Guid::from_parts(
            0x763F_D754,
            0x7086,
            0x4DFE,
            [0x95, 0xEB, 0xC0, 0x1A, 0x46, 0xFA, 0xF4, 0xCA],
        ),
        id: 151,
        provider_name: "Microsoft-Windows-DotNETRuntimePrivate",
        task: "CLRStackPrivate",
        event: "CLRStackPrivate/CLRStackWalk",
    },
];

fn clr_stack_walk() -> Vec<Property> {
    let mut stack = Property::new("Stack", InType::Pointer);
    // The place of `FrameCount`.
    stack.count = Count::Property(3);
    [
        Property::new("ClrInstanceID", InType::UInt16),
        Property::new("Reserved1", InType::UInt8),
        Property::new("Reserved2", InType::UInt8),
        Property::new("FrameCount", InType::UInt32),
        stack,
    ]
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::schema::Length;

    const RUNTIME: Guid = LIARS[0].provider;
    const PRIVATE: Guid = LIARS[3].provider;

    #[test]
    fn a_stack_walk_has_as_many_frames_as_it_counts() {
        let schema = corrected(RUNTIME, 82, None).expect("a known liar");
        assert_eq!(schema.names().event.as_deref(), Some("CLRStack/CLRStackWalk"));
        // Instance 13, two reserved bytes, three frames.
        let payload = [13, 0, 1, 2, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0];
        let mut fields = schema.fields(&payload, 4);
        let values: Vec<_> = fields.by_ref().map(|field| field.expect("a value").value).collect();
        assert_eq!(values.len(), 5);
        assert_eq!(alloc::format!("{:?}", values[4]), "Array([Pointer(1), Pointer(2), Pointer(3)])");
        assert!(fields.rest().is_empty());
    }

    #[test]
    fn names_and_kind_of_the_wrong_description_are_kept() {
        let mut wrong = Property::new("Stack", InType::Pointer);
        (wrong.count, wrong.length) = (Count::Fixed(2), Length::Natural);
        let names = EventNames { event: Some("Walk".into()), ..EventNames::default() };
        let told = Schema::new(SchemaKind::Trace, names, [wrong].into(), 1).expect("a schema");
        let schema = corrected(PRIVATE, 151, Some(&told)).expect("a known liar");
        assert_eq!((schema.kind(), schema.names().event.as_deref()), (SchemaKind::Trace, Some("Walk")));
        assert_eq!(schema.top_level().len(), 5);
    }

    #[test]
    fn other_events_are_believed() {
        assert!(corrected(RUNTIME, 80, None).is_none());
        // `EEConfigSetup`, which shares its number with the runtime's stack walk.
        assert!(corrected(PRIVATE, 82, None).is_none());
        assert!(corrected(Guid::ZERO, 82, None).is_none());
    }
}
