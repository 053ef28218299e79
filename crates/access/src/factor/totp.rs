//! Codes of authenticator applications (RFC 6238): six digits, 30 seconds, each taken once.

use crate::staff::Error;
use paywarden_crypto::random;
use paywarden_domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

const SECRET_BYTES: usize = 20;
const STEP_SECONDS: u64 = 30;
/// Steps that a clock may be off, either way.
const SKEW_STEPS: u16 = 1;
const ISSUER: &str = "Paywarden";

/// An authenticator application, as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub struct TotpState {
    secret: Zeroizing<Vec<u8>>,
    /// The step of the last code taken; none at or before it is taken again, also when the clock
    /// goes back.
    last_step: u64,
}

/// What an authenticator application needs, shown once.
pub struct TotpSetup {
    /// The secret in base 32, for typing.
    pub secret: Zeroizing<String>,
    /// The same as an `otpauth:` address, for a picture.
    pub address: Zeroizing<String>,
}

impl TotpState {
    /// A fresh secret.
    pub(crate) fn generate() -> Self {
        let mut secret = Zeroizing::new(vec![0; SECRET_BYTES]);
        random::fill(&mut secret);
        Self {
            secret,
            last_step: 0,
        }
    }

    /// Takes a code if it is right, not older than the last one taken, and of now.
    pub(crate) fn take(&mut self, code: &str, now: Timestamp) -> Result<(), Error> {
        let now_s = u64::try_from(now.seconds()).unwrap_or(0);
        let step = self.machine()?.check(code, now_s);
        let step = step.filter(|step| *step > self.last_step);
        self.last_step = step.ok_or(Error::CodeRefused)?;
        Ok(())
    }

    /// What the application needs; `login` is what it shows.
    pub(crate) fn setup(&self, login: &str) -> TotpSetup {
        let secret = Zeroizing::new(Secret::from(self.secret.to_vec()).to_base32());
        let label = encoded(login);
        let address = format!(
            "otpauth://totp/{ISSUER}:{label}?secret={}&issuer={ISSUER}&algorithm=SHA1&digits=6\
             &period={STEP_SECONDS}",
            secret.as_str()
        );
        TotpSetup {
            secret,
            address: Zeroizing::new(address),
        }
    }

    fn machine(&self) -> Result<Totp, Error> {
        Builder::new()
            .with_secret(self.secret.to_vec())
            .with_skew(SKEW_STEPS)
            .with_step_duration(STEP_SECONDS)
            .with_digits(6)
            .build()
            .map_err(|_| Error::Internal("an authenticator secret is not usable"))
    }
}

/// The code that an application shows at a moment for a secret in base 32: for programs that stand in
/// for people.
pub fn code(secret: &str, now: Timestamp) -> Option<String> {
    let secret = Secret::try_from_base32(secret).ok()?;
    let machine = Builder::new().with_secret(secret).build().ok()?;
    let now_s = u64::try_from(now.seconds()).ok()?;
    Some(machine.generate(now_s).to_string())
}

/// Percent-encoded (RFC 3986), all but unreserved characters.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn state(secret: &[u8]) -> TotpState {
        TotpState {
            secret: Zeroizing::new(secret.to_vec()),
            last_step: 0,
        }
    }

    /// RFC 6238, appendix B, SHA-1, the last six of its eight digits.
    #[test]
    fn the_codes_of_the_standard_are_taken() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let mut state = state(b"12345678901234567890");
            state.take(code, at(seconds)).unwrap();
        }
    }

    #[test]
    fn a_code_is_taken_once_and_none_before_it_afterwards_even_if_the_clock_goes_back() {
        let mut state = state(b"12345678901234567890");
        state.take("050471", at(1_111_111_111)).unwrap();
        for (code, seconds) in [
            ("050471", 1_111_111_112),
            ("081804", 1_111_111_111),
            ("081804", 1_111_111_109),
            ("287082", 59),
        ] {
            assert!(state.take(code, at(seconds)).is_err(), "{code} {seconds}");
        }
    }

    #[test]
    fn a_clock_may_be_off_by_one_step_and_no_more() {
        for (off, taken) in [(-60, false), (-30, true), (30, true), (60, false)] {
            let mut state = state(b"12345678901234567890");
            let result = state.take("005924", at(1_234_567_890 + off));
            assert_eq!(result.is_ok(), taken, "{off}");
        }
        for code in ["", "05924", "0059240", "00592x", "٠٠٥٩٢٤"] {
            let mut state = state(b"12345678901234567890");
            assert!(state.take(code, at(1_234_567_890)).is_err(), "{code}");
        }
    }

    /// Debian's oathtool, where it is installed.
    #[test]
    fn other_peoples_program_shows_the_codes_that_are_taken() {
        let now = at(1_790_000_000);
        for _ in 0..20 {
            let mut state = TotpState::generate();
            let secret = state.setup("liu@example.com").secret;
            let shown = Command::new("oathtool")
                .args(["--totp", "--base32", "--now", "2026-09-21 14:13:20 UTC"])
                .arg(secret.as_str())
                .output();
            let Ok(shown) = shown else {
                return;
            };
            let code = String::from_utf8(shown.stdout).unwrap();
            state.take(code.trim(), now).unwrap();
        }
    }

    #[test]
    fn the_address_holds_the_secret_and_no_character_that_ends_it() {
        let setup = state(b"12345678901234567890").setup("刘 a&b@c");
        assert_eq!(setup.secret.as_str(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            setup.address.as_str(),
            "otpauth://totp/Paywarden:%E5%88%98%20a%26b%40c?\
             secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Paywarden&algorithm=SHA1&digits=6\
             &period=30"
        );
    }
}
