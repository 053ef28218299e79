//! A vault on either engine, with a clock that stands still until it is moved.

use crate::support::{Place, Store};
use paywarden_access::{
    Scope,
    approval::{Approvals, Ask, Ballot, Rights, Who},
};
use paywarden_crypto::{Keyring, envelope::Profile};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_privacy::{
    By, Error, Item, Plain, Retention, Vault, VaultSettings,
    consent::{Answer, Answered},
    notice::Notice,
    policy::PrivacyPolicyChange,
    token::Form,
};
use paywarden_store::{Actor, Clock, JournalLimits, SimulatedClock};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tempfile::TempDir;

pub const DAY_US: u64 = 86_400_000_000;

pub struct World {
    pub vault: Arc<Vault>,
    pub store: Store,
    pub clock: Arc<SimulatedClock>,
    pub approvals: Approvals,
    /// Whether anybody may be shown values.
    pub is_trusted: Arc<AtomicBool>,
    keyring: Arc<Keyring>,
    folder: TempDir,
}

impl World {
    pub async fn open(place: &Place) -> Self {
        let start = Timestamp::from_micros(1_790_000_000_000_000);
        let clock = Arc::new(SimulatedClock::new(start, 7));
        let folder = tempfile::tempdir().unwrap();
        Self::start(place, clock, Arc::new(Keyring::ephemeral()), folder).await
    }

    async fn start(
        place: &Place,
        clock: Arc<SimulatedClock>,
        keyring: Arc<Keyring>,
        folder: TempDir,
    ) -> Self {
        let time = Clock::Simulated(Arc::clone(&clock));
        let store = place
            .open_with(time.clone(), JournalLimits::default())
            .await;
        let settings = VaultSettings {
            profile: &Profile::DEFAULT,
            epochs_file: folder.path().join("vault.epochs"),
            ..VaultSettings::default()
        };
        let (database, journal) = (store.database.clone(), store.journal.clone());
        let (db, log) = (database.clone(), journal.clone());
        let vault = Vault::open(&keyring, db, log, time.clone(), &settings).await;
        let is_trusted = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&is_trusted);
        let rights: Rights = Arc::new(move |_, actor: &str, scope| match scope {
            Scope::SubjectsReveal => {
                asked.load(Ordering::SeqCst) && ["staff:liu", "staff:chen"].contains(&actor)
            }
            Scope::PrivacyPolicy | Scope::ApprovalsVote | Scope::ApprovalsRequest => {
                actor != "key:nobody"
            }
            Scope::ApprovalsBreakGlass => actor == "staff:liu",
            Scope::CasesRead => ["staff:liu", "staff:chen"].contains(&actor),
            _ => false,
        });
        Self {
            vault: Arc::new(vault.unwrap()),
            store,
            clock,
            approvals: Approvals::new(database, journal, time, rights),
            is_trusted,
            keyring,
            folder,
        }
    }

    /// The same installation again: what was in memory is read from the store.
    pub async fn restart(self, place: &Place) -> Self {
        drop(self.vault);
        self.store.close().await;
        Self::start(place, self.clock, self.keyring, self.folder).await
    }

    pub async fn keep(&self, item: Item) -> String {
        let by = by("marketing");
        let kept = self.vault.tokenize(&by, &[item]).await.unwrap();
        kept[0].token.clone()
    }

    pub async fn read(&self, by: &By, token: &str) -> Result<String, Error> {
        let mut read = self.vault.detokenize(by, &[token.to_owned()]).await?;
        read.remove(0).map(|read| read.value.expose().clone())
    }

    pub async fn agree(&self, subject: &str, purpose: &str) -> Result<Answered, Error> {
        self.vault
            .give_consent(&who("acme", "key_1"), &answer(subject, purpose))
            .await
    }

    pub async fn withdraw(&self, subject: &str) -> Result<Answered, Error> {
        self.vault
            .withdraw_consent(&who("acme", "key_1"), subject, &[])
            .await
    }

    pub async fn publish(&self, change: impl FnOnce(&mut Notice)) -> Result<i64, Error> {
        let mut notice = self.standard().await;
        change(&mut notice);
        let published = self
            .vault
            .publish_notice(&who("acme", "key_1"), &notice)
            .await?;
        Ok(published.version)
    }

    pub async fn standard(&self) -> Notice {
        let acme = who("acme", "key_1").tenant;
        let notice = self.vault.notice(&acme, "standard", Some(0)).await.unwrap();
        notice.notice.clone()
    }

    /// Proposes a policy, has another approve it, and brings it into force.
    pub async fn change_policy(&self, text: &str) -> Result<(), String> {
        let (maker, checker) = (who("acme", "key_1"), who("acme", "key_2"));
        let replaces = self.vault.privacy_policy(&maker.tenant).number;
        let change = PrivacyPolicyChange {
            replaces,
            text: text.to_owned(),
        };
        let ask = Ask {
            authors: Vec::new(),
            reason: "review".to_owned(),
            ticket: None,
            expires_at: None,
        };
        let asked = self.approvals.request(&maker, &change, ask).await;
        let asked = asked.map_err(|error| error.to_string())?;
        let ballot = Ballot {
            approve: true,
            payload_sha256: asked.payload_sha256.clone(),
            on_behalf_of: None,
            reason: "looked at".to_owned(),
        };
        self.approvals
            .vote(&checker, &asked.id, ballot)
            .await
            .unwrap();
        let approved = self.approvals.claim(&maker, &asked.id).await.unwrap();
        let changed = self.vault.change_privacy_policy(approved, "review").await;
        changed.map_err(|error| error.to_string())
    }

    /// Purpose, action and object of every act, oldest first.
    pub async fn acts(&self) -> Vec<(String, String, String)> {
        let acts = self.store.database.acts(0, 1_000).await.unwrap();
        let read = |act: &paywarden_store::ActRow| {
            let leaf = act.read().unwrap();
            (
                leaf.purpose.to_owned(),
                leaf.action.to_owned(),
                leaf.object.to_owned(),
            )
        };
        acts.iter().map(read).collect()
    }

    /// The purpose of the last act of this kind.
    pub async fn last(&self, action: &str) -> String {
        let acts = self.acts().await;
        let last = acts.into_iter().rev().find(|(_, done, _)| done == action);
        last.unwrap().0
    }

    pub fn pass_days(&self, days: u64) {
        self.clock.advance_us(days * DAY_US);
    }

    pub async fn close(self) {
        let verdict = self.store.database.verify(None).await.unwrap();
        assert!(
            matches!(verdict, paywarden_store::Verdict::Intact(_)),
            "{verdict:?}"
        );
        self.store.close().await;
    }
}

