//! What an actor may do at this moment: by the scopes of a key, or the roles of an account.

use crate::{KeyRegistry, Scope, Staff};
use paywarden_domain::TenantId;
use std::sync::Arc;

/// Whether an actor (`key:…`, `staff:…`) of a tenant may do something at this moment. Answers no
/// for whoever is unknown, revoked or of another tenant. Asked at every vote and again at use.
pub type Rights = Arc<dyn Fn(&TenantId, &str, Scope) -> bool + Send + Sync>;

/// The rights of keys and of staff.
pub fn rights(keys: Arc<KeyRegistry>, staff: Arc<Staff>) -> Rights {
    Arc::new(move |tenant, actor, scope| match actor.split_once(':') {
        Some(("key", id)) => keys.may(tenant, id, scope),
        Some(("staff", id)) => staff.may(tenant, id, scope),
        _ => false,
    })
}
