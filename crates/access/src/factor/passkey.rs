//! Passkeys (W3C WebAuthn level 3): user verification is always asked for, so that one passkey is
//! a device and what unlocks it.

use super::ceremony::{CEREMONY_US, Ceremonies};
use crate::{Network, staff::Error};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use paywarden_crypto::random;
use paywarden_domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use utoipa::ToSchema;
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{
        AuthenticationResult, Passkey, PasskeyAuthentication, PasskeyRegistration,
        PublicKeyCredential, RegisterPublicKeyCredential, Url, Uuid,
    },
};

/// The longest name of a passkey, in bytes.
pub const NAME_BYTES_MAX: usize = 100;
const RP_NAME: &str = "Paywarden";
const ORIGIN_DEFAULT: &str = "https://localhost";

/// A passkey with the name that its owner gave it.
#[derive(Clone, Serialize, Deserialize)]
pub struct NamedPasskey {
    pub(crate) name: String,
    pub(crate) added_at: Timestamp,
    pub(crate) key: Passkey,
}

/// A challenge for the browser.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PasskeyChallenge)]
pub struct Challenge {
    /// Give it with the answer; good for five minutes and one answer.
    pub ceremony: String,
    /// For `navigator.credentials.get` or `.create`, as JSON (W3C WebAuthn level 3).
    #[schema(value_type = Object)]
    pub options: Value,
}

/// Begins and ends ceremonies.
pub(crate) struct PasskeyDesk {
    webauthn: Webauthn,
    rp_id: String,
    open: Ceremonies<What>,
}

enum What {
    Register(String, Box<PasskeyRegistration>),
    /// None for a name that has no passkey: it is answered like one that has.
    Authenticate(Option<(String, Box<PasskeyAuthentication>)>),
}

/// Whose account a person says it is, and how the browser is to call it.
pub(crate) struct Holder<'a> {
    pub(crate) account: &'a str,
    pub(crate) login: &'a str,
    pub(crate) name: &'a str,
    /// 16 bytes that stand for the account and tell nothing of it.
    pub(crate) handle: [u8; 16],
    pub(crate) passkeys: &'a [NamedPasskey],
}

impl PasskeyDesk {
    /// Passkeys for pages of this origin, or of `localhost` at any port when none is given.
    pub(crate) fn new(origin: Option<&str>) -> Result<Self, Error> {
        let text = origin.unwrap_or(ORIGIN_DEFAULT);
        let refused = || Error::Origin(text.to_owned());
        let url = Url::parse(text).map_err(|_| refused())?;
        let rp_id = url.domain().ok_or_else(refused)?.to_owned();
        if url.scheme() != "https" || url.origin().ascii_serialization() != text {
            return Err(refused());
        }
        let webauthn = WebauthnBuilder::new(&rp_id, &url)
            .map(|builder| builder.rp_name(RP_NAME).allow_any_port(origin.is_none()))
            .map(|builder| builder.timeout(Duration::from_micros(CEREMONY_US)))
            .and_then(WebauthnBuilder::build)
            .map_err(|_| refused())?;
        Ok(Self {
            webauthn,
            rp_id,
            open: Ceremonies::default(),
        })
    }

    pub(crate) fn register(
        &self,
        holder: &Holder<'_>,
        network: Network,
        now_us: u64,
    ) -> Result<Challenge, Error> {
        let known = holder.passkeys.iter().map(|key| key.key.cred_id().clone());
        let handle = Uuid::from_bytes(holder.handle);
        let begun = self.webauthn.start_passkey_registration(
            handle,
            holder.login,
            holder.name,
            Some(known.collect()),
        );
        let (options, state) = begun.map_err(|_| Error::Internal("no challenge was made"))?;
        let what = What::Register(holder.account.to_owned(), Box::new(state));
        let options = serde_json::to_value(options);
        self.begin(network, now_us, what, options.unwrap_or_default())
    }

