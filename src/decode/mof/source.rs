//! The table as a source of schemas.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::decode::mof::lookup::{self, ClassicId, RowFit};
use crate::decode::schema::{Property, Schema};
use crate::decode::source::{Candidate, Certainty, Found, Query, SchemaSource};
use crate::decode::types::InType;
use crate::trace::EventFlags;

/// Schemas of the kernel's classes and of classic providers, by class, opcode and version.
///
/// It has no state: what is asked for is made, and kept by who asked.
///
/// Where versions are known to lie, several layouts are offered, and the payload's length decides. Records of programs that
/// have a full header may have pointers of another width than the header says; the other width is offered as well, to be
/// taken only where it fits exactly.
///
/// Source: payload reference on kernel events; "Choosing the decoder" for the width of pointers.
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelClasses;

impl SchemaSource for KernelClasses {
    fn find(&self, query: &Query<'_>) -> Found {
        let event = query.event();
        if !event.flags().contains(EventFlags::CLASSIC_HEADER) {
            return Found::nothing();
        }
        let id = ClassicId { class: query.provider(), opcode: event.opcode(), version: event.version() };
        let other_width = event.hook_id().is_none().then(|| if event.pointer_size() == 8 { 4 } else { 8 });
        find(id, other_width)
    }
}

/// The layouts of an event, and the same with pointers of another width if there is one to be tried.
pub(super) fn find(id: ClassicId, other_width: Option<u8>) -> Found {
    let Some(known) = lookup::find(id) else { return Found::nothing() };
    let made = known.layouts.iter().filter_map(|layout| {
        let candidate = Candidate::new(Arc::new(known.schema(Some(&layout.row)).ok()?));
        let candidate = candidate.with_certainty(certainty(layout.fit));
        Some(if layout.exact { candidate.only_exact() } else { candidate })
    });
    let mut candidates: Vec<Candidate> = made.collect();
    if candidates.is_empty() {
        candidates.extend(known.schema(None).ok().map(|names| Candidate::new(Arc::new(names))));
    }
    if let Some(width) = other_width {
        let wide = candidates.iter().filter(|candidate| depends_on_width(&candidate.schema));
        let wide: Vec<_> =
            wide.map(|candidate| candidate.clone().only_exact().with_pointer_size(width)).collect();
        candidates.extend(wide);
    }
    Found::several(candidates)
}

fn certainty(fit: RowFit) -> Certainty {
    match fit {
        RowFit::Version | RowFit::Unversioned | RowFit::SameKind => Certainty::Sure,
        RowFit::Lower => Certainty::LowerVersion,
        RowFit::Higher => Certainty::Guess,
    }
}

fn depends_on_width(schema: &Schema) -> bool {
    schema.properties().iter().any(|property: &Property| {
        matches!(property.in_type, InType::Pointer | InType::SizeT | InType::WbemSid) || property.align == 0
    })
}
