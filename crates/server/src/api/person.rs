//! The routes of people: which there are, who may come in by each, and who answers.

use super::{
    Call, Door, Endpoint, Keyed, Route, Size, alerts, approvals, areas, factors, keys, preferences,
    session, sign_on, staff,
};
use crate::{
    edge::{Code, Problem, peer::Peer, reply::Reply},
    state::State,
};
use bytes::Bytes;
use http::Method;
use paywarden_access::{
    Author, Scope,
    area::Area,
    staff::{Error, Member},
};
use paywarden_store::Purpose;
use std::sync::Arc;

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A link is followed.
    Accept,
    /// A challenge for a passkey.
    PasskeyChallenge,
    /// A passkey answers.
    SignInByPasskey,
    /// A password and a code.
    SignInByPassword,
    /// Who else can say who one is.
    Providers,
    /// The way to one of them.
    SignOnChallenge,
    /// The way back.
    SignOn,
    /// Who one is.
    Whoami,
    /// The session ends.
    SignOut,
    /// A challenge for a passkey, once more.
    ProofChallenge,
    /// A factor, once more.
    Prove,
    /// One's own sessions.
    OwnSessions,
    /// One of them ends.
    EndOwnSession,
    /// How one works.
    Preferences,
    /// How one works from now on.
    KeepPreferences,
    /// A challenge for a new passkey.
    PasskeySetup,
    /// A new passkey.
    AddPasskey,
    /// A passkey less.
    RemovePasskey,
    /// The way to a provider, to bind what it says.
    IdentityChallenge,
    /// The way back.
    BindIdentity,
    /// An identity less.
    UnbindIdentity,
    /// A password.
    SetPassword,
    /// A secret for an authenticator application.
    TotpSetup,
    /// Its first code.
    ConfirmTotp,
    /// New recovery codes.
    RecoveryCodes,
    /// Every account.
    Accounts,
    /// One account.
    Account,
    /// A new account.
    Invite,
    /// The access review.
    Review,
    /// A new link.
    InviteAgain,
    /// Nobody signs in.
    Disable,
    /// Its owner signs in again.
    Enable,
    /// Its password is looked at again.
    Unlock,
    /// An identity of somebody else's account.
    BindIdentityOf,
    /// A part of the trail.
    TrailArea(Area),
    /// Other roles.
    SetRoles,
    /// The sessions of an account.
    Sessions,
    /// They end.
    EndSessions,
    /// Every role.
    Roles,
    /// Every key of the company.
    Keys,
    /// Calls as they arrive.
    SignedCalls,
    /// A new key.
    CreateKey,
    /// A new key in the place of one.
    RotateKey,
    /// Where a key may be used from.
    BindKey,
    /// The end of a key.
    RevokeKey,
    /// A look at a security alert.
    AcknowledgeAlert,
    /// The end of one.
    CloseAlert,
}

const fn route(
    method: &'static Method,
    path: &'static str,
    door: Door,
    scope: Option<Scope>,
    act: Act,
) -> Route {
    Route {
        method,
        path,
        door,
        scope,
        has_body: true,
        size: Size::Event,
        keyed: Keyed::Never,
        endpoint: Endpoint::Person(act),
    }
}

/// A route that takes nothing but its path.
const fn bare(
    method: &'static Method,
    path: &'static str,
    door: Door,
    scope: Option<Scope>,
    act: Act,
) -> Route {
    Route {
        has_body: false,
        ..route(method, path, door, scope, act)
    }
}

/// A part of the trail, which needs the scope of its own.
const fn area(path: &'static str, area: Area) -> Route {
    bare(
        GET,
        path,
        Door::Staff,
        Some(area.scope()),
        Act::TrailArea(area),
    )
}

const READ: Option<Scope> = Some(Scope::StaffRead);
const WRITE: Option<Scope> = Some(Scope::StaffWrite);
const GRANT: Option<Scope> = Some(Scope::RolesGrant);
const KEYS: Option<Scope> = Some(Scope::KeysRead);
const CUSTODY: Option<Scope> = Some(Scope::KeysWrite);
const REVIEW: Option<Scope> = Some(Scope::StaffReview);
const SECURITY: Option<Scope> = Some(Scope::SecurityReview);

const GET: &Method = &Method::GET;
const POST: &Method = &Method::POST;
const PUT: &Method = &Method::PUT;
const DELETE: &Method = &Method::DELETE;