    /// The passkey that answers a registration of this account.
    pub(crate) fn registered(
        &self,
        account: &str,
        ceremony: &str,
        answer: &Value,
        now_us: u64,
    ) -> Result<Passkey, Error> {
        let Some(What::Register(owner, state)) = self.open.end(ceremony, now_us) else {
            return Err(Error::CeremonyUnknown);
        };
        if owner != account {
            return Err(Error::CeremonyUnknown);
        }
        let answer = RegisterPublicKeyCredential::deserialize(answer);
        let answer = answer.map_err(|_| Error::PasskeyRefused)?;
        let registered = self.webauthn.finish_passkey_registration(&answer, &state);
        registered.map_err(|_| Error::PasskeyRefused)
    }

    /// A challenge for the passkeys of an account. Without an account, or without passkeys, it is
    /// one for a passkey that does not exist: `decoy` is its identifier.
    pub(crate) fn authenticate(
        &self,
        account: Option<(&str, &[NamedPasskey])>,
        decoy: [u8; 32],
        network: Network,
        now_us: u64,
    ) -> Result<Challenge, Error> {
        let Some((account, passkeys)) = account.filter(|(_, passkeys)| !passkeys.is_empty()) else {
            let options = self.decoy(decoy);
            return self.begin(network, now_us, What::Authenticate(None), options);
        };
        let keys: Vec<Passkey> = passkeys.iter().map(|named| named.key.clone()).collect();
        let begun = self.webauthn.start_passkey_authentication(&keys);
        let (options, state) = begun.map_err(|_| Error::Internal("no challenge was made"))?;
        let what = What::Authenticate(Some((account.to_owned(), Box::new(state))));
        let mut options = serde_json::to_value(options).unwrap_or_default();
        let allowed = options.pointer_mut("/publicKey/allowCredentials");
        for credential in allowed.and_then(Value::as_array_mut).into_iter().flatten() {
            // How a passkey is reached would tell it from one that does not exist.
            if let Some(members) = credential.as_object_mut() {
                members.remove("transports");
            }
        }
        self.begin(network, now_us, what, options)
    }

    /// The account whose passkey answered, and what the passkey said.
    pub(crate) fn authenticated(
        &self,
        ceremony: &str,
        answer: &Value,
        now_us: u64,
    ) -> Result<(String, AuthenticationResult), Error> {
        let Some(What::Authenticate(begun)) = self.open.end(ceremony, now_us) else {
            return Err(Error::CeremonyUnknown);
        };
        let (account, state) = begun.ok_or(Error::SignInRefused)?;
        let answer = PublicKeyCredential::deserialize(answer);
        let answer = answer.map_err(|_| Error::SignInRefused)?;
        let result = self.webauthn.finish_passkey_authentication(&answer, &state);
        match result {
            Ok(result) if result.user_verified() => Ok((account, result)),
            _ => Err(Error::SignInRefused),
        }
    }

    fn decoy(&self, id: [u8; 32]) -> Value {
        let mut challenge = [0; 32];
        random::fill(&mut challenge);
        json!({ "publicKey": {
            "challenge": URL_SAFE_NO_PAD.encode(challenge),
            "timeout": CEREMONY_US / 1_000,
            "rpId": self.rp_id,
            "allowCredentials": [{ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(id) }],
            "userVerification": "required",
        } })
    }

    fn begin(
        &self,
        network: Network,
        now_us: u64,
        what: What,
        options: Value,
    ) -> Result<Challenge, Error> {
        let ceremony = self.open.begin(network, now_us, what);
        Ok(Challenge { ceremony, options })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_https_and_a_domain_and_nothing_more() {
        for origin in [
            None,
            Some("https://pay.example.com"),
            Some("https://localhost:8443"),
        ] {
            assert!(PasskeyDesk::new(origin).is_ok(), "{origin:?}");
        }
        for origin in [
            "http://localhost",
            "https://127.0.0.1",
            "https://pay.example.com/",
            "https://pay.example.com/a",
            "pay.example.com",
            "",
        ] {
            let refused = PasskeyDesk::new(Some(origin));
            assert!(matches!(refused.err(), Some(Error::Origin(_))), "{origin}");
        }
    }
}
