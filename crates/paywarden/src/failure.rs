//! What can end a command badly, by what the person at the keyboard can do about it.

use std::fmt::Display;

/// Why a command did not do what was asked. The variant is the exit code; `next` says what to try.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was checked does not hold. Exit code 1.
    #[error("{what}")]
    NotHeld {
        /// What was found.
        what: String,
        /// What to do next.
        next: String,
    },
    /// The command or its configuration was used wrongly. Exit code 2.
    #[error("{what}")]
    WrongUse {
        /// What is wrong.
        what: String,
        /// What to write instead.
        next: String,
    },
    /// Something the command needs is not there or does not answer. Exit code 3.
    #[error("{what}")]
    Environment {
        /// What is missing.
        what: String,
        /// How to provide it.
        next: String,
    },
}

/// The result of a command or one of its parts.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// What was checked does not hold.
    pub fn not_held(what: impl Display, next: impl Display) -> Self {
        Self::NotHeld {
            what: what.to_string(),
            next: next.to_string(),
        }
    }

    /// The command was used wrongly.
    pub fn wrong_use(what: impl Display, next: impl Display) -> Self {
        Self::WrongUse {
            what: what.to_string(),
            next: next.to_string(),
        }
    }

    /// Something needed is missing.
    pub fn environment(what: impl Display, next: impl Display) -> Self {
        Self::Environment {
            what: what.to_string(),
            next: next.to_string(),
        }
    }

    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotHeld { .. } => 1,
            Self::WrongUse { .. } => 2,
            Self::Environment { .. } => 3,
        }
    }

    /// The two lines shown to the person.
    pub fn message(&self) -> String {
        let (Self::NotHeld { what, next }
        | Self::WrongUse { what, next }
        | Self::Environment { what, next }) = self;
        format!("error: {what}\n next: {next}\n")
    }
}
