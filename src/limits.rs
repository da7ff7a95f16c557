//! Every cap on memory and work, in one place.

/// What a reader may use, whatever the input claims.
///
/// No allocation is sized by the input before it was checked against what is there and against these numbers.
///
/// ```
/// let mut limits = etweir::Limits::default();
/// assert_eq!(limits.decompressed_bytes, 16 * 1024 * 1024);
/// limits.decompressed_bytes = 1024 * 1024;
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest buffer that is accepted, in bytes as it lies in the input, its header included. Default: 16 MiB and
    /// one page, as sessions have buffers of at most 16 MiB and a compressed one may hardly shrink.
    pub buffer_bytes: usize,
    /// The largest buffer that a compressed one may expand to, in bytes, its header included. Default: 16 MiB.
    pub decompressed_bytes: usize,
    /// How many entries of damage keep their details, per file; further ones are only counted. Default: 1,000.
    pub damage_entries: usize,
    /// The most properties that a schema may have, members of structures included. Default: 1,024.
    pub schema_properties: usize,
    /// How deep structures may lie in structures. Default: 16.
    pub struct_depth: usize,
    /// The most elements that an array in a payload may have. Default: 65,535.
    pub array_elements: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            buffer_bytes: 16 * 1024 * 1024 + 4096,
            decompressed_bytes: 16 * 1024 * 1024,
            damage_entries: 1000,
            schema_properties: 1024,
            struct_depth: 16,
            array_elements: 65_535,
        }
    }
}
