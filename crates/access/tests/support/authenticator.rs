//! An authenticator in software: makes passkeys (ES256, attestation `none`) and answers challenges
//! as a browser with a device would.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const WITH_KEY: u8 = 0x40;

/// A device with its passkeys.
pub struct Authenticator {
    pub origin: String,
    /// Whether it says that its user unlocked it.
    pub verifies: bool,
    pub counter: u32,
    passkeys: Vec<(Vec<u8>, EcdsaKeyPair)>,
}

impl Authenticator {
    pub fn new(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            verifies: true,
            counter: 0,
            passkeys: Vec::new(),
        }
    }

    /// What `navigator.credentials.create` would give.
    pub fn create(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let id = vec![self.passkeys.len() as u8; 16]
            .into_iter()
            .chain(key.public_key().as_ref()[1..17].iter().copied())
            .collect::<Vec<u8>>();
        let (x, y) = key.public_key().as_ref()[1..].split_at(32);
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), WITH_KEY);
        data.extend([0; 16]);
        data.extend((id.len() as u16).to_be_bytes());
        data.extend(&id);
        // COSE_Key (RFC 9052): EC2, ES256, P-256.
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(x);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(y);
        let mut object = vec![0xa3];
        object.extend(b"\x63fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(&data);
        self.passkeys.push((id.clone(), key));
        json!({
            "id": text(&id), "rawId": text(&id), "type": "public-key", "extensions": {},
            "response": {
                "attestationObject": text(&object),
                "clientDataJSON": text(&self.client_data("webauthn.create", options)),
            },
        })
    }

    /// What `navigator.credentials.get` would give: by the first passkey that is allowed.
    pub fn get(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        let allowed = options["allowCredentials"].as_array().unwrap();
        let is_allowed = |id: &[u8]| allowed.iter().any(|one| one["id"] == text(id).as_str());
        let place = self.passkeys.iter().position(|(id, _)| is_allowed(id));
        self.answer(options, place.unwrap())
    }

    /// An answer by a passkey, allowed or not.
    pub fn get_by(&mut self, options: &Value, place: usize) -> Value {
        self.answer(&options["publicKey"], place)
    }

    fn answer(&mut self, options: &Value, place: usize) -> Value {
        self.counter += 1;
        let data = self.data(options["rpId"].as_str().unwrap(), 0);
        let client_data = self.client_data("webauthn.get", options);
        let (id, key) = &self.passkeys[place];
        let signed = [&data[..], digest(&SHA256, &client_data).as_ref()].concat();
        let signature = key.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": text(id), "rawId": text(id), "type": "public-key", "extensions": {},
            "response": {
                "authenticatorData": text(&data),
                "clientDataJSON": text(&client_data),
                "signature": text(signature.as_ref()),
                "userHandle": null,
            },
        })
    }

    fn data(&self, rp_id: &str, flags: u8) -> Vec<u8> {
        let verified = if self.verifies { USER_VERIFIED } else { 0 };
        let mut data = digest(&SHA256, rp_id.as_bytes()).as_ref().to_vec();
        data.push(flags | USER_PRESENT | verified);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        json!({
            "type": kind, "challenge": options["challenge"], "origin": self.origin,
            "crossOrigin": false,
        })
        .to_string()
        .into_bytes()
    }
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
