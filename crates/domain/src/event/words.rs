//! The closed vocabularies of an event.

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
            ToSchema,
        )]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every value, in declared order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word used in JSON and rules.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The value with this name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }

            /// The value stored as this number.
            pub fn from_number(number: u8) -> Option<Self> {
                Self::ALL.get(usize::from(number)).copied()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

words!(
    /// What happened. Numbers are stored: add at the end only.
    EventKind {
        /// A purchase by card.
        PaymentCard = "payment.card",
        /// A credit transfer to another account.
        PaymentTransfer = "payment.transfer",
        /// A purchase or person-to-person payment from a wallet, QR codes included.
        PaymentWallet = "payment.wallet",
        /// Money leaves to the customer's own bank or a supplier.
        Payout = "payout",
        /// Money comes into the customer's balance.
        Topup = "topup",
        /// Money goes back to the payer.
        Refund = "refund",
        /// A sign-in attempt.
        Login = "login",
        /// A new customer.
        Signup = "signup",
        /// A card was stored.
        CardAdded = "card.added",
        /// A payee was stored.
        BeneficiaryAdded = "beneficiary.added",
        /// The password was changed or reset.
        PasswordChanged = "password.changed",
        /// The phone number, e-mail or postal address was changed.
        ContactChanged = "contact.changed",
        /// A device was bound to the account.
        DeviceBound = "device.bound",
    }
);

impl EventKind {
    /// Whether money leaves a payer: what windows count when a rule names no type.
    pub fn is_payment(self) -> bool {
        matches!(
            self,
            Self::PaymentCard | Self::PaymentTransfer | Self::PaymentWallet | Self::Payout
        )
    }
}

words!(
    /// How the payer reached the caller.
    Channel {
        /// A web shop or site.
        Web = "web",
        /// A mobile application.
        MobileApp = "mobile_app",
        /// A point of sale.
        Pos = "pos",
        /// A cash machine.
        Atm = "atm",
        /// Mail or telephone order.
        Moto = "moto",
        /// A recurring or merchant-initiated payment.
        Recurring = "recurring",
        /// A call centre.
        Phone = "phone",
        /// A branch.
        Branch = "branch",
        /// A program of the customer.
        Api = "api",
    }
);

words!(
    /// How the card number was read (ISO 8583 data element 22).
    EntryMode {
        /// Chip.
        Chip = "chip",
        /// Contactless.
        Contactless = "contactless",
        /// Magnetic stripe.
        Magstripe = "magstripe",
        /// Typed by hand.
        Manual = "manual",
        /// Typed by the cardholder at a web shop.
        Ecommerce = "ecommerce",
        /// Stored at the merchant.
        CredentialOnFile = "credential_on_file",
        /// A network token of a wallet.
        Token = "token",
    }
);

words!(
    /// Who funds the card.
    Funding {
        /// Credit.
        Credit = "credit",
        /// Debit.
        Debit = "debit",
        /// Prepaid or gift.
        Prepaid = "prepaid",
    }
);

words!(
    /// Result of a check against the issuer: address, card code or payee name.
    CheckResult {
        /// All of it agrees.
        Match = "match",
        /// Some of it agrees.
        Partial = "partial",
        /// It does not agree.
        NoMatch = "no_match",
        /// The other side did not say.
        Unavailable = "unavailable",
    }
);

words!(
    /// Result of 3-D Secure (transStatus).
    ThreeDs {
        /// Authenticated.
        Authenticated = "authenticated",
        /// Attempted; the issuer or cardholder does not take part.
        Attempted = "attempted",
        /// Failed.
        Failed = "failed",
        /// Rejected by the issuer.
        Rejected = "rejected",
        /// Not asked for.
        NotRequested = "not_requested",
    }
);
