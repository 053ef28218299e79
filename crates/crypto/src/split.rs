//! Splitting the master key among custodians: any `needed` of them make it again, fewer learn
//! nothing (Shamir, "How to share a secret", 1979, over GF(256); PCI DSS 4.0.1, 3.7.6).

use crate::{Error, digest::sha256, random};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use blahaj::{Share as Points, Sharks};
use rand_core::{Infallible, TryCryptoRng, TryRng};
use std::{collections::BTreeMap, fmt::Write as _};
use zeroize::Zeroizing;

/// The most shares of one key.
pub const SHARES_MAX: u8 = 16;

const WORD: &str = "paywarden-share-1";
const CHECK_BYTES: usize = 4;
const SET_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;

/// One custodian's share. Its text is one line: `paywarden-share-1.SET.NEEDED.POINTS.CHECK`. It
/// has no `Debug`, and is zeroed when it is dropped.
pub struct Share {
    set: [u8; SET_BYTES],
    needed: u8,
    points: Zeroizing<Vec<u8>>,
}

impl Share {
    /// Reads the line of a share. A mistyped one is refused by its check.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refused = |detail| Error::ShareRefused { detail };
        let malformed = || refused("not the line of a share");
        let (said, check) = text.trim().rsplit_once('.').ok_or_else(malformed)?;
        if check != checksum(said) {
            return Err(refused("mistyped: its check does not fit"));
        }
        let parts: Vec<&str> = said.split('.').collect();
        let [WORD, set, needed, points] = parts[..] else {
            return Err(malformed());
        };
        let set = URL_SAFE_NO_PAD.decode(set).map_err(|_| malformed())?;
        let points = URL_SAFE_NO_PAD.decode(points).map_err(|_| malformed())?;
        let share = Self {
            set: set.try_into().map_err(|_| malformed())?,
            needed: needed.parse().map_err(|_| malformed())?,
            points: Zeroizing::new(points),
        };
        let is_whole = share.points.len() == 1 + SECRET_BYTES;
        let is_known = (2..=SHARES_MAX).contains(&share.needed) && share.number() > 0;
        (is_whole && is_known)
            .then_some(share)
            .ok_or_else(malformed)
    }

    /// The line that its custodian keeps.
    pub fn to_line(&self) -> Zeroizing<String> {
        let set = URL_SAFE_NO_PAD.encode(self.set);
        let points = Zeroizing::new(URL_SAFE_NO_PAD.encode(&*self.points));
        let mut line = Zeroizing::new(String::with_capacity(128));
        let _ = write!(line, "{WORD}.{set}.{}.{}", self.needed, *points);
        let check = checksum(&line);
        let _ = write!(line, ".{check}");
        line
    }

    /// What tells its key from others without telling the key: 16 hexadecimal digits.
    pub fn key_id(&self) -> String {
        hexadecimal(&self.set)
    }

    /// SHA-256 of its line, in hexadecimal digits: it holds 256 random bits, so that nobody can try
    /// out what the hash stands for.
    pub fn digest(&self) -> String {
        hexadecimal(&sha256(self.to_line().as_bytes()))
    }

    /// How many shares make the key.
    pub fn needed(&self) -> u8 {
        self.needed
    }

    /// Its number among the shares of its key.
    pub fn number(&self) -> u8 {
        self.points.first().copied().unwrap_or(0)
    }
}

/// Splits a key into `shares` shares, any `needed` of which make it again: 2 to `shares` of at
/// most [`SHARES_MAX`].
pub(crate) fn split(secret: &[u8; 32], shares: u8, needed: u8) -> Result<Vec<Share>, Error> {
    if !(2..=shares).contains(&needed) || shares > SHARES_MAX {
        return Err(Error::ShareRefused {
            detail: "2 or more of at most 16 shares make a key",
        });
    }
    let set = identity(secret);
    let dealer = Sharks(needed);
    let mut generator = Generator;
    let dealt = dealer.dealer_rng(secret, &mut generator);
    let share = |points: Points| Share {
        set,
        needed,
        points: Zeroizing::new((&points).into()),
    };
    Ok(dealt.take(shares.into()).map(share).collect())
}

