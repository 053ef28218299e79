//! Clear personal data, in the only type that may hold it.

use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize, Zeroizing};

/// A clear value.
///
/// *Invariant*: it has no `Debug`, no `Display` and no `Serialize`, and is zeroed when it is
/// dropped. Whoever shows it to somebody calls [`Plain::expose`] where that happens.
///
/// ```compile_fail
/// let plain = paywarden_privacy::Plain::from("4012888888881881".to_owned());
/// println!("{plain:?}");
/// ```
///
/// ```compile_fail
/// let plain = paywarden_privacy::Plain::from("4012888888881881".to_owned());
/// println!("{plain}");
/// ```
///
/// ```compile_fail
/// let plain = paywarden_privacy::Plain::from("4012888888881881".to_owned());
/// let _ = serde_json::to_string(&plain);
/// ```
pub struct Plain<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Plain<T> {
    /// The clear value, for whoever may see it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> From<T> for Plain<T> {
    fn from(value: T) -> Self {
        Self(Zeroizing::new(value))
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Plain<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}
