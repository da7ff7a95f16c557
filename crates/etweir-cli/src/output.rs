//! Standard output: written in large pieces, coloured or not.

use core::time::Duration;
use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use anstream::AutoStream;
use clap::ColorChoice;
use terminal_size::{Width, terminal_size_of};

/// Lines on their way to standard output.
pub(crate) struct Output {
    stream: Box<dyn Write>,
    pending: Vec<u8>,
    /// When something was written last.
    written: Instant,
    color: bool,
    width: Option<usize>,
}

/// How much is gathered before it is written.
const PIECE: usize = 128 * 1024;
/// For so long, less than that waits.
const PATIENCE: Duration = Duration::from_millis(100);

impl Output {
    /// Standard output, with colours as the user and the terminal want them.
    pub(crate) fn standard() -> Self {
        let stdout = io::stdout().lock();
        let choice = AutoStream::choice(&stdout);
        let width = stdout.is_terminal().then(|| terminal_size_of(&stdout)).flatten();
        let width = width.map(|(Width(columns), _)| usize::from(columns));
        let color = choice != anstream::ColorChoice::Never;
        // Without colours there is nothing to strip.
        let stream: Box<dyn Write> =
            if color { Box::new(AutoStream::new(stdout, choice)) } else { Box::new(stdout) };
        Self { stream, pending: Vec::with_capacity(2 * PIECE), written: Instant::now(), color, width }
    }

    /// Whether styles are to be written.
    pub(crate) const fn color(&self) -> bool {
        self.color
    }

    /// The columns of the terminal that is written to; `None` if it is none, or does not tell.
    pub(crate) const fn width(&self) -> Option<usize> {
        self.width
    }

    /// Where the next line is appended to, its end included.
    pub(crate) const fn line(&mut self) -> &mut Vec<u8> {
        &mut self.pending
    }

    /// Writes what is pending if it is much.
    pub(crate) fn end_line(&mut self) -> anyhow::Result<()> {
        if self.pending.len() < PIECE { Ok(()) } else { self.write() }
    }

    /// Writes what has been pending for a while.
    pub(crate) fn show_what_waits(&mut self) -> anyhow::Result<()> {
        if self.pending.is_empty() || self.written.elapsed() < PATIENCE { Ok(()) } else { self.finish() }
    }

    /// Writes everything that is pending, so that a reader sees it now.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        self.write()?;
        self.stream.flush().map_err(failure)
    }

    fn write(&mut self) -> anyhow::Result<()> {
        self.stream.write_all(&self.pending).map_err(failure)?;
        self.pending.clear();
        self.written = Instant::now();
        Ok(())
    }
}

/// Output could not be written.
#[derive(Debug)]
struct OutputError(io::Error);

impl core::fmt::Display for OutputError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("cannot write to standard output")
    }
}

impl core::error::Error for OutputError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn failure(error: io::Error) -> anyhow::Error {
    OutputError(error).into()
}

/// Whether whoever read standard output has gone, which is no failure.
pub(crate) fn is_closed(error: &anyhow::Error) -> bool {
    error.downcast_ref::<OutputError>().is_some_and(|error| error.0.kind() == io::ErrorKind::BrokenPipe)
}

/// Settles colours for both output streams.
pub(crate) fn choose_color(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}
