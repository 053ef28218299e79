//! Help while a condition is being written: what may stand at the cursor, and what stands there.
//! Both work on broken text.

mod completion;
mod hover;
mod place;

pub use completion::{Completion, CompletionKind, complete};
pub use hover::{Hover, hover};

use crate::{
    definitions::{self, Scope},
    pack::Pack,
    rates::Rates,
};

/// What a condition may refer to beside the fields of the event.
pub struct Surroundings<'a> {
    rates: &'a Rates,
    lists: Vec<&'a str>,
    scope: Scope<'a>,
}

impl<'a> Surroundings<'a> {
    /// A condition outside of any pack.
    pub fn new(rates: &'a Rates) -> Self {
        Self {
            rates,
            lists: Vec::new(),
            scope: Scope::default(),
        }
    }

    /// Adds the names of lists.
    pub fn with_lists(mut self, lists: impl IntoIterator<Item = &'a str>) -> Self {
        self.lists.extend(lists);
        self.lists.sort_unstable();
        self
    }

    /// Adds the definitions that one of the packs sees. Wrong ones are left out.
    pub fn in_pack(mut self, packs: &'a [Pack], id: &str) -> Self {
        let (scopes, _) = definitions::scopes(packs, self.rates);
        let mine = packs.iter().zip(scopes).find(|(pack, _)| pack.id == id);
        self.scope = mine.map_or_else(Scope::default, |(_, scope)| scope);
        self
    }
}
