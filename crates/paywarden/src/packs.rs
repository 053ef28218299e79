//! The rule packs: those inside this binary, or those of the operator's own folder.

use crate::failure::{Failure, Result};
use paywarden_risk::{PackFile, Typologies, rating::RatingPolicy};
use paywarden_rules::{
    Diagnostic, Pack, Rates, RuleSet, canonical_source, check_examples, compile,
};
use std::{fs, path::Path};

/// Where packs about acts lie within the folder of packs.
const SECURITY_FOLDER: &str = "security";

macro_rules! shipped {
    ($(#[doc = $doc:literal])* $all:ident in $folder:literal: $($name:literal,)*) => {
        $(#[doc = $doc])*
        pub const $all: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../rules/", $folder, $name))),)*];
    };
}

shipped! {
    /// The packs about acts inside this binary: file name and text.
    SECURITY in "security/":
    "machine_keys.yaml",
    "persons.yaml",
    "reveals.yaml",
    "screening_lists.yaml",
    "staff_conduct.yaml",
    "staff_hours.yaml",
    "staff_reading.yaml",
    "staff_sign_in.yaml",
    "trail_integrity.yaml",
}

shipped! {
    /// The packs about payments inside this binary: file name and text.
    SHIPPED in "":
    "account_opening.yaml",
    "account_takeover.yaml",
    "advance_fee.yaml",
    "api_abuse.yaml",
    "app_scam.yaml",
    "assisted_channel.yaml",
    "atm_abuse.yaml",
    "bin_attack.yaml",
    "bust_out_merchant.yaml",
    "card_checks.yaml",
    "card_testing.yaml",
    "cash_intensive.yaml",
    "chargeback_patterns.yaml",
    "charity_scam.yaml",
    "contactless_abuse.yaml",
    "corridor_limits.yaml",
    "corruption_pep.yaml",
    "credential_stuffing.yaml",
    "cross_border_anomaly.yaml",
    "customer_limits.yaml",
    "customer_profile.yaml",
    "customer_rating.yaml",
    "device_posture.yaml",
    "dormant_reactivation.yaml",
    "early_redemption.yaml",
    "elder_fraud.yaml",
    "fake_authority.yaml",
    "fake_service_desk.yaml",
    "family_emergency.yaml",
    "first_party_fraud.yaml",
    "front_merchant.yaml",
    "gambling_misuse.yaml",
    "gambling_proceeds.yaml",
    "gather_scatter.yaml",
    "gift_card_fraud.yaml",
    "high_risk_corridor.yaml",
    "human_trafficking.yaml",
    "impersonation_bank.yaml",
    "investment_scam.yaml",
    "invoice_redirection.yaml",
    "job_scam.yaml",
    "laundering_segments.yaml",
    "layering.yaml",
    "lists.yaml",
    "loan_back.yaml",
    "lost_card.yaml",
    "mcc_misuse.yaml",
    "merchant_collusion.yaml",
    "merchant_ramp.yaml",
    "merchant_risk.yaml",
    "money_flow.yaml",
    "moto_fraud.yaml",
    "mule.yaml",
    "nested_services.yaml",
    "network_posture.yaml",
    "new_account.yaml",
    "opening_hours.yaml",
    "pass_through.yaml",
    "payout_fraud.yaml",
    "payroll_misuse.yaml",
    "prepaid_abuse.yaml",
    "prepaid_cards.yaml",
    "promo_abuse.yaml",
    "purchase_scam.yaml",
    "qr_code_abuse.yaml",
    "quasi_cash.yaml",
    "refund_abuse.yaml",
    "rental_scam.yaml",
    "repeated_routes.yaml",
    "reporting_limits.yaml",
    "reshipping.yaml",
    "romance_scam.yaml",
    "round_trip.yaml",
    "scam_posture.yaml",
    "scam_purposes_goods.yaml",
    "scam_purposes_money.yaml",
    "scam_purposes_people.yaml",
    "scatter_gather.yaml",
    "screening.yaml",
    "segment_baseline.yaml",
    "segment_limits.yaml",
    "seller_risk.yaml",
    "sim_swap.yaml",
    "smurfing_network.yaml",
    "spending_baseline.yaml",
    "stolen_card.yaml",
    "structuring.yaml",
    "subscription_abuse.yaml",
    "synthetic_identity.yaml",
    "task_rebate.yaml",
    "tax_evasion.yaml",
    "tech_support.yaml",
    "terminal_risk.yaml",
    "terrorist_financing.yaml",
    "ticket_size.yaml",
    "token_provisioning.yaml",
    "trade_based.yaml",
    "trade_limits.yaml",
    "trade_tickets.yaml",
    "transaction_laundering.yaml",
    "transaction_laundering_payments.yaml",
    "travel_fraud.yaml",
    "travel_rule.yaml",
    "triangulation.yaml",
    "underground_banking.yaml",
    "value_goods.yaml",
    "virtual_assets.yaml",
    "wallet_abuse.yaml",
    "wallet_layering.yaml",
}

/// The typologies of laundering, shipped or from a file.
pub fn typologies(path: Option<&Path>) -> Result<Typologies> {
    let Some(path) = path else {
        return Ok(Typologies::default());
    };
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::wrong_use(
            format!("typologies = {}: {error}", path.display()),
            "correct the file, or leave the setting out",
        )
    };
    let text = fs::read_to_string(path).map_err(|error| unusable(&error))?;
    Typologies::parse(&text).map_err(|error| unusable(&error))
}

/// How customers are rated, where a file says so.
pub fn rating_policy(path: Option<&Path>) -> Result<Option<RatingPolicy>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::wrong_use(
            format!("rating_policy = {}: {error}", path.display()),
            "correct the file, or leave the setting out",
        )
    };
    let text = fs::read_to_string(path).map_err(|error| unusable(&error))?;
    let policy = RatingPolicy::parse(&text);
    policy.map(Some).map_err(|error| unusable(&error))
}

