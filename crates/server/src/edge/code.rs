//! Every refusal the API can give, one row each, a file for each chapter. The reference page of
//! errors is made from them.

mod approvals;
mod confirmations;
mod door;
mod fields;
mod models;
mod page;
mod payments;
mod privacy;
mod ratings;
mod reports;
mod rules;
mod screening;
mod staff;
mod store;
mod table;
mod vault;
mod webhooks;
mod work;

use approvals::approvals;
use confirmations::confirmations;
use door::door;
use fields::fields;
use http::StatusCode;
use models::models;
pub use page::errors_markdown;
use payments::payments;
use privacy::privacy;
use ratings::ratings;
use reports::reports;
use rules::rules;
use screening::screening;
use staff::staff;
use store::store;
use table::codes;
use vault::vault;
use webhooks::webhooks;
use work::work;

door! {
    fields payments rules models approvals screening staff vault privacy work webhooks confirmations
    reports ratings store codes;
}