/// The key that shares make. Too few, of several keys or altered ones are refused.
pub fn join(shares: &[Share]) -> Result<Zeroizing<[u8; 32]>, Error> {
    let refused = |detail| Error::ShareRefused { detail };
    let first = shares
        .first()
        .ok_or_else(|| refused("no share was given"))?;
    if shares.iter().any(|share| share.set != first.set) {
        return Err(refused("the shares are of different keys"));
    }
    let numbered = shares.iter().map(|share| (share.number(), share));
    let different: BTreeMap<u8, &Share> = numbered.collect();
    if different.len() < first.needed.into() {
        return Err(Error::SharesTooFew {
            given: different.len(),
            needed: first.needed.into(),
        });
    }
    let points = different
        .values()
        .map(|share| Points::try_from(share.points.as_slice()));
    let points: Result<Vec<_>, _> = points.collect();
    let points = points.map_err(|_| refused("not the points of a share"))?;
    let sharks = Sharks(first.needed);
    let joined = sharks.recover(&points).map(Zeroizing::new);
    let joined = joined.map_err(|_| refused("the shares do not fit together"))?;
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    if joined.len() == SECRET_BYTES {
        secret.copy_from_slice(&joined);
    }
    match identity(&secret) == first.set {
        true => Ok(secret),
        false => Err(refused(
            "a share among them is wrong: they make another key",
        )),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What tells one key from another without telling the key: 64 bits of a hash of 256 random bits.
fn identity(secret: &[u8; 32]) -> [u8; SET_BYTES] {
    let hash = sha256(&[&b"paywarden share set"[..], secret].concat());
    let mut set = [0; SET_BYTES];
    set.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    set
}

fn checksum(said: &str) -> String {
    let hash = sha256(said.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.get(..CHECK_BYTES).unwrap_or_default())
}

/// The generator of the process in the form that the dealer asks for.
struct Generator;

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        random::fill(&mut bytes);
        Ok(u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        random::fill(&mut bytes);
        Ok(u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        random::fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Generator {}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 32] = *b"0123456789abcdef0123456789abcdef";

    fn copies(shares: &[Share], numbers: &[usize]) -> Vec<Share> {
        let copy = |number: &usize| Share::parse(&shares[*number].to_line()).unwrap();
        numbers.iter().map(copy).collect()
    }

    #[test]
    fn any_two_of_three_make_the_key_and_one_does_not() {
        let shares = split(&SECRET, 3, 2).unwrap();
        for pair in [[0, 1], [0, 2], [1, 2], [2, 0]] {
            assert_eq!(*join(&copies(&shares, &pair)).unwrap(), SECRET);
        }
        assert_eq!(*join(&shares).unwrap(), SECRET);
        for few in [&[1][..], &[1, 1], &[]] {
            assert!(join(&copies(&shares, few)).is_err(), "{few:?}");
        }
    }

    #[test]
    fn shares_of_two_keys_mistyped_and_altered_ones_are_refused() {
        let shares = split(&SECRET, 3, 2).unwrap();
        let other = split(&[7; 32], 3, 2).unwrap();
        let mixed = [copies(&shares, &[0]), copies(&other, &[1])].concat_shares();
        assert!(matches!(join(&mixed), Err(Error::ShareRefused { .. })));
        let line = shares[0].to_line();
        for place in [18, 30, 40, line.len() - 1] {
            let mut bytes = line.as_bytes().to_vec();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            assert!(
                Share::parse(std::str::from_utf8(&bytes).unwrap()).is_err(),
                "{place}"
            );
        }
        // Altered by somebody who makes the check fit again.
        let mut wrong = copies(&shares, &[0, 1]);
        wrong[0].points[5] ^= 1;
        let refusal = join(&wrong).err().unwrap().to_string();
        assert!(refusal.contains("another key"), "{refusal}");
        for (shares, needed) in [(3, 1), (2, 3), (17, 2), (0, 0)] {
            assert!(split(&SECRET, shares, needed).is_err());
        }
    }

    trait ConcatShares {
        fn concat_shares(self) -> Vec<Share>;
    }

    impl ConcatShares for [Vec<Share>; 2] {
        fn concat_shares(self) -> Vec<Share> {
            self.into_iter().flatten().collect()
        }
    }
}
