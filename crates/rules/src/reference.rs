//! The language on one page, written from the tables that the checker uses.

use crate::{
    functions::{self, FUNCTIONS, On},
    schema::Schema,
};

/// Every field, function and window of the language as a page of Markdown.
pub fn language_reference() -> String {
    let mut page = "# The rule language: fields, functions, windows\n\n\
        Written by `cargo xtask docs`. How rules are put into packs: \
        [rules/README.md](../../rules/README.md).\n\n\
        ## Fields\n\n"
        .to_owned();
    fields(&mut page, &Schema::PAYMENTS);
    page.push_str(
        "\nThe caller's own values: `attributes.text(\"name\")`, `.number(…)`, `.flag(…)`. ",
    );
    page.push_str("Lists by name: `payee in lists.mules`, with any text on the left that depends on no window.\n");
    let groups = [
        (On::Nothing, "Functions"),
        (On::Text, "Methods of texts"),
        (On::Timestamp, "Methods of timestamps"),
        (On::Duration, "Methods of durations"),
        (On::List, "Methods of lists; maps go through their keys"),
    ];
    for (on, title) in groups {
        page.push_str(&format!(
            "\n## {title}\n\n| written | gives | meaning |\n|---|---|---|\n"
        ));
        for function in FUNCTIONS.iter().filter(|function| function.on == on) {
            let (usage, result, doc) = (function.usage, function.result, function.doc);
            let usage = usage.replace('|', "\\|");
            page.push_str(&format!("| `{usage}` | {result} | {doc} |\n"));
        }
    }
    page.push_str(
        "\n## Windows\n\nThe past of an entity; rules/README.md says how they are cut. \
         `account.received` is the account as payee, `payee.sent` the payee as account.\n\n\
         | written | meaning |\n|---|---|\n",
    );
    for (name, usage) in functions::windows() {
        let doc = functions::window_doc(name);
        page.push_str(&format!("| `{usage}` | {doc} |\n"));
    }
    acts(&mut page);
    page
}

fn fields(page: &mut String, schema: &Schema) {
    page.push_str("| field | type | meaning | words |\n|---|---|---|---|\n");
    for field in schema.fields() {
        let words = match field.words() {
            words if words.len() > 30 => "ISO 4217".to_owned(),
            words => words.join(", "),
        };
        let (path, kind, doc) = (field.path(), field.kind(), field.doc());
        page.push_str(&format!("| `{path}` | {kind} | {doc} | {words} |\n"));
    }
}

/// The words of packs with `events: acts`.
fn acts(page: &mut String) {
    let schema = &Schema::ACTS;
    let functions = functions::windows().filter(|(name, _)| schema.has_function(name));
    let functions: Vec<String> = functions.map(|(name, _)| format!("`{name}`")).collect();
    let entities: Vec<String> = schema
        .entity_names()
        .map(|name| format!("`{name}`"))
        .collect();
    let actions: Vec<String> = schema
        .action_names()
        .map(|name| format!("`{name}`"))
        .collect();
    page.push_str(&format!(
        "\n## Acts\n\nPacks that say `events: acts` are about what people and programs do with \
         Paywarden itself; see [guide/security-alerts.md](../guide/security-alerts.md). Their rules \
         name no engine, ask neither lists nor attributes, and may ask for {}. Their windows are \
         those of {}, with {}; `sum` and `max` go over `act.count`, and a window without a type \
         counts acts of every type. Filters know `type`, `outcome` and `same(…)`.\n\n",
        actions.join(", "),
        entities.join(", "),
        functions.join(", "),
    ));
    fields(page, schema);
}
