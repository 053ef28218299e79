//! The trail of the caller's own tenant: checkpoints, proofs, leaves, the tiles of C2SP
//! tlog-tiles, and the cosignatures of witnesses.

mod leaf;

pub use leaf::LeafView;

use super::{
    Call,
    export::{self, EXPORT},
    json::parse,
    json_reply,
    query::{Query, cursor, invalid},
};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::StatusCode;
use leaf::view;
use paywarden_access::approval::Collection;
use paywarden_crypto::note::Note;
use paywarden_domain::{DecisionId, Timestamp};
use paywarden_store::trail::{
    Hash, Resource, TilePath,
    checkpoint::StoredCheckpoint,
    notary::{Notary, Refusal},
    proof::InclusionProof,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const TEXT: &str = "text/plain; charset=utf-8";
const OCTETS: &str = "application/octet-stream";
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

/// The keys that checkpoints are signed with.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrailKeyList {
    /// The name of the tree, in every checkpoint.
    pub origin: String,
    /// Every key, oldest first; old ones stay, so that old checkpoints can be checked.
    pub keys: Vec<TrailKey>,
    /// Verifier keys of the witnesses whose cosignatures are taken.
    pub witnesses: Vec<String>,
}

/// A key that checkpoints are signed with.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrailKey {
    /// The verifier key (C2SP signed-note): `name+id+key`.
    pub vkey: String,
    /// When it began to sign.
    pub valid_from: Timestamp,
    /// When it stops, if another has taken over; until then both sign.
    pub valid_until: Option<Timestamp>,
}

/// The proof that a leaf is in the signed tree.
#[derive(Debug, Serialize, ToSchema)]
pub struct InclusionAnswer {
    /// What the leaf says.
    pub leaf: LeafView,
    /// How many leaves the tree of the checkpoint has.
    pub size: u64,
    /// Hashes from the leaf's neighbour up to below the root, base64.
    pub hashes: Vec<String>,
    /// All of it as one text (C2SP tlog-proof) for `paywarden verify --proof`.
    pub text: String,
}

/// The proof that a tree begins with an older one.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsistencyAnswer {
    /// How many leaves the older tree has.
    pub from: u64,
    /// How many leaves the newer tree has.
    pub to: u64,
    /// The root of the older tree, base64.
    pub from_root: String,
    /// The root of the newer tree, base64.
    pub to_root: String,
    /// The hashes of the proof (RFC 9162 section 2.1.4), base64.
    pub hashes: Vec<String>,
}

/// One page of leaves, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeafList {
    /// The leaves.
    pub leaves: Vec<LeafView>,
    /// Give this as `cursor` to read on; null at the end.
    pub next_cursor: Option<String>,
}

/// Signatures of witnesses.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CosignatureInput {
    /// The text of a checkpoint with signature lines of witnesses under it (C2SP
    /// tlog-cosignature).
    pub checkpoint: String,
}

/// A checkpoint with every signature that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckpointView {
    /// How many leaves the tree had.
    pub size: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// The signed note.
    pub note: String,
}

/// The newest checkpoint, over every leaf that is written; made at once if there is none yet.
#[utoipa::path(
    get, path = "/v1/trail/checkpoint", tag = "trail",
    operation_id = "read_trail_checkpoint", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "A signed note (C2SP tlog-checkpoint)", body = String,
            content_type = "text/plain"),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn checkpoint(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    Ok(Reply::new(StatusCode::OK, TEXT, newest(call).await?.note))
}

/// The verifier keys of checkpoints.
#[utoipa::path(
    get, path = "/v1/trail/keys", tag = "trail",
    operation_id = "list_trail_keys", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The keys", body = TrailKeyList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn keys(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let notary = notary(call);
    let keys = notary.keys(&call.caller.tenant).await.map_err(refused)?;
    let keys = keys.into_iter().map(|(verifier, period)| TrailKey {
        vkey: verifier.to_string(),
        valid_from: period.valid_from,
        valid_until: period.valid_until,
    });
    let list = TrailKeyList {
        origin: notary.origin(&call.caller.tenant),
        keys: keys.collect(),
        witnesses: notary.witnesses().iter().map(ToString::to_string).collect(),
    };
    json_reply(StatusCode::OK, &list)
}

