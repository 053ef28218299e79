//! What leaves the vault, and what must not.

use super::*;

const NUMBER: &str = "4012888888881881";
const CVV: &str = "9173";

fn vault() -> Vault {
    Vault::new(&Keyring::ephemeral()).unwrap()
}

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

fn event(card: &str) -> Event<CardInput> {
    let text = format!(
        r#"{{"id":"p1","type":"payment.card","occurred_at":"2026-01-31T08:00:00Z","card":{card}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn refusal(card: &str) -> Invalid {
    vault()
        .tokenize(&tenant("acme"), event(card))
        .err()
        .unwrap()
}

#[test]
fn neither_the_number_nor_its_code_leaves_the_vault() {
    let card = format!(r#"{{"number":"4012 8888-8888 1881","cvv":"{CVV}"}}"#);
    let event = vault().tokenize(&tenant("acme"), event(&card)).unwrap();
    let index = event.card.as_ref().unwrap().index.to_string();
    for trace in [serde_json::to_string(&event).unwrap(), format!("{event:?}")] {
        let trace = trace.replace(&index, "");
        assert!(
            trace.contains("40128888") && trace.contains("1881"),
            "{trace}"
        );
        // One digit more than may be shown at either end, the code, and the code's name.
        for secret in ["401288888", "81881", "4012 8888", "8888-8888", CVV, "cvv\""] {
            assert!(!trace.contains(secret), "{trace}");
        }
    }
}

#[test]
fn refusals_do_not_repeat_what_was_sent() {
    for card in [
        format!(r#"{{"cvv":"{CVV}"}}"#),
        format!(r#"{{"index":"card_{NUMBER}","cvv":"{CVV}"}}"#),
    ] {
        let text = refusal(&card).to_string();
        assert!(!text.contains(NUMBER) && !text.contains(CVV), "{text}");
    }
}

#[test]
fn the_index_depends_on_number_tenant_and_keyring_alone() {
    let vault = vault();
    let index = |tenant_name: &str, number: &str| {
        let number = Pan::parse(number).unwrap();
        vault.card_index(&tenant(tenant_name), &number)
    };
    assert_eq!(index("acme", NUMBER), index("acme", "4012-8888-8888-1881"));
    assert!(is_card_index(&index("acme", NUMBER)));
    assert_ne!(index("acme", NUMBER), index("other", NUMBER));
    assert_ne!(index("acme", NUMBER), index("acme", "5555555555554444"));
    let other = self::vault().card_index(&tenant("acme"), &Pan::parse(NUMBER).unwrap());
    assert_ne!(index("acme", NUMBER), other);
}

#[test]
fn an_index_from_a_reply_stands_for_the_number() {
    let vault = vault();
    let tenant = tenant("acme");
    let first = vault
        .tokenize(&tenant, event(&format!(r#"{{"number":"{NUMBER}"}}"#)))
        .unwrap();
    let index = first.card.unwrap().index;
    let again = vault
        .tokenize(&tenant, event(&format!(r#"{{"index":"{index}"}}"#)))
        .unwrap();
    assert_eq!(again.card.unwrap().index, index);
}

#[test]
fn a_card_without_number_or_with_another_index_is_refused() {
    assert_eq!(refusal("{}").code, "card_number_missing");
    for index in [
        "card_",
        "4111",
        "card_0123456789ABCDEF0123456789abcdef",
        "0123456789abcdef",
    ] {
        let code = refusal(&format!(r#"{{"index":"{index}"}}"#)).code;
        assert_eq!(code, "card_index_malformed", "{index}");
    }
}
