//! Random programs over a buffer-stream session, against what holds for every session.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use etweir::Ticks;
use etweir::codec::Format;
use etweir::stream::{
    BufferOutcome, Completed, Options, Order, Outcome, Retained, RetainedBuffer, Session, Step,
};
use etweir::trace::{Event, LogFileMode};
use etweir::write::{BufferSpec, EventSpec, FileSpec, LogFileSpec, MessageSpec};
use proptest::collection::vec;
use proptest::prelude::*;

#[path = "stream_properties/order.rs"]
mod order;

const PROCESSORS: u16 = 3;

/// One record of a buffer: its stamp, or none for a message without one.
type Stamp = Option<i64>;

/// A data buffer to be.
#[derive(Clone, Debug)]
struct Data {
    processor: u16,
    /// Flush time, after that of the buffer before it.
    later: i64,
    stamps: Vec<StampSpec>,
    form: Form,
}

/// How a stamp lies relative to the flush time.
#[derive(Clone, Copy, Debug)]
enum StampSpec {
    Before(i64),
    After(i64),
    Farthest,
    None,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Plain,
    /// Only the filled bytes.
    Trimmed,
    Compressed,
    /// A damaged record behind the others, past which the reader finds its way.
    Junk,
    /// A byte among the records is another one.
    Flipped(usize, u8),
}

/// A buffer with what it holds.
#[derive(Clone, Debug)]
struct Built {
    bytes: Vec<u8>,
    flush: i64,
    stamps: Vec<Stamp>,
    /// Bytes that the session holds for it.
    held: u64,
    intact: bool,
}

impl Data {
    fn build(&self, number: u16, flush: i64) -> Built {
        let stamps: Vec<Stamp> = self
            .stamps
            .iter()
            .map(|stamp| match stamp {
                StampSpec::Before(ticks) => Some(flush - ticks),
                StampSpec::After(ticks) => Some(flush + ticks),
                StampSpec::Farthest => Some(i64::MAX),
                StampSpec::None => None,
            })
            .collect();
        let mut spec = BufferSpec::new(4096)
            .processor(self.processor)
            .time_stamp(flush)
            .sequence_number(i64::from(number));
        for (place, stamp) in (0_u16..).zip(&stamps) {
            let payload = [number.to_le_bytes(), place.to_le_bytes()].concat();
            spec = match *stamp {
                Some(time_stamp) => spec.event(&EventSpec { time_stamp, payload, ..EventSpec::default() }),
                None => spec.message(&MessageSpec { time_stamp: None, payload, ..MessageSpec::default() }),
            };
        }
        if matches!(self.form, Form::Junk) {
            // Not in front: what is found again needs a chain of records up to the end.
            spec = spec.raw(&[0, 0, 0x63, 0xC0, 1, 2, 3, 4]);
        }
        let filled = spec.end();
        let mut bytes = spec.to_bytes();
        let mut expansion = 0;
        match self.form {
            Form::Plain | Form::Junk => {}
            Form::Trimmed => bytes.truncate(filled),
            Form::Compressed => {
                bytes = spec.to_compressed_bytes(Format::Xpress);
                expansion = filled;
            }
            Form::Flipped(at, mask) => {
                if filled > 72 {
                    bytes[72 + at % (filled - 72)] ^= mask;
                }
            }
        }
        let held = u64::try_from(bytes.len() + expansion).expect("small");
        Built { bytes, flush, stamps, held, intact: !matches!(self.form, Form::Flipped(..)) }
    }
}

fn header() -> Vec<u8> {
    let log_file = LogFileSpec {
        number_of_processors: PROCESSORS.into(),
        buffer_size: 4096,
        time_stamp: Ticks(100),
        perf_freq: 10_000_000,
        log_file_mode: LogFileMode::COMPRESSED,
        ..LogFileSpec::default()
    };
    FileSpec::new(log_file).compressed(Format::Xpress).header_buffer().to_bytes()
}

fn stamp() -> impl Strategy<Value = StampSpec> {
    prop_oneof![
        12 => (0..40_i64).prop_map(|ticks| StampSpec::Before(ticks * 10)),
        1 => (1..50_i64).prop_map(StampSpec::After),
        1 => Just(StampSpec::Farthest),
        2 => Just(StampSpec::None),
    ]
}

fn intact_form() -> impl Strategy<Value = Form> {
    prop_oneof![4 => Just(Form::Plain), 2 => Just(Form::Trimmed), 2 => Just(Form::Compressed), 1 => Just(Form::Junk)]
}

