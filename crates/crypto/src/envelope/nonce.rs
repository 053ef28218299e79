//! Random nonces, drawn from a buffer of each thread: one call of the generator for 340 of them.

use super::cipher::NONCE_BYTES;
use crate::random;
use std::cell::RefCell;
use zeroize::Zeroize;

const BUFFER_BYTES: usize = 4_096 - 4_096 % NONCE_BYTES;

struct Buffer {
    bytes: [u8; BUFFER_BYTES],
    used: usize,
}

thread_local! {
    static BUFFER: RefCell<Buffer> = const {
        RefCell::new(Buffer { bytes: [0; BUFFER_BYTES], used: BUFFER_BYTES })
    };
}

/// The next nonce; no other call gets the same bytes of the buffer.
pub(super) fn next() -> [u8; NONCE_BYTES] {
    BUFFER.with_borrow_mut(|buffer| {
        if buffer.used >= BUFFER_BYTES {
            random::fill(&mut buffer.bytes);
            buffer.used = 0;
        }
        let mut nonce = [0; NONCE_BYTES];
        let place = buffer.used..buffer.used + NONCE_BYTES;
        if let Some(bytes) = buffer.bytes.get_mut(place) {
            nonce.copy_from_slice(bytes);
            bytes.zeroize();
        }
        buffer.used += NONCE_BYTES;
        nonce
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashSet, thread};

    #[test]
    fn no_nonce_comes_twice_over_refills_and_threads() {
        let draw = || (0..1_000).map(|_| next()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(draw)).collect();
        let mut all: Vec<_> = draw();
        all.extend(threads.into_iter().flat_map(|one| one.join().unwrap()));
        assert!(all.iter().all(|nonce| nonce != &[0; NONCE_BYTES]));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 5_000);
    }
}
