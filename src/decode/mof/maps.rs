//! Texts for numbers of the kernel's classes.

use alloc::sync::Arc;

use crate::decode::value_map::{ValueMap, ValueMapKind};

/// The map that a field of the table names behind `~`.
pub(super) fn find(name: &str) -> Option<Arc<ValueMap>> {
    let (name, kind, entries) = MAPS.iter().find(|(map, _, _)| *map == name)?;
    let entries = entries.iter().map(|(value, text)| (*value, (*text).into())).collect();
    Some(Arc::new(ValueMap::new(*name, *kind, entries)))
}

type Map = (&'static str, ValueMapKind, &'static [(u32, &'static str)]);

/// Source: payload reference on kernel events, "Notes on single classes"; `DecodingSource` from the one on manifests,
/// "TRACE_EVENT_INFO and relatives".
#[rustfmt::skip]
static MAPS: [Map; 7] = [
    ("WaitReason", ValueMapKind::Value, &[
        (0, "Executive"), (1, "FreePage"), (2, "PageIn"), (3, "PoolAllocation"), (4, "DelayExecution"),
        (5, "Suspended"), (6, "UserRequest"), (7, "WrExecutive"), (8, "WrFreePage"), (9, "WrPageIn"),
        (10, "WrPoolAllocation"), (11, "WrDelayExecution"), (12, "WrSuspended"), (13, "WrUserRequest"),
        (14, "WrEventPair"), (15, "WrQueue"), (16, "WrLpcReceive"), (17, "WrLpcReply"), (18, "WrVirtualMemory"),
        (19, "WrPageOut"), (20, "WrRendezvous"), (21, "WrKeyedEvent"), (22, "WrTerminated"),
        (23, "WrProcessInSwap"), (24, "WrCpuRateControl"), (25, "WrCalloutStack"), (26, "WrKernel"),
        (27, "WrResource"), (28, "WrPushLock"), (29, "WrMutex"), (30, "WrQuantumEnd"), (31, "WrDispatchInt"),
        (32, "WrPreempted"), (33, "WrYieldExecution"), (34, "WrFastMutex"), (35, "WrGuardedMutex"),
        (36, "WrRundown"), (37, "WrAlertByThreadId"), (38, "WrDeferredPreempt"), (39, "WrPhysicalFault"),
    ]),
    ("ThreadState", ValueMapKind::Value, &[
        (0, "Initialized"), (1, "Ready"), (2, "Running"), (3, "Standby"), (4, "Terminated"), (5, "Waiting"),
        (6, "Transition"), (7, "DeferredReady"), (8, "GateWait"), (9, "WaitingForProcessInSwap"),
    ]),
    ("WaitMode", ValueMapKind::Value, &[(0, "KernelMode"), (1, "UserMode")]),
    ("AdjustReason", ValueMapKind::Value, &[(0, "Ignore"), (1, "Unwait"), (2, "Boost")]),
    ("ReadyThreadFlag", ValueMapKind::Bits, &[
        (1, "ExecutingInDpc"), (2, "KernelStackSwappedOut"), (4, "ProcessSwappedOut"),
    ]),
    ("DriveType", ValueMapKind::Value, &[
        (2, "Removable"), (3, "Fixed"), (4, "Remote"), (5, "CD-ROM"), (6, "RAM disk"),
    ]),
    ("DecodingSource", ValueMapKind::Value, &[(0, "XMLFile"), (1, "Wbem"), (2, "WPP"), (3, "Tlg")]),
];
