//! The contract: an OpenAPI 3.1 document made from the handlers and their types.

use super::{
    alerts,
    approvals::{self, delegations, reveal},
    areas, backtests, case_files, cases, confirmations, decisions, entities, factors, filings,
    keys, labels, large_values, lists, models, payment_alerts, preferences, privacy, ratings,
    reports, retention, rule_sets, safety, screening, session, sign_on, staff, statistics, studio,
    subjects::{self, lineage, requests},
    system, trail, travel_rule,
    vault::{self, compatible, rotation},
    webhooks,
};
use crate::edge::person;
use std::sync::LazyLock;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{ApiKey, ApiKeyValue, SecurityScheme},
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Paywarden",
        description = "One signed call, one signed verdict. Requests are signed by RFC 9421 with \
            the tag `paywarden`; bodies carry `content-digest` (RFC 9530); refusals are problem \
            documents (RFC 9457) with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        decisions::decide, decisions::page, decisions::one, decisions::explanation,
        statistics::decisions,
        statistics::found,
        entities::one, entities::links, entities::of_decision,
        labels::add, labels::batch::add, labels::of_payment,
        confirmations::ask, confirmations::answer, confirmations::read,
        confirmations::page::handle, confirmations::page::submit,
        webhooks::all, webhooks::one, webhooks::create, webhooks::update, webhooks::rotate,
        webhooks::disable, webhooks::enable, webhooks::ping, webhooks::page, webhooks::delivery,
        webhooks::replay_one, webhooks::replay,
        lists::all, lists::entries, lists::add, lists::remove,
        safety::check_password,
        screening::lists, screening::versions, screening::import, screening::screen,
        screening::start_batch, screening::batch, screening::watch::watch,
        screening::watch::unwatch, screening::watch::alerts, screening::watch::clearances,
        trail::checkpoint, trail::keys, trail::inclusion, trail::consistency, trail::leaves,
        trail::tile, trail::cosign, areas::system, areas::security, areas::audit,
        areas::business,
        vault::tokenize, vault::tokenize_batch, vault::detokenize, vault::detokenize_batch,
        vault::search, vault::delete, vault::forget, vault::catalogue,
        rotation::read, rotation::step,
        compatible::add, compatible::retrieve, compatible::delete, compatible::fingerprint,
        compatible::card_fingerprint, compatible::custodian_key1, compatible::custodian_key2,
        compatible::custodian_decrypt,
        privacy::publish, privacy::notices, privacy::notice, privacy::notice_version,
        privacy::policy, privacy::give, privacy::withdraw, privacy::consents, privacy::keys,
        subjects::object, subjects::restrict, subjects::hold, subjects::correct,
        subjects::export, subjects::erase, subjects::timeline, subjects::relate,
        lineage::read,
        requests::record, requests::page, requests::one, requests::extend, requests::answer,
        filings::draft, filings::page, filings::one, filings::redraft, filings::faults,
        filings::export, filings::file, filings::acknowledge, filings::amend, filings::profiles,
        large_values::run,
        ratings::profile, ratings::page, ratings::one, ratings::history, ratings::review,
        ratings::policy,
        travel_rule::check,
        retention::begin, retention::page, retention::one, retention::step,
        rule_sets::draft, rule_sets::page, rule_sets::one, rule_sets::diff, rule_sets::progress,
        rule_sets::shadow, rule_sets::canary, rule_sets::publish,
        rule_sets::archive, rule_sets::roll_back,
        backtests::start, backtests::all, backtests::one, backtests::effect,
        studio::packs, studio::pack, studio::activity, studio::what_if, studio::check,
        studio::completions, studio::hover,
        models::register, models::page, models::one, models::progress, models::shadow,
        models::withdraw, models::publish, models::roll_back, models::reading,
        reports::prevention, reports::comparison, reports::drift,
        approvals::request, approvals::page, approvals::one, approvals::vote, approvals::withdraw,
        approvals::execute, reveal::reveal, approvals::review, approvals::policy,
        delegations::add, delegations::all, delegations::end,
        session::accept, session::passkey_challenge, session::by_passkey, session::by_password,
        session::whoami, session::sign_out, session::proof_challenge, session::prove,
        session::own_sessions, session::end_own, preferences::read, preferences::keep,
        sign_on::providers, sign_on::challenge, sign_on::enter, sign_on::identity_challenge,
        sign_on::bind, sign_on::unbind, sign_on::bind_of,
        factors::passkey_setup, factors::add_passkey, factors::remove_passkey,
        factors::set_password, factors::totp_setup, factors::confirm_totp, factors::recovery_codes,
        staff::all, staff::one, staff::invite, staff::invite_again, staff::disable, staff::enable,
        staff::unlock, staff::set_roles, staff::sessions, staff::end_sessions, staff::review,
        staff::roles,
        keys::all, keys::calls, keys::create, keys::rotate, keys::bind, keys::revoke,
        alerts::page, alerts::one, alerts::acknowledge, alerts::close,
        payment_alerts::page, payment_alerts::next, payment_alerts::one, payment_alerts::timeline,
        payment_alerts::act, payment_alerts::acts, payment_alerts::close,
        payment_alerts::closings, payment_alerts::notes, payment_alerts::write,
        payment_alerts::ask, payment_alerts::act_on, payment_alerts::policy,
        payment_alerts::quality,
        cases::page, cases::open, cases::one, cases::timeline, cases::alerts, cases::related,
        cases::reported::reports,
        cases::act, cases::reopen, cases::add_payments, cases::notes, cases::write, cases::ask,
        cases::act_on,
        case_files::all, case_files::add, case_files::read, case_files::erase,
        system::rule_set, system::reply_keys, system::metrics, system::health, system::ready,
    ),
    modifiers(&Signature, &SessionCookie),
)]
struct Document;

struct Signature;

impl Modify for Signature {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let description = "An RFC 9421 signature: fields `signature-input` and `signature` with \
            the parameters `created`, `keyid`, `nonce` and `tag=\"paywarden\"`, covering \
            `@method`, `@target-uri`, and, where sent, `content-digest`, `content-type` and \
            `idempotency-key`.";
        let scheme = ApiKey::Header(ApiKeyValue::with_description("signature", description));
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("signature", SecurityScheme::ApiKey(scheme));
    }
}

struct SessionCookie;

impl Modify for SessionCookie {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let description = "The cookie of a person's session. Every command also carries the \
            header `x-csrf-token` with the session's `csrf_token`, and `origin` with the origin \
            of this server.";
        let scheme = ApiKey::Cookie(ApiKeyValue::with_description(
            person::SESSION_COOKIE,
            description,
        ));
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("session", SecurityScheme::ApiKey(scheme));
    }
}

/// The OpenAPI document, as committed in `docs/reference/openapi.json`.
pub fn openapi_json() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| {
        Document::openapi()
            .to_pretty_json()
            .map(|json| json + "\n")
            .unwrap_or_default()
    });
    &JSON
}
