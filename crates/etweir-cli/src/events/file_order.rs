//! One file after the other, each as its buffers lie, while it is read.

use anyhow::Result;

use crate::events::{Plan, Sink, warn_without_clock};
use crate::inputs::Input;
use crate::report::{Report, Told};
use crate::walk::Course;

pub(super) fn deliver(
    inputs: &mut [Input],
    plan: &Plan<'_>,
    sink: &mut impl Sink,
    report: &mut Report,
) -> Result<()> {
    for input in inputs {
        // What cannot be read is told even if nothing more is wanted.
        if sink.is_done() && !input.has_failed() {
            continue;
        }
        let mut reader = match input.open(plan.progress) {
            Ok(reader) => reader,
            Err(error) => {
                report.error(Some(&input.name), &*error);
                continue;
            }
        };
        let mut course = Course::new(&reader);
        while !sink.is_done() {
            match reader.next_buffer() {
                Ok(Some(buffer)) => {
                    for placed in course.walk(&buffer) {
                        if plan.filter.passes(&placed) && !sink.is_done() {
                            sink.event(&input.name, &placed.event)?;
                        }
                    }
                    if input.is_live() {
                        sink.flush()?;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    report.error(Some(&input.name), &error);
                    break;
                }
            }
        }
        report.trace(&input.name, &Told::by(&reader, &course, input.wound()));
        warn_without_clock(&input.name, reader.session().clock().is_known(), plan.filter, report);
    }
    Ok(())
}
