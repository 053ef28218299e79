//! Random bytes, from the one generator of the process.

/// Fills `bytes` with random bytes fit for keys and nonces.
///
/// There is no error to return: a process whose operating system gives no randomness cannot do
/// anything safely, so it aborts.
pub fn fill(bytes: &mut [u8]) {
    if aws_lc_rs::rand::fill(bytes).is_err() {
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_fills_differ() {
        let (mut one, mut other) = ([0; 32], [0; 32]);
        super::fill(&mut one);
        super::fill(&mut other);
        assert_ne!(one, other);
    }
}
