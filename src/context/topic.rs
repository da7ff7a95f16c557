//! Which events tell something about others.

use crate::guid::Guid;
use crate::record::Header;
use crate::trace::Event;

/// What an event may tell about, by its provider alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Topic {
    /// The kernel's class `Process`.
    Process,
    /// The kernel's class `Thread`.
    Thread,
    /// The kernel's class `Image`.
    Image,
    /// The kernel's class `FileIo`.
    FileIo,
    /// The kernel's class `Registry`.
    Registry,
    /// The kernel's class `StackWalk`.
    StackWalk,
    /// What merging adds about images.
    ImageId,
    /// What merging adds about the system: volumes and paths.
    SystemConfigEx,
    /// `Microsoft-Windows-Kernel-Process`.
    KernelProcess,
    /// The CLR.
    Clr,
    /// The CLR, of what was there when the session began or ended.
    ClrRundown,
    /// Nothing.
    Other,
}

impl Topic {
    /// Costs a look at the header and no more.
    #[inline]
    pub(super) fn of(event: &Event<'_>) -> Self {
        match event.record().header() {
            Header::Perf(header) => Self::of_hook(header.hook_id.get()),
            Header::System(header) => Self::of_hook(header.compact.hook_id.get()),
            Header::Compact(header) => Self::of_hook(header.hook_id.get()),
            Header::Event(_) | Header::Full(_) | Header::Instance(_) => {
                Self::of_provider(event.provider_id())
            }
            _ => Self::Other,
        }
    }

    /// Source: payload reference on kernel events, "Finding the row".
    #[inline]
    const fn of_hook(hook_id: u16) -> Self {
        match hook_id {
            0x030A => Self::Image,
            0x0300..=0x03FF => Self::Process,
            0x0400..=0x04FF => Self::FileIo,
            0x0500..=0x05FF => Self::Thread,
            0x0900..=0x09FF => Self::Registry,
            0x1400..=0x14FF => Self::Image,
            0x1800..=0x18FF => Self::StackWalk,
            _ => Self::Other,
        }
    }

    #[inline]
    fn of_provider(provider: Guid) -> Self {
        let [a, b, c, d, ..] = provider.to_bytes();
        // One comparison settles it for nearly all events.
        let topic = match u32::from_le_bytes([a, b, c, d]) {
            0x3D6F_A8D0 => Self::Process,
            0x3D6F_A8D1 => Self::Thread,
            0x2CB1_5D1D => Self::Image,
            0x90CB_DC39 => Self::FileIo,
            0xAE53_722E => Self::Registry,
            0xDEF2_FE46 => Self::StackWalk,
            0xB3E6_75D7 => Self::ImageId,
            0x9B79_EE91 => Self::SystemConfigEx,
            0x22FB_2CD6 => Self::KernelProcess,
            0xE13C_0D23 => Self::Clr,
            0xA669_021C => Self::ClrRundown,
            _ => return Self::Other,
        };
        if topic.provider() == provider { topic } else { Self::Other }
    }

    const fn provider(self) -> Guid {
        match self {
            Self::Process => PROCESS,
            Self::Thread => THREAD,
            Self::Image => IMAGE,
            Self::FileIo => FILE_IO,
            Self::Registry => REGISTRY,
            Self::StackWalk => STACK_WALK,
            Self::ImageId => IMAGE_ID,
            Self::SystemConfigEx => SYSTEM_CONFIG_EX,
            Self::KernelProcess => KERNEL_PROCESS,
            Self::Clr => CLR,
            Self::ClrRundown => CLR_RUNDOWN,
            Self::Other => Guid::ZERO,
        }
    }
}

const fn kernel(data1: u32) -> Guid {
    Guid::from_parts(data1, 0xFE05, 0x11D0, [0x9D, 0xDA, 0x00, 0xC0, 0x4F, 0xD7, 0xBA, 0x7C])
}

const PROCESS: Guid = kernel(0x3D6F_A8D0);
const THREAD: Guid = kernel(0x3D6F_A8D1);
const IMAGE: Guid =
    Guid::from_parts(0x2CB1_5D1D, 0x5FC1, 0x11D2, [0xAB, 0xE1, 0x00, 0xA0, 0xC9, 0x11, 0xF5, 0x18]);
const FILE_IO: Guid =
    Guid::from_parts(0x90CB_DC39, 0x4A3E, 0x11D1, [0x84, 0xF4, 0x00, 0x00, 0xF8, 0x04, 0x64, 0xE3]);
const REGISTRY: Guid =
    Guid::from_parts(0xAE53_722E, 0xC863, 0x11D2, [0x86, 0x59, 0x00, 0xC0, 0x4F, 0xA3, 0x21, 0xA1]);
const STACK_WALK: Guid =
    Guid::from_parts(0xDEF2_FE46, 0x7BD6, 0x4B80, [0xBD, 0x94, 0xF5, 0x7F, 0xE2, 0x0D, 0x0C, 0xE3]);
const IMAGE_ID: Guid =
    Guid::from_parts(0xB3E6_75D7, 0x2554, 0x4F18, [0x83, 0x0B, 0x27, 0x62, 0x73, 0x25, 0x60, 0xDE]);
const SYSTEM_CONFIG_EX: Guid =
    Guid::from_parts(0x9B79_EE91, 0xB5FD, 0x41C0, [0xA2, 0x43, 0x42, 0x48, 0xE2, 0x66, 0xE9, 0xD0]);
const KERNEL_PROCESS: Guid =
    Guid::from_parts(0x22FB_2CD6, 0x0E7B, 0x422B, [0xA0, 0xC7, 0x2F, 0xAD, 0x1F, 0xD0, 0xE7, 0x16]);
const CLR: Guid =
    Guid::from_parts(0xE13C_0D23, 0xCCBC, 0x4E12, [0x93, 0x1B, 0xD9, 0xCC, 0x2E, 0xEE, 0x27, 0xE4]);
const CLR_RUNDOWN: Guid =
    Guid::from_parts(0xA669_021C, 0xC450, 0x4609, [0xA0, 0x35, 0x5A, 0xF5, 0x9A, 0xF4, 0xDF, 0x18]);
