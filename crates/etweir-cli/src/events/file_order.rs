//! One file after the other, each as its buffers lie, while it is read.

use core::ops::ControlFlow;

use anyhow::Result;

use crate::events::{Plan, Sink, warn_without_clock};
use crate::inputs::{self, Input};
use crate::pass::{Pass, Way};
use crate::report::Report;

pub(super) fn deliver(
    inputs: &mut [Input],
    plan: &Plan<'_>,
    sink: &mut impl Sink,
    report: &mut Report,
) -> Result<()> {
    plan.progress.read(inputs::stored(inputs));
    let way = Way { threads: plan.threads, limits: plan.filter.limits(), as_stored: false };
    for input in inputs {
        // What cannot be read is told even if nothing more is wanted.
        if sink.is_done() && !input.has_failed() {
            continue;
        }
        let mut pass = match Pass::open(input, way, plan.progress) {
            Ok(pass) => pass,
            Err(error) => {
                report.error(Some(&input.name), &*error);
                continue;
            }
        };
        while !sink.is_done() {
            let mut taken = Ok(());
            let met = pass.next_buffer(|placed| {
                if plan.filter.passes(&placed) {
                    taken = sink.event(&input.name, &placed.event);
                    if taken.is_err() || sink.is_done() {
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            });
            taken?;
            match met {
                Ok(Some(_)) if input.is_live() => sink.flush()?,
                Ok(Some(_)) => sink.pause()?,
                Ok(None) => break,
                Err(error) => {
                    report.error(Some(&input.name), &error);
                    break;
                }
            }
        }
        report.trace(&input.name, &pass.told());
        warn_without_clock(&input.name, pass.session().clock().is_known(), plan.filter, report);
    }
    Ok(())
}
