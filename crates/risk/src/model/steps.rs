//! What a caller can ask of models: register, challenge, publish, take back.

use super::{
    keep::{self, Head, Signer},
    release::ModelRelease,
    stand::{self, Move, Stand},
    view::{ModelLine, ModelList, ModelProgress, RegisteredModel},
};
use crate::{Engine, Error, release::TURN_WAIT};
use bytes::Bytes;
use paywarden_access::approval::{self, Approved, Who};
use paywarden_domain::{Engine as Judge, TenantId};
use paywarden_models::Package;
use paywarden_store::{Appended, Entry, Purpose};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard, Semaphore},
    time::timeout,
};

/// The most models that one tenant registers.
const MODELS_MAX: u32 = 1_000;
const PURPOSE_BYTES_MAX: usize = 256;

/// What the lives of models are kept in while the process runs.
pub struct ModelDesk {
    pub(super) signer: Signer,
    stands: Mutex<HashMap<TenantId, Arc<Stand>>>,
    turns: Mutex<HashMap<TenantId, Arc<AsyncMutex<()>>>>,
    /// The last preparation of each tenant, and of which model.
    progress: Mutex<HashMap<TenantId, (String, ModelProgress)>>,
    /// One package is read at a time: the other processors decide payments.
    reading: Semaphore,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelMoved {
    /// The step is taken.
    Done(ModelLine),
    /// Windows are being filled first; the step follows by itself.
    Preparing(ModelProgress),
}

impl ModelDesk {
    pub(crate) fn new(signer: Signer, stands: HashMap<TenantId, Stand>) -> Self {
        let shared = |(tenant, stand)| (tenant, Arc::new(stand));
        Self {
            signer,
            stands: Mutex::new(stands.into_iter().map(shared).collect()),
            turns: Mutex::default(),
            progress: Mutex::default(),
            reading: Semaphore::new(1),
        }
    }

    /// Which models are at work for a tenant.
    pub(super) fn stand(&self, tenant: &TenantId) -> Arc<Stand> {
        lock(&self.stands).get(tenant).cloned().unwrap_or_default()
    }

    /// Which models are at work, of all tenants.
    pub(super) fn stands(&self) -> Vec<(TenantId, Arc<Stand>)> {
        let stands = lock(&self.stands);
        let shared =
            |(tenant, stand): (&TenantId, &Arc<Stand>)| (tenant.clone(), Arc::clone(stand));
        stands.iter().map(shared).collect()
    }

    fn put(&self, tenant: &TenantId, stand: Stand) {
        lock(&self.stands).insert(tenant.clone(), Arc::new(stand));
    }

    fn note(&self, tenant: &TenantId, model: &str, progress: ModelProgress) {
        lock(&self.progress).insert(tenant.clone(), (model.to_owned(), progress));
    }

    async fn turn(&self, tenant: &TenantId) -> Result<OwnedMutexGuard<()>, Error> {
        let turn = Arc::clone(lock(&self.turns).entry(tenant.clone()).or_default());
        let mine = timeout(TURN_WAIT, turn.lock_owned()).await;
        mine.map_err(|_| Error::ModelBusy)
    }
}

impl Engine {
    /// Registers a package. It is durable, and decides nothing. Registering it again answers with
    /// what is there.
    ///
    /// Errors: [`Error::ModelRefused`], [`Error::ModelLimit`].
    pub async fn register_model(&self, who: &Who, bytes: Bytes) -> Result<RegisteredModel, Error> {
        if bytes.len() > keep::PACKAGE_BYTES_MAX {
            return Err(Error::ModelRefused(
                "a package has at most 14 MiB".to_owned(),
            ));
        }
        let package = self.read_package(bytes.clone()).await?;
        let (tenant, now) = (&who.tenant, self.clock.now());
        let made = (now, who.actor.to_string());
        let head = Head::new((tenant, &self.models.signer), (&bytes, &package), made)?;
        let _turn = self.models.turn(tenant).await?;
        let stand = self.models.stand(tenant);
        if let Ok(known) = keep::head(&self.database, tenant, &head.model).await {
            return Ok(RegisteredModel {
                line: ModelLine::new(known, &stand),
                is_new: false,
            });
        }
        let known = self
            .database
            .records_of(tenant, keep::HEAD, "~", MODELS_MAX);
        if known.await?.len() >= MODELS_MAX as usize {
            return Err(Error::ModelLimit("models, at most 1,000"));
        }
        let entry = Entry {
            tenant: tenant.clone(),
            actor: who.actor.clone(),
            purpose: Purpose::from("model registration"),
            action: "model.register",
            object: head.model.clone(),
            rows: head.rows(tenant, &bytes)?,
        };
        let _: Appended = self.journal.append(entry).await?;
        Ok(RegisteredModel {
            line: ModelLine::new(head, &stand),
            is_new: true,
        })
    }

