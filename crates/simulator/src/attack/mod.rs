//! Attacks, one file each and one line each in the table below.
//!
//! None is easy by construction: every attack draws how careful its author is, from hurried and
//! noisy to slow and well disguised, shows only some of its signals, and [`benign`](crate::benign)
//! life shows some of each of them too.

mod account_takeover;
mod bin_attack;
mod bust_out_merchant;
mod card_testing;
mod invoice_fraud;
mod mule_ring;
mod new_account_fraud;
mod refund_abuse;
mod scam_induced_transfer;
mod stolen_card;
mod structuring;

use crate::{rng::Rng, scene::Scene};
use paywarden_domain::{
    Engine, LabelSource,
    time::{DAY, HOUR, MINUTE},
};
use std::fmt;

/// Plans one attack that begins at the given moment; none if nobody fits.
pub(crate) type Plan = fn(&mut Scene, i64) -> Option<()>;

/// Who finds out, and how long it takes.
#[derive(Debug, Clone, Copy)]
enum Found {
    /// The cardholder: some answer "was this you?" within the hour, the rest is charged back.
    Cardholder,
    /// The account holder: a third within the hour, most within days.
    Victim,
    /// An analyst or another institution, in weeks.
    Analyst,
    /// The acquirer, by chargebacks.
    Acquirer,
}

impl Found {
    fn after(self, rng: &mut Rng) -> (i64, LabelSource) {
        let likely = rng.unit();
        match self {
            Self::Cardholder if likely < 0.25 => {
                (rng.between(MINUTE, HOUR), LabelSource::CustomerReport)
            }
            Self::Cardholder => (rng.between(3 * DAY, 30 * DAY), LabelSource::Chargeback),
            Self::Victim if likely < 0.35 => {
                (rng.between(5 * MINUTE, HOUR), LabelSource::CustomerReport)
            }
            Self::Victim if likely < 0.85 => {
                (rng.between(HOUR, 6 * DAY), LabelSource::CustomerReport)
            }
            Self::Analyst if likely < 0.2 => {
                (rng.between(2 * DAY, 20 * DAY), LabelSource::Consortium)
            }
            Self::Acquirer if likely < 0.75 => {
                (rng.between(7 * DAY, 30 * DAY), LabelSource::Chargeback)
            }
            _ => (rng.between(5 * DAY, 40 * DAY), LabelSource::Analyst),
        }
    }
}

macro_rules! attacks {
    ($(
        $(#[$doc:meta])*
        $kind:ident = $name:literal, $engine:ident, $found:ident, $share:literal, $plan:path;
    )*) => {
        /// A kind of attack.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum AttackKind { $($(#[$doc])* $kind,)* }

        impl AttackKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its name, in `snake_case`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The engine that should stop it.
            pub fn engine(self) -> Engine {
                match self { $(Self::$kind => Engine::$engine,)* }
            }

            /// How many of a thousand fraudulent events of [`Traffic`](crate::Traffic) belong to
            /// it; 0 for the scenarios of [`Process`](crate::Process).
            pub fn share(self) -> u16 {
                match self { $(Self::$kind => $share,)* }
            }

            pub(crate) fn plan(self) -> Plan {
                match self { $(Self::$kind => $plan,)* }
            }

            /// After how long an event of this kind is found out, in microseconds, and by whom.
            pub(crate) fn found_after(self, rng: &mut Rng) -> (i64, LabelSource) {
                match self { $(Self::$kind => Found::$found.after(rng),)* }
            }
        }
    };
}

attacks! {
    /// Stolen card numbers are tried out with small payments.
    CardTesting = "card_testing", Fraud, Cardholder, 150, card_testing::plan;
    /// Numbers of one issuer are guessed.
    BinAttack = "bin_attack", Fraud, Cardholder, 90, bin_attack::plan;
    /// Somebody else's card buys goods or cash.
    StolenCard = "stolen_card", Fraud, Cardholder, 180, stolen_card::plan;
    /// A stranger signs in and empties the account.
    AccountTakeover = "account_takeover", Fraud, Victim, 110, account_takeover::plan;
    /// Accounts that take in stolen money from many and pass it on at once.
    MuleRing = "mule_ring", Laundering, Analyst, 110, mule_ring::plan;
    /// Cash in pieces that stay below the reporting limit.
    Structuring = "structuring", Laundering, Analyst, 70, structuring::plan;
    /// Goods are kept and money is asked back.
    RefundAbuse = "refund_abuse", Fraud, Acquirer, 70, refund_abuse::plan;
    /// A new merchant sells what will never arrive, and leaves with the takings.
    BustOutMerchant = "bust_out_merchant", Fraud, Acquirer, 70, bust_out_merchant::plan;
    /// The payer is talked into paying.
    ScamInducedTransfer = "scam_induced_transfer", Fraud, Victim, 90, scam_induced_transfer::plan;
    /// Invented customers cash in on stolen cards.
    NewAccountFraud = "new_account_fraud", Fraud, Cardholder, 40, new_account_fraud::plan;
    /// A supplier's invoice arrives with somebody else's account on it.
    InvoiceFraud = "invoice_fraud", Fraud, Victim, 20, invoice_fraud::plan;
    /// An amount beyond what the process allows anybody.
    OverLimit = "over_limit", Fraud, Cardholder, 0, never;
    /// Every payment at a terminal for four weeks.
    CompromisedTerminal = "compromised_terminal", Fraud, Cardholder, 0, never;
    /// A third of a customer's payments for two weeks, five times as large.
    CompromisedCustomer = "compromised_customer", Fraud, Cardholder, 0, never;
}

impl fmt::Display for AttackKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn never(_: &mut Scene, _: i64) -> Option<()> {
    None
}

/// A pause around `minutes`, longer for the careful: up to `factor` times as long.
fn pause(rng: &mut Rng, care: f64, minutes: f64, factor: f64) -> i64 {
    let mean = minutes * (1.0 + care * care * (factor - 1.0));
    (mean * (0.2 + 0.8 * rng.exponential()) * MINUTE as f64) as i64
}