/// The proof that a leaf, named by its number or by the decision it holds, is in the newest
/// checkpoint.
#[utoipa::path(
    get, path = "/v1/trail/proofs/inclusion", tag = "trail",
    operation_id = "prove_inclusion", security(("signature" = []), ("session" = [])),
    params(
        ("leaf" = Option<u64>, Query, description = "Its number, from 0"),
        ("decision" = Option<String>, Query, description = "`dec_…`: the leaf that holds it"),
    ),
    responses(
        (status = 200, description = "The proof", body = InclusionAnswer),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn inclusion(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["leaf", "decision"])?;
    let index = leaf_index(call, &query).await?;
    let checkpoint = newest(call).await?;
    if index >= checkpoint.size {
        return Err(unknown("the trail has no such leaf yet"));
    }
    let (tenant, database) = (&call.caller.tenant, notary(call).database());
    let hashes = database.trail_inclusion(tenant, index, checkpoint.size);
    let hashes = hashes.await.map_err(stored)?;
    let leaf = database.trail_leaves(tenant, index, 1).await;
    let leaf = leaf.map_err(stored)?.pop().ok_or_else(damaged)?;
    let note = Note::parse(&checkpoint.note).map_err(|_| damaged())?;
    let proof = InclusionProof {
        leaf,
        index,
        hashes,
        note,
    };
    let answer = InclusionAnswer {
        leaf: view(call, &proof.leaf).await?,
        size: checkpoint.size,
        hashes: encoded(&proof.hashes),
        text: proof.to_string(),
    };
    json_reply(StatusCode::OK, &answer)
}

/// The proof that the tree of `to` leaves begins with the tree of `from` leaves.
#[utoipa::path(
    get, path = "/v1/trail/proofs/consistency", tag = "trail",
    operation_id = "prove_consistency", security(("signature" = []), ("session" = [])),
    params(
        ("from" = u64, Query, description = "Leaves of the older tree, 1 or more"),
        ("to" = u64, Query, description = "Leaves of the newer tree"),
    ),
    responses(
        (status = 200, description = "The proof", body = ConsistencyAnswer),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn consistency(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["from", "to"])?;
    let size = |name| {
        let read = |text: &str| text.parse::<u64>().ok().filter(|size| *size > 0);
        let expected = "give a number of leaves, 1 or more";
        query
            .read(name, expected, read)?
            .ok_or_else(|| invalid(name, expected))
    };
    let (from, to) = (size("from")?, size("to")?);
    if from > to {
        return Err(invalid(
            "from",
            "the older tree is not larger than the newer",
        ));
    }
    let (tenant, database) = (&call.caller.tenant, notary(call).database());
    if to > database.trail_size(tenant).await.map_err(stored)? {
        return Err(unknown("the trail has not so many leaves yet"));
    }
    let hashes = database.trail_consistency(tenant, from, to).await;
    let root = async |size| {
        let root = database.trail_root(tenant, size).await.map_err(stored)?;
        Ok::<_, Problem>(STANDARD.encode(root))
    };
    let answer = ConsistencyAnswer {
        from,
        to,
        from_root: root(from).await?,
        to_root: root(to).await?,
        hashes: encoded(&hashes.map_err(stored)?),
    };
    json_reply(StatusCode::OK, &answer)
}