    /// A page of a tenant's models, behind the one that ended the page before.
    pub async fn models(
        &self,
        tenant: &TenantId,
        before: Option<&str>,
        limit: u32,
    ) -> Result<ModelList, Error> {
        let place = before.map(|model| keep::head_id(tenant, model));
        let place = place.as_deref().unwrap_or("~");
        let rows = self
            .database
            .records_of(tenant, keep::HEAD, place, limit)
            .await?;
        let stand = self.models.stand(tenant);
        let line = |row| Head::read(row).map(|head| ModelLine::new(head, &stand));
        let models: Vec<ModelLine> = rows.iter().map(line).collect::<Result<_, _>>()?;
        let next = models.last().filter(|_| rows.len() == limit as usize);
        Ok(ModelList {
            next: next.map(|line| line.model.clone()),
            models,
        })
    }

    /// One model of a tenant. Error: [`Error::ModelUnknown`].
    pub async fn model(&self, tenant: &TenantId, model: &str) -> Result<ModelLine, Error> {
        let head = keep::head(&self.database, tenant, model).await?;
        Ok(ModelLine::new(head, &self.models.stand(tenant)))
    }

    /// How far a model is on its way. Error: [`Error::ModelUnknown`].
    pub async fn model_progress(
        &self,
        tenant: &TenantId,
        model: &str,
    ) -> Result<ModelProgress, Error> {
        keep::head(&self.database, tenant, model).await?;
        Ok(match lock(&self.models.progress).get(tenant) {
            Some((known, progress)) if known == model => progress.clone(),
            _ => ModelProgress::Idle,
        })
    }

    /// Asks a model beside the live one. What it says is kept with each decision.
    pub async fn shadow_model(
        self: &Arc<Self>,
        who: &Who,
        (engine, model): (Judge, &str),
        purpose: &str,
    ) -> Result<ModelMoved, Error> {
        let step = Move::Shadow(engine, model.to_owned());
        self.move_model(who, model, step, purpose).await
    }

    /// Asks a challenger no more.
    pub async fn withdraw_model(
        self: &Arc<Self>,
        who: &Who,
        (engine, model): (Judge, &str),
        purpose: &str,
    ) -> Result<ModelMoved, Error> {
        let step = Move::Withdraw(engine, model.to_owned());
        self.move_model(who, model, step, purpose).await
    }

    /// Takes the live model of an engine back: the one before it decides again, or none. The answer
    /// is the model that was taken back.
    pub async fn roll_back_model(
        self: &Arc<Self>,
        who: &Who,
        engine: Judge,
        purpose: &str,
    ) -> Result<ModelMoved, Error> {
        let live = self.models.stand(&who.tenant).live(engine).cloned();
        let live = live.ok_or(Error::ModelMove("no model decides"))?;
        let step = Move::RollBack(engine);
        self.move_model(who, &live.model, step, purpose).await
    }

    /// Refuses a release that is not possible now: whoever registered the model otherwise. Error:
    /// [`Error::ModelUnproven`] if it has not shown that it is no worse than the live one.
    pub async fn check_model_release(
        &self,
        tenant: &TenantId,
        release: &ModelRelease,
    ) -> Result<String, Error> {
        release.policy.check()?;
        let head = keep::head(&self.database, tenant, &release.model).await?;
        let step = Move::Publish(release.clone(), None);
        let stand = self.models.stand(tenant);
        stand.after(&step, (self.clock.now(), &head.registered_by))?;
        self.may_promote(tenant, (release.engine, &release.model))
            .await?;
        Ok(head.registered_by)
    }

    /// Lets a model decide. Goes on if nobody waits for it; the approval is looked at again, and
    /// used up, when the windows are ready.
    pub async fn release_model(
        self: &Arc<Self>,
        approved: Approved<ModelRelease>,
        purpose: &str,
    ) -> Result<ModelMoved, Error> {
        let (who, release) = (approved.who().clone(), approved.command().clone());
        keep::head(&self.database, &who.tenant, &release.model).await?;
        let model = release.model.clone();
        let threshold = match release.policy.budget() {
            Some(budget) => {
                let place = (release.engine, release.model.as_str());
                Some(self.budget_threshold(&who.tenant, place, budget).await?)
            }
            None => None,
        };
        let step = Move::Publish(release, threshold);
        self.moved_model((&who, Some(approved)), &model, step, purpose)
            .await
    }

    async fn move_model(
        self: &Arc<Self>,
        who: &Who,
        model: &str,
        step: Move,
        purpose: &str,
    ) -> Result<ModelMoved, Error> {
        keep::head(&self.database, &who.tenant, model).await?;
        self.moved_model((who, None), model, step, purpose).await
    }

