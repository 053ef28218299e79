//! The fields that rules may read: a table per schema, one line per field.

use super::{Schema, Type, Vocabulary, acts as words};
use paywarden_features::EntityKind;

/// Tells the tables apart: the bit above the slot.
const TABLE_BIT: usize = 7;
/// Where the numbers of the second table begin.
const SECOND: u8 = 1 << TABLE_BIT;

macro_rules! fields {
    (@words) => { Vocabulary::Free };
    (@words $words:expr) => { $words };
    (@rows $($path:literal: $kind:ident $(in ($words:expr))?, $doc:literal;)*) => {
        &[$(Row {
            path: $path,
            kind: Type::$kind,
            doc: $doc,
            vocabulary: fields!(@words $($words)?),
        },)*]
    };
    (
        payments { $($payment:ident = $path:literal: $kind:ident $(in $words:ident)?, $doc:literal;)* }
        acts {
            $first:ident = $first_path:literal: $first_kind:ident $(in ($first_words:expr))?, $first_doc:literal;
            $($act:ident = $act_path:literal: $act_kind:ident $(in ($act_words:expr))?, $act_doc:literal;)*
        }
    ) => {
        /// A field that rules may read. Its number is its table and its slot within it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Field {
            $(#[doc = $doc] $payment,)*
            #[doc = $first_doc] $first = SECOND,
            $(#[doc = $act_doc] $act,)*
        }

        const TABLES: [&[Row]; 2] = [
            fields!(@rows $($path: $kind $(in (Vocabulary::$words))?, $doc;)*),
            fields!(@rows
                $first_path: $first_kind $(in ($first_words))?, $first_doc;
                $($act_path: $act_kind $(in ($act_words))?, $act_doc;)*),
        ];

        /// The fields of payments, in slot order.
        pub(super) const PAYMENTS: &[Field] = &[$(Field::$payment,)*];
        /// The fields of acts, in slot order.
        pub(super) const ACTS: &[Field] = &[Field::$first, $(Field::$act,)*];
    };
}

const _: () = assert!(ACTS.len() <= PAYMENTS.len() && PAYMENTS.len() <= SECOND as usize);

struct Row {
    path: &'static str,
    kind: Type,
    doc: &'static str,
    vocabulary: Vocabulary,
}

fields! {
    payments {
        EventType = "event.type": Text in EventKind, "What happened.";
        EventChannel = "event.channel": Text in Channel, "How the payer reached the caller.";
        EventOccurredAt = "event.occurred_at": Timestamp, "When it happened, as the caller says.";
        EventHour = "event.hour": Int, "Hour of the day, 0 to 23, UTC.";
        EventWeekday = "event.weekday": Int, "Day of the week, 1 Monday to 7 Sunday, UTC.";
        PaymentAmount = "payment.amount": PaymentMoney, "The amount in the payment's currency.";
        PaymentAmountBase = "payment.amount_base": Money, "The amount in the base currency.";
        PaymentCurrency = "payment.currency": Text in Currency, "ISO 4217 code of the amount.";
        PaymentIsRound = "payment.is_round": Bool, "Whether it is a whole multiple of 100 major units.";
        PaymentRemittance = "payment.remittance": Text, "The text that travels with the payment.";
        PayerId = "payer.id": Text, "The caller's identifier of the payer.";
        PayerName = "payer.name": Text, "Name of the payer.";
        PayerEmail = "payer.email": Text, "E-mail address of the payer.";
        PayerEmailDomain = "payer.email_domain": Text, "What follows the `@` of it.";
        PayerPhone = "payer.phone": Text, "Phone number of the payer.";
        PayerCountry = "payer.country": Text in Country, "Country of the payer.";
        PayerAge = "payer.age": Duration, "How long the caller has known the payer.";
        PayerIsCompany = "payer.is_company": Bool, "Whether the payer is a company.";
        PayerKycLevel = "payer.kyc_level": Int, "Due diligence done: 0 none, 1 basic, 2 full, 3 enhanced.";
        PayeeId = "payee.id": Text, "The caller's identifier of the payee.";
        PayeeName = "payee.name": Text, "Name of the payee.";
        PayeeAccount = "payee.account": Text, "Account, IBAN or wallet number of the payee.";
        PayeeCountry = "payee.country": Text in Country, "Country of the payee.";
        PayeeAge = "payee.age": Duration, "How long the caller has known the payee.";
        PayeeIsCompany = "payee.is_company": Bool, "Whether the payee is a company.";
        PayeeNameCheck = "payee.name_check": Text in CheckResult, "Result of confirmation of payee.";
        PayeeEmail = "payee.email": Text, "E-mail address of the payee.";
        PayeePhone = "payee.phone": Text, "Phone number of the payee.";
        AccountId = "account.id": Text, "Identifier of the payer's account.";
        AccountAge = "account.age": Duration, "Time since the account was opened.";
        AccountBalanceBase = "account.balance_base": Money, "Balance before this event, base currency.";
        AccountRecentlyChanged = "account.recently_changed": Bool,
            "Whether password, phone or device changed in the last 24 hours.";
        AccountLoginSucceeded = "account.login_succeeded": Bool, "Whether the sign-in succeeded.";
        MerchantId = "merchant.id": Text, "Identifier of the merchant.";
        MerchantTerminal = "merchant.terminal": Text, "Identifier of the terminal.";
        MerchantName = "merchant.name": Text, "Trading name of the merchant.";
        MerchantMcc = "merchant.mcc": Text, "Merchant category code (ISO 18245), four digits.";
        MerchantCategory = "merchant.category": Text, "The caller's own category word.";
        MerchantCountry = "merchant.country": Text in Country, "Country of the point of sale.";
        MerchantAge = "merchant.age": Duration, "Time since the merchant was taken on.";
        CardIndex = "card.index": Text, "Keyed index of the card number.";
        CardBin = "card.bin": Text, "Issuer identification, six or eight digits.";
        CardLastFour = "card.last_four": Text, "Last four digits.";
        CardBrand = "card.brand": Text, "Card scheme.";
        CardFunding = "card.funding": Text in Funding, "Who funds the card.";
        CardIssuerCountry = "card.issuer_country": Text in Country, "Country of the issuer.";
        CardEntryMode = "card.entry_mode": Text in EntryMode, "How the card was read.";
        CardExpiresIn = "card.expires_in": Duration, "Time until it expires; negative if it has.";
        CardAvs = "card.avs": Text in CheckResult, "Address verification result.";
        CardCvvCheck = "card.cvv_check": Text in CheckResult, "Card code verification result.";
        CardThreeDs = "card.three_ds": Text in ThreeDs, "3-D Secure result.";
        CardHolderName = "card.holder_name": Text, "Cardholder name as given.";
        DeviceId = "device.id": Text, "Stable identifier of the device.";
        DeviceOs = "device.os": Text, "Operating system.";
        DeviceLanguage = "device.language": Text, "BCP 47 language tag.";
        DeviceTimezone = "device.timezone": Text, "IANA time zone.";
        DeviceRooted = "device.rooted": Bool, "Rooted or jailbroken.";
        DeviceEmulator = "device.emulator": Bool, "Emulator or virtual machine.";
        DeviceRemoteControl = "device.remote_control": Bool, "A remote-control application is running.";
        DeviceScreenShared = "device.screen_shared": Bool, "The screen is being shared.";
        DeviceActiveCall = "device.active_call": Bool, "A telephone call is under way.";
        DeviceAutomated = "device.automated": Bool, "Driven by a script.";
        NetworkIp = "network.ip": Text, "Address of the payer's device.";
        NetworkCountry = "network.country": Text in Country, "Country of the address.";
        NetworkAsn = "network.asn": Int, "Autonomous system number.";
        NetworkProxy = "network.proxy": Bool, "Anonymising proxy.";
        NetworkVpn = "network.vpn": Bool, "Virtual private network.";
        NetworkTor = "network.tor": Bool, "Tor exit.";
        NetworkHosting = "network.hosting": Bool, "Data centre.";
        NetworkOpenWifi = "network.open_wifi": Bool, "Wi-Fi without a password.";
        BillingCountry = "billing.country": Text in Country, "Country of the billing address.";
        BillingCity = "billing.city": Text, "Town of the billing address.";
        BillingPostalCode = "billing.postal_code": Text, "Postal code of the billing address.";
        ShippingCountry = "shipping.country": Text in Country, "Country of the shipping address.";
        ShippingCity = "shipping.city": Text, "Town of the shipping address.";
        ShippingPostalCode = "shipping.postal_code": Text, "Postal code of the shipping address.";
        DistanceBillingShippingKm = "distance.billing_shipping_km": Double,
            "Great-circle distance between billing and shipping address.";
        DistanceBillingMerchantKm = "distance.billing_merchant_km": Double,
            "Great-circle distance between billing address and point of sale.";
        ScreeningPayerScore = "screening.payer.score": Double,
            "Chance that the payer is on a screening list: 0 if on none, else 0.5 to 1.";
        ScreeningPayerListKind = "screening.payer.list_kind": Text in ListKind,
            "What being on the list of that score means.";
        ScreeningPayerSanctions = "screening.payer.sanctions": Double,
            "The same chance for lists of sanctions alone.";
        ScreeningPayeeScore = "screening.payee.score": Double,
            "Chance that the payee is on a screening list: 0 if on none, else 0.5 to 1.";
        ScreeningPayeeListKind = "screening.payee.list_kind": Text in ListKind,
            "What being on the list of that score means.";
        ScreeningPayeeSanctions = "screening.payee.sanctions": Double,
            "The same chance for lists of sanctions alone.";
        ScreeningBankScore = "screening.bank.score": Double,
            "Chance that a bank that an attribute `payee_bank` or `payer_bank` names is on a screening list: 0 if on none, else 0.5 to 1.";
        ScreeningBankListKind = "screening.bank.list_kind": Text in ListKind,
            "What being on the list of that score means.";
        ScreeningBankSanctions = "screening.bank.sanctions": Double,
            "The same chance for lists of sanctions alone.";
        ScreeningRemittanceScore = "screening.remittance.score": Double,
            "Chance that somebody named in the remittance text is on a screening list: 0 if on none, else 0.5 to 1.";
        ScreeningRemittanceListKind = "screening.remittance.list_kind": Text in ListKind,
            "What being on the list of that score means.";
        ScreeningRemittanceSanctions = "screening.remittance.sanctions": Double,
            "The same chance for lists of sanctions alone.";
        ModelFraudScore = "model.fraud.score": Int,
            "Chance that the live fraud model sees, in thousandths; missing while none decides.";
        ModelLaunderingScore = "model.laundering.score": Int,
            "Chance that the live laundering model sees, in thousandths; missing while none decides.";
        CustomerRiskRating = "customer.risk_rating": Text in RiskRating,
            "How risky the customer is rated; missing where nobody has rated them.";
        CustomerRiskScore = "customer.risk_score": Int,
            "The score of that rating by the policy alone, 0 to 100; missing likewise.";
        TravelRuleMissing = "travel_rule.missing": Text,
            "Fields of a transfer that the Travel Rule of the company's country asks for and that are not there; empty if none is, missing where no rule applies.";
        Card = "card": Text, "Key of the card: its index.";
        Bin = "bin": Text, "Key of the issuer: the BIN.";
        Account = "account": Text, "Key of the payer's account: its identifier.";
        Customer = "customer": Text, "Key of the customer: the payer's identifier.";
        Device = "device": Text, "Key of the device: its identifier.";
        Ip = "ip": Text, "Key of the network address.";
        Merchant = "merchant": Text, "Key of the merchant: its identifier.";
        Terminal = "terminal": Text, "Key of the terminal: merchant and terminal identifier.";
        Payee = "payee": Text, "Key of the payee: account, else identifier.";
        Email = "email": Text, "Key of the e-mail: the payer's address in lower case.";
        Phone = "phone": Text, "Key of the phone: the payer's number.";
        Segment = "segment": Text, "Key of the kind of customer: person or company, country, customer_type.";
    }
    acts {
        ActType = "act.type": Text in (Vocabulary::Words(words::TYPES)), "What kind of act it was.";
        ActAction = "act.action": Text, "What was done, in the word of the trail or of the API.";
        ActArea = "act.area": Text in (Vocabulary::Words(words::AREAS)), "What it was done to, in general.";
        ActOutcome = "act.outcome": Text in (Vocabulary::Words(words::OUTCOMES)), "How it ended.";
        ActRefusal = "act.refusal": Text, "The code of the refusal.";
        ActCount = "act.count": Int, "How many records it showed or changed.";
        ActObjectKind = "act.object_kind": Text in (Vocabulary::Words(words::OBJECTS)), "What the object is.";
        ActOccurredAt = "act.occurred_at": Timestamp, "When it was written into the trail.";
        ActHourLocal = "act.hour_local": Int, "Hour of the day, 0 to 23, at the office.";
        ActWeekday = "act.weekday": Int, "Day of the week, 1 Monday to 7 Sunday, at the office.";
        ActOfficeHours = "act.office_hours": Bool, "Whether the office works at that time.";
        ActNetworkKnown = "act.network_known": Bool, "Whether it came from a network of the company.";
        ActSensitive = "act.sensitive": Bool, "Whether it asks people for a fresh factor.";
        ActApproved = "act.approved": Bool, "Whether an approval allowed it.";
        ActorKind = "actor.kind": Text in (Vocabulary::Words(words::ACTORS)), "Who acted.";
        ActorRole = "actor.role": Text, "The roles of the person, with commas between them.";
        Actor = "actor": Text, "Key of the actor, as in the trail.";
        Object = "object": Text, "Key of the object.";
        Subject = "subject": Text, "Key of the person or payment that the object is about.";
        Network = "network": Text, "Key of the network that the request came from.";
        Session = "session": Text, "Key of the session.";
        Action = "action": Text, "Key of the action: its word.";
        Area = "area": Text, "Key of the area: its word.";
        Hour = "hour": Text, "Key of the hour of the day at the office.";
        Pair = "pair": Text, "Key of two people, whichever of them acts on the other.";
    }
}

impl Field {
    /// As written in rules.
    pub fn path(self) -> &'static str {
        self.row().path
    }

    /// Its type: what its slot must be filled with.
    pub fn kind(self) -> Type {
        self.row().kind
    }

    /// What it means, in one sentence.
    pub fn doc(self) -> &'static str {
        self.row().doc
    }

    /// The words it may hold; empty if it is open, a country or not a text.
    pub fn words(self) -> Vec<&'static str> {
        self.row().vocabulary.words()
    }

    /// Slots that the schema with the most fields takes.
    pub const COUNT: usize = PAYMENTS.len();

    /// Where its value stands among those of its table.
    pub const fn slot(self) -> usize {
        (self as u8 & !SECOND) as usize
    }

    /// The schema that it belongs to.
    pub fn schema(self) -> &'static Schema {
        match self as u8 >> TABLE_BIT {
            0 => &Schema::PAYMENTS,
            _ => &Schema::ACTS,
        }
    }

    /// The field of a payment that holds the key of an entity.
    pub fn of_entity(entity: EntityKind) -> Self {
        match entity {
            EntityKind::Card => Self::Card,
            EntityKind::Bin => Self::Bin,
            EntityKind::Account => Self::Account,
            EntityKind::Customer => Self::Customer,
            EntityKind::Device => Self::Device,
            EntityKind::Ip => Self::Ip,
            EntityKind::Merchant => Self::Merchant,
            EntityKind::Terminal => Self::Terminal,
            EntityKind::Payee => Self::Payee,
            EntityKind::Email => Self::Email,
            EntityKind::Phone => Self::Phone,
            EntityKind::Segment => Self::Segment,
        }
    }

    pub(crate) fn vocabulary(self) -> Vocabulary {
        self.row().vocabulary
    }

    fn row(self) -> &'static Row {
        &TABLES[usize::from(self as u8 >> TABLE_BIT)][self.slot()]
    }
}
