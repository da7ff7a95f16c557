//! Who logged an event, where its header does not say: PERFINFO records have no ids.

use crate::bytes::u32_at;
use crate::trace::Event;

/// The thread or process that the payload of a kernel event names as the one that it happened to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Named {
    Thread(u32),
    Process(u32),
}

impl Named {
    /// Costs a look at the hook id and at four bytes of the payload.
    #[inline]
    pub(super) fn by(event: &Event<'_>) -> Option<Self> {
        let hook = event.hook_id()?;
        let (is_thread, fixed, pointers) = place(hook, event.version())?;
        let pointer = usize::from(event.pointer_size());
        let at = pointer.checked_mul(pointers)?.checked_add(fixed)?;
        let id = u32_at(event.user_data(), at)?;
        Some(if is_thread { Self::Thread(id) } else { Self::Process(id) })
    }
}

const THREAD: bool = true;
const PROCESS: bool = false;

/// Whether it is a thread, and behind how many bytes and pointers it lies.
///
/// Source: payload reference on kernel events, "Finding the row" and the fields of the table.
const fn place(hook: u16, version: u8) -> Option<(bool, usize, usize)> {
    Some(match hook {
        // DiskIo: Read and Write, their Init and that of Flush, Flush.
        0x010A | 0x010B if version >= 3 => (THREAD, 32, 2),
        0x010C | 0x010D | 0x010F if version >= 3 => (THREAD, 0, 1),
        0x010E if version >= 3 => (THREAD, 16, 1),
        // PageFault: HardFault, VirtualAlloc, VirtualFree.
        0x0220 => (THREAD, 16, 2),
        0x0262 | 0x0263 => (PROCESS, 0, 2),
        // FileIo: Create; Cleanup, Close, Flush, DirEnum, DirNotify; Read, Write; the operations on information.
        0x0440 if version >= 3 => (THREAD, 0, 2),
        0x0441 | 0x0442 | 0x0448 | 0x0449 | 0x044D if version >= 3 => (THREAD, 0, 3),
        0x0443 | 0x0444 if version >= 3 => (THREAD, 8, 3),
        0x0445 | 0x0446 | 0x0447 | 0x044A | 0x044B | 0x044F..=0x0451 if version >= 3 => (THREAD, 0, 4),
        // Thread: CSwitch, the thread that runs from now on.
        0x0524 => (THREAD, 0, 0),
        // Process: Start, End, DCStart, DCEnd, Defunct; PerfCtr, PerfCtrRundown; Terminate. The process itself, not its
        // creator, who is not known.
        0x0301..=0x0304 | 0x0327 if version >= 1 => (PROCESS, 0, 1),
        0x0320 | 0x0321 | 0x030B => (PROCESS, 0, 0),
        // Thread: Start, End, DCStart, DCEnd, the thread's process; Image: UnLoad, DCStart, DCEnd.
        0x0501..=0x0504 if version >= 1 => (PROCESS, 0, 0),
        0x1402..=0x1404 if version >= 1 => (PROCESS, 0, 2),
        // TcpIp and UdpIp.
        0x060A..=0x0610 | 0x0612..=0x0616 | 0x061A..=0x0620 | 0x0622 if version >= 1 => (PROCESS, 0, 0),
        0x080A | 0x080B | 0x081A | 0x081B if version >= 1 => (PROCESS, 0, 0),
        // SystemConfig: Services.
        0x0B0F if version >= 2 => (PROCESS, 0, 0),
        // PerfInfo: SampledProfile and PMC samples.
        0x0F2E | 0x0F2F => (THREAD, 0, 1),
        // StackWalk: Stack, StackKeyKernel, StackKeyUser: whose stack it is.
        0x1820 | 0x1825 | 0x1826 => (PROCESS, 8, 0),
        _ => return None,
    })
}
