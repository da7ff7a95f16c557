//! How far reading has come: a bar on standard error, where people see it and it disturbs nothing.

use core::time::Duration;
use std::io::{self, IsTerminal};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar of a run, if there is one. Clones are the same bar.
#[derive(Clone)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    since: Instant,
}

/// Whatever is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(700);

impl Progress {
    /// `prints_meanwhile` tells whether standard output is written while files are read.
    pub(crate) fn new(quiet: bool, prints_meanwhile: bool) -> Self {
        let shows =
            is_wanted(quiet, prints_meanwhile, io::stderr().is_terminal(), io::stdout().is_terminal());
        let bar = shows.then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()));
        Self { bar, since: Instant::now() }
    }

    /// Bytes are to be read, so many if it is known.
    pub(crate) fn read(&self, bytes: Option<u64>) {
        self.begin(bytes, "{bytes} of {total_bytes}, {eta} left", "{bytes} read, {bytes_per_sec}");
    }

    /// So many events are to be printed.
    pub(crate) fn print(&self, events: u64) {
        self.begin(Some(events), "{human_pos} of {human_len} events, {eta} left", "");
    }

    fn begin(&self, total: Option<u64>, with_total: &str, without: &str) {
        let Some(bar) = &self.bar else { return };
        let template = match total {
            Some(_) => format!("{{bar:20}} {{percent:>3}}% {with_total} {{wide_msg}}"),
            None => format!("{{spinner}} {without} {{wide_msg}}"),
        };
        bar.reset();
        bar.unset_length();
        if let Some(total) = total {
            bar.set_length(total);
        }
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
    }

    /// What is being read.
    pub(crate) fn name(&self, name: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(crate::text::Printable(name).to_string());
        }
    }

    /// Counts what is read from here on.
    pub(crate) fn meter(&self) -> Meter {
        Meter(Some(self.clone()).filter(|progress| progress.bar.is_some()))
    }

    fn add(&self, count: u64) {
        let Some(bar) = &self.bar else { return };
        if bar.is_hidden() && self.since.elapsed() > PATIENCE {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.inc(count);
    }

    /// Prints something on standard error that the bar makes way for.
    pub(crate) fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Takes the bar off the terminal, before something else is printed there.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
    }
}

/// A bar belongs on a terminal, and not between the lines of another one's output there.
const fn is_wanted(
    quiet: bool,
    prints_meanwhile: bool,
    stderr_is_terminal: bool,
    stdout_is_terminal: bool,
) -> bool {
    !quiet && stderr_is_terminal && !(prints_meanwhile && stdout_is_terminal)
}

/// Counts bytes, or events, for the bar.
#[derive(Clone)]
pub(crate) struct Meter(Option<Progress>);

impl Meter {
    /// Counts nothing.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// So many more.
    pub(crate) fn add(&self, count: usize) {
        if let Some(progress) = &self.0 {
            progress.add(u64::try_from(count).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_for_terminals_and_not_between_lines() {
        assert!(is_wanted(false, false, true, true));
        assert!(is_wanted(false, true, true, false), "output goes to a file");
        assert!(!is_wanted(false, true, true, true), "it would stand between the lines");
        assert!(!is_wanted(false, false, false, true), "nobody sees it");
        assert!(!is_wanted(true, false, true, false), "quiet");
    }
}
