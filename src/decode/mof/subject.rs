//! Whom an event is about, where its payload says so.

use core::ops::RangeInclusive;

use crate::decode::mof::class;
use crate::guid::Guid;

/// The properties that hold the process and the thread that an event is about.
///
/// Records of the kernel often carry no process and thread, or those of the one who caused the event: a process is started
/// by its creator, and the header of a PERFINFO record has no ids at all. A property that the event's version lacks is
/// simply not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Subject {
    /// The property with the process id.
    pub process: Option<&'static str>,
    /// The property with the thread id. Of a context switch, the thread that runs from now on.
    pub thread: Option<&'static str>,
}

/// Whom the events of this class and opcode are about; `None` if their payload does not say.
///
/// The answer is the same for all events of a schema, so that it has to be asked for only once for each.
#[must_use]
pub fn subject(class: Guid, opcode: u8) -> Option<Subject> {
    let category = class::find(class)?.category;
    let (_, _, process, thread) =
        SUBJECTS.iter().find(|(of, opcodes, _, _)| *of == category && opcodes.contains(&opcode))?;
    Some(Subject { process: *process, thread: *thread })
}

type Row = (&'static str, RangeInclusive<u8>, Option<&'static str>, Option<&'static str>);

/// Category, opcodes, property with the process, property with the thread.
///
/// Source: payload reference on kernel events, "Finding the row", and the fields of the table.
static SUBJECTS: [Row; 38] = [
    // Start, End, DCStart, DCEnd: the process itself, not its creator.
    ("Process", 1..=4, Some("ProcessId"), None),
    ("Process", 11..=11, Some("ProcessId"), None),
    ("Process", 32..=35, Some("ProcessId"), None),
    ("Process", 39..=39, Some("ProcessId"), None),
    ("Process", 48..=84, Some("ProcessId"), None),
    ("Thread", 1..=4, Some("ProcessId"), Some("TThreadId")),
    // CSwitch.
    ("Thread", 36..=36, None, Some("NewThreadId")),
    ("Thread", 41..=49, None, Some("ThreadId")),
    // ReadyThread: who is made ready.
    ("Thread", 50..=50, None, Some("TThreadId")),
    ("Thread", 51..=53, None, Some("ThreadId")),
    ("Thread", 57..=57, None, Some("TThreadId")),
    ("Thread", 60..=68, None, Some("ThreadId")),
    ("Thread", 72..=72, Some("ProcessId"), Some("ThreadId")),
    ("Image", 2..=4, Some("ProcessId"), None),
    ("Image", 10..=10, Some("ProcessId"), None),
    ("KernelTraceControl", 0..=0, Some("ProcessId"), None),
    ("KernelTraceControl", 32..=40, Some("ProcessId"), None),
    ("PageFault", 32..=32, None, Some("TThreadId")),
    ("PageFault", 72..=79, Some("CreatingProcessId"), None),
    ("PageFault", 98..=99, Some("ProcessId"), None),
    ("PageFault", 100..=100, Some("HRPid"), None),
    ("PageFault", 128..=129, Some("ProcessId"), None),
    ("DiskIo", 10..=15, None, Some("IssuingThreadId")),
    ("DiskIo", 55..=60, None, Some("IssuingThreadId")),
    ("FileIo", 37..=40, Some("ProcessId"), None),
    ("FileIo", 64..=81, None, Some("TTID")),
    ("TcpIp", 10..=34, Some("PID"), None),
    ("UdpIp", 10..=27, Some("PID"), None),
    // SampledProfile and PmcCounterProfile.
    ("PerfInfo", 46..=47, None, Some("ThreadId")),
    // Stack and the keys of stacks: whose stack it is.
    ("StackWalk", 32..=32, Some("StackProcess"), Some("StackThread")),
    ("StackWalk", 37..=38, Some("StackProcess"), Some("StackThread")),
    ("LastBranchRecord", 32..=32, Some("ProcessId"), Some("ThreadId")),
    ("ObTrace", 38..=39, Some("ProcessId"), None),
    ("HeapTrace", 38..=38, Some("ProcessId"), None),
    ("SystemConfig", 15..=15, Some("ProcessId"), None),
    ("UmsEvent", 32..=36, Some("ProcessId"), Some("ScheduledThreadId")),
    ("MMCSSTrace", 34..=34, Some("ScheduledPID"), Some("ScheduledTID")),
    ("Job", 35..=36, Some("UniqueProcessId"), None),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::mof::row;

    fn of(category: &str, opcode: u8) -> Option<Subject> {
        let class = class::CLASSES.iter().find(|class| class.category == category).expect("a class");
        subject(class.guid, opcode)
    }

    #[test]
    fn a_process_start_is_about_the_process_that_starts() {
        assert_eq!(of("Process", 1), Some(Subject { process: Some("ProcessId"), thread: None }));
        assert_eq!(of("Thread", 36), Some(Subject { process: None, thread: Some("NewThreadId") }));
        assert_eq!(of("PerfInfo", 46), Some(Subject { process: None, thread: Some("ThreadId") }));
        assert_eq!(of("PerfInfo", 68), None, "a DPC belongs to no thread");
        assert_eq!(subject(Guid::ZERO, 1), None);
    }

    #[test]
    fn every_property_of_a_subject_is_one_of_the_table() {
        for (category, opcodes, process, thread) in &SUBJECTS {
            let class = class::CLASSES.iter().find(|class| class.category == *category).expect("a class");
            for name in [process, thread].into_iter().flatten() {
                let known = row::rows(class).any(|row| {
                    let (properties, _) = row.properties().unwrap_or_default();
                    row.events().any(|(opcode, _)| opcodes.contains(&opcode))
                        && properties.iter().any(|property| property.name == *name)
                });
                assert!(known, "{category} {opcodes:?} has no {name}");
            }
        }
    }

    #[test]
    fn no_event_has_two_subjects() {
        for (index, (category, opcodes, _, _)) in SUBJECTS.iter().enumerate() {
            for (other, others, _, _) in SUBJECTS.iter().skip(index + 1) {
                let apart = opcodes.end() < others.start() || others.end() < opcodes.start();
                assert!(category != other || apart, "{category} {opcodes:?} and {others:?}");
            }
        }
    }
}
