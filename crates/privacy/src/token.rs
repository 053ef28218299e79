//! Tokens: names of sealed values that tell nothing about them.
//!
//! A token is random, never derived from the value. It carries a keyed check, so that a forged or
//! mistyped one is refused without asking the store.
//!
//! - Opaque: `tok_`, the class, and 26 characters of Crockford's base32: kind (1 byte), time since
//!   1970 in 65,536ths of a second (6), random (7), check (2). Tokens that are made one after another
//!   come one after another in the store too, so that keeping many at a time adds to one of its pages.
//! - Shaped: 16 to 19 digits for what wants a card number's place: `0` (which no issuer has,
//!   ISO/IEC 7812-1), random digits, two of check, and the card's last four. It fails the Luhn
//!   check on purpose, so that nobody takes it for a card number.

use crate::{
    catalogue::{self, Class},
    normal::passes_luhn,
};
use paywarden_crypto::{keyring::PreparedIndex, random};
use paywarden_domain::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};

const PREFIX: &str = "tok_";
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const BODY_CHARACTERS: usize = 26;
const BODY_BYTES: usize = 16;
const CHECKED_BYTES: usize = 14;
const SHAPED_MIN: usize = 16;
const SHAPED_MAX: usize = 19;
const KIND: u8 = 1;

/// What a token looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `tok_…`
    #[default]
    Opaque,
    /// Digits in the place of a card number; of card numbers only.
    Shaped,
}

impl Form {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opaque => "opaque",
            Self::Shaped => "shaped",
        }
    }
}

/// Makes tokens and recognises them.
pub(crate) struct Tokens {
    check: PreparedIndex,
}

impl Tokens {
    /// Tokens whose checks are made with this key.
    pub(crate) fn new(check: PreparedIndex) -> Self {
        Self { check }
    }

    /// A new opaque token.
    pub(crate) fn opaque(&self, tenant: &TenantId, class: &Class, now: Timestamp) -> String {
        let mut body = [0; BODY_BYTES];
        random::fill(&mut body);
        let (said, check) = body.split_at_mut(CHECKED_BYTES);
        let time = (i128::from(now.micros()) << 16) / 1_000_000;
        let [.., a, b, c, d, e, f] = time.to_be_bytes();
        let known = [KIND, a, b, c, d, e, f];
        said.iter_mut().zip(known).for_each(|(to, from)| *to = from);
        let made = self.check(tenant, &class.short, said);
        check.iter_mut().zip(made).for_each(|(to, from)| *to = from);
        format!(
            "{PREFIX}{}_{}",
            class.short,
            encode(u128::from_be_bytes(body))
        )
    }

    /// A new token in the shape of a card number.
    pub(crate) fn shaped(&self, tenant: &TenantId, class: &Class, number: &str) -> String {
        let length = number.len().clamp(SHAPED_MIN, SHAPED_MAX);
        let tail = number
            .get(number.len().saturating_sub(4)..)
            .unwrap_or_default();
        loop {
            let mut token = String::with_capacity(length);
            token.push('0');
            token.extend(digits().take(length - 7));
            let check = self.shaped_check(tenant, class, &token, tail);
            token.push_str(&format!("{check:02}{tail}"));
            if !passes_luhn(&token) {
                return token;
            }
        }
    }

    /// The class of a token, if its check is ours: then it was made here, for this tenant.
    pub(crate) fn recognise(&self, tenant: &TenantId, token: &str) -> Option<&'static Class> {
        match token.strip_prefix(PREFIX) {
            Some(rest) => {
                let (short, body) = rest.split_once('_')?;
                let class = catalogue::class_of_short(short)?;
                let body = decode(body)?.to_be_bytes();
                let (said, check) = body.split_at(CHECKED_BYTES);
                let made = self.check(tenant, short, said);
                (check == made && said.first() == Some(&KIND)).then_some(class)
            }
            None => self.recognise_shaped(tenant, token),
        }
    }

    fn recognise_shaped(&self, tenant: &TenantId, token: &str) -> Option<&'static Class> {
        let is_shaped = (SHAPED_MIN..=SHAPED_MAX).contains(&token.len())
            && token.starts_with('0')
            && token.bytes().all(|byte| byte.is_ascii_digit());
        let class = is_shaped
            .then(|| catalogue::class("card_number").ok())
            .flatten()?;
        let (said, rest) = token.split_at_checked(token.len() - 6)?;
        let (check, tail) = rest.split_at_checked(2)?;
        let made = self.shaped_check(tenant, class, said, tail);
        (check == format!("{made:02}") && !passes_luhn(token)).then_some(class)
    }

    fn check(&self, tenant: &TenantId, short: &str, said: &[u8]) -> [u8; 2] {
        let parts = [tenant.as_str().as_bytes(), short.as_bytes(), said];
        let [first, second, ..] = self.check.of_parts(&parts);
        [first, second]
    }

    fn shaped_check(&self, tenant: &TenantId, class: &Class, said: &str, tail: &str) -> u16 {
        let both = [said, tail].concat();
        u16::from_be_bytes(self.check(tenant, &class.short, both.as_bytes())) % 100
    }
}

