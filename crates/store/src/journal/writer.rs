//! The one task that writes.

use super::{
    Appended, Job, JournalLimits, Pending,
    batch::{Position, Statements, Written},
};
use crate::{
    Clock, Database, Error, acts, backtests,
    database::Checkpointer,
    deliveries, mentions, nodes, outbox,
    trail::{self, Digester, Trees},
};
use sqlx::{AnyConnection, Connection as _, Transaction};
use std::time::Duration;
use tokio::{sync::mpsc, task::yield_now, time::timeout};

pub(super) struct Writer {
    database: Database,
    clock: Clock,
    limits: JournalLimits,
    queue: mpsc::Receiver<Job>,
    statements: Statements,
    checkpointer: Option<Checkpointer>,
    /// None after a failure, until the database is reached again.
    connection: Option<AnyConnection>,
    /// Where the tables stand. None when that has to be read again, which happens inside the
    /// next transaction, after whatever was under way on the lost connection.
    position: Option<Position>,
    /// Where the trees of the trail stand, as far as they were needed.
    trees: Trees,
    /// What is true if a `COMMIT` that was sent has succeeded.
    committing: Option<Written>,
}

impl Writer {
    pub(super) async fn start(
        database: Database,
        clock: Clock,
        limits: JournalLimits,
        queue: mpsc::Receiver<Job>,
    ) -> Result<Self, Error> {
        let mut connection = database.take_writer()?;
        let position = Position::load(&mut connection).await?;
        let digester = trail::digester(&mut connection, &clock).await?;
        Ok(Self {
            statements: Statements::new(database.backend(), digester),
            checkpointer: Checkpointer::start(&database).await?,
            connection: Some(connection),
            position: Some(position),
            trees: Trees::default(),
            committing: None,
            database,
            clock,
            limits,
            queue,
        })
    }

    /// What makes the digests of rows.
    pub(super) fn digester(&self) -> Digester {
        self.statements.digester.clone()
    }

    /// Works until the journal is closed and the queue is empty.
    pub(super) async fn run(mut self) {
        let mut jobs = Vec::with_capacity(self.limits.batch_max);
        let mut before = 0;
        while self.queue.recv_many(&mut jobs, self.limits.batch_max).await > 0 {
            if jobs.len() < before / 2 {
                self.wait_for_others(&mut jobs).await;
            }
            before = jobs.len();
            let mut batch = Vec::with_capacity(jobs.len());
            let mut commands = Vec::new();
            for job in jobs.drain(..) {
                match job {
                    Job::Append(pending) => batch.push(pending),
                    Job::Outbox(command) => commands.push(Aside::Outbox(command)),
                    Job::Deliver(command) => commands.push(Aside::Deliver(command)),
                    Job::Backtest(command) => commands.push(Aside::Backtest(command)),
                    Job::Mentions(command) => commands.push(Aside::Mentions(command)),
                    Job::Beat(beat) => commands.push(Aside::Beat(beat)),
                    Job::Trail(command) => commands.push(Aside::Trail(command)),
                    Job::Mark(mark) => commands.push(Aside::Mark(mark)),
                    Job::Close => self.queue.close(),
                }
            }
            self.append(batch).await;
            for command in commands {
                self.aside(command).await;
            }
        }
        self.close().await;
    }

    /// Lets those who are ready to run come with their entries, and waits for nobody else: who was
    /// answered together is back together, and the first of them alone is not worth a commit.
    async fn wait_for_others(&mut self, jobs: &mut Vec<Job>) {
        yield_now().await;
        while jobs.len() < self.limits.batch_max
            && let Ok(job) = self.queue.try_recv()
        {
            jobs.push(job);
        }
    }

    /// Writes a batch and answers everybody in it. A batch that the database refuses for what is
    /// in it is cut in two, again and again, until the entry at fault stands alone.
    async fn append(&mut self, batch: Vec<Pending>) {
        let mut parts = vec![batch];
        while let Some(mut batch) = parts.pop() {
            if batch.is_empty() {
                continue;
            }
            match self.attempt(&batch).await {
                Err(Error::Conflict { .. }) if batch.len() > 1 => {
                    let later = batch.split_off(batch.len() / 2);
                    parts.extend([later, batch]);
                }
                Err(error) => {
                    for pending in batch {
                        let _ = pending.reply.send(Err(error.clone()));
                    }
                }
                Ok(answers) => {
                    for (pending, answer) in batch.into_iter().zip(answers) {
                        drop(pending.bytes);
                        let _ = pending.reply.send(Ok(answer));
                    }
                }
            }
        }
    }

    async fn attempt(&mut self, batch: &[Pending]) -> Result<Vec<Appended>, Error> {
        let gate = self
            .checkpointer
            .as_ref()
            .map(|checkpointer| checkpointer.gate.clone());
        let _gate = match &gate {
            Some(gate) => Some(gate.lock().await),
            None => None,
        };
        let error = match timeout(self.wait(), self.transact(batch)).await {
            Ok(Ok(answers)) => {
                let bytes: usize = batch
                    .iter()
                    .map(|pending| pending.bytes.num_permits())
                    .sum();
                if let Some(checkpointer) = &mut self.checkpointer {
                    checkpointer.committed(bytes as u64);
                }
                return Ok(answers);
            }
            Ok(Err(error)) => error,
            Err(_) => Error::unavailable("the database did not answer in time"),
        };
        self.recover(error).await
    }

    fn wait(&self) -> Duration {
        Duration::from_millis(self.limits.commit_ms_max)
    }