/// Every route of people.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    route(POST, "/v1/session/invitation", Door::Visitor, None, Act::Accept),
    route(POST, "/v1/session/passkey-challenge", Door::Visitor, None, Act::PasskeyChallenge),
    route(POST, "/v1/session/passkey", Door::Visitor, None, Act::SignInByPasskey),
    route(POST, "/v1/session/password", Door::Visitor, None, Act::SignInByPassword),
    bare(GET, "/v1/session/providers", Door::Visitor, None, Act::Providers),
    route(POST, "/v1/session/sign-on-challenge", Door::Visitor, None, Act::SignOnChallenge),
    route(POST, "/v1/session/sign-on", Door::Visitor, None, Act::SignOn),
    bare(GET, "/v1/session", Door::Own, None, Act::Whoami),
    bare(DELETE, "/v1/session", Door::Own, None, Act::SignOut),
    bare(POST, "/v1/session/proof-challenge", Door::Proving, None, Act::ProofChallenge),
    route(POST, "/v1/session/proof", Door::Proving, None, Act::Prove),
    bare(GET, "/v1/session/sessions", Door::Staff, None, Act::OwnSessions),
    bare(DELETE, "/v1/session/sessions/{id}", Door::Staff, None, Act::EndOwnSession),
    bare(GET, "/v1/session/preferences", Door::Staff, None, Act::Preferences),
    route(PUT, "/v1/session/preferences", Door::Staff, None, Act::KeepPreferences),
    bare(POST, "/v1/session/factors/passkey-challenge", Door::OwnFresh, None, Act::PasskeySetup),
    route(POST, "/v1/session/factors/passkeys", Door::OwnFresh, None, Act::AddPasskey),
    bare(DELETE, "/v1/session/factors/passkeys/{place}", Door::StaffFresh, None, Act::RemovePasskey),
    route(POST, "/v1/session/factors/identity-challenge", Door::OwnFresh, None, Act::IdentityChallenge),
    route(POST, "/v1/session/factors/identities", Door::OwnFresh, None, Act::BindIdentity),
    bare(DELETE, "/v1/session/factors/identities/{place}", Door::StaffFresh, None, Act::UnbindIdentity),
    route(PUT, "/v1/session/factors/password", Door::OwnFresh, None, Act::SetPassword),
    bare(POST, "/v1/session/factors/totp", Door::OwnFresh, None, Act::TotpSetup),
    route(POST, "/v1/session/factors/totp/confirmation", Door::OwnFresh, None, Act::ConfirmTotp),
    bare(POST, "/v1/session/factors/recovery-codes", Door::StaffFresh, None, Act::RecoveryCodes),
    bare(GET, "/v1/staff", Door::Staff, READ, Act::Accounts),
    route(POST, "/v1/staff", Door::StaffFresh, WRITE, Act::Invite),
    bare(GET, "/v1/staff/review", Door::Staff, REVIEW, Act::Review),
    bare(GET, "/v1/staff/{id}", Door::Staff, READ, Act::Account),
    route(POST, "/v1/staff/{id}/invitation", Door::StaffFresh, WRITE, Act::InviteAgain),
    route(POST, "/v1/staff/{id}/disable", Door::StaffFresh, WRITE, Act::Disable),
    route(POST, "/v1/staff/{id}/enable", Door::StaffFresh, WRITE, Act::Enable),
    route(POST, "/v1/staff/{id}/unlock", Door::StaffFresh, WRITE, Act::Unlock),
    route(POST, "/v1/staff/{id}/identities", Door::StaffFresh, WRITE, Act::BindIdentityOf),
    route(PUT, "/v1/staff/{id}/roles", Door::StaffFresh, GRANT, Act::SetRoles),
    bare(GET, "/v1/staff/{id}/sessions", Door::Staff, READ, Act::Sessions),
    bare(DELETE, "/v1/staff/{id}/sessions", Door::StaffFresh, WRITE, Act::EndSessions),
    area("/v1/trail/areas/system", Area::System),
    area("/v1/trail/areas/security", Area::Security),
    area("/v1/trail/areas/audit", Area::Audit),
    area("/v1/trail/areas/business", Area::Business),
    bare(GET, "/v1/roles", Door::Staff, None, Act::Roles),
    bare(GET, "/v1/signed-calls", Door::Staff, KEYS, Act::SignedCalls),
    bare(GET, "/v1/keys", Door::Staff, KEYS, Act::Keys),
    route(POST, "/v1/keys", Door::StaffFresh, CUSTODY, Act::CreateKey),
    route(POST, "/v1/keys/{id}/rotation", Door::StaffFresh, CUSTODY, Act::RotateKey),
    route(PUT, "/v1/keys/{id}/binding", Door::StaffFresh, CUSTODY, Act::BindKey),
    route(POST, "/v1/keys/{id}/revocation", Door::StaffFresh, CUSTODY, Act::RevokeKey),
    route(POST, "/v1/security-alerts/{id}/acknowledgement", Door::StaffFresh, SECURITY, Act::AcknowledgeAlert),
    route(POST, "/v1/security-alerts/{id}/closing", Door::StaffFresh, SECURITY, Act::CloseAlert),
];