/// Random digits without bias: bytes from 250 up are drawn again.
fn digits() -> impl Iterator<Item = char> {
    let draw = || {
        let mut bytes = [0; 16];
        random::fill(&mut bytes);
        bytes
    };
    std::iter::repeat_with(draw)
        .flatten()
        .filter(|byte| *byte < 250)
        .map(|byte| char::from(b'0' + byte % 10))
}

/// 16 bytes as 26 characters, the first of which has three bits.
pub(crate) fn encode(bits: u128) -> String {
    let character = |place: usize| {
        let index = (bits >> (5 * place)) as usize & 31;
        ALPHABET.get(index).copied().map_or('0', char::from)
    };
    (0..BODY_CHARACTERS).rev().map(character).collect()
}

fn decode(text: &str) -> Option<u128> {
    let is_whole = text.len() == BODY_CHARACTERS && text.as_bytes().first()? < &b'8';
    text.bytes()
        .filter(|_| is_whole)
        .try_fold((0_u128, 0), |(bits, count), byte| {
            let digit = *DIGITS.get(usize::from(byte))?;
            let bits = bits << 5 | u128::from(digit);
            (digit < 32).then_some((bits, count + 1))
        })
        .filter(|(_, count)| *count == BODY_CHARACTERS)
        .map(|(bits, _)| bits)
}

/// What each character stands for; 32 where it is none of the alphabet.
const DIGITS: [u8; 128] = {
    let mut digits = [32; 128];
    let mut digit = 0;
    while digit < 32 {
        digits[ALPHABET[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
};

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_crypto::keyring::{Keyring, MacAlgorithm};
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

    fn tokens() -> Tokens {
        let mac = MacAlgorithm::HmacSha256;
        Tokens::new(Keyring::ephemeral().index_with(mac, "token check").unwrap())
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    #[test]
    fn tokens_are_recognised_by_their_tenant_alone() {
        let (tokens, acme) = (tokens(), tenant("acme"));
        for class in catalogue::classes() {
            let token = tokens.opaque(&acme, class, NOW);
            assert_eq!(tokens.recognise(&acme, &token), Some(class), "{token}");
            assert_eq!(tokens.recognise(&tenant("other"), &token), None);
            assert_eq!(self::tokens().recognise(&acme, &token), None);
            assert_eq!(tokens.recognise(&acme, &token.to_uppercase()), None);
        }
    }

    #[test]
    fn later_tokens_come_later_and_those_of_one_moment_differ() {
        let (tokens, acme) = (tokens(), tenant("acme"));
        let class = catalogue::class("card_number").unwrap();
        let later = |micros: i64| Timestamp::from_micros(NOW.micros() + micros);
        let made: Vec<_> = (0..2_000)
            .map(|number| tokens.opaque(&acme, class, later(number / 100 * 16)))
            .collect();
        let distinct: std::collections::HashSet<_> = made.iter().collect();
        assert_eq!(distinct.len(), made.len());
        for (early, late) in made.iter().zip(made.iter().skip(100)) {
            assert!(early < late, "{early} {late}");
        }
    }

    #[test]
    fn shaped_tokens_keep_the_last_four_and_are_no_card_numbers() {
        let (tokens, acme) = (tokens(), tenant("acme"));
        let class = catalogue::class("card_number").unwrap();
        for number in ["4012888888881881", "378282246310005", "6222021234567890128"] {
            for _ in 0..200 {
                let token = tokens.shaped(&acme, class, number);
                assert_eq!(token.len(), number.len().max(16));
                assert_eq!(token[token.len() - 4..], number[number.len() - 4..]);
                assert!(token.starts_with('0') && !passes_luhn(&token), "{token}");
                assert!(paywarden_domain::Pan::parse(&token).is_err());
                assert_eq!(tokens.recognise(&acme, &token), Some(class));
            }
        }
    }

    /// Of forged tokens one in 65,536 passes the check by chance, of shaped ones one in 110.
    #[test]
    fn forged_tokens_are_refused_without_the_store() {
        let (tokens, forger, acme) = (tokens(), tokens(), tenant("acme"));
        let class = catalogue::class("phone").unwrap();
        let passed = (0..20_000)
            .filter(|_| {
                tokens
                    .recognise(&acme, &forger.opaque(&acme, class, NOW))
                    .is_some()
            })
            .count();
        assert!(passed <= 5, "{passed}");
    }

    /// One of 65,536 passes by chance.
    #[test]
    fn mistyped_tokens_are_refused() {
        let (tokens, acme) = (tokens(), tenant("acme"));
        let class = catalogue::class("name").unwrap();
        let mut passed = 0;
        for round in 0..5_000_usize {
            let mut bytes = tokens.opaque(&acme, class, NOW).into_bytes();
            let place = bytes.len() - 26 + round % 26;
            let old = ALPHABET
                .iter()
                .position(|one| *one == bytes[place])
                .unwrap();
            bytes[place] = ALPHABET[(old + 1 + round % 31) % 32];
            let mistyped = String::from_utf8(bytes).unwrap();
            passed += usize::from(tokens.recognise(&acme, &mistyped).is_some());
        }
        assert!(passed <= 3, "{passed}");
    }

    proptest! {
        #[test]
        fn every_number_has_a_text_and_back(bits: u128) {
            prop_assert_eq!(decode(&encode(bits)), Some(bits));
        }

        #[test]
        fn garbage_is_refused(text: String) {
            prop_assert!(tokens().recognise(&tenant("acme"), &text).is_none());
        }
    }
}
