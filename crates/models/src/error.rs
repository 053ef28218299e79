//! Why a model, a row or a training set is refused.

/// What is wrong, named by what the caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Something is larger than its limit: make it smaller.
    #[error("{what} is {found}, at most {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        found: u64,
        /// How large it may be.
        limit: u64,
    },
    /// The bytes are not what they claim to be: get the file again.
    #[error("{place}: {what}")]
    Damaged {
        /// Where in the file.
        place: String,
        /// What is wrong there.
        what: String,
    },
    /// A part of the format that is not read: export the model without it.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// A tree that cannot be walked.
    #[error("tree {tree}, node {node}: {what}")]
    Tree {
        /// The tree, from 0.
        tree: usize,
        /// The node, from 0, as the file counts them.
        node: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The file does not name its features: say their names.
    #[error("the model does not name its {0} features")]
    Nameless(usize),
    /// The model reads other features, or in another order.
    #[error("feature {place} of the model is {expected}, but {found} is given")]
    Features {
        /// The place, from 0.
        place: usize,
        /// What the model reads there.
        expected: String,
        /// What is given there.
        found: String,
    },
    /// A row with too few or too many values.
    #[error("a row has {found} values, the model reads {expected}")]
    Row {
        /// What the model reads.
        expected: usize,
        /// What the row has.
        found: usize,
    },
    /// Nothing can be learnt from these rows.
    #[error("cannot train: {0}")]
    Training(&'static str),
}

impl Error {
    pub(crate) fn damaged(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Damaged {
            place: place.into(),
            what: what.into(),
        }
    }
}