/// One request of a person, as its handler sees it.
pub(crate) struct PersonCall {
    pub(crate) state: Arc<State>,
    pub(crate) peer: Peer,
    /// Who is signed in; nobody on the routes for visitors.
    pub(crate) member: Option<Member>,
    pub(crate) parameter: String,
    pub(crate) query: String,
    pub(crate) body: Bytes,
}

impl PersonCall {
    /// Who is signed in.
    pub(crate) fn member(&self) -> Result<&Member, Problem> {
        let nobody = || Problem::new(Code::SessionRequired, "sign in first");
        self.member.as_ref().ok_or_else(nobody)
    }

    fn acting(&self) -> Result<approvals::Acting<'_>, Problem> {
        let member = self.member()?;
        Ok(approvals::Acting {
            state: &self.state,
            who: member.who(),
            roles: member.account.roles().map(ToOwned::to_owned).collect(),
            parameter: &self.parameter,
            query: &self.query,
            body: &self.body,
        })
    }

    /// They act, for a purpose that goes without saying.
    pub(crate) fn author(&self, purpose: impl Into<Purpose>) -> Result<Author, Problem> {
        Ok(self.member()?.author(purpose))
    }
}

/// Answers a request of a person.
pub(crate) async fn handle(route: &Route, call: &PersonCall) -> Result<Reply, Problem> {
    let act = match route.endpoint {
        Endpoint::Person(act) => act,
        Endpoint::Approval(act) => return approvals::handle(act, &call.acting()?).await,
        _ => return super::handle(route, &Call::of_person(call)?).await,
    };
    match act {
        Act::Accept => session::accept(call).await,
        Act::PasskeyChallenge => session::passkey_challenge(call),
        Act::SignInByPasskey => session::by_passkey(call).await,
        Act::SignInByPassword => session::by_password(call).await,
        Act::Providers => sign_on::providers(call),
        Act::SignOnChallenge => sign_on::challenge(call).await,
        Act::SignOn => sign_on::enter(call).await,
        Act::Whoami => session::whoami(call),
        Act::SignOut => session::sign_out(call).await,
        Act::ProofChallenge => session::proof_challenge(call),
        Act::Prove => session::prove(call).await,
        Act::OwnSessions => session::own_sessions(call),
        Act::EndOwnSession => session::end_own(call).await,
        Act::Preferences => preferences::read(call).await,
        Act::KeepPreferences => preferences::keep(call).await,
        Act::PasskeySetup => factors::passkey_setup(call),
        Act::AddPasskey => factors::add_passkey(call).await,
        Act::RemovePasskey => factors::remove_passkey(call).await,
        Act::IdentityChallenge => sign_on::identity_challenge(call).await,
        Act::BindIdentity => sign_on::bind(call).await,
        Act::UnbindIdentity => sign_on::unbind(call).await,
        Act::SetPassword => factors::set_password(call).await,
        Act::TotpSetup => factors::totp_setup(call).await,
        Act::ConfirmTotp => factors::confirm_totp(call).await,
        Act::RecoveryCodes => factors::recovery_codes(call).await,
        Act::Accounts => staff::all(call),
        Act::Account => staff::one(call),
        Act::Invite => staff::invite(call).await,
        Act::Review => staff::review(call).await,
        Act::InviteAgain => staff::invite_again(call).await,
        Act::Disable => staff::disable(call).await,
        Act::Enable => staff::enable(call).await,
        Act::Unlock => staff::unlock(call).await,
        Act::BindIdentityOf => sign_on::bind_of(call).await,
        Act::TrailArea(Area::System) => areas::system(call).await,
        Act::TrailArea(Area::Security) => areas::security(call).await,
        Act::TrailArea(Area::Audit) => areas::audit(call).await,
        Act::TrailArea(Area::Business) => areas::business(call).await,
        Act::SetRoles => staff::set_roles(call).await,
        Act::Sessions => staff::sessions(call),
        Act::EndSessions => staff::end_sessions(call).await,
        Act::Roles => staff::roles(call),
        Act::SignedCalls => keys::calls(call),
        Act::Keys => keys::all(call),
        Act::CreateKey => keys::create(call).await,
        Act::RotateKey => keys::rotate(call).await,
        Act::BindKey => keys::bind(call).await,
        Act::RevokeKey => keys::revoke(call).await,
        Act::AcknowledgeAlert => alerts::acknowledge(call).await,
        Act::CloseAlert => alerts::close(call).await,
    }
}

