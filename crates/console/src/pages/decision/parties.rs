//! Who takes part in a payment, and whom one of them is linked to.

use crate::{
    chart::web::{self, Links},
    page::Fault,
    pages::{
        entity::{self, Entity},
        work,
    },
    visit::{Visit, address},
};
use maud::{Markup, html};
use paywarden_server::edge::Code;
use serde::Deserialize;

/// Who takes part, by pseudonym.
#[derive(Deserialize)]
pub(super) struct Present {
    entities: Vec<String>,
}

/// Whose links are shown where nobody is chosen: whoever says most about the payer.
const FIRST_LOOK: [&str; 6] = ["account", "card", "customer", "device", "payee", "ip"];

/// One of them, and whom it is linked to.
pub(super) type Looked = (String, Entity, Links);

/// One of those who take part, and whom it is linked to; nothing where no event of it is kept.
pub(super) async fn looked(v: &mut Visit, present: &Present) -> Result<Option<Looked>, Fault> {
    let wanted = v.query("entity");
    let chosen = present
        .entities
        .iter()
        .find(|one| Some(*one) == wanted.as_ref());
    let mut kinds = FIRST_LOOK.iter();
    let first = || {
        kinds.find_map(|kind| {
            let mut all = present.entities.iter();
            all.find(|one| one.split(':').next() == Some(kind))
        })
    };
    let Some(name) = chosen.or_else(first) else {
        return Ok(None);
    };
    let route = format!("/v1{}", web::address(name));
    let entity = match v.get::<Entity>(&route).await {
        Ok(entity) => entity,
        Err(Fault(document)) if document.code == Code::EntityUnknown.name() => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let links = v.get(&format!("{route}/links")).await?;
    Ok(Some((name.clone(), entity, links)))
}

/// Whom one of those who take part is linked to, and when its payments were.
pub(super) fn linked(
    v: &Visit,
    present: &Present,
    (name, entity, links): &Looked,
    decision: &str,
) -> Markup {
    html! {
        (sides(v, present, name))
        (web::web(v.t(super::LINKS), links, v))
        h3 { (v.t(entity::TIMELINE)) }
        (entity::timeline(v, entity, Some(decision)))
    }
}

/// Chooses whose links are shown.
fn sides(v: &Visit, present: &Present, chosen: &str) -> Markup {
    html! {
        nav.choice aria-label=(v.t(super::ENTITY)) {
            @for one in &present.entities {
                @let to = address(v.desk.path(), &[("entity", Some(one))]);
                a.button.quiet href=(to) aria-current=[(one == chosen).then_some("true")] { (web::short(one, v)) }
            }
        }
    }
}

/// Everybody who takes part.
pub(super) fn parties(v: &Visit, payment: &str, present: &Present) -> Markup {
    let payment = address("/decisions", &[("payment_id", Some(payment))]);
    html! {
        ul.plain {
            @for one in &present.entities { li.line { a href=(web::address(one)) { (work::entity(one, v)) } } }
            li.line { a href=(payment) { (v.t(super::SAME_PAYMENT)) } }
        }
    }
}