fn any_form() -> impl Strategy<Value = Form> {
    prop_oneof![6 => intact_form(), 1 => (any::<usize>(), 1..=u8::MAX).prop_map(|(at, mask)| Form::Flipped(at, mask))]
}

fn data(form: impl Strategy<Value = Form>, later: core::ops::Range<i64>) -> impl Strategy<Value = Data> {
    // One processor more than the header announces.
    (0..=PROCESSORS, later, vec(stamp(), 0..8), form).prop_map(|(processor, later, stamps, form)| Data {
        processor,
        later,
        stamps,
        form,
    })
}

#[derive(Clone, Debug)]
enum Op {
    Data(Data),
    SecondHeader,
    Bad(Bad),
    Advance(usize),
    Run,
    /// Keeps the next event.
    Retain,
    /// Keeps the next buffer that retires.
    RetainBuffer,
    DropRetained(usize),
    /// Asks for a buffer back.
    Relieve,
    Finish,
    Cancel,
    /// Cancels from within the next step.
    CancelInStep,
}

#[derive(Clone, Copy, Debug)]
enum Bad {
    Empty,
    Short(usize),
    /// A byte of the header is another one; it may be accepted all the same.
    Header(usize, u8),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => data(any_form(), -40..200).prop_map(Op::Data),
        1 => data(any_form(), (1 << 40)..(1 << 41)).prop_map(Op::Data),
        1 => Just(Op::SecondHeader),
        2 => prop_oneof![
            Just(Bad::Empty),
            (0..72_usize).prop_map(Bad::Short),
            (0..72_usize, 1..=u8::MAX).prop_map(|(at, mask)| Bad::Header(at, mask)),
        ].prop_map(Op::Bad),
        6 => (1..12_usize).prop_map(Op::Advance),
        3 => Just(Op::Run),
        3 => Just(Op::Retain),
        2 => Just(Op::RetainBuffer),
        1 => Just(Op::Relieve),
        2 => any::<usize>().prop_map(Op::DropRetained),
        1 => prop_oneof![3 => Just(Op::Finish), 1 => Just(Op::Cancel), 1 => Just(Op::CancelInStep)],
    ]
}

#[derive(Clone, Debug)]
struct Program {
    order: Order,
    max_held: Option<usize>,
    accept_disorder: bool,
    idle: bool,
    with_header: bool,
    pass_through: bool,
    panics: BTreeSet<u64>,
    ops: Vec<Op>,
    finish: bool,
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        Just(Order::Exact),
        Just(Order::Balanced),
        Just(Order::LowLatency),
        (0..50_u64).prop_map(|micros| Order::Window(Duration::from_micros(micros))),
    ]
}

prop_compose! {
    fn program()(
        order in order(),
        max_held in prop::option::of(0..6_usize),
        (accept_disorder, idle, pass_through) in (any::<bool>(), any::<bool>(), prop::bool::weighted(0.1)),
        (with_header, finish) in (prop::bool::weighted(0.95), prop::bool::weighted(0.7)),
        panics in prop::collection::btree_set(0..12_u64, 0..3),
        ops in vec(op(), 0..40),
    ) -> Program {
        Program { order, max_held, accept_disorder, idle, with_header, pass_through, panics, ops, finish }
    }
}

/// What happened, in its order.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Entry {
    Accepted(u64),
    Refused(u32),
    Event { id: u64, stamp: Stamp, payload: Vec<u8> },
    Buffer(u64),
    Completed { id: u64, outcome: BufferOutcome, retained: usize },
    NeedInput(Option<Duration>),
    End(Outcome),
}

#[derive(Default)]
struct Shared {
    log: Vec<Entry>,
    /// How many events of a buffer are retained.
    retained: BTreeMap<u64, usize>,
    /// Buffers that came home.
    home: BTreeMap<u64, Vec<u8>>,
}

/// What is kept past its turn.
enum Kept {
    Event(Retained<Vec<u8>>),
    Buffer(RetainedBuffer<Vec<u8>>),
}

impl Kept {
    fn id(&self) -> u64 {
        match self {
            Self::Event(event) => event.id().0,
            Self::Buffer(buffer) => buffer.id().0,
        }
    }
}

