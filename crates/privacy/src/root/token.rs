//! A key in a token of an HSM, by PKCS#11: AES-256-GCM with a key that does not leave it. Libraries
//! of tokens are not to be called by several threads at once: one thread owns the session, and all
//! others ask it. A session that fails is thrown away; the next call opens another.

use super::RootError;
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    mechanism::{Mechanism, aead::GcmParams},
    object::{Attribute, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use paywarden_crypto::random;
use std::{
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};
use tokio::{sync::oneshot, time::timeout};
use zeroize::Zeroizing;

/// How long a call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);
/// Calls that may wait.
const QUEUE_MAX: usize = 64;
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
const TAG_BITS: u64 = 128;

/// A key in a token.
pub struct Token {
    name: String,
    calls: mpsc::SyncSender<Call>,
}

/// What an operator sets.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// The library of the token, such as `/usr/lib/softhsm/libsofthsm2.so`.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The label of the key; it is made if it is not there.
    pub key: String,
    /// The file that holds the PIN of the user.
    pub pin_file: PathBuf,
}

struct Call {
    seals: bool,
    place: String,
    bytes: Zeroizing<Vec<u8>>,
    answer: oneshot::Sender<Result<Zeroizing<Vec<u8>>, RootError>>,
}

/// A session of the user, and the key.
struct Open {
    session: Session,
    key: ObjectHandle,
}

impl Token {
    /// Loads the library. The session is opened by the first call, and anew after a failure.
    pub fn new(settings: TokenSettings) -> Result<Self, RootError> {
        let module = load(&settings.module)?;
        let name = format!("pkcs11 token={} key={}", settings.token, settings.key);
        let (calls, waiting) = mpsc::sync_channel(QUEUE_MAX);
        let owner = Owner {
            module: Some(module),
            settings,
            open: None,
            wrong_pin: None,
        };
        let thread = thread::Builder::new().name("root token".to_owned());
        let begun = thread.spawn(move || owner.serve(&waiting));
        begun.map_err(|error| RootError::File(error.to_string()))?;
        Ok(Self { name, calls })
    }

