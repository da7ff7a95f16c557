//! Ctrl-C: a quiet end.

use std::process;

use crate::progress::Progress;

/// What shells show of a program that SIGINT ended.
const STATUS: i32 = 130;

/// From now on, an interrupt takes the bar of `progress` away and ends the program with the usual status.
///
/// Nothing else has to be done: what is printed goes out in whole lines, and temporary files have no name that could stay
/// behind.
pub(crate) fn end_quietly(progress: &Progress) {
    let progress = progress.clone();
    // Where nothing can be installed, the system ends the program its own way.
    let _ = ctrlc::set_handler(move || {
        progress.clear();
        process::exit(STATUS);
    });
}