/// The packs of the installation's library: every `.yaml` of the folder, or the shipped ones.
pub fn files(folder: Option<&Path>) -> Result<Vec<PackFile>> {
    let files = match folder {
        Some(folder) => read_folder(folder)?,
        None => owned(SHIPPED),
    };
    let packs = files.into_iter();
    Ok(packs
        .map(|(name, text): (String, String)| PackFile::new(name, text))
        .collect())
}

/// The same packs, read.
pub fn load(folder: Option<&Path>) -> Result<Vec<Pack>> {
    let files = files(folder)?;
    let mut packs = Vec::with_capacity(files.len());
    let mut diagnostics = Vec::new();
    for PackFile { file, text } in &files {
        match Pack::parse(file, text) {
            Ok(pack) => packs.push(pack),
            Err(found) => diagnostics.extend(found),
        }
    }
    if diagnostics.is_empty() {
        Ok(packs)
    } else {
        Err(refused(&diagnostics))
    }
}

/// The rules about acts: every `.yaml` of the folder `security` in that of the library, or the
/// shipped ones where there is none. Each must hold its own examples.
pub fn about_acts(folder: Option<&Path>, rates: &Rates) -> Result<RuleSet> {
    let own = folder.map(|folder| folder.join(SECURITY_FOLDER));
    let files = match own.filter(|folder| folder.is_dir()) {
        Some(folder) => read_folder(&folder)?,
        None => owned(SECURITY),
    };
    let (mut packs, mut wrong) = (Vec::with_capacity(files.len()), Vec::new());
    for (file, text) in &files {
        match Pack::parse(file, text) {
            Ok(pack) => packs.push(pack),
            Err(found) => wrong.extend(found),
        }
    }
    let version = canonical_source(&packs);
    let rules = compile(&packs, rates, &version).map_err(|found| refused(&found));
    if !wrong.is_empty() {
        return Err(refused(&wrong));
    }
    let rules = rules?;
    let found = check_examples(&rules);
    match found.is_empty() {
        true => Ok(rules),
        false => Err(refused(&found)),
    }
}

fn owned(shipped: &[(&str, &str)]) -> Vec<(String, String)> {
    let files = shipped.iter();
    files
        .map(|(name, text)| ((*name).into(), (*text).into()))
        .collect()
}

/// What is wrong with the packs, as one failure.
pub fn refused(diagnostics: &[Diagnostic]) -> Failure {
    let rendered: Vec<String> = diagnostics.iter().map(Diagnostic::render).collect();
    at_fault(&rendered.join("\n"))
}

/// What is wrong with the packs, already in words, as one failure.
pub fn at_fault(faults: &str) -> Failure {
    Failure::not_held(
        format!("faults in the rule packs:\n{faults}"),
        "correct the packs; `paywarden check` tries them without starting anything",
    )
}

fn read_folder(folder: &Path) -> Result<Vec<(String, String)>> {
    let unreadable = |path: &Path, error: std::io::Error| {
        Failure::environment(
            format!("cannot read {}: {error}", path.display()),
            "set rules_dir to a folder of .yaml files, or leave it out for the shipped packs",
        )
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path.extension().is_some_and(|end| end == "yaml") {
            let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            files.push((name, text));
        }
    }
    if files.is_empty() {
        return Err(Failure::environment(
            format!("{} holds no .yaml file", folder.display()),
            "set rules_dir to a folder of rule packs, or leave it out for the shipped ones",
        ));
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pack_of_the_folder_is_in_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
        let files = read_folder(&folder).unwrap();
        let shipped: Vec<_> = SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(
            files.into_iter().map(|(name, _)| name).collect::<Vec<_>>(),
            shipped
        );
        load(None).unwrap();
        let files = read_folder(&folder.join(SECURITY_FOLDER)).unwrap();
        assert_eq!(files, owned(SECURITY));
        let rates = Rates::new(paywarden_domain::Currency::parse("EUR").unwrap());
        assert!(about_acts(None, &rates).unwrap().rules().len() > 20);
    }
}