    /// What it is.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    pub(super) async fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, RootError> {
        self.call(true, place, plain)
            .await
            .map(|sealed| sealed.to_vec())
    }

    pub(super) async fn open(
        &self,
        place: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, RootError> {
        self.call(false, place, sealed).await
    }

    async fn call(
        &self,
        seals: bool,
        place: &str,
        bytes: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, RootError> {
        let gone = |why: &str| RootError::Gone(why.to_owned());
        let (answer, answered) = oneshot::channel();
        let call = Call {
            seals,
            place: place.to_owned(),
            bytes: Zeroizing::new(bytes.to_vec()),
            answer,
        };
        let sent = self.calls.try_send(call);
        sent.map_err(|_| gone("too many calls wait for it"))?;
        match timeout(CALL_TIMEOUT, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(gone("the call was dropped")),
            Err(_) => Err(gone("no answer within three seconds")),
        }
    }
}

/// Who owns the library: the thread of the token.
struct Owner {
    /// The library; none after a failure: many know of a token that comes back only when they begin
    /// anew.
    module: Option<Pkcs11>,
    settings: TokenSettings,
    open: Option<Open>,
    /// A PIN that was wrong. It is not tried again: tokens lock themselves after a few.
    wrong_pin: Option<Zeroizing<String>>,
}

impl Owner {
    /// Answers calls one after the other until nobody can ask any more.
    fn serve(mut self, calls: &mpsc::Receiver<Call>) {
        for call in calls {
            let answer = self.answer(&call);
            if matches!(answer, Err(RootError::Gone(_))) {
                self.open = None;
                // What it says about its end changes nothing.
                let _ = self.module.take().map(Pkcs11::finalize);
            }
            // Whoever asked may have stopped waiting.
            let _ = call.answer.send(answer);
        }
    }

    fn answer(&mut self, call: &Call) -> Result<Zeroizing<Vec<u8>>, RootError> {
        if self.open.is_none() {
            self.open = Some(self.open_session()?);
        }
        let gone = || RootError::Gone("no session".to_owned());
        let open = self.open.as_ref().ok_or_else(gone)?;
        match call.seals {
            true => seal(open, &call.place, &call.bytes),
            false => unseal(open, &call.place, &call.bytes),
        }
    }

    fn open_session(&mut self) -> Result<Open, RootError> {
        let module = match self.module.take() {
            Some(module) => module,
            None => load(&self.settings.module)?,
        };
        let module = self.module.insert(module);
        let slots = module.get_slots_with_token();
        let slots = slots.map_err(|error| failed(&error))?;
        let is_ours = |slot: &Slot| {
            let token = module.get_token_info(*slot);
            token.is_ok_and(|token| token.label() == self.settings.token)
        };
        let slot = slots.into_iter().find(is_ours);
        let slot = slot.ok_or_else(|| RootError::Gone("no token has its label".to_owned()))?;
        let session = module.open_rw_session(slot);
        let session = session.map_err(|error| failed(&error))?;
        self.log_in(&session)?;
        let key = key(&session, &self.settings.key)?;
        Ok(Open { session, key })
    }

    fn log_in(&mut self, session: &Session) -> Result<(), RootError> {
        let file = &self.settings.pin_file;
        let pin = std::fs::read_to_string(file).map(Zeroizing::new);
        let pin = pin.map_err(|error| RootError::File(format!("{}: {error}", file.display())))?;
        if self.wrong_pin.as_ref() == Some(&pin) {
            let why = "the PIN was wrong, and is not tried again: correct its file";
            return Err(RootError::Refused(why.to_owned()));
        }
        let secret = AuthPin::new(pin.trim().into());
        match session.login(UserType::User, Some(&secret)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(error) => {
                let error = failed(&error);
                if matches!(error, RootError::Refused(_)) {
                    self.wrong_pin = Some(pin);
                }
                Err(error)
            }
        }
    }
}

/// Version, nonce, ciphertext, tag.
fn seal(open: &Open, place: &str, plain: &[u8]) -> Result<Zeroizing<Vec<u8>>, RootError> {
    let mut nonce = [0; NONCE_BYTES];
    random::fill(&mut nonce);
    let mut sealed = vec![VERSION];
    sealed.extend_from_slice(&nonce);
    let mechanism = gcm(&mut nonce, place)?;
    let body = open.session.encrypt(&mechanism, open.key, plain);
    sealed.extend(body.map_err(|error| failed(&error))?);
    Ok(Zeroizing::new(sealed))
}

fn unseal(open: &Open, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, RootError> {
    let head = sealed.split_at_checked(1 + NONCE_BYTES);
    let ([VERSION, nonce @ ..], body) = head.ok_or(RootError::Damaged)? else {
        return Err(RootError::Damaged);
    };
    let mut nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| RootError::Damaged)?;
    let mechanism = gcm(&mut nonce, place)?;
    match open.session.decrypt(&mechanism, open.key, body) {
        Ok(plain) => Ok(Zeroizing::new(plain)),
        // Tokens differ in what they call a tag that does not fit.
        Err(Error::Pkcs11(
            RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange | RvError::GeneralError,
            _,
        )) if is_there(open) => Err(RootError::Damaged),
        Err(error) => Err(failed(&error)),
    }
}

fn gcm<'a>(nonce: &'a mut [u8], place: &'a str) -> Result<Mechanism<'a>, RootError> {
    let tag_bits = TAG_BITS.into();
    let parameters = GcmParams::new(nonce, place.as_bytes(), tag_bits);
    parameters
        .map(Mechanism::AesGcm)
        .map_err(|error| failed(&error))
}

/// Whether the token still knows the key.
fn is_there(open: &Open) -> bool {
    let attributes = [cryptoki::object::AttributeType::Label];
    open.session.get_attributes(open.key, &attributes).is_ok()
}

/// The key with this label, made if there is none.
fn key(session: &Session, label: &str) -> Result<ObjectHandle, RootError> {
    let label = Attribute::Label(label.as_bytes().to_vec());
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        label.clone(),
    ];
    let found = session
        .find_objects(&template)
        .map_err(|error| failed(&error))?;
    match found.as_slice() {
        [key] => Ok(*key),
        [] => {
            let template = [
                label,
                Attribute::Token(true),
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Encrypt(true),
                Attribute::Decrypt(true),
                Attribute::ValueLen(32.into()),
            ];
            let made = session.generate_key(&Mechanism::AesKeyGen, &template);
            made.map_err(|error| failed(&error))
        }
        _ => Err(RootError::Refused(
            "several keys have this label".to_owned(),
        )),
    }
}

/// What the token cannot do now, and what it does not let us do.
fn failed(error: &Error) -> RootError {
    match error {
        Error::Pkcs11(
            refused @ (RvError::PinIncorrect
            | RvError::PinInvalid
            | RvError::PinLenRange
            | RvError::PinExpired
            | RvError::PinLocked
            | RvError::KeyFunctionNotPermitted
            | RvError::KeyTypeInconsistent
            | RvError::MechanismInvalid
            | RvError::TokenWriteProtected
            | RvError::UserPinNotInitialized),
            _,
        ) => RootError::Refused(refused.to_string()),
        other => RootError::Gone(other.to_string()),
    }
}

fn load(path: &Path) -> Result<Pkcs11, RootError> {
    let module = Pkcs11::new(path).map_err(|error| unusable(path, &error))?;
    let flags = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
    match module.initialize(flags) {
        // Another key of the same library is in use: while a root is being changed.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(module),
        Err(error) => Err(unusable(path, &error)),
    }
}

fn unusable(module: &Path, error: &Error) -> RootError {
    RootError::File(format!("{}: {error}", module.display()))
}
