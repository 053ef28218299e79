//! Questions of many callers asked as one: a statement costs some 30 µs however much it asks for.

use crate::{Database, Error, SealedRow, rows::joined, sql::Joined};
use sqlx::AnyConnection;
use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Semaphore, oneshot};

/// Statements at a time; the other connections are for those who ask for many at once.
const STATEMENTS: usize = 2;
/// Whoever asks for more than so many asks alone.
const FEW: usize = 16;
/// Tokens after which the others wait for the next statement.
const TOKENS_MAX: usize = 256;

/// Finds sealed records by their tokens. Whoever has a turn asks for all who wait.
pub(super) struct Together {
    lookup: Joined,
    waiting: Mutex<Vec<Waiting>>,
    turns: Semaphore,
}

struct Waiting {
    tokens: Vec<String>,
    reply: oneshot::Sender<Answer>,
}

type Answer = Result<Vec<SealedRow>, Error>;

impl Together {
    pub(super) fn new(database: &Database) -> Self {
        let (bytes, tables) = joined();
        Self {
            lookup: Joined::by(database.backend(), (&bytes, tables), "token"),
            waiting: Mutex::default(),
            turns: Semaphore::new(STATEMENTS),
        }
    }

    /// The records with these tokens. What was durable before the call is seen by it.
    pub(super) async fn ask(&self, database: &Database, tokens: &[String]) -> Answer {
        if tokens.len() > FEW {
            return self.read(&mut *database.reader().await?, tokens).await;
        }
        loop {
            let (reply, answer) = oneshot::channel();
            let tokens = tokens.to_vec();
            self.waiting().push(Waiting { tokens, reply });
            // Whoever asked for this call has gone away before the answer came: once more.
            if let Ok(answered) = self.wait(database, answer).await {
                return answered;
            }
        }
    }

    /// Waits for an answer, and asks for all who wait whenever there is a turn.
    async fn wait(
        &self,
        database: &Database,
        mut answer: oneshot::Receiver<Answer>,
    ) -> Result<Answer, oneshot::error::RecvError> {
        loop {
            let turn = tokio::select! {
                biased;
                answered = &mut answer => return answered,
                turn = self.turns.acquire() => turn,
            };
            let asked = self.next();
            if asked.is_empty() {
                drop(turn);
                return answer.await;
            }
            self.answer(database, asked).await;
        }
    }

    /// Those who are asked for next.
    fn next(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let mut tokens = 0;
        let fits = waiting.iter().take_while(|one| {
            tokens += one.tokens.len();
            tokens <= TOKENS_MAX
        });
        let count = fits.count();
        let later = waiting.split_off(count);
        mem::replace(&mut *waiting, later)
    }

    async fn answer(&self, database: &Database, asked: Vec<Waiting>) {
        let tokens: Vec<String> = asked.iter().flat_map(|one| one.tokens.clone()).collect();
        let found = async {
            let mut reader = database.reader().await?;
            self.read(&mut reader, &tokens).await
        };
        let found = found.await.map(|rows| {
            let named = rows.into_iter().map(|row| (row.token.clone(), row));
            named.collect::<HashMap<_, _>>()
        });
        for Waiting { tokens, reply } in asked {
            let own = found.as_ref().map_err(Clone::clone).map(|found| {
                let own = tokens.iter().filter_map(|token| found.get(token));
                own.cloned().collect()
            });
            // Nobody waits any more only if the request has already ended.
            let _ = reply.send(own);
        }
    }

    /// One by one where bytes of one record keep the others from being told apart; what cannot be
    /// read is left out.
    async fn read(&self, reader: &mut AnyConnection, tokens: &[String]) -> Answer {
        match self.read_at_once(reader, tokens).await {
            Err(Error::Corrupt { .. }) if tokens.len() > 1 => {}
            Err(Error::Corrupt { .. }) => return Ok(Vec::new()),
            read => return read,
        }
        let mut rows = Vec::new();
        for token in tokens {
            let alone = self.read_at_once(reader, std::slice::from_ref(token)).await;
            match alone {
                Err(Error::Corrupt { .. }) => {}
                read => rows.extend(read?),
            }
        }
        Ok(rows)
    }

    /// Each of the records that were asked for. Bytes that were copied into the row of another record
    /// say whose they are: they are nobody's there, and hide nobody's here.
    async fn read_at_once(&self, reader: &mut AnyConnection, tokens: &[String]) -> Answer {
        let mut rows = Vec::with_capacity(tokens.len());
        for piece in self.lookup.run(reader, tokens).await? {
            rows.extend(SealedRow::read_all(&piece)?);
        }
        let mut asked: HashSet<&str> = tokens.iter().map(String::as_str).collect();
        match rows.iter().all(|row| asked.remove(row.token.as_str())) {
            true => Ok(rows),
            false => Err(Error::corrupt(
                "the bytes of a record stand in the row of another",
            )),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