const PAUSE_US: u64 = 1_000_000;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        let plain = |code| Self::new(code, detail.clone());
        match error {
            Error::SessionUnknown => plain(Code::SessionUnknown),
            Error::SignInRefused => plain(Code::SignInRefused),
            Error::Delayed { wait_us } => plain(Code::SignInDelayed).retry_after_us(wait_us),
            Error::Busy => plain(Code::PasswordChecksBusy).retry_after_us(PAUSE_US),
            Error::InvitationUnknown => plain(Code::InvitationUnknown),
            Error::CeremonyUnknown => plain(Code::CeremonyUnknown),
            Error::PasskeyRefused => plain(Code::PasskeyRefused),
            Error::CodeRefused => plain(Code::CodeRefused),
            Error::PasswordRefused(unmet) => {
                let unmet = unmet.into_iter().map(str::to_owned).collect();
                let detail = "the password does not meet every rule";
                Self::new(Code::PasswordRefused, detail).missing(unmet)
            }
            Error::ProviderUnknown => plain(Code::ProviderUnknown),
            Error::ProviderRefused => plain(Code::ProviderRefused),
            Error::ProviderUnavailable => plain(Code::ProviderUnavailable).retry_after_us(PAUSE_US),
            Error::IdentityTaken => plain(Code::IdentityTaken),
            Error::FactorUnknown => plain(Code::FactorUnknown),
            Error::LastFactor => plain(Code::LastFactor),
            Error::AccountUnknown => plain(Code::AccountUnknown),
            Error::LoginTaken => plain(Code::LoginTaken),
            Error::NameRefused(_) => plain(Code::NameRefused),
            Error::PreferencesChanged => plain(Code::PreferencesChanged),
            Error::PreferencesRefused(_) => plain(Code::PreferencesRefused),
            Error::State(_) => plain(Code::AccountState),
            Error::Oneself => plain(Code::OwnAccount),
            Error::RoleUnknown(_) | Error::RoleRefused(..) => {
                Self::new(Code::RoleUnknown, "a role is not known")
            }
            Error::RolesConflict(_) => plain(Code::RolesConflict),
            Error::GrantForbidden => plain(Code::GrantForbidden),
            Error::Limit(_) => plain(Code::StaffLimit),
            Error::Approval(error) => error.into(),
            Error::Store(error) => store(&error),
            Error::AccountDamaged { .. }
            | Error::Origin(_)
            | Error::ProviderSettings(..)
            | Error::Internal(_)
            | Error::Crypto(_) => {
                tracing::error!(%error, "staff");
                Self::new(Code::Internal, "the request failed")
            }
        }
    }
}

/// What the store refuses or fails with, to a person.
pub(crate) fn store(error: &paywarden_store::Error) -> Problem {
    use paywarden_store::Error as Store;
    match error {
        Store::Overloaded => Problem::new(Code::Overloaded, "the journal has no room at present")
            .retry_after_us(PAUSE_US),
        Store::Invalid { .. } => Problem::new(Code::FieldInvalid, "a text is too long or empty"),
        error => {
            tracing::error!(%error, "store");
            let detail = "nothing is answered that is not durable";
            Problem::new(Code::StoreUnavailable, detail).retry_after_us(PAUSE_US)
        }
    }
}
