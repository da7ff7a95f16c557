//! A call stack as it comes out: the kernel's half, then the user's half.

use core::{iter, slice};

use crate::record::{Stack, StackFrames};
use crate::trace::Event;

/// The stack of an event: addresses, innermost first. `Copy`; borrowed from where its halves lie, the event or
/// [`Stacks`](crate::context::Stacks).
#[derive(Clone, Copy, Debug, Default)]
pub struct CallStack<'a> {
    kernel: Option<StackPart<'a>>,
    user: Option<StackPart<'a>>,
    process_id: Option<u32>,
    thread_id: Option<u32>,
    missing: bool,
}

/// Where addresses lie.
#[derive(Clone, Copy, Debug)]
pub(super) enum StackPart<'a> {
    /// In an extended item.
    Item(Stack<'a>),
    /// In a table.
    Words(&'a [u64]),
}

impl<'a> CallStack<'a> {
    /// Adds a half, unless that half is there.
    ///
    /// Which it is follows from its first address, on a system with pointers of so many bytes: the kernel has the upper half
    /// of the addresses. Source: payload reference, "Stacks and symbols".
    pub(super) fn add(&mut self, part: StackPart<'a>, system_pointer_size: u8) {
        let Some(first) = part.addresses().next() else { return };
        let lowest = if system_pointer_size == 4 { 0x8000_0000 } else { 0x8000_0000_0000_0000 };
        let half = if first >= lowest { &mut self.kernel } else { &mut self.user };
        half.get_or_insert(part);
    }

    /// The stack that an event carries itself; `None` if it has none.
    pub(super) fn of_items(event: &Event<'a>) -> Option<Self> {
        let mut stack = Self::default();
        for item in event.extended_data().filter_map(|item| item.stack()) {
            stack.add(StackPart::Item(item), event.context().session().pointer_size());
        }
        (!stack.is_nothing()).then_some(stack)
    }

    /// A half that is known to be, but not what is in it.
    pub(super) const fn add_missing(&mut self) {
        self.missing = true;
    }

    /// Whose stack it is.
    pub(super) fn belongs_to(&mut self, process_id: u32, thread_id: u32) {
        self.process_id.get_or_insert(process_id);
        self.thread_id.get_or_insert(thread_id);
    }

    pub(super) const fn is_nothing(&self) -> bool {
        self.kernel.is_none() && self.user.is_none() && !self.missing
    }

    /// The addresses, innermost first: where execution stood, then where each call returns to. The user's half begins where
    /// the program entered the kernel.
    #[must_use]
    pub fn addresses(self) -> Addresses<'a> {
        let addresses = |part: Option<StackPart<'a>>| part.unwrap_or(StackPart::Words(&[])).addresses();
        Addresses(addresses(self.kernel).chain(addresses(self.user)))
    }

    /// The process whose stack it is, where the trace says so apart from the event.
    #[must_use]
    pub const fn process_id(self) -> Option<u32> {
        self.process_id
    }

    /// The thread whose stack it is, where the trace says so apart from the event.
    #[must_use]
    pub const fn thread_id(self) -> Option<u32> {
        self.thread_id
    }

    /// Whether a half is known by its key only, whose frames the trace does not tell.
    #[must_use]
    pub const fn is_incomplete(self) -> bool {
        self.missing
    }
}

impl<'a> StackPart<'a> {
    fn addresses(self) -> PartAddresses<'a> {
        match self {
            Self::Item(stack) => PartAddresses::Item(stack.frames()),
            Self::Words(words) => PartAddresses::Words(words.iter()),
        }
    }
}

impl<'a> IntoIterator for CallStack<'a> {
    type Item = u64;
    type IntoIter = Addresses<'a>;

    fn into_iter(self) -> Addresses<'a> {
        self.addresses()
    }
}

/// The addresses of a [`CallStack`], innermost first.
#[derive(Clone, Debug)]
pub struct Addresses<'a>(iter::Chain<PartAddresses<'a>, PartAddresses<'a>>);

#[derive(Clone, Debug)]
enum PartAddresses<'a> {
    Item(StackFrames<'a>),
    Words(slice::Iter<'a, u64>),
}

impl Iterator for PartAddresses<'_> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        match self {
            Self::Item(frames) => frames.next(),
            Self::Words(words) => words.next().copied(),
        }
    }
}

impl Iterator for Addresses<'_> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        self.0.next()
    }
}
