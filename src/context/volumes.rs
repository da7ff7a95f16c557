//! Volumes: from the paths that the kernel uses to paths with a drive letter.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::context::observed::Observed;
use crate::context::payload::Payload;
use crate::context::topic::Topic;
use crate::limits::Limits;
use crate::trace::Event;

/// NT paths by their beginnings, and what people write in their place.
///
/// Learns from what merging adds: VolumeMapping and SystemPaths. The longest beginning that fits counts; letters compare
/// without regard to case.
///
/// Memory: at most [`Limits::context_volumes`] mappings.
///
/// Source: payload reference on manifests, "System configuration extension".
#[derive(Clone, Debug)]
pub struct Volumes {
    /// The longest beginning first.
    mappings: Vec<(Box<str>, Box<str>)>,
    system_directory: Option<Box<str>>,
    windows_directory: Option<Box<str>>,
    most: usize,
}

impl Default for Volumes {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}

impl Volumes {
    /// Knows no volume yet.
    #[must_use]
    pub const fn new(limits: &Limits) -> Self {
        Self {
            mappings: Vec::new(),
            system_directory: None,
            windows_directory: None,
            most: limits.context_volumes,
        }
    }

    /// Learns from an event, whatever it is.
    #[inline]
    pub fn observe(&mut self, event: &Event<'_>) -> Observed {
        self.observe_topic(Topic::of(event), event)
    }

    #[inline]
    pub(super) fn observe_topic(&mut self, topic: Topic, event: &Event<'_>) -> Observed {
        if topic == Topic::SystemConfigEx { self.observe_config(event) } else { Observed::Other }
    }

    fn observe_config(&mut self, event: &Event<'_>) -> Observed {
        let mut payload = Payload::new(event.user_data(), event.pointer_size());
        match event.opcode() {
            VOLUME_MAPPING => {
                // The second text may be empty, or left out with its zero.
                let read = payload.utf16().filter(|path| !path.is_empty());
                let dos_path = payload.utf16().map(|path| path.to_string()).unwrap_or_default();
                if let Some(nt_path) = read {
                    self.map(&nt_path.to_string(), &dos_path);
                }
                Observed::read(&read)
            }
            SYSTEM_PATHS => {
                let read = payload.utf16().zip(payload.utf16());
                if let Some((system, windows)) = read {
                    self.system_directory = Some(system.to_string().into());
                    self.windows_directory = Some(windows.to_string().into());
                }
                Observed::read(&read)
            }
            _ => Observed::Other,
        }
    }

    /// Says that paths which begin with `nt_path` are written with `dos_path` in its place. What is said later counts.
    pub fn map(&mut self, nt_path: &str, dos_path: &str) {
        if let Some((_, known)) =
            self.mappings.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(nt_path))
        {
            *known = dos_path.into();
        } else if self.mappings.len() < self.most && !nt_path.is_empty() {
            let at = self.mappings.partition_point(|(known, _)| known.len() >= nt_path.len());
            self.mappings.insert(at, (nt_path.into(), dos_path.into()));
        }
    }

    /// `SystemDirectory`, such as `C:\Windows\system32`.
    #[must_use]
    pub fn system_directory(&self) -> Option<&str> {
        self.system_directory.as_deref()
    }

    /// `SystemWindowsDirectory`, such as `C:\Windows\`.
    #[must_use]
    pub fn windows_directory(&self) -> Option<&str> {
        self.windows_directory.as_deref()
    }

    /// The mappings, the longest beginning first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.mappings.iter().map(|(nt_path, dos_path)| (&**nt_path, &**dos_path))
    }

    /// The path with a drive letter, in two parts that make it when put together; `None` if no beginning fits.
    #[must_use]
    pub fn split<'a>(&'a self, nt_path: &'a str) -> Option<(&'a str, &'a str)> {
        let mapped = self.iter().find_map(|(start, dos_path)| Some((dos_path, strip(nt_path, start)?)));
        mapped.or_else(|| Some((self.windows_directory()?, strip(nt_path, SYSTEM_ROOT)?)))
    }

    /// The path with a drive letter; `None` if no beginning fits.
    #[must_use]
    pub fn dos_path(&self, nt_path: &str) -> Option<String> {
        let (start, rest) = self.split(nt_path)?;
        let mut path = String::with_capacity(start.len().saturating_add(rest.len()));
        path.push_str(start);
        path.push_str(rest);
        Some(path)
    }
}

/// What follows `start` in `path`, without regard to case.
fn strip<'a>(path: &'a str, start: &str) -> Option<&'a str> {
    let (head, rest) = path.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start).then_some(rest)
}

/// Stands for the Windows directory, also where no mapping says so.
const SYSTEM_ROOT: &str = "\\SystemRoot\\";

const SYSTEM_PATHS: u8 = 33;
const VOLUME_MAPPING: u8 = 35;