/// A program that runs.
struct Machine {
    session: Option<Session<Vec<u8>>>,
    shared: Arc<Mutex<Shared>>,
    max_held: Option<usize>,
    pass_through: bool,
    flush: i64,
    number: u16,
    now: Duration,
    retain_next: bool,
    retain_next_buffer: bool,
    cancel_next: bool,
    kept: Vec<Kept>,
    accepted: Vec<Built>,
    /// Accepted buffers that are not retired.
    held: BTreeSet<u64>,
    /// Its callback ran at the last step.
    retiring: Option<u64>,
    /// Bytes of all accepted buffers are known.
    bytes_known: bool,
    ever_retained: bool,
    ended: Option<Outcome>,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn place_of(event: &Event<'_>) -> (Stamp, Vec<u8>) {
    (event.time_stamp().map(Ticks::get), event.user_data().to_vec())
}

impl Machine {
    fn new(program: &Program) -> Self {
        let mut options = Options::default().order(program.order).accept_disorder(program.accept_disorder);
        if let Some(max) = program.max_held {
            options = options.max_held_buffers(max);
        }
        if program.idle {
            options = options.idle_release(Duration::from_secs(2));
        }
        let shared = Arc::<Mutex<Shared>>::default();
        let (completions, panics) = (Arc::clone(&shared), program.panics.clone());
        let on_complete = move |done: Completed<Vec<u8>>| {
            let mut shared = lock(&completions);
            let id = done.id.0;
            let retained = shared.retained.get(&id).copied().unwrap_or(0);
            shared.log.push(Entry::Completed { id, outcome: done.outcome, retained });
            shared.home.insert(id, done.buffer);
            drop(shared);
            if panics.contains(&id) {
                // Without the message of a panic.
                resume_unwind(Box::new("a completion that panics"));
            }
        };
        let session = if program.pass_through {
            Session::pass_through(options, on_complete)
        } else {
            Session::new(options, on_complete)
        };
        Self {
            session: Some(session),
            shared,
            max_held: program.max_held,
            pass_through: program.pass_through,
            flush: 1000,
            number: 0,
            now: Duration::ZERO,
            retain_next: false,
            retain_next_buffer: false,
            cancel_next: false,
            kept: Vec::new(),
            accepted: Vec::new(),
            held: BTreeSet::new(),
            retiring: None,
            bytes_known: true,
            ever_retained: false,
            ended: None,
        }
    }

    fn session(&mut self) -> &mut Session<Vec<u8>> {
        self.session.as_mut().expect("a session")
    }

    fn log(&self, entry: Entry) {
        lock(&self.shared).log.push(entry);
    }

    fn add(&mut self, built: Built) -> Result<bool, TestCaseError> {
        match self.session().add(built.bytes.clone()) {
            Ok(id) => {
                prop_assert_eq!(id.0, self.accepted.len() as u64, "ids count");
                prop_assert_eq!(self.ended, None, "nothing is taken after the end");
                self.log(Entry::Accepted(id.0));
                self.held.insert(id.0);
                self.accepted.push(built);
                self.check_held()?;
                Ok(true)
            }
            Err(error) => {
                self.log(Entry::Refused(error.code()));
                prop_assert_eq!(error.into_buffer(), built.bytes, "a refused buffer comes back");
                Ok(false)
            }
        }
    }

    fn add_header(&mut self) -> Result<(), TestCaseError> {
        let bytes = header();
        let held = bytes.len() as u64;
        self.add(Built { bytes, flush: 0, stamps: vec![Some(100)], held, intact: false }).map(drop)
    }

    fn add_data(&mut self, data: &Data) -> Result<(), TestCaseError> {
        let flush = self.flush + data.later;
        self.number += 1;
        let built = data.build(self.number, flush);
        if self.add(built)? {
            self.flush = self.flush.max(flush);
        }
        Ok(())
    }

    fn add_bad(&mut self, bad: Bad) -> Result<(), TestCaseError> {
        let data = Data { processor: 0, later: 0, stamps: vec![StampSpec::Before(5)], form: Form::Plain };
        self.number += 1;
        let mut built = data.build(self.number, self.flush);
        built.intact = false;
        match bad {
            Bad::Empty => built.bytes.clear(),
            Bad::Short(len) => built.bytes.truncate(len),
            Bad::Header(at, mask) => built.bytes[at] ^= mask,
        }
        // It may say that it is compressed, and be accepted.
        let known = core::mem::replace(&mut self.bytes_known, false);
        let accepted = self.add(built)?;
        self.bytes_known = known && !accepted;
        prop_assert!(!accepted || matches!(bad, Bad::Header(..)));
        Ok(())
    }

