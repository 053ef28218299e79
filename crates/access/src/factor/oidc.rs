//! OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636, S256), by the library
//! `openidconnect`; RFC 9207 against mix-up.
//!
//! What a provider says of itself is read once an hour, and once more, at most once a minute, when
//! a token is signed with a key that is not known yet.

mod asking;

use super::provider::{Identity, ProviderSettings, SignOnAnswer};
use crate::staff::Error;
use asking::Http;
use openidconnect::{
    AdditionalProviderMetadata, AuthType, AuthenticationContextClass, AuthenticationFlow,
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenVerifier, IssuerUrl, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl, Scope,
    SignatureVerificationError, TokenResponse,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
        CoreGrantType, CoreIdTokenClaims, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType,
        CoreSubjectIdentifierType, CoreTokenResponse,
    },
};
use paywarden_crypto::digest::sha256;
use paywarden_domain::{
    Timestamp,
    time::{HOUR, MINUTE, SECOND},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::Mutex;

/// How long what a provider says of itself is believed, in microseconds.
const METADATA_US: u64 = HOUR as u64;
/// A key that is not known is looked for at most so often, in microseconds.
const REFRESH_US: u64 = MINUTE as u64;
/// A provider that gave no answer is not asked again for so long, in microseconds.
const PAUSE_US: u64 = 5 * SECOND as u64;
/// How long ago a person may have proved to the provider who they are: as fresh as a factor here.
const AUTHENTICATED_US_MAX: i64 = 5 * MINUTE;
/// How far clocks may be apart, in microseconds.
const SKEW_US: i64 = MINUTE;
/// Signatures that are taken: asymmetric ones without SHA-1.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 5] = [
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
];

/// What RFC 9207 adds to what a provider says of itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct MixUp {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for MixUp {}

type Metadata = ProviderMetadata<
    MixUp,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What only we know of a sign-on under way.
pub(super) struct Secrets {
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// A provider that we rely on.
pub(super) struct Party {
    settings: ProviderSettings,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    http: Http,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    metadata: Option<Metadata>,
    read_us: u64,
    failed_us: Option<u64>,
}

impl Party {
    /// A provider that sends people back to this address.
    pub(super) fn new(settings: &ProviderSettings, address: &str) -> Result<Self, &'static str> {
        if !asking::may_ask(&settings.issuer) {
            return Err("its issuer is an address over HTTPS, or on this machine");
        }
        let issuer = IssuerUrl::new(settings.issuer.clone());
        let redirect = RedirectUrl::new(address.to_owned());
        Ok(Self {
            settings: settings.clone(),
            issuer: issuer.map_err(|_| "its issuer is not an address")?,
            redirect: redirect.map_err(|_| "`origin` is not an address")?,
            http: Http::new(settings.ca_pem.as_deref())?,
            known: Mutex::default(),
        })
    }

