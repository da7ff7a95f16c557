//! Which Windows wrote a buffer, as far as that changes its layout.

use crate::record::Shapes;

/// The age of a buffer's layout. The 72 bytes of the header have other meanings before Windows 6.0.
///
/// Source: format reference, "Older versions".
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Layout {
    /// 5.0: no buffer size, sequence number, flags or type in the header; 64-bit thread ids in classic records.
    Windows2000,
    /// 5.1: as 5.0, with thread and process in classic records.
    WindowsXp,
    /// 5.2: flags and type exist, and the long instance headers.
    Server2003,
    /// 6.0 and later: size, sequence number, flags and type.
    #[default]
    Modern,
}

impl Layout {
    /// The layout of a version of Windows, as the log-file header names it.
    #[must_use]
    pub const fn of_version(major: u8, minor: u8) -> Self {
        match (major, minor) {
            (0..=4, _) | (5, 0) => Self::Windows2000,
            (5, 1) => Self::WindowsXp,
            (5, _) => Self::Server2003,
            _ => Self::Modern,
        }
    }

    /// Whether the header says how long its buffer is and which of its session it is.
    pub(crate) const fn has_size(self) -> bool {
        matches!(self, Self::Modern)
    }

    /// Whether the header has flags and a type.
    pub(crate) const fn has_flags(self) -> bool {
        matches!(self, Self::Modern | Self::Server2003)
    }

    pub(crate) const fn shapes(self) -> Shapes {
        match self {
            Self::Windows2000 | Self::WindowsXp => Shapes::OLD_INSTANCE,
            Self::Server2003 | Self::Modern => Shapes::MODERN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_windows_have_their_layouts() {
        for (major, minor, layout) in [
            (5, 0, Layout::Windows2000),
            (5, 1, Layout::WindowsXp),
            (5, 2, Layout::Server2003),
            (6, 0, Layout::Modern),
            (6, 1, Layout::Modern),
            (10, 0, Layout::Modern),
        ] {
            assert_eq!(Layout::of_version(major, minor), layout, "{major}.{minor}");
        }
    }
}
