//! Names of files, by the addresses that events refer to them with.

use alloc::sync::Arc;

use crate::context::observed::Observed;
use crate::context::texts::Texts;
use crate::context::timeline::{Mark, Timeline};
use crate::context::topic::Topic;
use crate::decode::{Decoded, Decoder};
use crate::limits::Limits;
use crate::time::Ticks;
use crate::trace::Event;

/// Names of files by `FileObject` or `FileKey` at a time.
///
/// Learns from the kernel's class `FileIo`: Name, FileCreate, FileDelete, FileRundown, whose `FileObject` is the `FileKey` of
/// the operations; and Create and Close, whose `FileObject` is that of one opening. Events may come in any order, and
/// the rundown at the end of a trace names the files of the start.
///
/// Memory: at most [`Limits::context_entries`] observations of about 80 bytes, and [`Limits::context_text_bytes`] of names.
/// Past that, what was closed or deleted long ago is forgotten.
///
/// Source: payload reference on kernel events, "FileIo" and "DiskIo".
#[derive(Clone, Debug)]
pub struct FileNames {
    /// `None` for what ends without saying its name.
    names: Timeline<u64, Option<Arc<str>>>,
    texts: Texts,
}

impl Default for FileNames {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}

impl FileNames {
    /// Knows no file yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { names: Timeline::new(limits.context_entries), texts: Texts::new(limits.context_text_bytes) }
    }

    /// Learns from an event, whatever it is.
    #[inline]
    pub fn observe(&mut self, event: &Event<'_>, decoder: &mut Decoder) -> Observed {
        self.observe_topic(Topic::of(event), event, decoder)
    }

    #[inline]
    pub(super) fn observe_topic(
        &mut self,
        topic: Topic,
        event: &Event<'_>,
        decoder: &mut Decoder,
    ) -> Observed {
        if topic == Topic::FileIo { self.observe_class(event, decoder) } else { Observed::Other }
    }

    fn observe_class(&mut self, event: &Event<'_>, decoder: &mut Decoder) -> Observed {
        let mark = match event.opcode() {
            FILE_CREATE | CREATE => Mark::Begin,
            FILE_DELETE | CLOSE => Mark::End,
            NAME | FILE_RUNDOWN => Mark::Alive,
            _ => return Observed::Other,
        };
        let decoded = decoder.decode(event);
        let read = decoded.get_u64("FileObject").zip(event.time_stamp());
        let observed = Observed::read(&read);
        if let Some((object, time)) = read {
            let name = decoded.get("FileName").or_else(|| decoded.get("OpenPath"));
            let name = name.and_then(|name| self.texts.keep(name.as_str()?));
            self.insert(object, time, mark, name);
        }
        observed
    }

    fn insert(&mut self, object: u64, time: Ticks, mark: Mark, name: Option<Arc<str>>) {
        if mark == Mark::End && name.is_none() {
            // A file that was opened before the trace: there is nothing that could end.
            let Some(known) = self.names.at(object, time).filter(|at| !at.ended) else { return };
            let name = known.value.clone();
            self.names.insert(object, time, mark, name);
            return;
        }
        self.names.insert(object, time, mark, name);
    }

    /// The name of the file that this `FileObject` or `FileKey` stood for at this time: an NT path as the events have it.
    /// After the end of the file it is still that, until the address is known to be used again.
    #[must_use]
    pub fn name(&self, file: u64, time: Ticks) -> Option<&str> {
        self.names.at(file, time)?.value.as_deref()
    }

    /// The name of the file that an event refers to with its `FileKey`, else with its `FileObject`, at this time: of an
    /// operation on a file or a disk, or a page fault.
    #[must_use]
    pub fn name_of(&self, decoded: &Decoded<'_>, time: Ticks) -> Option<&str> {
        let mut keys = ["FileKey", "FileObject"].into_iter().filter_map(|name| decoded.get_u64(name));
        keys.find_map(|key| self.name(key, time))
    }

    /// All names with the addresses that stood for them, by address and then by time.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &str)> {
        let things = self.names.things();
        things.filter_map(|(file, observed)| Some((file, self.names.at(file, observed)?.value.as_deref()?)))
    }

    /// How many observations and names were given up because there were too many.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.names.dropped().saturating_add(self.texts.dropped())
    }
}

const NAME: u8 = 0;
const FILE_CREATE: u8 = 32;
const FILE_DELETE: u8 = 35;
const FILE_RUNDOWN: u8 = 36;
const CREATE: u8 = 64;
const CLOSE: u8 = 66;
