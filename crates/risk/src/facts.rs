//! The fields of an event as rules read them.

use crate::identify::{Keys, is_round};
use paywarden_domain::{
    Card, Country, Event, Money, Timestamp,
    event::{Account, Address, Device, Merchant, Network, Party, Text},
    time::{DAY, HOUR},
};
use paywarden_features::EntityKind;
use paywarden_rules::{Field, FieldValue, Rates, Slots};

/// Fills the field slots; what the event does not carry stays missing.
pub(crate) fn fill<'a>(
    slots: &mut Slots<'a>,
    event: &'a Event<Card>,
    keys: &'a Keys<'a>,
    rates: &Rates,
) {
    let mut facts = Facts {
        slots,
        at: event.occurred_at,
        rates,
    };
    facts.envelope(event);
    for kind in EntityKind::ALL {
        facts.set(Field::of_entity(kind), keys.get(kind).map(FieldValue::Text));
    }
    if let Some(payer) = &event.payer {
        facts.payer(payer);
    }
    if let Some(payee) = &event.payee {
        facts.payee(payee);
    }
    if let Some(account) = &event.account {
        facts.account(account);
    }
    if let Some(merchant) = &event.merchant {
        facts.merchant(merchant);
    }
    if let Some(card) = &event.card {
        facts.card(card);
    }
    if let Some(device) = &event.device {
        facts.device(device);
    }
    if let Some(network) = &event.network {
        facts.network(network, keys);
    }
    facts.addresses(event);
    slots.attributes = Some(&event.attributes);
}

struct Facts<'s, 'a> {
    slots: &'s mut Slots<'a>,
    at: Timestamp,
    rates: &'s Rates,
}