    /// Whether there may be another step.
    fn step(&mut self) -> Result<bool, TestCaseError> {
        if let Some(id) = self.retiring.take() {
            self.held.remove(&id);
        }
        let session = self.session.as_mut().expect("a session");
        match session.advance(self.now) {
            Step::Event(event, delivery) => {
                let id = delivery.buffer_id().0;
                let (stamp, payload) = place_of(&event);
                prop_assert!(self.held.contains(&id), "an event of a buffer that is not held");
                if self.retain_next {
                    let kept = delivery.retain();
                    let same = kept.event().map(|event| place_of(&event));
                    prop_assert_eq!(same, Some((stamp, payload.clone())));
                    self.kept.push(Kept::Event(kept));
                    *lock(&self.shared).retained.entry(id).or_default() += 1;
                    (self.retain_next, self.ever_retained) = (false, true);
                }
                if core::mem::take(&mut self.cancel_next) {
                    delivery.cancel();
                }
                self.log(Entry::Event { id, stamp, payload });
                Ok(true)
            }
            Step::Buffer(buffer) => {
                let id = buffer.id().0;
                prop_assert_eq!(buffer.bytes(), &self.accepted[id as usize].bytes[..]);
                if core::mem::take(&mut self.cancel_next) {
                    buffer.cancel();
                }
                if core::mem::take(&mut self.retain_next_buffer) {
                    let kept = buffer.retain();
                    prop_assert_eq!((kept.bytes(), kept.id().0), (buffer.bytes(), id));
                    self.kept.push(Kept::Buffer(kept));
                    *lock(&self.shared).retained.entry(id).or_default() += 1;
                    self.ever_retained = true;
                }
                self.retiring = Some(id);
                self.log(Entry::Buffer(id));
                Ok(true)
            }
            Step::NeedInput { until } => {
                self.log(Entry::NeedInput(until));
                self.check_held()?;
                if let (Some(max), false) = (self.max_held, self.pass_through) {
                    prop_assert!(self.held.len() <= max, "{} held", self.held.len());
                }
                if self.pass_through {
                    prop_assert!(self.held.is_empty());
                }
                Ok(false)
            }
            Step::End(outcome) => {
                self.log(Entry::End(outcome));
                self.held.clear();
                prop_assert!(self.ended.is_none_or(|ended| ended == outcome), "the end stays the same");
                self.ended = Some(outcome);
                self.check_end()?;
                Ok(false)
            }
        }
    }

    /// The counters agree with the model.
    fn check_held(&self) -> Result<(), TestCaseError> {
        let stats = self.session.as_ref().expect("a session").stats();
        prop_assert_eq!(stats.buffers_received, self.accepted.len() as u64);
        prop_assert_eq!(stats.buffers_held, self.held.len() as u64);
        let retained = lock(&self.shared)
            .retained
            .iter()
            .filter(|(id, count)| **count > 0 && !self.held.contains(id))
            .count();
        prop_assert_eq!(stats.buffers_retained, retained as u64);
        if self.bytes_known {
            prop_assert_eq!(stats.bytes_held, self.held.iter().map(|id| self.bytes_of(*id)).sum::<u64>());
        }
        Ok(())
    }

    fn bytes_of(&self, id: u64) -> u64 {
        let built = &self.accepted[id as usize];
        if self.pass_through { built.bytes.len() as u64 } else { built.held }
    }

    /// Everything is home that nobody keeps.
    fn check_end(&self) -> Result<(), TestCaseError> {
        self.check_held()?;
        let shared = lock(&self.shared);
        let mut out = 0;
        for id in 0..self.accepted.len() as u64 {
            let kept = shared.retained.get(&id).is_some_and(|count| *count > 0);
            prop_assert_eq!(shared.home.contains_key(&id), !kept, "buffer {}", id);
            out += u64::from(kept);
        }
        prop_assert_eq!(self.session.as_ref().expect("a session").buffers_out(), out);
        Ok(())
    }

    fn drop_retained(&mut self, which: usize) {
        if self.kept.is_empty() {
            return;
        }
        let kept = self.kept.swap_remove(which % self.kept.len());
        *lock(&self.shared).retained.entry(kept.id()).or_default() -= 1;
        drop(kept);
    }

    fn run(&mut self) -> Result<(), TestCaseError> {
        while self.step()? {}
        Ok(())
    }

