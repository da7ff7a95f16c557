//! What events mean together: which process an id stood for, what lay at an address, which stack belongs to which event.
//!
//! Each component stands alone and is fed by its `observe`, which takes any event and looks closer only at those that tell
//! something. [`Context`] has all of them, or those that are wanted.
//!
//! | component | knows | from |
//! | --- | --- | --- |
//! | [`Processes`] | names and more of processes by id at a time | the kernel's class `Process`, Kernel-Process |
//! | [`Threads`] | processes of threads by id at a time | the kernel's class `Thread`, Kernel-Process |
//! | [`ContextSwitches`] | which thread ran on a processor | CSwitch |
//! | [`Images`] | modules by address, and their symbols | the kernel's class `Image`, Kernel-Process, what merging adds |
//! | [`Stacks`], [`StackWindow`] | the stack of an event | `StackWalk`, extended items, stack walks of the CLR |
//! | [`ClrMethods`] | methods by address | the CLR and its rundown |
//! | [`Symbolizer`] | `module+0x…` or a method for each frame | [`Images`] and [`ClrMethods`] |
//! | [`Volumes`] | drive letters for NT paths | what merging adds |
//! | [`FileNames`] | file names by object | the kernel's class `FileIo` |
//! | [`RegistryKeys`] | names of registry keys by handle | the kernel's class `Registry` |
//!
//! All memory is bounded by [`Limits`](crate::Limits); what had no room is counted. Nothing here blocks or panics.

mod call_stack;
mod clr_walks;
mod facade;
mod files;
mod image;
mod images;
mod logger;
mod methods;
mod observed;
mod payload;
mod processes;
mod ranges;
mod registry;
mod stack_table;
mod stacks;
mod switches;
mod symbolizer;
mod texts;
mod threads;
mod timeline;
mod topic;
mod volumes;
mod window;

pub use call_stack::{Addresses, CallStack};
pub use facade::Context;
pub use files::FileNames;
pub use image::{Image, Pdb};
pub use images::Images;
pub use methods::{ClrMethods, Method};
pub use observed::Observed;
pub use processes::{Process, Processes};
pub use registry::RegistryKeys;
pub use stacks::Stacks;
pub use switches::ContextSwitches;
pub use symbolizer::{Frame, Symbolizer};
pub use threads::{Thread, Threads};
pub use volumes::Volumes;
pub use window::StackWindow;
