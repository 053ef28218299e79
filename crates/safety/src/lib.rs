//! What keeps payers and staff safe.
//!
//! So far: passwords. [`password::assess`] estimates how many guesses a password withstands, finds
//! what makes it guessable by Western and Chinese habits, and holds it against the rules of a
//! named [`password::Profile`], each with the text that asks for it.
//!
//! *Invariant*: nothing that was given is kept, logged or put into an answer. An answer names
//! kinds of pattern and places, never characters.

pub mod password;
