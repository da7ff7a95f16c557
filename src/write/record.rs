//! What all records share, and the records that only tests and damage need.

use alloc::vec::Vec;

use crate::wire::U64;
use crate::write::classic::{FullSpec, InstanceSpec};
use crate::write::error::{WriteError, size_field};
use crate::write::event::EventSpec;
use crate::write::kernel::{PerfSpec, SystemSpec};
use crate::write::message::MessageSpec;

/// Any record: what the lists of [`TraceSpec`](crate::write::TraceSpec) and the header buffer of
/// [`FileSpec`](crate::write::FileSpec) hold.
#[derive(Clone, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "each variant is named after what it holds")]
#[non_exhaustive]
pub enum RecordSpec {
    Event(EventSpec),
    System(SystemSpec),
    Perf(PerfSpec),
    Full(FullSpec),
    Instance(InstanceSpec),
    Message(MessageSpec),
    Opaque(OpaqueSpec),
    Raw(RawSpec),
}

impl RecordSpec {
    /// The record without padding.
    ///
    /// # Errors
    ///
    /// Those of the record's own `to_bytes`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        match self {
            Self::Event(spec) => spec.to_bytes(),
            Self::System(spec) => spec.to_bytes(),
            Self::Perf(spec) => spec.to_bytes(),
            Self::Full(spec) => spec.to_bytes(),
            Self::Instance(spec) => spec.to_bytes(),
            Self::Message(spec) => spec.to_bytes(),
            Self::Opaque(spec) => spec.to_bytes(),
            Self::Raw(spec) => Ok(spec.bytes.clone()),
        }
    }

    /// The record's time stamp, if it has one.
    #[must_use]
    pub const fn time_stamp(&self) -> Option<i64> {
        match self {
            Self::Event(spec) => Some(spec.time_stamp),
            Self::System(spec) => Some(spec.time_stamp),
            Self::Perf(spec) => Some(spec.time_stamp),
            Self::Full(spec) => Some(spec.time_stamp),
            Self::Instance(spec) => Some(spec.full.time_stamp),
            Self::Message(spec) => spec.time_stamp,
            Self::Opaque(_) | Self::Raw(_) => None,
        }
    }
}

macro_rules! from_specs {
    ($($variant:ident($spec:ty);)*) => {
        $(impl From<$spec> for RecordSpec {
            fn from(spec: $spec) -> Self {
                Self::$variant(spec)
            }
        })*
    };
}

from_specs! {
    Event(EventSpec);
    System(SystemSpec);
    Perf(PerfSpec);
    Full(FullSpec);
    Instance(InstanceSpec);
    Message(MessageSpec);
    Opaque(OpaqueSpec);
    Raw(RawSpec);
}

/// Bits of a pointer in the payload.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[allow(missing_docs, reason = "the names say all there is")]
pub enum Width {
    Bits32,
    #[default]
    Bits64,
}

impl Width {
    /// Bytes of a pointer.
    #[must_use]
    pub const fn pointer_size(self) -> u8 {
        match self {
            Self::Bits32 => 4,
            Self::Bits64 => 8,
        }
    }
}

/// A record of which only the size is understood: TIMED, ERROR, or any header type that no system is known to write.
///
/// The default is an ERROR record without content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpaqueSpec {
    /// The byte at 0x02: [`OpaqueSpec::TIMED`], [`OpaqueSpec::ERROR`], or another.
    pub header_type: u8,
    /// The bytes at 0x04.
    pub head: [u8; 4],
    /// What follows the first 8 bytes.
    pub payload: Vec<u8>,
}

impl Default for OpaqueSpec {
    fn default() -> Self {
        Self { header_type: Self::ERROR, head: [0; 4], payload: Vec::new() }
    }
}

impl OpaqueSpec {
    /// The header type of TIMED records.
    pub const TIMED: u8 = 0x0C;
    /// The header type of ERROR records.
    pub const ERROR: u8 = 0x0D;

    /// The record without padding.
    ///
    /// # Errors
    ///
    /// [`WriteError::TooLong`] if it is longer than 65,535 bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        let [size_low, size_high] = size_field("opaque record", &[8, self.payload.len()])?.to_le_bytes();
        let [a, b, c, d] = self.head;
        let head = [size_low, size_high, self.header_type, MARKER_FLAGS, a, b, c, d];
        Ok([head.as_slice(), &self.payload].concat())
    }
}

/// Bytes in the place of a record: damage on request. Written as they are, and padded like a record.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RawSpec {
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl RawSpec {
    /// These bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into() }
    }
}

/// The byte at 0x03 of every record but MESSAGE.
pub(super) const MARKER_FLAGS: u8 = 0xC0;

/// Kernel time in the low half, user time in the high one.
pub(super) fn cpu_time(kernel_time: u32, user_time: u32) -> U64 {
    let [a, b, c, d] = kernel_time.to_le_bytes();
    let [e, f, g, h] = user_time.to_le_bytes();
    U64::from_bytes([a, b, c, d, e, f, g, h])
}
