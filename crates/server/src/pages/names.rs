//! What colleagues and rules are called.

use super::Desk;
use paywarden_access::{
    Scope,
    staff::{Account, Member},
};
use paywarden_risk::RuleTitle;
use std::sync::Arc;

impl Desk {
    /// What a colleague of whoever is signed in is called, by the identifier of their account. No
    /// more is told of colleagues here; the rest takes the routes of staff.
    pub fn colleague(&self, id: &str) -> Option<String> {
        let tenant = &self.admitted()?.account.tenant;
        let found = self.state.staff.find(tenant, id).ok()?;
        Some(found.name().to_owned())
    }

    /// Colleagues who may do this, by name: what is sent for each, and what they are called.
    pub fn colleagues(&self, scope: Scope) -> Vec<(String, String)> {
        let Some(member) = self.admitted() else {
            return Vec::new();
        };
        let (tenant, staff) = (&member.account.tenant, &self.state.staff);
        let mut all = staff.all(tenant);
        all.retain(|account| staff.may(tenant, &account.id, scope));
        let named =
            |account: &Arc<Account>| (format!("staff:{}", account.id), account.name().to_owned());
        let mut all: Vec<_> = all.iter().map(named).collect();
        all.sort_by(|one, other| one.1.cmp(&other.1));
        all
    }

    /// What a rule is called: one of the version that the page is about, of those at work for the
    /// company of whoever is signed in, or of those by which the trail is watched.
    pub fn rule(&self, id: &str) -> Option<RuleTitle> {
        let tenant = &self.admitted()?.account.tenant;
        let (engine, watch) = (&self.state.engine, &self.state.watch);
        let own = self.rules.as_ref().and_then(|rules| rules.title(id));
        own.or_else(|| engine.rule_title(tenant, id))
            .or_else(|| watch.rules().title(id))
    }

    /// Says which version of the rules the page is about; nothing if whoever is signed in may not
    /// read it.
    pub async fn about_rules(&mut self, version: &str) {
        let member = self.admitted();
        let reader = member.filter(|member| member.scopes.contains(Scope::RulesRead));
        if let Some(tenant) = reader.map(|member| member.account.tenant.clone()) {
            self.rules = self.state.engine.rules_of(&tenant, version).await.ok();
        }
    }

    /// Whoever is signed in with all factors.
    fn admitted(&self) -> Option<&Member> {
        let member = self.member.as_ref();
        member.filter(|member| member.session.factor.is_full())
    }
}
