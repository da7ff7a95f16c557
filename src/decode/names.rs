//! Names of providers, learned from events that carry them.

use alloc::boxed::Box;
use std::collections::HashMap;

use crate::guid::Guid;

/// GUID -> name. The first name of a provider stays.
#[derive(Clone, Debug)]
pub(super) struct ProviderNames {
    names: HashMap<Guid, Box<str>, foldhash::fast::RandomState>,
    most: usize,
    /// The provider that was asked for last has a name.
    last: Guid,
}

/// Longer names are not kept: those of real providers have less than a hundred bytes.
const LONGEST: usize = 1024;

impl ProviderNames {
    pub(super) fn new(most: usize) -> Self {
        Self { names: HashMap::default(), most, last: Guid::ZERO }
    }

    pub(super) fn get(&self, provider: Guid) -> Option<&str> {
        self.names.get(&provider).map(|name| &**name)
    }

    /// Whether the provider has a name already. Fast where the same one is asked for again and again.
    #[inline]
    pub(super) fn knows(&mut self, provider: Guid) -> bool {
        if self.last == provider {
            return true;
        }
        let known = self.names.contains_key(&provider);
        if known {
            self.last = provider;
        }
        known
    }

    pub(super) fn learn(&mut self, provider: Guid, name: &str) {
        if !name.is_empty() && name.len() <= LONGEST && self.names.len() < self.most {
            self.names.entry(provider).or_insert_with(|| name.into());
        }
    }
}
