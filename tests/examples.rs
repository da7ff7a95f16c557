//! The examples do what they say. Each is a program of its own; here its `run` is called.
#![cfg(feature = "std")]
#![allow(dead_code, reason = "the examples' own `main`")]
#![allow(clippy::duplicate_mod, reason = "each example brings the module that it shares with the others")]

use etweir::stream::Outcome;

#[path = "../examples/buffer_pool.rs"]
mod buffer_pool;
#[path = "../examples/completion_channel.rs"]
mod completion_channel;
#[path = "../examples/relay.rs"]
mod relay;
#[path = "../examples/remote.rs"]
mod remote;
#[path = "../examples/two_threads.rs"]
mod two_threads;
#[path = "../examples/windows_calls.rs"]
mod windows_calls;

/// Of `demo.etl`, as `fixtures/README.md` and `etweir info` have it.
const BUFFERS: u64 = 12;
const EVENTS: u64 = 891;
const HEADER_EVENTS: u64 = 5;

#[test]
fn a_pool_of_six_takes_twelve_buffers_through() {
    let (buffers, allocations, events) = buffer_pool::run().expect("it runs");
    assert_eq!((buffers, events), (BUFFERS, EVENTS));
    assert!(allocations <= buffer_pool::POOL, "{allocations} allocations");
}

#[test]
fn two_threads_deliver_every_event_in_order() {
    let (summary, in_order) = two_threads::run().expect("it runs");
    assert_eq!(summary.outcome, Outcome::Finished);
    assert_eq!((summary.stats.buffers_retired, summary.stats.events_delivered), (BUFFERS, EVENTS));
    assert!(in_order);
}

#[test]
fn the_relay_gives_every_session_the_whole_trace() {
    assert_eq!(relay::run().expect("it runs"), (true, EVENTS, EVENTS));
}

#[test]
fn a_cut_connection_costs_nothing_but_a_second_header() {
    assert_eq!(remote::run().expect("it runs"), (2, BUFFERS + 1, EVENTS + HEADER_EVENTS));
}

#[test]
fn every_buffer_comes_back_through_the_channel() {
    assert_eq!(completion_channel::run().expect("it runs"), (5, 7));
}

#[test]
fn the_windows_calls_have_their_counterparts() {
    let (refused, status, context) = windows_calls::run().expect("it runs");
    assert_eq!((refused, status), (24, 0));
    assert_eq!((context.events, context.buffers), (EVENTS, BUFFERS));
}
