//! The end of a session that takes buffers.

use alloc::sync::Arc;
use core::fmt;

use crossbeam_channel::Sender;

use crate::error::Offset;
use crate::stream::admission::Admission;
use crate::stream::completion::BufferId;
use crate::stream::error::AddError;
use crate::stream::front::shared::{Input, Shared};
use crate::stream::info::StreamInfo;
use crate::stream::outcome::CloseOutcome;
use crate::stream::stats::Stats;
use crate::trace::LogFileHeader;

/// The end of a session that takes buffers. Clones feed the same session; dropping the last one is the end of the stream.
///
/// All methods may be called on any thread, before, while and after the processor runs, and inside callbacks. None panics, and
/// none but [`Feeder::add`] waits. A feeder that a callback owns keeps the stream open for as long as the callback lives, so
/// such a stream has to be ended by [`Feeder::finish`].
pub struct Feeder<B> {
    sender: Sender<Input<B>>,
    shared: Arc<Shared<B>>,
}

impl<B: AsRef<[u8]>> Feeder<B> {
    pub(super) const fn new(sender: Sender<Input<B>>, shared: Arc<Shared<B>>) -> Self {
        Self { sender, shared }
    }

    /// Takes a buffer: `ProcessTraceAddBufferToBufferStream`. Checks its header, never its events.
    ///
    /// Buffers have to come in the order in which they were flushed, the header buffer first. The calls of several feeders
    /// are put in the order in which they get through.
    ///
    /// With a bounded queue it waits for room while the processor runs on another thread; otherwise it never blocks. A
    /// callback that waits for a thread that waits here waits for ever; so do two sessions whose callbacks feed each other
    /// through bounded queues. [`Feeder::try_add`] is for those.
    ///
    /// # Errors
    ///
    /// [`AddError`] with the buffer in it; [`AddError::code`] is the Win32 code.
    /// [`Refusal::Full`](crate::stream::Refusal::Full) if there is no room and waiting would not make any: before the
    /// processor runs, on the thread that is inside a callback, and where as many buffers are out as may be.
    pub fn add(&self, buffer: B) -> Result<BufferId, AddError<B>> {
        self.offer(buffer, true)
    }

    /// As [`Feeder::add`], but never waits.
    ///
    /// # Errors
    ///
    /// As [`Feeder::add`].
    pub fn try_add(&self, buffer: B) -> Result<BufferId, AddError<B>> {
        self.offer(buffer, false)
    }

    fn offer(&self, buffer: B, may_wait: bool) -> Result<BufferId, AddError<B>> {
        // The buffer's own code runs before anything is locked.
        let bytes = buffer.as_ref();
        let len = Offset::from(bytes.len()).get();
        let admitted = self.shared.wait_for_room(self.shared.gate(), len, may_wait).and_then(|mut gate| {
            let accepted = gate.admission.admit(bytes, &self.shared.common)?;
            Ok((gate, accepted))
        });
        match admitted {
            Ok((gate, accepted)) => {
                self.shared.queue(len);
                // Under the lock, so that the queue has the order of acceptance. The receiver lives as long as the gate is
                // open.
                let _ = self.sender.send(Input::Buffer(buffer, len, accepted));
                drop(gate);
                Ok(accepted.id)
            }
            Err(reason) => Err(AddError::new(buffer, reason)),
        }
    }

    /// Ends the stream: what was added is delivered, then the processor returns. `CloseTrace` while processing.
    pub fn finish(&self) -> CloseOutcome {
        let was_open = self.shared.change(Admission::close);
        if was_open {
            let _ = self.sender.send(Input::Finish);
            CloseOutcome::Pending
        } else {
            CloseOutcome::Closed
        }
    }

    /// Ends the session as soon as possible: at the next step nothing more is delivered, and every buffer is completed. What
    /// FALSE of a buffer callback does on Windows, from outside.
    pub fn cancel(&self) {
        self.shared.common.cancel();
        self.shared.change(Admission::cancel);
        // Wakes the processor, if it waits for buffers.
        let _ = self.sender.send(Input::Wake);
    }

    /// Delivers from the oldest event on, whatever the order says, until one buffer can be completed.
    ///
    /// For a feeder that waits for a buffer of its pool to come back, while the session waits for buffers to order by. A pool
    /// of one buffer more than [`Options::max_held_buffers`](crate::stream::Options::max_held_buffers) never needs it.
    pub fn relieve(&self) {
        let _ = self.sender.send(Input::Relieve);
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.common.stats()
    }

    /// What the stream says about itself: `QueryTraceProcessingHandle`.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        &self.shared.common.info
    }

    /// The header of the stream, once its buffer was accepted: `EtwQueryLogFileHeader`.
    #[must_use]
    pub fn header(&self) -> Option<&LogFileHeader> {
        self.info().header()
    }
}

impl<B> Clone for Feeder<B> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<B> fmt::Debug for Feeder<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feeder").field("stats", &self.shared.common.stats()).finish_non_exhaustive()
    }
}
