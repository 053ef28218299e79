//! Signed messages as other people's programs write them, and as attackers do.

#[cfg(test)]
mod common;
#[cfg(test)]
mod components;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod vectors;