    async fn transact(&mut self, batch: &[Pending]) -> Result<Vec<Appended>, Error> {
        let now = self.clock.now();
        let (mut transaction, start) =
            begin(&self.database, &mut self.connection, self.position).await?;
        self.position = Some(start);
        let written = self
            .statements
            .write(&mut transaction, start, &self.trees, now, batch)
            .await?;
        self.committing = Some(written);
        transaction.commit().await?;
        Ok(self
            .committing
            .take()
            .map_or_else(Vec::new, |written| self.settle(written)))
    }

    /// Takes over what was committed.
    fn settle(&mut self, written: Written) -> Vec<Appended> {
        self.position = Some(written.end);
        self.trees.apply(written.growth);
        written.answers
    }

    /// After a failure: a refusal of the content leaves everything as it was; anything else means
    /// that the connection is not to be trusted. If `COMMIT` had been sent, the database is asked
    /// whether it took place.
    async fn recover(&mut self, error: Error) -> Result<Vec<Appended>, Error> {
        let committing = self.committing.take();
        if committing.is_none() && matches!(error, Error::Conflict { .. }) {
            return Err(error);
        }
        tracing::warn!(%error, "journal batch failed");
        self.connection = None;
        self.position = None;
        self.trees.forget();
        let reason = error.to_string();
        let Some(written) = committing else {
            return Err(Error::Unavailable { reason });
        };
        match timeout(self.wait(), self.is_stored(&written)).await {
            Ok(Ok(true)) => Ok(self.settle(written)),
            Ok(Ok(false)) => Err(Error::Unavailable { reason }),
            _ => Err(Error::Unresolved { reason }),
        }
    }

    /// Reads again where the tables stand, once nothing can be under way any more; whether that
    /// is where a batch left them.
    async fn is_stored(&mut self, written: &Written) -> Result<bool, Error> {
        let (mut transaction, position) = begin(&self.database, &mut self.connection, None).await?;
        let is_stored = written.growth.is_stored(&mut transaction).await?;
        transaction.rollback().await?;
        self.position = Some(position);
        Ok(is_stored && position == written.end)
    }

    /// Work that is no entry, in a transaction of its own.
    async fn aside(&mut self, work: Aside) {
        match work {
            Aside::Outbox(command) => {
                let now = self.clock.now();
                let run = async |connection: &mut AnyConnection| command.run(connection, now).await;
                let result = self.alone(run).await;
                let _ = command.reply.send(result);
            }
            Aside::Deliver(command) => {
                let statements = self.statements.deliveries.clone();
                let run = async |connection: &mut AnyConnection| {
                    statements.run(connection, &command.work).await
                };
                let result = self.alone(run).await;
                let _ = command.reply.send(result);
            }
            Aside::Backtest(command) => {
                let insert = self.statements.backtests.clone();
                let run =
                    async |connection: &mut AnyConnection| command.run(connection, &insert).await;
                let result = self.alone(run).await;
                let _ = command.reply.send(result);
            }
            Aside::Mentions(command) => {
                let insert = self.statements.mentions.clone();
                let run =
                    async |connection: &mut AnyConnection| command.run(connection, &insert).await;
                let result = self.alone(run).await;
                let _ = command.reply.send(result);
            }
            Aside::Beat(beat) => {
                let insert = self.statements.nodes.clone();
                let run =
                    async |connection: &mut AnyConnection| beat.run(connection, &insert).await;
                let result = self.alone(run).await;
                let _ = beat.reply.send(result);
            }
            Aside::Trail(command) => {
                let run = async |connection: &mut AnyConnection| command.run(connection).await;
                let result = self.alone(run).await;
                let _ = command.reply.send(result);
            }
            Aside::Mark(mark) => {
                let run = async |connection: &mut AnyConnection| mark.run(connection).await;
                let result = self.alone(run).await;
                let _ = mark.reply.send(result);
            }
        }
    }

    async fn alone<T>(
        &mut self,
        run: impl AsyncFnOnce(&mut AnyConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let wait = self.wait();
        let work = async {
            let (mut transaction, position) =
                begin(&self.database, &mut self.connection, self.position).await?;
            self.position = Some(position);
            let done = run(&mut transaction).await?;
            transaction.commit().await?;
            Ok(done)
        };
        let result = match timeout(wait, work).await {
            Ok(result) => result,
            Err(_) => Err(Error::unavailable("the database did not answer in time")),
        };
        if result.is_err() {
            self.connection = None;
            self.position = None;
        }
        result
    }

    async fn close(self) {
        if let Some(checkpointer) = self.checkpointer {
            checkpointer.close().await;
        }
        if let Some(connection) = self.connection {
            let _ = connection.close().await;
        }
    }
}

/// What the writer does beside entries.
enum Aside {
    Outbox(outbox::Command),
    Deliver(deliveries::Command),
    Backtest(backtests::Command),
    Mentions(mentions::Command),
    Beat(nodes::Beat),
    Trail(trail::Command),
    Mark(acts::Mark),
}

/// A transaction, on a new connection if there is none, and where the tables stand in it.
async fn begin<'c>(
    database: &Database,
    connection: &'c mut Option<AnyConnection>,
    position: Option<Position>,
) -> Result<(Transaction<'c, sqlx::Any>, Position), Error> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(database.reconnect_writer().await?),
    };
    let mut transaction = database.backend().begin_write(connection).await?;
    let position = match position {
        Some(position) => position,
        None => Position::load(&mut transaction).await?,
    };
    Ok((transaction, position))
}
