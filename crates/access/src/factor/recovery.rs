//! Recovery codes: ten, each of 80 random bits, kept as keyed hashes, each taken once.

use paywarden_crypto::{keyring::PreparedIndex, random};
use zeroize::Zeroizing;

/// How many are made at a time.
pub const CODES: usize = 10;

/// 32 letters and digits that are not mistaken for each other (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LETTERS: usize = 16;
const GROUP: usize = 4;

/// New codes of an account and what is kept of them.
pub(crate) fn generate(
    hashes: &PreparedIndex,
    account: &str,
) -> (Vec<Zeroizing<String>>, Vec<[u8; 32]>) {
    let codes: Vec<_> = std::iter::repeat_with(code).take(CODES).collect();
    let kept = codes
        .iter()
        .map(|code| hash(hashes, account, code))
        .collect();
    (codes, kept)
}

/// What is kept of a code: the same for however it is written.
pub(crate) fn hash(hashes: &PreparedIndex, account: &str, code: &str) -> [u8; 32] {
    let letters = code.chars().filter(|letter| letter.is_alphanumeric());
    let plain: Zeroizing<String> = Zeroizing::new(letters.flat_map(char::to_lowercase).collect());
    hashes.of(account, plain.as_bytes())
}

fn code() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; LETTERS]);
    random::fill(bytes.as_mut_slice());
    let mut code = Zeroizing::new(String::with_capacity(LETTERS + LETTERS / GROUP));
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 && place % GROUP == 0 {
            code.push('-');
        }
        // The remainder is below 32; 256 is a multiple of it, so every letter is as likely.
        let letter = ALPHABET.get(usize::from(byte % 32)).copied();
        code.push(char::from(letter.unwrap_or(b'0')));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_crypto::Keyring;
    use std::collections::HashSet;

    #[test]
    fn ten_different_codes_of_one_account_each_known_however_it_is_written() {
        let hashes = Keyring::ephemeral().index_for("recovery").unwrap();
        let (codes, kept) = generate(&hashes, "stf_1");
        assert_eq!(codes.len(), CODES);
        assert_eq!(kept.iter().collect::<HashSet<_>>().len(), CODES);
        for (code, kept) in codes.iter().zip(&kept) {
            let typed = format!(" {}", code.replace('-', " ").to_uppercase());
            assert_eq!(hash(&hashes, "stf_1", &typed), *kept, "{}", **code);
            assert_ne!(hash(&hashes, "stf_2", code), *kept);
            assert_eq!(code.len(), LETTERS + LETTERS / GROUP - 1);
        }
    }
}