    /// Takes a step in the tenant's turn, in a task of its own, and waits for it, but not for long.
    async fn moved_model(
        self: &Arc<Self>,
        (who, approved): (&Who, Option<Approved<ModelRelease>>),
        model: &str,
        step: Move,
        purpose: &str,
    ) -> Result<ModelMoved, Error> {
        check_purpose(purpose)?;
        let turn = self.models.turn(&who.tenant).await?;
        let (engine, tenant) = (Arc::clone(self), who.tenant.clone());
        let (task_who, task_model, purpose) = (who.clone(), model.to_owned(), purpose.to_owned());
        self.models.note(
            &tenant,
            model,
            ModelProgress::Preparing { done: 0, total: 0 },
        );
        let job = tokio::spawn(async move {
            let _turn = turn;
            let taken = engine
                .take_model((&task_who, approved), step, &purpose)
                .await;
            let progress = match &taken {
                Ok(()) => ModelProgress::Done,
                Err(error) => ModelProgress::Failed {
                    code: error.code(),
                    detail: error.to_string(),
                },
            };
            engine.models.note(&task_who.tenant, &task_model, progress);
            taken
        });
        match timeout(TURN_WAIT, job).await {
            Ok(ended) => {
                ended.map_err(|_| Error::RecordDamaged("a step ended early".to_owned()))??;
                self.model(&tenant, model).await.map(ModelMoved::Done)
            }
            Err(_) => self
                .model_progress(&tenant, model)
                .await
                .map(ModelMoved::Preparing),
        }
    }

    /// Takes a step of the system's own in the tenant's turn.
    pub(super) async fn take_in_turn(
        &self,
        who: &Who,
        step: Move,
        purpose: &str,
    ) -> Result<(), Error> {
        let _turn = self.models.turn(&who.tenant).await?;
        self.take_model((who, None), step, purpose).await
    }

    /// Takes a step: packages and windows first, then the journal, then one pointer.
    pub(super) async fn take_model(
        &self,
        (who, approved): (&Who, Option<Approved<ModelRelease>>),
        step: Move,
        purpose: &str,
    ) -> Result<(), Error> {
        let (tenant, now) = (&who.tenant, self.clock.now());
        let before = self.models.stand(tenant);
        let (after, model) = before.after(&step, (now, &who.actor.to_string()))?;
        if let Move::Publish(release, _) = &step {
            self.may_promote(tenant, (release.engine, &release.model))
                .await?;
        }
        let mut floor = self.desk.floor.lock().await;
        let mut lineup = floor.lineup.clone();
        let known = floor.lineup.models.get(tenant).cloned();
        let signed = (tenant, &self.models.signer);
        let bench = stand::bench(&self.database, signed, &after, known.as_deref()).await?;
        lineup.models.insert(tenant.clone(), Arc::new(bench));
        let mut union = floor.lineup.union();
        union.join(&lineup);
        let note = |done, total| {
            let progress = ModelProgress::Preparing { done, total };
            self.models.note(tenant, &model, progress);
        };
        self.keep_windows(&mut floor, union, note).await?;
        let entry = Entry {
            tenant: tenant.clone(),
            actor: who.actor.clone(),
            purpose: Purpose::from("model").because(purpose),
            action: step.action(),
            object: model.clone(),
            rows: vec![after.row(tenant, now)?],
        };
        let written = match approved {
            Some(approved) => approved.carry_out(|_| entry).await.map(drop),
            None => self
                .journal
                .append(entry)
                .await
                .map(drop)
                .map_err(Into::into),
        };
        if let Err(error) = written {
            self.models
                .put(tenant, Stand::of(&self.database, tenant).await?);
            return Err(match error {
                approval::Error::Store(paywarden_store::Error::Conflict { .. }) => Error::ModelBusy,
                other => other.into(),
            });
        }
        floor.lineup = lineup;
        self.models.put(tenant, after);
        self.install(&floor);
        self.begin_counts(tenant);
        Ok(())
    }

    async fn read_package(&self, bytes: Bytes) -> Result<Package, Error> {
        let _turn = self
            .models
            .reading
            .acquire()
            .await
            .map_err(|_| Error::ModelBusy)?;
        let read = tokio::task::spawn_blocking(move || Package::read(&bytes)).await;
        let read = read.map_err(|error| Error::ModelRefused(error.to_string()))?;
        read.map_err(|error| Error::ModelRefused(error.to_string()))
    }
}

fn check_purpose(purpose: &str) -> Result<(), Error> {
    match (1..=PURPOSE_BYTES_MAX).contains(&purpose.len()) && !purpose.contains('\0') {
        true => Ok(()),
        false => Err(Error::ModelPolicyMalformed("a purpose has 1 to 256 bytes")),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
