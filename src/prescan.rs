//! Two passes over a file: what describes events is read first, since much of it lies behind them.

use std::io::Read;

use crate::decode::Decoder;
use crate::file::{Error, EtlReader};

/// Reads a trace to its end and shows every event to the sources of `decoder` that learn from events. Then read the trace
/// again and decode.
///
/// Merged traces have their metadata at the end, and a provider may write its manifest when the session stops. Nothing says
/// where, so all buffers are walked. Damage is passed over: the second pass meets it again.
///
/// # Errors
///
/// As [`EtlReader::next_buffer`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use etweir::EtlReader;
/// use etweir::decode::Decoder;
/// use etweir::prescan::prescan;
///
/// let path = "fixtures/demo.etl";
/// let mut decoder = Decoder::new();
/// prescan(&mut EtlReader::open(path)?, &mut decoder)?;
/// let mut reader = EtlReader::open(path)?;
/// while let Some(buffer) = reader.next_buffer()? {
///     for event in buffer.events().flatten() {
///         let decoded = decoder.decode(&event);
///         println!("{:?} {:?}", decoded.provider_name(), decoded.names().event);
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub fn prescan<R: Read>(reader: &mut EtlReader<R>, decoder: &mut Decoder) -> Result<(), Error> {
    while let Some(buffer) = reader.next_buffer()? {
        for event in buffer.events().flatten() {
            decoder.learn(&event);
        }
    }
    Ok(())
}
