//! What a stream says about itself.

use alloc::vec::Vec;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::buffer::RecordWalk;
use crate::record::Shapes;
use crate::time::Ticks;
use crate::trace::{LogFileHeader, PartitionInformation, PartitionInformationV2, last_dropped_times};

/// What a stream says about itself, out of its header buffer: `QueryTraceProcessingHandle`, with a method for each class.
///
/// It is asked of a [`Session`](crate::stream::Session), a [`Feeder`](crate::stream::Feeder) on any thread, a
/// [`Processor`](crate::stream::Processor) before it runs, inside callbacks ([`Delivery`](crate::stream::Delivery),
/// [`RetiringBuffer`](crate::stream::RetiringBuffer)), and of the [`Summary`](crate::stream::Summary) afterwards. Everything
/// is known as soon as the header buffer was accepted, and nothing before. No method blocks or panics.
#[derive(Debug, Default)]
pub struct StreamInfo {
    header: OnceLock<LogFileHeader>,
    partition: OnceLock<PartitionInformation>,
    last_dropped: Mutex<Vec<Ticks>>,
}

impl StreamInfo {
    /// The log-file header of the first header buffer: `EtwQueryLogFileHeader`. Later header buffers do not change it.
    ///
    /// `None` before that buffer was accepted, and for a stream without one.
    #[must_use]
    pub fn header(&self) -> Option<&LogFileHeader> {
        self.header.get()
    }

    /// The partition that the trace was taken in: `EtwQueryPartitionInformation`.
    ///
    /// `None` if the header buffer does not tell, which is so before Windows 10 1709.
    #[must_use]
    pub fn partition_information(&self) -> Option<&PartitionInformation> {
        self.partition.get()
    }

    /// The same with ids as text: `EtwQueryPartitionInformationV2`.
    #[must_use]
    pub fn partition_information_v2(&self) -> Option<PartitionInformationV2> {
        self.partition.get().map(PartitionInformation::to_v2)
    }

    /// When the last event of each processor was lost, in ticks of the source, 0 where none was: `EtwQueryLastDroppedTimes`.
    ///
    /// As the header buffer that was accepted last tells; empty if none does.
    #[must_use]
    pub fn last_dropped_times(&self) -> Vec<Ticks> {
        self.last_dropped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of the first header.
    pub(super) fn set_header(&self, header: LogFileHeader) {
        let _ = self.header.set(header);
    }

    /// Takes note of what the records of a header buffer, whose valid bytes these are, tell beside the log-file header.
    pub(super) fn look_around(&self, valid: &[u8], shapes: Shapes) {
        let mut walk = RecordWalk::new(valid.len(), valid.len(), shapes);
        while let Some(step) = walk.next(valid) {
            let Ok(record) = step else { continue };
            if let Some(partition) = PartitionInformation::parse(&record) {
                let _ = self.partition.set(partition);
            }
            if let Some(times) = last_dropped_times(&record) {
                *self.last_dropped.lock().unwrap_or_else(PoisonError::into_inner) = times;
            }
        }
    }
}

impl Clone for StreamInfo {
    fn clone(&self) -> Self {
        Self {
            header: self.header.clone(),
            partition: self.partition.clone(),
            last_dropped: Mutex::new(self.last_dropped_times()),
        }
    }
}