    fn op(&mut self, op: &Op) -> Result<(), TestCaseError> {
        self.now += Duration::from_millis(700);
        match op {
            Op::Data(data) => self.add_data(data)?,
            Op::SecondHeader => self.add_header()?,
            Op::Bad(bad) => self.add_bad(*bad)?,
            Op::Advance(steps) => {
                for _ in 0..*steps {
                    self.step()?;
                }
            }
            Op::Run => self.run()?,
            Op::Retain => self.retain_next = true,
            Op::RetainBuffer => self.retain_next_buffer = true,
            Op::Relieve => self.session().relieve(),
            Op::DropRetained(which) => self.drop_retained(*which),
            Op::Finish => drop(self.session().finish()),
            Op::Cancel => self.session().cancel(),
            Op::CancelInStep => self.cancel_next = true,
        }
        Ok(())
    }
}

/// Runs a program, checks what can be checked on the way and at the end, and returns what happened.
fn run_program(program: &Program) -> Result<Vec<Entry>, TestCaseError> {
    let mut machine = Machine::new(program);
    if program.with_header {
        machine.add_header()?;
    }
    for op in &program.ops {
        machine.op(op)?;
    }
    if program.finish {
        machine.session().finish();
        machine.run()?;
        prop_assert!(machine.ended.is_some(), "a finished session ends");
    }
    let ended = machine.ended;
    let panicked = |machine: &Machine| {
        lock(&machine.shared).home.keys().filter(|id| program.panics.contains(id)).count() as u64
    };
    if !machine.ever_retained && ended.is_some() {
        prop_assert_eq!(machine.session().stats().completion_panics, panicked(&machine));
    }
    prop_assert_eq!(machine.session().take_completion_panic().is_some(), panicked(&machine) > 0);
    drop(machine.session.take());
    while !machine.kept.is_empty() {
        machine.drop_retained(0);
    }
    let log = core::mem::take(&mut lock(&machine.shared).log);
    check_log(&machine, ended, &log)?;
    Ok(log)
}

fn check_log(machine: &Machine, ended: Option<Outcome>, log: &[Entry]) -> Result<(), TestCaseError> {
    let mut completed = Vec::new();
    let mut buffers = Vec::new();
    let mut delivered: BTreeMap<u64, Vec<Vec<u8>>> = BTreeMap::new();
    for entry in log {
        match entry {
            Entry::Event { id, payload, .. } => {
                prop_assert!(!buffers.contains(id), "an event after the callback of its buffer");
                prop_assert!(!completed.contains(id), "an event after the completion of its buffer");
                delivered.entry(*id).or_default().push(payload.clone());
            }
            Entry::Buffer(id) => {
                prop_assert_eq!(*id, buffers.len() as u64, "buffers retire in the order of arrival");
                prop_assert!(!completed.contains(id), "a callback after the completion");
                buffers.push(*id);
            }
            Entry::Completed { id, outcome, retained } => {
                prop_assert_eq!(*retained, 0, "buffer {} is completed while it is retained", id);
                prop_assert!(!completed.contains(id), "buffer {} is completed twice", id);
                let after = match (buffers.contains(id), machine.pass_through) {
                    (false, _) => BufferOutcome::Abandoned,
                    (true, false) => BufferOutcome::Delivered,
                    (true, true) => BufferOutcome::Passed,
                };
                prop_assert_eq!(*outcome, after, "buffer {}", id);
                completed.push(*id);
            }
            _ => {}
        }
    }
    if !machine.ever_retained {
        prop_assert!(completed.is_sorted(), "completions in the order of arrival: {:?}", completed);
    }
    let shared = lock(&machine.shared);
    prop_assert_eq!(completed.len(), machine.accepted.len(), "every accepted buffer is completed");
    for (id, built) in (0..).zip(&machine.accepted) {
        prop_assert_eq!(&shared.home[&id], &built.bytes, "a buffer comes home as it was added");
        let events = delivered.remove(&id).unwrap_or_default();
        if machine.pass_through {
            prop_assert!(events.is_empty());
        } else if built.intact {
            let places: Vec<u16> =
                events.iter().map(|payload| u16::from_le_bytes([payload[2], payload[3]])).collect();
            let all: Vec<u16> = (0..).take(built.stamps.len()).collect();
            prop_assert!(all.starts_with(&places), "each once, in the order of the buffer: {:?}", places);
            if ended == Some(Outcome::Finished) || buffers.contains(&id) {
                prop_assert_eq!(places.len(), all.len(), "all events of buffer {}", id);
            }
        }
    }
    Ok(())
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_a_program_does_each_buffer_comes_home_once_and_in_its_order(program in program()) {
        let first = run_program(&program)?;
        let second = run_program(&program)?;
        prop_assert_eq!(first, second, "the steps are a function of the calls");
    }
}
