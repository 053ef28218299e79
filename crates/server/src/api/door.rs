//! Who may come in by a route.

/// Who may come in by a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Programs by their key; anybody where no scope is asked for.
    Key,
    /// People who have not signed in.
    Visitor,
    /// Whoever holds a link: it says what may be done, and nobody is known.
    Link,
    /// People with a session of any kind.
    Own,
    /// People with a session in which a factor can be proved: a full one, or one that lacks it.
    Proving,
    /// The same; in a full session with a fresh factor.
    OwnFresh,
    /// People with a full session.
    Staff,
    /// The same with a fresh factor.
    StaffFresh,
    /// Programs by their key, people with a full session.
    Any,
    /// The same; people with a fresh factor.
    AnyFresh,
}

impl Door {
    /// The door that whoever comes takes: people show a cookie and sign nothing.
    pub fn taken_by(self, is_person: bool) -> Self {
        match (self, is_person) {
            (Self::Any, true) => Self::Staff,
            (Self::AnyFresh, true) => Self::StaffFresh,
            (Self::Any | Self::AnyFresh, false) => Self::Key,
            (door, _) => door,
        }
    }
}
