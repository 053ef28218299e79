//! What happened around an alert or a case, and what people wrote beside it.

use super::{AT, BY, KEEP_NOTE, MENTIONS, PARTIAL, TIMELINE, WHAT, WHICH, WORDS_SAID, WRITE, item};
use crate::{
    format,
    names::named,
    page::Fault,
    parts,
    terms::Tone,
    visit::{Visit, address},
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{Money, Timestamp};
use serde::Deserialize;

/// What happened, and what people wrote.
pub(in crate::pages) struct Story {
    timeline: Timeline,
    notes: Notes,
}

#[derive(Deserialize)]
struct Timeline {
    moments: Vec<Moment>,
    partial: bool,
}

#[derive(Deserialize)]
struct Moment {
    at: Timestamp,
    kind: String,
    of: String,
    what: String,
    by: Option<String>,
    text: Option<String>,
    amount: Option<Money>,
}

#[derive(Deserialize)]
struct Notes {
    notes: Vec<Note>,
}

#[derive(Deserialize)]
struct Note {
    text: String,
    mentions: Vec<String>,
    by: String,
    at: Timestamp,
}

impl Story {
    /// Reads what happened around an alert or a case, by its route.
    pub(in crate::pages) async fn read(v: &mut Visit, route: &str) -> Result<Self, Fault> {
        Ok(Self {
            timeline: v.get(&format!("{route}/timeline")).await?,
            notes: v.get(&format!("{route}/notes")).await?,
        })
    }

    /// What happened, newest first.
    pub(in crate::pages) fn timeline(&self, v: &Visit) -> Markup {
        let moments = self.timeline.moments.iter().rev();
        let rows: Vec<_> = moments.map(|moment| moment_cells(v, moment)).collect();
        let said = format!("{}~", v.t(WORDS_SAID));
        let columns = [v.t(AT), v.t(WHAT), v.t(WHICH), v.t(BY), &said];
        html! {
            @if self.timeline.partial { (parts::note(Tone::Care, v.t(PARTIAL))) }
            (parts::table(v.t(TIMELINE), &columns, &rows, v))
        }
    }

    /// What people wrote, and a form to write more.
    pub(in crate::pages) fn notes(&self, v: &Visit, is_open: bool) -> Markup {
        html! {
            @for note in &self.notes.notes {
                div.remark {
                    p.muted {
                        (parts::actor(&note.by, v)) " · " (parts::since(note.at, v))
                        @for one in &note.mentions { " → " (parts::actor(one, v)) }
                    }
                    p.said { (note.text) }
                }
            }
            @if self.notes.notes.is_empty() { (parts::empty(v.t(parts::NOTHING_HERE))) }
            @if v.may(Scope::CasesWork) && is_open {
                (parts::fold(v.t(WRITE), parts::form(v, v.desk.path(), html! {
                    (parts::text_area("note_text", v.t(WRITE), true))
                    (parts::select_many("mentions", v.t(MENTIONS), v.desk.colleagues(Scope::CasesRead)))
                    (parts::submit_as("do", "note", v.t(KEEP_NOTE), Tone::Info))
                })))
            }
        }
    }
}

fn moment_cells(v: &Visit, moment: &Moment) -> Vec<Markup> {
    let table = match moment.kind.as_str() {
        "alert" | "case" | "note" => "did",
        kind => kind,
    };
    let of = match moment.kind.as_str() {
        "decision" | "label" | "action" => {
            let to = address("/decisions", &[("payment_id", Some(&moment.of))]);
            parts::link(&to, &moment.of)
        }
        _ => item(&moment.of),
    };
    let by = moment.by.as_deref();
    vec![
        format::time(moment.at),
        html! { (named(table, &moment.what, "", v.language())) },
        of,
        html! { @if let Some(by) = by { (parts::actor(by, v)) } @else { "–" } },
        html! {
            (moment.text.as_deref().unwrap_or_default())
            @if let Some(amount) = moment.amount { (format::money(amount)) }
        },
    ]
}
