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
    /// How many buffers of a file are known ahead of their turn, at 32 bytes each. Default: 1,048,576, which is 32 MiB and
    /// enough for 64 GiB of buffers of 64 KiB.
    pub index_buffers: usize,
    /// How many entries of damage keep their details, per file; further ones are only counted. Default: 1,000.
    pub damage_entries: usize,
    /// How many schemas a decoder keeps of events that describe themselves, how many answers of its sources, and how many
    /// names of providers. Default: 4,096.
    pub schemas: usize,
    /// The memory that a decoder uses for the first of these, in bytes, about. Default: 64 MiB.
    pub schema_cache_bytes: usize,
    /// The most properties that a schema may have, members of structures included. Default: 1,024.
    pub schema_properties: usize,
    /// How deep structures may lie in structures. Default: 16.
    pub struct_depth: usize,
    /// The most elements that an array in a payload may have. Default: 65,535.
    pub array_elements: u32,
    /// The longest text of a schema, such as a name or a message, in bytes as it is stored. Default: 64 KiB.
    pub string_bytes: usize,
    /// All text of one schema or map together, in bytes of UTF-8. Default: 64 KiB.
    pub schema_bytes: usize,
    /// What is kept of the metadata inside a trace, in bytes as they lie in it: descriptions of events, maps, manifests, and
    /// parts of manifests that wait for the rest. Further ones are counted and not used. Default: 64 MiB.
    pub metadata_bytes: usize,
    /// The largest manifest, in bytes as it is stored. Default: 16 MiB.
    pub xml_bytes: usize,
    /// How deep the elements of a manifest may nest. Default: 64.
    pub xml_depth: usize,
    /// The longest text that is made of an event or a value, in bytes; it matters where names and texts of a schema come back
    /// for each of many elements. Default: 16 MiB.
    pub formatted_bytes: usize,
    /// How many observations each component of the context keeps of what it tracks: processes, threads, images, methods,
    /// names. Default: 1,000,000.
    pub context_entries: usize,
    /// The text that each component of the context keeps, in bytes, about. Default: 128 MiB.
    pub context_text_bytes: usize,
    /// What the context keeps of stacks, in bytes, about; the stacks that keys stand for may take as much again, and so may the
    /// stack walks of the CLR. Default: 1 GiB.
    pub context_stack_bytes: usize,
    /// How many volumes the context keeps. Default: 1,024.
    pub context_volumes: usize,
    /// The events that the context copies because their schema may come later, in bytes. Default: 16 MiB.
    pub context_unread_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            buffer_bytes: 16 * 1024 * 1024 + 4096,
            decompressed_bytes: 16 * 1024 * 1024,
            index_buffers: 1024 * 1024,
            damage_entries: 1000,
            schemas: 4096,
            schema_cache_bytes: 64 * 1024 * 1024,
            schema_properties: 1024,
            struct_depth: 16,
            array_elements: 65_535,
            string_bytes: 64 * 1024,
            schema_bytes: 64 * 1024,
            metadata_bytes: 64 * 1024 * 1024,
            xml_bytes: 16 * 1024 * 1024,
            xml_depth: 64,
            formatted_bytes: 16 * 1024 * 1024,
            context_entries: 1_000_000,
            context_text_bytes: 128 * 1024 * 1024,
            context_stack_bytes: 1024 * 1024 * 1024,
            context_volumes: 1024,
            context_unread_bytes: 16 * 1024 * 1024,
        }
    }
}
