//! What the examples share: a trace cut into the buffers that a session takes.

use core::error::Error;
use std::fs;

/// What any thread of an example may fail with.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The trace that the examples read.
pub(crate) const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/demo.etl");

/// The buffers of [`DEMO`] in their order, the header buffer first: what the buffer callback of a file session gets.
pub(crate) fn buffers() -> Result<Vec<Vec<u8>>, Failure> {
    let bytes = fs::read(DEMO)?;
    let mut reader = etweir::EtlReader::new(bytes.as_slice())?;
    let mut buffers = Vec::new();
    while let Some(buffer) = reader.next_buffer()? {
        let start = usize::try_from(buffer.offset().get())?;
        let len = usize::try_from(buffer.stored_bytes())?;
        let stored = bytes.get(start..).and_then(|rest| rest.get(..len)).ok_or("the trace is cut")?;
        buffers.push(stored.to_vec());
    }
    Ok(buffers)
}