impl<'a> Facts<'_, 'a> {
    fn set(&mut self, field: Field, value: Option<FieldValue<'a>>) {
        if let Some(value) = value {
            self.slots.set(field, value);
        }
    }

    fn text(&mut self, field: Field, text: Option<&'a Text>) {
        self.set(field, text.map(|text| FieldValue::Text(text.as_str())));
    }

    fn word(&mut self, field: Field, word: Option<&'static str>) {
        self.set(field, word.map(FieldValue::Text));
    }

    fn country(&mut self, field: Field, country: Option<&'a Country>) {
        self.set(
            field,
            country.map(|country| FieldValue::Text(country.code())),
        );
    }

    fn flag(&mut self, field: Field, flag: Option<bool>) {
        self.set(field, flag.map(FieldValue::Bool));
    }

    fn int(&mut self, field: Field, number: Option<i64>) {
        self.set(field, number.map(FieldValue::Int));
    }

    fn age(&mut self, field: Field, since: Option<Timestamp>) {
        let at = self.at.micros();
        self.set(
            field,
            since.map(|since| FieldValue::Duration(at - since.micros())),
        );
    }

    fn base(&mut self, field: Field, amount: Option<Money>) {
        let minor = amount.and_then(|amount| self.rates.to_base(amount).ok());
        self.set(field, minor.map(FieldValue::Money));
    }

    fn envelope(&mut self, event: &'a Event<Card>) {
        self.word(Field::EventType, Some(event.kind.name()));
        self.word(
            Field::EventChannel,
            event.channel.map(|channel| channel.name()),
        );
        let micros = event.occurred_at.micros();
        let occurred_at = FieldValue::Timestamp(micros);
        self.set(Field::EventOccurredAt, Some(occurred_at));
        self.int(Field::EventHour, Some(micros.rem_euclid(DAY) / HOUR));
        // 1970-01-01 was a Thursday, day 4 of the ISO week.
        self.int(
            Field::EventWeekday,
            Some((micros.div_euclid(DAY) + 3).rem_euclid(7) + 1),
        );
        if let Some(amount) = event.amount {
            self.set(Field::PaymentAmount, Some(FieldValue::Money(amount.minor)));
            self.word(Field::PaymentCurrency, Some(amount.currency.code()));
            self.flag(Field::PaymentIsRound, Some(is_round(amount)));
        }
        self.base(Field::PaymentAmountBase, event.amount);
        self.text(Field::PaymentRemittance, event.remittance.as_ref());
    }

    fn payer(&mut self, payer: &'a Party) {
        self.text(Field::PayerId, payer.id.as_ref());
        self.text(Field::PayerName, payer.name.as_ref());
        self.text(Field::PayerEmail, payer.email.as_ref());
        let domain = payer
            .email
            .as_ref()
            .and_then(|email| email.as_str().rsplit_once('@'));
        self.set(
            Field::PayerEmailDomain,
            domain.map(|(_, domain)| FieldValue::Text(domain)),
        );
        self.text(Field::PayerPhone, payer.phone.as_ref());
        self.country(Field::PayerCountry, payer.country.as_ref());
        self.age(Field::PayerAge, payer.since);
        self.flag(Field::PayerIsCompany, payer.is_company);
        self.int(Field::PayerKycLevel, payer.kyc_level.map(i64::from));
    }

    fn payee(&mut self, payee: &'a Party) {
        self.text(Field::PayeeId, payee.id.as_ref());
        self.text(Field::PayeeName, payee.name.as_ref());
        self.text(Field::PayeeAccount, payee.account.as_ref());
        self.text(Field::PayeeEmail, payee.email.as_ref());
        self.text(Field::PayeePhone, payee.phone.as_ref());
        self.country(Field::PayeeCountry, payee.country.as_ref());
        self.age(Field::PayeeAge, payee.since);
        self.flag(Field::PayeeIsCompany, payee.is_company);
        self.word(
            Field::PayeeNameCheck,
            payee.name_check.map(|check| check.name()),
        );
    }

    fn account(&mut self, account: &'a Account) {
        self.text(Field::AccountId, account.id.as_ref());
        self.age(Field::AccountAge, account.opened_at);
        self.base(Field::AccountBalanceBase, account.balance);
        self.flag(Field::AccountRecentlyChanged, account.recently_changed);
        self.flag(Field::AccountLoginSucceeded, account.login_succeeded);
    }

    fn merchant(&mut self, merchant: &'a Merchant) {
        self.text(Field::MerchantId, merchant.id.as_ref());
        self.text(Field::MerchantTerminal, merchant.terminal_id.as_ref());
        self.text(Field::MerchantName, merchant.name.as_ref());
        self.text(Field::MerchantMcc, merchant.mcc.as_ref());
        self.text(Field::MerchantCategory, merchant.category.as_ref());
        self.country(Field::MerchantCountry, merchant.country.as_ref());
        self.age(Field::MerchantAge, merchant.since);
    }

    fn card(&mut self, card: &'a Card) {
        let details = &card.details;
        self.text(Field::CardIndex, Some(&card.index));
        self.text(Field::CardBin, card.bin.as_ref());
        self.text(Field::CardLastFour, card.last_four.as_ref());
        self.text(Field::CardBrand, details.brand.as_ref());
        self.word(
            Field::CardFunding,
            details.funding.map(|funding| funding.name()),
        );
        self.country(Field::CardIssuerCountry, details.issuer_country.as_ref());
        self.word(
            Field::CardEntryMode,
            details.entry_mode.map(|mode| mode.name()),
        );
        let expires = details.expiry.and_then(|expiry| expiry.end());
        let at = self.at.micros();
        let left = expires.map(|end| FieldValue::Duration(end.micros() - at));
        self.set(Field::CardExpiresIn, left);
        self.word(Field::CardAvs, details.avs.map(|check| check.name()));
        self.word(
            Field::CardCvvCheck,
            details.cvv_check.map(|check| check.name()),
        );
        self.word(
            Field::CardThreeDs,
            details.three_ds.map(|status| status.name()),
        );
        self.text(Field::CardHolderName, details.holder_name.as_ref());
    }

    fn device(&mut self, device: &'a Device) {
        self.text(Field::DeviceId, device.id.as_ref());
        self.text(Field::DeviceOs, device.os.as_ref());
        self.text(Field::DeviceLanguage, device.language.as_ref());
        self.text(Field::DeviceTimezone, device.timezone.as_ref());
        self.flag(Field::DeviceRooted, device.rooted);
        self.flag(Field::DeviceEmulator, device.emulator);
        self.flag(Field::DeviceRemoteControl, device.remote_control);
        self.flag(Field::DeviceScreenShared, device.screen_shared);
        self.flag(Field::DeviceActiveCall, device.active_call);
        self.flag(Field::DeviceAutomated, device.automated);
    }

    fn network(&mut self, network: &'a Network, keys: &'a Keys<'a>) {
        self.set(
            Field::NetworkIp,
            keys.get(EntityKind::Ip).map(FieldValue::Text),
        );
        self.country(Field::NetworkCountry, network.country.as_ref());
        self.int(Field::NetworkAsn, network.asn.map(i64::from));
        self.flag(Field::NetworkProxy, network.proxy);
        self.flag(Field::NetworkVpn, network.vpn);
        self.flag(Field::NetworkTor, network.tor);
        self.flag(Field::NetworkHosting, network.hosting);
        self.flag(Field::NetworkOpenWifi, network.open_wifi);
    }

    fn addresses(&mut self, event: &'a Event<Card>) {
        let (billing, shipping) = (event.billing.as_ref(), event.shipping.as_ref());
        if let Some(address) = billing {
            self.country(Field::BillingCountry, address.country.as_ref());
            self.text(Field::BillingCity, address.city.as_ref());
            self.text(Field::BillingPostalCode, address.postal_code.as_ref());
        }
        if let Some(address) = shipping {
            self.country(Field::ShippingCountry, address.country.as_ref());
            self.text(Field::ShippingCity, address.city.as_ref());
            self.text(Field::ShippingPostalCode, address.postal_code.as_ref());
        }
        let place = |address: Option<&Address>| address.and_then(|address| address.location);
        let merchant = event
            .merchant
            .as_ref()
            .and_then(|merchant| merchant.location);
        for (field, other) in [
            (Field::DistanceBillingShippingKm, place(shipping)),
            (Field::DistanceBillingMerchantKm, merchant),
        ] {
            let distance = place(billing)
                .zip(other)
                .map(|(from, to)| from.distance_km(to));
            self.set(field, distance.map(FieldValue::Double));
        }
    }
}