    /// Where to send a browser, and what must come back with it.
    pub(super) async fn authorize(&self, now_us: u64) -> Result<(String, Secrets), Error> {
        let client = self.client(self.metadata(now_us, METADATA_US).await?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let scopes = self.settings.scopes.iter().cloned().map(Scope::new);
        let classes = self.settings.cryptographic_acr.iter().cloned();
        let fresh = Duration::from_micros(AUTHENTICATED_US_MAX.unsigned_abs());
        let request = classes.map(AuthenticationContextClass::new).fold(
            request,
            openidconnect::AuthorizationRequest::add_auth_context_value,
        );
        let (address, state, nonce) = request
            .add_scopes(scopes)
            .set_max_age(fresh)
            .set_pkce_challenge(challenge)
            .url();
        let secrets = Secrets {
            state,
            nonce,
            verifier,
        };
        Ok((address.to_string(), secrets))
    }

    /// Who it is, by what the provider answers to the code.
    pub(super) async fn redeem(
        &self,
        answer: SignOnAnswer<'_>,
        secrets: Secrets,
        (now, now_us): (Timestamp, u64),
    ) -> Result<Identity, Error> {
        let metadata = self.metadata(now_us, METADATA_US).await?;
        self.check_origin_of(answer, &secrets, &metadata)?;
        let client = self.client(metadata);
        let tokens = self
            .exchange(&client, answer.code, secrets.verifier)
            .await?;
        match self.claims(&client, &tokens, &secrets.nonce, now) {
            Err(error) if is_key_unknown(&error) => {
                let client = self.client(self.metadata(now_us, REFRESH_US).await?);
                let claims = self.claims(&client, &tokens, &secrets.nonce, now);
                self.identity(&claims.map_err(|error| self.refused(&error))?, now)
            }
            claims => self.identity(&claims.map_err(|error| self.refused(&error))?, now),
        }
    }

    /// The answer must be to our question, and of the provider that we asked.
    fn check_origin_of(
        &self,
        answer: SignOnAnswer<'_>,
        secrets: &Secrets,
        metadata: &Metadata,
    ) -> Result<(), Error> {
        // Hashes are compared, so that the time does not tell how much was right.
        if sha256(answer.state.as_bytes()) != sha256(secrets.state.secret().as_bytes()) {
            return Err(self.refused(&"another state"));
        }
        let says = metadata.additional_metadata();
        match answer.issuer {
            Some(issuer) if issuer == self.issuer.as_str() => Ok(()),
            None if !says.authorization_response_iss_parameter_supported => Ok(()),
            _ => Err(self.refused(&"the answer is of another issuer")),
        }
    }

    async fn exchange(
        &self,
        client: &Client,
        code: &str,
        verifier: PkceCodeVerifier,
    ) -> Result<CoreTokenResponse, Error> {
        let code = AuthorizationCode::new(code.to_owned());
        let request = client.exchange_code(code);
        let request = request.map_err(|error| self.silent(&error))?;
        let answer = request
            .set_pkce_verifier(verifier)
            .request_async(&self.http)
            .await;
        answer.map_err(|error| match error {
            openidconnect::RequestTokenError::Request(error) => self.silent(&error),
            other => self.refused(&other),
        })
    }

    /// What the token says, if it holds: signature, issuer, audience, times, nonce, and that the
    /// person has proved who they are just now.
    fn claims(
        &self,
        client: &Client,
        tokens: &CoreTokenResponse,
        nonce: &Nonce,
        now: Timestamp,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let missing = || ClaimsVerificationError::Other("there is no ID token".to_owned());
        let token = tokens.id_token().ok_or_else(missing)?;
        let verifier = timed(client.id_token_verifier(), now);
        token.claims(&verifier, nonce).cloned()
    }

    fn identity(&self, claims: &CoreIdTokenClaims, now: Timestamp) -> Result<Identity, Error> {
        let subject = claims.subject().as_str();
        if !(1..=super::provider::SUBJECT_BYTES_MAX).contains(&subject.len()) {
            return Err(self.refused(&"the subject is empty or too long"));
        }
        let ProviderSettings {
            cryptographic_amr,
            cryptographic_acr,
            ..
        } = &self.settings;
        let mut methods = claims.auth_method_refs().into_iter().flatten();
        let class = claims.auth_context_ref();
        let by_method = methods.any(|one| cryptographic_amr.iter().any(|known| *known == **one));
        let by_class =
            class.is_some_and(|one| cryptographic_acr.iter().any(|known| *known == **one));
        Ok(Identity {
            issuer: self.settings.issuer.clone(),
            subject: subject.to_owned(),
            bound_at: now,
            suffices: by_method || by_class,
        })
    }

    /// What the provider says of itself, read not longer than `age_us` ago.
    async fn metadata(&self, now_us: u64, age_us: u64) -> Result<Metadata, Error> {
        let mut known = self.known.lock().await;
        let age = now_us.saturating_sub(known.read_us);
        if let Some(metadata) = known.metadata.as_ref().filter(|_| age < age_us) {
            return Ok(metadata.clone());
        }
        if known
            .failed_us
            .is_some_and(|at| now_us.saturating_sub(at) < PAUSE_US)
        {
            return Err(Error::ProviderUnavailable);
        }
        match Metadata::discover_async(self.issuer.clone(), &self.http).await {
            Ok(metadata) => {
                *known = Known {
                    metadata: Some(metadata.clone()),
                    read_us: now_us,
                    failed_us: None,
                };
                Ok(metadata)
            }
            Err(error) => {
                known.failed_us = Some(now_us);
                Err(self.silent(&error))
            }
        }
    }

    fn client(&self, metadata: Metadata) -> Client {
        let methods = metadata.token_endpoint_auth_methods_supported();
        let basic = CoreClientAuthMethod::ClientSecretBasic;
        let is_basic = methods.is_none_or(|methods| methods.contains(&basic));
        let secret = self.settings.secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.to_string()));
        let id = ClientId::new(self.settings.client_id.clone());
        CoreClient::from_provider_metadata(metadata, id, secret)
            .set_redirect_uri(self.redirect.clone())
            .set_auth_type(match is_basic {
                true => AuthType::BasicAuth,
                false => AuthType::RequestBody,
            })
    }

    fn refused(&self, why: &dyn std::fmt::Display) -> Error {
        let provider = &self.settings.id;
        tracing::warn!(provider, why = %why, "sign-on refused");
        Error::ProviderRefused
    }

    fn silent(&self, error: &dyn std::error::Error) -> Error {
        let provider = &self.settings.id;
        let cause = error.source().map(ToString::to_string);
        tracing::warn!(provider, %error, cause, "provider unavailable");
        Error::ProviderUnavailable
    }
}

/// A verifier that takes these algorithms only and knows what time it is.
fn timed(
    verifier: IdTokenVerifier<'_, CoreJsonWebKey>,
    now: Timestamp,
) -> IdTokenVerifier<'_, CoreJsonWebKey> {
    let at = move |micros: i64| {
        chrono::DateTime::from_timestamp_micros(micros).unwrap_or(chrono::DateTime::UNIX_EPOCH)
    };
    let (soon, past) = (
        at(now.micros().saturating_add(SKEW_US)),
        at(now.micros() - AUTHENTICATED_US_MAX - SKEW_US),
    );
    let within = move |time: chrono::DateTime<chrono::Utc>| match past <= time && time <= soon {
        true => Ok(()),
        false => Err("it lies too far from now".to_owned()),
    };
    verifier
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || at(now.micros()))
        .set_issue_time_verifier_fn(within)
        .set_auth_time_verifier_fn(move |time| {
            time.map_or_else(|| Err("it is not said".to_owned()), within)
        })
}

fn is_key_unknown(error: &ClaimsVerificationError) -> bool {
    let unknown = SignatureVerificationError::NoMatchingKey;
    matches!(error, ClaimsVerificationError::SignatureVerification(cause) if *cause == unknown)
}
