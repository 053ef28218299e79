//! Everything that can be refused here, named by what the caller can do about it.

use std::{io, path::PathBuf};

/// A refusal of this crate. Texts are for logs and integrators; none contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No signature in the message is meant for us: ask for one (`Accept-Signature`).
    #[error("no signature carries the tag {tag:?}")]
    SignatureMissing {
        /// The tag that the policy asks for.
        tag: String,
    },
    /// The signature fields break RFC 9421 or a limit, or cover something the message lacks.
    #[error("signature malformed: {detail}")]
    SignatureMalformed {
        /// What is wrong, without header values.
        detail: String,
    },
    /// The signature leaves out something that the policy requires.
    #[error("signature must also cover {}", missing.join(" "))]
    SignatureComponents {
        /// Component identifiers such as `"@method"`, parameters such as `;nonce`.
        missing: Vec<String>,
    },
    /// The signature was made too long ago, lies in the future, or has passed its `expires`.
    #[error("signature out of its time window: {detail}")]
    SignatureExpired {
        /// Which bound was passed.
        detail: &'static str,
    },
    /// The signature does not fit the message, the key or the key's algorithm.
    #[error("signature invalid: {detail}")]
    SignatureInvalid {
        /// What did not fit.
        detail: &'static str,
        /// The signature base computed from the message as received: a sandbox shows it, so that
        /// an integrator can compare it with their own line by line.
        base: String,
    },
    /// There is a body but no usable `Content-Digest`: ask for one (`Want-Content-Digest`).
    #[error("content digest missing: send sha-256 or sha-512")]
    DigestMissing,
    /// `Content-Digest` is not a dictionary of byte sequences, or too long.
    #[error("content digest malformed: {detail}")]
    DigestMalformed {
        /// What is wrong.
        detail: String,
    },
    /// The body is not the one that was digested.
    #[error("content digest does not match the body")]
    DigestMismatch,
    /// A key is of the wrong kind, too weak, or not readable.
    #[error("key refused: {detail}")]
    KeyRefused {
        /// Why.
        detail: &'static str,
    },
    /// The master key file cannot be used as it is; an operator has to look at it.
    #[error("key file {} refused: {detail}", path.display())]
    KeyFileRefused {
        /// The file.
        path: PathBuf,
        /// Why.
        detail: &'static str,
    },
    /// The master key file cannot be read or written.
    #[error("key file {}: {source}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A custodian's share of the master key is not one, or does not belong to the others.
    #[error("share refused: {detail}")]
    ShareRefused {
        /// Why.
        detail: &'static str,
    },
    /// More custodians must bring their share.
    #[error("{given} of {needed} shares were given")]
    SharesTooFew {
        /// Different shares that were given.
        given: usize,
        /// How many make the key.
        needed: usize,
    },
    /// A text does not follow C2SP signed-note.
    #[error("note malformed: {detail}")]
    NoteMalformed {
        /// What is wrong.
        detail: &'static str,
    },
    /// A signature under a note was not made over its text by the key that it names.
    #[error("the signature of {name} does not fit the note")]
    NoteInvalid {
        /// Name of the key.
        name: String,
    },
    /// A sealed value was changed, or was sealed for another purpose, context or keyring.
    #[error("sealed value cannot be opened")]
    SealBroken,
    /// A value is too long to be sealed.
    #[error(
        "value too long to seal: at most {} bytes",
        crate::keyring::SEAL_BYTES_MAX
    )]
    SealTooLong,
    /// The cryptographic library failed for a reason of its own, such as no memory.
    #[error("cryptographic library failed")]
    Library,
}

impl From<aws_lc_rs::error::Unspecified> for Error {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Library
    }
}
