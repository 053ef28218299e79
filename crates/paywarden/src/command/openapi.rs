//! `paywarden openapi`: the API description.

use crate::{failure::Result, terminal};

/// Prints the OpenAPI document.
pub fn run() -> Result<()> {
    terminal::result(paywarden_server::openapi_json());
    Ok(())
}
