//! Providers by their names.

use core::convert::Infallible;
use core::fmt;
use core::str::FromStr;

use etweir::Guid;
use etweir::decode::{mof, provider_guid};

/// A provider as the command line names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Provider {
    Id(Guid),
    /// What it is called: that is looked up in what the trace tells of its providers.
    Name(String),
}

impl FromStr for Provider {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Id))
    }
}

impl Provider {
    /// The providers that are known to have this name without a look at any trace: the GUID itself, a class of classic
    /// events, and what a TraceLogging provider or EventSource of this name has as its id.
    pub(crate) fn well_known(&self) -> Vec<Guid> {
        match self {
            Self::Id(id) => vec![*id],
            Self::Name(name) => {
                let classes = mof::classes().filter(|(_, category)| is_class(category, name));
                classes.map(|(id, _)| id).chain([provider_guid(name)]).collect()
            }
        }
    }

    /// Whether only a trace can tell which providers have this name: it is not that of a class.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Name(name) if !mof::classes().any(|(_, category)| is_class(category, name)))
    }

    /// Whether this is what the provider is called.
    pub(crate) fn is_called(&self, called: &str) -> bool {
        matches!(self, Self::Name(name) if name.eq_ignore_ascii_case(called))
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Whether a name means the class, with the ending that many classes have or without it.
fn is_class(category: &str, name: &str) -> bool {
    let short = ["Trace", "Events", "Event"].iter().find_map(|ending| category.strip_suffix(ending));
    [Some(category), short].into_iter().flatten().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well_known(text: &str) -> Vec<Guid> {
        text.parse::<Provider>().expect("any text").well_known()
    }

    #[test]
    fn a_guid_is_itself_with_braces_or_without() {
        let process: Guid = "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c".parse().expect("a GUID");
        assert_eq!(well_known("{3D6FA8D0-FE05-11D0-9DDA-00C04FD7BA7C}"), [process]);
        assert_eq!(well_known("3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c"), [process]);
        assert_eq!(well_known("process")[0], process);
    }

    #[test]
    fn classes_have_their_category_as_name_and_what_it_is_without_its_ending() {
        let header: Guid = "68fdd900-4a3e-11d1-84f4-0000f80464e3".parse().expect("a GUID");
        for name in ["EventTraceEvent", "eventtrace"] {
            assert_eq!(well_known(name)[0], header);
        }
        assert_eq!(well_known("PerfInfo").len(), 2);
        assert_eq!(well_known("Proces").len(), 1, "no class");
    }

    #[test]
    fn an_event_source_is_known_by_the_id_that_its_name_makes() {
        let perf_view: Guid = "a8a71ac1-040f-54a2-07ca-00a89b5ab761".parse().expect("a GUID");
        assert_eq!(well_known("PerfView"), [perf_view]);
    }
}
