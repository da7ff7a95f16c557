//! How a file is to be read.

use std::io::Read;

use crate::file::error::Error;
use crate::file::reader::EtlReader;
use crate::limits::Limits;

/// What a reader accepts and uses. The reader that it opens does not change with it.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    pub(super) limits: Limits,
    pub(super) allow_missing_header: bool,
    pub(super) live: bool,
}

impl ReadOptions {
    /// The defaults: [`Limits::default`], and a trace without its header buffer is refused.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the reader may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether a trace whose header buffer is missing or damaged is read all the same. Its time stamps stay raw, since
    /// nothing tells the clock. Default: no.
    #[must_use]
    pub fn allow_missing_header(mut self, allow: bool) -> Self {
        self.allow_missing_header = allow;
        self
    }

    /// Whether the source still grows, such as a pipe from a session that runs. A buffer is then handed out as soon as all
    /// of it is there, if it has the session's size and no damage; otherwise, and by default, only once what follows it is
    /// seen.
    ///
    /// The price: where bytes are missing from the unused end of a buffer, the start of the next one passes for it, and that
    /// next buffer is lost.
    #[must_use]
    pub fn live(mut self, live: bool) -> Self {
        self.live = live;
        self
    }

    /// Opens a trace in anything that can be read to its end: a file, a pipe, a slice.
    ///
    /// # Errors
    ///
    /// As [`EtlReader::new`].
    pub fn open<R: Read>(self, source: R) -> Result<EtlReader<R>, Error> {
        EtlReader::with_options(source, self)
    }
}
