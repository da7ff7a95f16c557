//! A stream as it flows: one thread reads buffers, another delivers their events in the order of time as far as that can be
//! known before the end.
//!
//! The rule is that of the library's stream session. An event waits until every processor has moved on; that of a real-time
//! session for a few seconds of its time at most, that of any other until the input is silent or memory is short. What was
//! older than an event that had left comes late, and is counted.

use core::time::Duration;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use etweir::file::DamageReport;
use etweir::stream::{Options, Order, Session, Step};
use etweir::trace::{LogFileHeader, SessionInfo};

use crate::events::{Plan, Sink, delay, warn_without_clock};
use crate::inputs::{self, Input, Reader};
use crate::report::{Report, Told};
use crate::walk::{Course, Placed};

/// Silence after which everything leaves that is held: two flush periods of a session that has the usual one.
const SILENCE: Duration = Duration::from_secs(2);

/// Buffers that wait between the threads.
const QUEUED: usize = 4;

pub(super) fn deliver(
    input: &mut Input,
    plan: &Plan<'_>,
    sink: &mut impl Sink,
    report: &mut Report,
) -> Result<()> {
    plan.progress.read(inputs::stored(core::slice::from_ref(input)));
    let reader = match input.open(plan.progress) {
        Ok(reader) => reader,
        Err(error) => {
            report.error(Some(&input.name), &*error);
            return Ok(());
        }
    };
    let (header, info) = (reader.header().cloned(), reader.session());
    let watched = Arc::new(Mutex::new(Watched {
        between: DamageReport::default(),
        course: Course::new(reader.header()),
    }));
    let (sender, receiver) = sync_channel(QUEUED);
    let of_reader = Arc::clone(&watched);
    // It may wait for input for ever, so nobody waits for it.
    thread::Builder::new()
        .name("reader".to_owned())
        .spawn(move || read(reader, &of_reader, &sender))
        .context("cannot start a thread")?;
    let mut flow = Flow { name: &input.name, header, info, plan, late: 0, most_late: 0 };
    flow.run(&receiver, sink, report)?;
    flow.tell(&locked(&watched), input, report);
    Ok(())
}

/// What the reading thread finds out besides events.
struct Watched {
    between: DamageReport,
    course: Course,
}

fn locked(watched: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads to the end, or until nobody listens.
fn read(mut reader: Reader, watched: &Mutex<Watched>, sender: &SyncSender<Result<Vec<u8>, etweir::Error>>) {
    // Each turn takes a buffer off the source, or ends.
    loop {
        let fed = match reader.next_buffer() {
            Ok(Some(buffer)) => {
                // Nothing is to be done with the events here but to take note of them.
                locked(watched).course.walk(&buffer).for_each(drop);
                Ok(buffer.trace_buffer().view().to_stream_buffer())
            }
            Ok(None) => break,
            Err(error) => Err(error),
        };
        watch(&reader, watched);
        let is_last = fed.is_err();
        if sender.send(fed).is_err() || is_last {
            break;
        }
    }
    watch(&reader, watched);
}

/// Takes over the damage that the reader met.
fn watch(reader: &Reader, watched: &Mutex<Watched>) {
    let mut watched = locked(watched);
    if watched.between.count() != reader.damage().count() {
        watched.between = reader.damage().clone();
    }
}

/// The delivering end.
struct Flow<'a> {
    name: &'a str,
    header: Option<LogFileHeader>,
    info: SessionInfo,
    plan: &'a Plan<'a>,
    /// Events that were wanted and came late.
    late: u64,
    most_late: i64,
}

/// What the reading thread has for the session.
enum Next {
    Buffer(Vec<u8>),
    Failed(etweir::Error),
    End,
    /// Nothing in the time that it may take.
    Silence,
}

impl Flow<'_> {
    fn run(
        &mut self,
        receiver: &Receiver<Result<Vec<u8>, etweir::Error>>,
        sink: &mut impl Sink,
        report: &mut Report,
    ) -> Result<()> {
        let mut session = Session::new(self.options(), drop);
        let start = Instant::now();
        let mut now = Duration::ZERO;
        // Each turn is a step of the session.
        while !sink.is_done() {
            let until = match session.advance(now) {
                Step::Event(event, delivery) => {
                    let late = delivery.late_by();
                    self.most_late = self.most_late.max(late.unwrap_or(0));
                    let ticks = event.time_stamp().unwrap_or_else(|| delivery.counts_as());
                    if self.plan.filter.passes(&Placed { event, ticks }) {
                        self.late = self.late.saturating_add(late.is_some().into());
                        sink.event(self.name, &event)?;
                    }
                    continue;
                }
                Step::Buffer(_) => continue,
                Step::NeedInput { until } => until,
                Step::End(_) => break,
            };
            match next(receiver, until.map(|until| until.saturating_sub(start.elapsed())), sink)? {
                Next::Buffer(bytes) => {
                    // The reader has checked more than the session does.
                    if let Err(refused) = session.add(bytes) {
                        report.error(Some(self.name), &refused);
                    }
                }
                Next::Failed(error) => {
                    report.error(Some(self.name), &error);
                    session.finish();
                }
                Next::End => {
                    session.finish();
                }
                Next::Silence => {}
            }
            now = start.elapsed();
        }
        Ok(())
    }

    fn options(&self) -> Options {
        let options = Options::default()
            .accept_disorder(true)
            .allow_missing_header(true)
            .idle_release(SILENCE)
            .max_held_bytes(self.plan.memory_limit)
            .max_held_buffers(usize::MAX);
        match self.plan.window {
            Some(window) => options.order(Order::Window(window)),
            None => options,
        }
    }

    /// Reports what there is to tell of the input.
    fn tell(&self, watched: &Watched, input: &Input, report: &mut Report) {
        let Watched { between, course } = watched;
        let header = self.header.as_ref();
        report.trace(&input.name, &Told { header, damage: between, course, wound: input.wound() });
        warn_without_clock(&input.name, self.info.clock().is_known(), self.plan.filter, report);
        if self.late > 0 {
            report.late(self.late, delay(self.info.clock(), header, self.most_late));
        }
    }
}

/// What comes next within `timeout`. What was delivered is shown before anybody waits.
fn next(
    receiver: &Receiver<Result<Vec<u8>, etweir::Error>>,
    timeout: Option<Duration>,
    sink: &mut impl Sink,
) -> Result<Next> {
    let received = match receiver.try_recv() {
        Ok(fed) => Ok(fed),
        Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
        Err(TryRecvError::Empty) => {
            sink.flush()?;
            match timeout {
                Some(timeout) => receiver.recv_timeout(timeout),
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            }
        }
    };
    Ok(match received {
        Ok(Ok(fed)) => Next::Buffer(fed),
        Ok(Err(error)) => Next::Failed(error),
        Err(RecvTimeoutError::Timeout) => Next::Silence,
        Err(RecvTimeoutError::Disconnected) => Next::End,
    })
}