pub fn who(tenant: &str, key: &str) -> Who {
    Who {
        tenant: TenantId::parse(tenant).unwrap(),
        actor: Actor::Key(key.to_owned()),
    }
}

pub fn staff(name: &str) -> Who {
    Who {
        actor: Actor::Staff(name.to_owned()),
        ..who("acme", "key_1")
    }
}

pub fn by(purpose: &str) -> By {
    let Who { tenant, actor } = who("acme", "key_1");
    By::new(tenant, actor, purpose)
}

pub fn answer(subject: &str, purpose: &str) -> Answer {
    Answer {
        subject: subject.to_owned(),
        purposes: vec![purpose.to_owned()],
        notice: "standard".to_owned(),
        notice_version: 0,
        language: "zh".to_owned(),
        method: "web_form".to_owned(),
        jurisdiction: None,
        days: None,
    }
}

/// An address for offers, of one person.
pub fn address(subject: &str) -> Item {
    item(
        subject,
        "email",
        &format!("{subject}@example.com"),
        Retention::Marketing,
    )
}

pub fn item(subject: &str, class: &str, value: &str, retention: Retention) -> Item {
    Item {
        subject: subject.to_owned(),
        class: class.to_owned(),
        value: Plain::from(value.to_owned()),
        details: None,
        retention,
        form: Form::Opaque,
        once: false,
        ttl_seconds: None,
        caller: None,
        purpose: None,
    }
}

/// The code of a refusal.
pub fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().code()
}
