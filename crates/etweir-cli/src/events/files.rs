//! Files in the order of time, all of them as one trace. Of each, one buffer for each processor is in memory.

use anyhow::Result;
use etweir::file::EtlFiles;
use etweir::stream::Step;
use etweir::{EtlFile, FileOptions, Offset};

use crate::events::{Plan, Sink, delay, warn_without_clock};
use crate::inputs::{self, Input, Opening};
use crate::report::{Report, Told};
use crate::text::counted;
use crate::walk::{Course, Placed};

/// Of so many files, those buffers that come next are read ahead. Each file takes memory for that.
const MOST_AHEAD: usize = 8;

pub(super) fn deliver(
    inputs: &mut [Input],
    plan: &Plan<'_>,
    sink: &mut impl Sink,
    report: &mut Report,
) -> Result<()> {
    plan.progress.read(inputs::to_copy(inputs));
    let (mut files, mut parts) = open(inputs, plan, report);
    plan.progress.read(Some(files.iter().map(EtlFile::len).fold(0, u64::saturating_add)));
    if let Some(several) = Some(files.len()).filter(|count| *count > 1) {
        plan.progress.name(&counted(Offset::from(several).get(), "file"));
    }
    let nothing_passes = plan.filter.passes_nothing();
    if nothing_passes {
        // What is wrong between the buffers is told all the same.
        for (file, part) in files.iter_mut().zip(&parts) {
            if let Err(error) = file.index() {
                report.error(Some(&part.name), &error);
            }
        }
    }
    let mut files = EtlFiles::new(files)?.headers_by_time();
    let meter = plan.progress.meter();
    // Each turn is a step.
    while !sink.is_done() && !nothing_passes {
        match files.advance() {
            Ok(Step::Event(event, delivery)) => {
                let buffer = delivery.buffer();
                let Some(part) = parts.get_mut(buffer.file()) else { continue };
                part.course.meet(&event, buffer.offset(), buffer.was_compressed());
                let ticks = event.time_stamp().unwrap_or_else(|| delivery.counts_as());
                if plan.filter.passes(&Placed { event, ticks }) {
                    if let Some(late) = delivery.late_by() {
                        part.late = part.late.saturating_add(1);
                        part.most_late = part.most_late.max(late);
                    }
                    sink.event(&part.name, &event)?;
                }
            }
            Ok(Step::Buffer(retiring)) => {
                let number = retiring.buffer().file();
                if let (Some(part), Some(file)) = (parts.get_mut(number), files.files().get(number)) {
                    meter.add_bytes(part.advances_to(file));
                }
                sink.pause()?;
            }
            Ok(Step::NeedInput { .. } | Step::End(_)) => break,
            Err(error) => {
                let failed = files.failed().and_then(|failed| parts.get(failed));
                report.error(failed.map(|part| &*part.name), &error);
                files.go_on();
            }
        }
    }
    for (part, file) in parts.iter_mut().zip(files.files()) {
        part.tell(file, inputs, plan, report);
    }
    Ok(())
}

/// Opens all inputs, and makes copies of those that can be read only from their start. What fails is reported.
fn open(inputs: &mut [Input], plan: &Plan<'_>, report: &mut Report) -> (Vec<EtlFile<'static>>, Vec<Part>) {
    let threads = if inputs.len() > MOST_AHEAD { 0 } else { plan.threads };
    let mut options = FileOptions::new().threads(threads).max_held_bytes(plan.memory_limit);
    let (from, to) = plan.filter.limits();
    if let Some(from) = from {
        options = options.start_time(from);
    }
    if let Some(to) = to {
        options = options.end_time(to);
    }
    let opening = Opening::new(inputs.len(), options);
    let (mut files, mut parts) = (Vec::new(), Vec::new());
    for (index, input) in inputs.iter_mut().enumerate() {
        match input.open_file(&opening, plan.progress) {
            Ok(file) => {
                parts.push(Part::new(index, input, &file));
                files.push(file);
            }
            Err(error) => report.error(Some(&input.name), &*error),
        }
    }
    (files, parts)
}

/// What goes with one of the files.
struct Part {
    /// Which of the inputs it is.
    input: usize,
    name: String,
    course: Course,
    /// Bytes that are dealt with.
    done: u64,
    /// Events that were wanted and came late.
    late: u64,
    /// By how many ticks at most.
    most_late: i64,
}

impl Part {
    fn new(index: usize, input: &Input, file: &EtlFile<'static>) -> Self {
        let course = Course::new(file.header());
        Self { input: index, name: input.name.clone(), course, done: 0, late: 0, most_late: 0 }
    }

    /// How many bytes more are dealt with than when this was asked before.
    fn advances_to(&mut self, file: &EtlFile<'static>) -> u64 {
        let done = file.len().saturating_sub(file.accounting().unread);
        done.saturating_sub(core::mem::replace(&mut self.done, done))
    }

    /// Reports what there is to tell of it.
    fn tell(&mut self, file: &EtlFile<'static>, inputs: &[Input], plan: &Plan<'_>, report: &mut Report) {
        let stats = file.stats();
        self.course.losses.events_lost_flags = stats.events_lost_flags;
        self.course.losses.buffers_lost_flags = stats.buffers_lost_flags;
        let wound = inputs.get(self.input).map(Input::wound).unwrap_or_default();
        let told = Told { header: file.header(), damage: file.damage(), course: &self.course, wound };
        report.trace(&self.name, &told);
        let clock = file.session().clock();
        warn_without_clock(&self.name, clock.is_known(), plan.filter, report);
        if self.late > 0 {
            report.late(self.late, delay(clock, file.header(), self.most_late));
        }
    }
}
