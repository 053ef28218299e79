//! The areas of the trail, for the administrator who answers for each.

use super::{
    json_reply,
    person::PersonCall,
    query::{Query, cursor, invalid},
    trail::{LeafList, LeafView},
};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_access::area::Area;
use paywarden_store::acts::ACTS_MAX;

const PAGE: u32 = 50;
const PAGE_MAX: u32 = 200;
/// How many times so many acts as the store gives at once one page looks at.
const READS_MAX: usize = 10;

/// One documented route per area: each needs a scope of its own.
macro_rules! areas {
    ($($(#[doc = $doc:literal])* $name:ident, $area:ident, $path:literal, $operation:literal;)*) => {
        $(
            $(#[doc = $doc])*
            #[utoipa::path(
                get, path = $path, tag = "trail",
                operation_id = $operation, security(("session" = [])),
                params(
                    ("limit" = Option<u32>, Query, minimum = 1, maximum = 200,
                        description = "50 if not given"),
                    ("cursor" = Option<String>, Query,
                        description = "`next_cursor` of the page before"),
                ),
                responses(
                    (status = 200, description = "A page", body = LeafList),
                    (status = "default", description = "A refusal", body = ProblemDocument,
                        content_type = "application/problem+json"),
                )
            )]
            pub(crate) async fn $name(call: &PersonCall) -> Result<Reply, Problem> {
                page(call, Area::$area).await
            }
        )*
    };
}

areas! {
    /// What was done to accounts and sessions, newest first, as it stands in the trail.
    system, System, "/v1/trail/areas/system", "list_trail_of_system";
    /// What was done to roles, identities, keys and approvals, newest first.
    security, Security, "/v1/trail/areas/security", "list_trail_of_security";
    /// Reviews, exports and what was done to the keys of the trail, newest first.
    audit, Audit, "/v1/trail/areas/audit", "list_trail_of_audit";
    /// What was done to labels, lists and rules, newest first.
    business, Business, "/v1/trail/areas/business", "list_trail_of_business";
}

/// The acts of one area, newest first. A page looks at 10,000 acts at most: it may be short and
/// yet have a next one.
async fn page(call: &PersonCall, area: Area) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["limit", "cursor"])?;
    let limit = query.limit(PAGE, PAGE_MAX)? as usize;
    let place = query.cursor()?.map(|place| place.parse::<i64>());
    let place = place.transpose().map_err(|_| {
        let expected = "take the cursor of the last reply as it is";
        invalid("cursor", expected)
    })?;
    let tenant = &call.member()?.account.tenant;
    let database = call.state.notary.database();
    let (mut leaves, mut before) = (Vec::new(), place.unwrap_or(i64::MAX));
    for _ in 0..READS_MAX {
        let acts = database.acts_of(tenant, before, ACTS_MAX).await;
        let acts = acts.map_err(|error| super::person::store(&error))?;
        let is_end = acts.len() < ACTS_MAX as usize;
        for act in acts {
            before = act.seq;
            let leaf = act.read().ok_or_else(damaged)?;
            if Area::of(leaf.action) == area {
                leaves.push(LeafView::decode(&act.leaf).ok_or_else(damaged)?);
            }
            if leaves.len() == limit {
                return reply(leaves, Some(before));
            }
        }
        if is_end {
            return reply(leaves, None);
        }
    }
    reply(leaves, Some(before))
}

fn reply(leaves: Vec<LeafView>, next: Option<i64>) -> Result<Reply, Problem> {
    let list = LeafList {
        leaves,
        next_cursor: next.map(|seq| cursor(&seq.to_string())),
    };
    json_reply(StatusCode::OK, &list)
}

fn damaged() -> Problem {
    Problem::new(Code::RecordDamaged, "an act does not read back")
}
