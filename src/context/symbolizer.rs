//! From addresses to names: the module or method that a frame of a stack lies in.

use core::fmt;

use crate::context::image::Image;
use crate::context::images::Images;
use crate::context::methods::{ClrMethods, Method};
use crate::time::Ticks;

/// Names frames by images and methods, as far as these are tracked. `Copy`, borrowed from them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Symbolizer<'a> {
    images: Option<&'a Images>,
    methods: Option<&'a ClrMethods>,
}

impl<'a> Symbolizer<'a> {
    /// With what there is of both.
    #[must_use]
    pub const fn new(images: Option<&'a Images>, methods: Option<&'a ClrMethods>) -> Self {
        Self { images, methods }
    }

    /// What lies at an address of a process at this time. `since` is when the process started, if that is known.
    #[must_use]
    pub fn frame(self, process_id: u32, address: u64, time: Ticks, since: Option<Ticks>) -> Frame<'a> {
        self.frame_at(address, process_id, address, time, since)
    }

    /// The frames of a stack. The innermost address is where execution stood; the others are return addresses, which lie
    /// behind their call, maybe in the next function: they are looked up one byte earlier.
    ///
    /// Source: payload reference, "Stacks and symbols".
    pub fn frames<A: Iterator<Item = u64>>(
        self,
        process_id: u32,
        addresses: A,
        time: Ticks,
        since: Option<Ticks>,
    ) -> impl Iterator<Item = Frame<'a>> + use<'a, A> {
        addresses.enumerate().map(move |(index, address)| {
            let lookup = address.saturating_sub(u64::from(index > 0));
            self.frame_at(lookup, process_id, address, time, since)
        })
    }

    fn frame_at(
        self,
        lookup: u64,
        process_id: u32,
        address: u64,
        time: Ticks,
        since: Option<Ticks>,
    ) -> Frame<'a> {
        // No method has its code in the kernel.
        let methods = self.methods.filter(|_| lookup < KERNEL);
        let method = methods.and_then(|methods| methods.at(process_id, lookup, time, since));
        Frame { address, method, images: self.images, place: Place { lookup, process_id, time, since } }
    }
}

/// Above all addresses of programs, of 64 bits and of 32.
const KERNEL: u64 = 0x8000_0000_0000_0000;

/// A frame of a stack. `Copy`, borrowed from what names it.
///
/// Prints as the name of a method, `System.String.Concat`; else as `ntdll.dll+0x1a2b`; else as its address, `0x7ffd12345678`.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    address: u64,
    method: Option<Method<'a>>,
    images: Option<&'a Images>,
    place: Place,
}

/// Where and when an image is looked for.
#[derive(Clone, Copy)]
struct Place {
    lookup: u64,
    process_id: u32,
    time: Ticks,
    since: Option<Ticks>,
}

impl<'a> Frame<'a> {
    /// The address as it is in the stack.
    #[must_use]
    pub const fn address(self) -> u64 {
        self.address
    }

    /// The CLR's method that it lies in.
    #[must_use]
    pub const fn method(self) -> Option<Method<'a>> {
        self.method
    }

    /// The image that it lies in, also one that the method is precompiled in. Looked up when it is asked for.
    #[must_use]
    pub fn image(self) -> Option<Image<'a>> {
        let Place { lookup, process_id, time, since } = self.place;
        self.images?.at(process_id, lookup, time, since)
    }

    /// Bytes from the start of the method, else of the image: what its symbols count from.
    #[must_use]
    pub fn offset(self) -> Option<u64> {
        let start = self.method.map(Method::start_address).or_else(|| self.image().map(Image::base))?;
        Some(self.address.saturating_sub(start))
    }
}

impl fmt::Display for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(method) = self.method {
            return method.fmt(f);
        }
        match self.image() {
            Some(image) => {
                let offset = self.address.saturating_sub(image.base());
                match image.name() {
                    Some(name) => write!(f, "{name}+0x{offset:x}"),
                    None => write!(f, "0x{:x}+0x{offset:x}", image.base()),
                }
            }
            None => write!(f, "0x{:x}", self.address),
        }
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("address", &self.address)
            .field("method", &self.method)
            .field("image", &self.image())
            .finish_non_exhaustive()
    }
}