/// The leaves, oldest first.
#[utoipa::path(
    get, path = "/v1/trail/leaves", tag = "trail",
    operation_id = "list_trail_leaves", security(("signature" = []), ("session" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "100 if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("from" = Option<u64>, Query, description = "Where to begin without a cursor: the number \
            of a leaf; 0 if not given"),
        ("export" = Option<String>, Query, description = "`apr_…`: the export that you have \
            carried out, for more rows than may be looked at"),
    ),
    responses(
        (status = 200, description = "A page", body = LeafList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn leaves(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["limit", "cursor", "from", EXPORT])?;
    let wanted = query.limit(PAGE, PAGE_MAX)?;
    let place = query.cursor()?.map(|place| place.parse::<u64>());
    let first = place.transpose().map_err(|_| {
        let expected = "take the cursor of the last reply as it is";
        invalid("cursor", expected)
    })?;
    let from = query.read("from", "give the number of a leaf", |text| {
        text.parse().ok()
    })?;
    let first = first.or(from).unwrap_or(0);
    let reserved = export::reserve(call, Collection::Trail, &query, wanted).await?;
    let limit = reserved.rows();
    let database = notary(call).database();
    let found = database.trail_leaves(&call.caller.tenant, first, limit + 1);
    let mut leaves = Vec::new();
    for bytes in found.await.map_err(stored)? {
        leaves.push(view(call, &bytes).await?);
    }
    let is_more = leaves.len() > limit as usize;
    leaves.truncate(limit as usize);
    reserved.took(leaves.len());
    let next = first + u64::from(limit);
    let next_cursor = is_more.then(|| cursor(&next.to_string()));
    let count = leaves.len();
    let list = LeafList {
        leaves,
        next_cursor,
    };
    Ok(json_reply(StatusCode::OK, &list)?.of(count))
}

/// A hash tile or entry bundle of C2SP tlog-tiles, with `/v1/trail` as the prefix.
#[utoipa::path(
    get, path = "/v1/trail/tile/{tile}", tag = "trail",
    operation_id = "read_trail_tile", security(("signature" = [])),
    params(
        ("tile" = String, Path, description = "`<level>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`, \
            with `N` as in `x001/x234/067`"),
        ("export" = Option<String>, Query, description = "`apr_…`: the export that you have \
            carried out, for more rows than may be looked at"),
    ),
    responses(
        (status = 200, description = "Hashes of 32 bytes, or leaves with two bytes of length \
            before each", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn tile(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &[EXPORT])?;
    let path = TilePath::parse(&call.parameter)
        .ok_or_else(|| invalid("tile", "write it as C2SP tlog-tiles does"))?;
    // Leaves are rows; hashes are not.
    let leaves = match path.resource {
        Resource::Entries => u32::from(path.width),
        Resource::Hashes(_) => 0,
    };
    let reserved = export::reserve(call, Collection::Trail, &query, leaves).await?;
    if reserved.rows() < leaves {
        return Err(export::required());
    }
    let found = notary(call)
        .database()
        .trail_tile(&call.caller.tenant, &path)
        .await;
    match found.map_err(stored)? {
        Some(bytes) => {
            reserved.took(leaves as usize);
            Ok(Reply::new(StatusCode::OK, OCTETS, bytes).of(leaves as usize))
        }
        None => Err(unknown("the trail does not reach this tile yet")),
    }
}

/// Keeps signatures of witnesses under a checkpoint that this server made. One that contradicts
/// it, or is of no known witness, is refused.
#[utoipa::path(
    post, path = "/v1/trail/cosignatures", tag = "trail",
    operation_id = "add_cosignatures", security(("signature" = [])),
    request_body = CosignatureInput,
    responses(
        (status = 200, description = "The checkpoint as it is kept now", body = CheckpointView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn cosign(call: &Call) -> Result<Reply, Problem> {
    let input: CosignatureInput = parse(&call.body)?;
    let note = Note::parse(&input.checkpoint)
        .map_err(|error| Problem::new(Code::CosignatureInvalid, error.to_string()))?;
    let kept = notary(call).cosign(&call.caller.tenant, &note).await;
    let StoredCheckpoint {
        size,
        made_at,
        note,
        ..
    } = kept.map_err(refused)?;
    let view = CheckpointView {
        size,
        made_at,
        note,
    };
    json_reply(StatusCode::OK, &view)
}

fn notary(call: &Call) -> &Notary {
    &call.state.notary
}

/// The checkpoint over all that is written.
async fn newest(call: &Call) -> Result<StoredCheckpoint, Problem> {
    let made = notary(call).checkpoint(&call.caller.tenant).await;
    made.map_err(refused)?
        .ok_or_else(|| unknown("nothing is in the trail of this tenant yet"))
}

async fn leaf_index(call: &Call, query: &Query<'_>) -> Result<u64, Problem> {
    let leaf = query.read("leaf", "give the number of a leaf", |text| {
        text.parse().ok()
    })?;
    match (leaf, query.find("decision")) {
        (Some(index), None) => Ok(index),
        (None, Some(text)) => {
            let none = || Problem::new(Code::DecisionUnknown, "no decision has this identifier");
            let id = DecisionId::parse(text).map_err(|_| none())?;
            let database = notary(call).database();
            let leaf = database.decision_leaf(&call.caller.tenant, &id).await;
            leaf.map_err(stored)?.ok_or_else(none)
        }
        _ => Err(invalid("leaf", "give either `leaf` or `decision`")),
    }
}

fn encoded(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| STANDARD.encode(hash)).collect()
}

fn unknown(detail: &'static str) -> Problem {
    Problem::new(Code::TrailUnknown, detail)
}

fn damaged() -> Problem {
    Problem::new(
        Code::RecordDamaged,
        "a leaf of the trail does not read back",
    )
}

fn stored(error: paywarden_store::Error) -> Problem {
    Problem::from(paywarden_risk::Error::from(error))
}

fn refused(refusal: Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::Store(error) => stored(error),
        Refusal::CheckpointUnknown => Problem::new(Code::TrailUnknown, detail),
        Refusal::CosignatureInvalid => Problem::new(Code::CosignatureInvalid, detail),
        Refusal::Inconsistent { .. } => {
            tracing::error!(detail, "trail inconsistent");
            Problem::new(
                Code::TrailInconsistent,
                "the trail contradicts its last checkpoint",
            )
        }
        Refusal::Key(error) => {
            tracing::error!(%error, "trail key unusable");
            Problem::new(Code::Internal, "the checkpoint cannot be signed")
        }
    }
}
