//! Links of questions: where the question is, a random part, and a signature over both.

use crate::Error;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use paywarden_crypto::{Keyring, keyring::PreparedIndex};
use paywarden_domain::{PaymentId, TenantId};
use zeroize::Zeroizing;

/// Bytes of each of the three parts.
const PART: usize = 16;

type Part = [u8; PART];

/// What a link holds: 64 characters of base64url. Whoever has it can answer.
pub struct Token(Zeroizing<String>);

impl Token {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes links and reads them.
pub(super) struct Links {
    places: PreparedIndex,
    signatures: PreparedIndex,
    secrets: PreparedIndex,
}

impl Links {
    pub(super) fn new(keyring: &Keyring) -> Result<Self, Error> {
        Ok(Self {
            places: keyring.index_for("confirmation place")?,
            signatures: keyring.index_for("confirmation signature")?,
            secrets: keyring.index_for("confirmation secret")?,
        })
    }

    /// Where the question of a payment is.
    pub(super) fn place(&self, tenant: &TenantId, payment: &PaymentId) -> Part {
        first(&self.places.of(tenant.as_str(), payment.as_str().as_bytes()))
    }

    /// A link to a place, and the keyed hash of its random part.
    pub(super) fn make(&self, place: Part, random: Part) -> (Token, [u8; 32]) {
        let signature = self.signature(&place, &random);
        let bytes = Zeroizing::new([place, random, signature].concat());
        let token = Token(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())));
        (token, self.secret(&place, &random))
    }

    /// The place that a link leads to, and the keyed hash of its random part; none if we have not
    /// made it.
    pub(super) fn read(&self, token: &str) -> Option<(Part, [u8; 32])> {
        let mut bytes = Zeroizing::new([0; 3 * PART]);
        let length = URL_SAFE_NO_PAD
            .decode_slice(token, bytes.as_mut_slice())
            .ok()?;
        let (parts, rest) = bytes.get(..length)?.as_chunks::<PART>();
        let ([place, random, signature], []) = (parts, rest) else {
            return None;
        };
        let secret = self.secret(place, random);
        // Hashes of both are compared, so that the time does not tell how much was right.
        let (made, given) = (self.signature(place, random), *signature);
        let fits = self.secret(place, &made) == self.secret(place, &given);
        fits.then_some((*place, secret))
    }

    fn signature(&self, place: &Part, random: &Part) -> Part {
        first(&self.signatures.of_parts(&[place, random]))
    }

    fn secret(&self, place: &Part, random: &Part) -> [u8; 32] {
        self.secrets.of_parts(&[place, random])
    }
}

/// The identifier of the record at a place.
pub(super) fn id(place: Part) -> String {
    let start = String::from("cnf_");
    place
        .iter()
        .fold(start, |id, byte| id + &format!("{byte:02x}"))
}

fn first(bytes: &[u8; 32]) -> Part {
    let mut part = [0; PART];
    part.iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
    part
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn links() -> Links {
        Links::new(&Keyring::of_master(&[3; 32])).unwrap()
    }

    fn place(links: &Links, payment: &str) -> Part {
        let tenant = TenantId::parse("acme").unwrap();
        links.place(&tenant, &PaymentId::parse(payment).unwrap())
    }

    #[test]
    fn a_link_leads_to_its_place_and_nothing_else_does() {
        let links = links();
        let (one, other) = (place(&links, "p1"), place(&links, "p2"));
        assert_ne!(one, other);
        let (token, secret) = links.make(one, [9; PART]);
        assert_eq!(token.as_str().len(), 64);
        assert_eq!(links.read(token.as_str()), Some((one, secret)));
        let strangers = Links::new(&Keyring::ephemeral()).unwrap();
        assert_eq!(strangers.read(token.as_str()), None);
        for made_up in [
            "",
            "a",
            "====",
            &"A".repeat(64),
            &format!("{}A", token.as_str()),
        ] {
            assert_eq!(links.read(made_up), None, "{made_up}");
        }
    }

    proptest! {
        #[test]
        fn no_changed_bit_is_believed(random: Part, bit in 0..384_usize) {
            let links = links();
            let (token, _) = links.make(place(&links, "p1"), random);
            let mut bytes = URL_SAFE_NO_PAD.decode(token.as_str()).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(links.read(&URL_SAFE_NO_PAD.encode(bytes)), None);
        }
    }
}
