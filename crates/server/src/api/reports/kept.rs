//! Answers that took long: kept for whoever is content with one that is not of this moment, and made
//! once for all who ask meanwhile.

use crate::{
    api::patience::to_its_end,
    edge::{Code, Problem, reply::Reply},
};
use paywarden_domain::{Timestamp, time::SECOND};
use paywarden_risk::Error;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The most questions whose answers are kept; one more has all of them forgotten.
const QUESTIONS_MAX: usize = 256;

/// What is kept, by question.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<HashMap<String, Question>>>);

#[derive(Default)]
struct Question {
    /// Held while an answer is made.
    turn: Arc<tokio::sync::Mutex<()>>,
    newest: Option<(Timestamp, Answer)>,
}

/// A report, or that it would be too long.
type Answer = Option<Reply>;

impl Kept {
    /// An answer that was made since so many seconds before it was asked for. If there is none, it
    /// is made, once for all who ask meanwhile and to its end, whoever leaves.
    pub(super) async fn answer(
        &self,
        question: String,
        (asked_at, age_s): (Timestamp, i64),
        make: impl Future<Output = (Timestamp, Result<Reply, Problem>)> + Send + 'static,
    ) -> Result<Reply, Problem> {
        if let Some(kept) = self.find(&question, asked_at, age_s) {
            return kept;
        }
        let turn = self.with(&question, |known| Arc::clone(&known.turn));
        let turn = turn.lock_owned().await;
        if let Some(kept) = self.find(&question, asked_at, age_s) {
            return kept;
        }
        let all = self.clone();
        to_its_end(async move {
            let (at, answer) = make.await;
            all.keep(&question, at, &answer);
            drop(turn);
            answer
        })
        .await
    }

    fn find(
        &self,
        question: &str,
        asked_at: Timestamp,
        age_s: i64,
    ) -> Option<Result<Reply, Problem>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, answer) = all.get(question)?.newest.clone()?;
        let is_young = asked_at.micros() - at.micros() < age_s.saturating_mul(SECOND);
        is_young.then(|| answer.ok_or_else(|| Error::ReportTooLong.into()))
    }

    fn keep(&self, question: &str, at: Timestamp, answer: &Result<Reply, Problem>) {
        let answer = match answer {
            Ok(reply) => Some(reply.clone()),
            Err(problem) if problem.code() == Code::ReportTooLong => None,
            Err(_) => return,
        };
        self.with(question, |known| known.newest = Some((at, answer)));
    }

    fn with<T>(&self, question: &str, act: impl FnOnce(&mut Question) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= QUESTIONS_MAX && !all.contains_key(question) {
            all.clear();
        }
        act(all.entry(question.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::json_reply;
    use http::StatusCode;
    use std::{
        sync::atomic::{AtomicI64, Ordering::SeqCst},
        time::Duration,
    };

    /// Answers that each take a while, and how many were begun.
    #[derive(Clone, Default)]
    struct Maker(Arc<AtomicI64>);

    impl Maker {
        fn make(
            &self,
            outcome: Result<(), Code>,
        ) -> impl Future<Output = (Timestamp, Result<Reply, Problem>)> + Send + use<> {
            let begun = Arc::clone(&self.0);
            async move {
                let at = Timestamp::from_micros(1_000 * (1 + begun.fetch_add(1, SeqCst)));
                tokio::time::sleep(Duration::from_millis(50)).await;
                let reply = json_reply(StatusCode::OK, &at.micros());
                let refused = |code| Err(Problem::new(code, "refused"));
                (at, outcome.map_or_else(refused, |()| reply))
            }
        }

        fn begun(&self) -> i64 {
            self.0.load(SeqCst)
        }
    }

    fn at(micros: i64, age_s: i64) -> (Timestamp, i64) {
        (Timestamp::from_micros(micros), age_s)
    }

    #[tokio::test]
    async fn whoever_asks_meanwhile_is_given_the_same_answer() {
        let (kept, maker) = (Kept::default(), Maker::default());
        let asked = async || {
            kept.answer("q".to_owned(), at(0, 1), maker.make(Ok(())))
                .await
        };
        let (one, two, three) = tokio::join!(asked(), asked(), asked());
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
        assert_eq!(maker.begun(), 1);
        let other = kept.answer("p".to_owned(), at(0, 1), maker.make(Ok(())));
        assert!(other.await.is_ok());
        assert_eq!(maker.begun(), 2);
    }

    #[tokio::test]
    async fn an_answer_that_was_begun_before_it_was_asked_for_is_not_of_this_moment() {
        let (kept, maker) = (Kept::default(), Maker::default());
        let asked = async |micros, age_s| {
            kept.answer("q".to_owned(), at(micros, age_s), maker.make(Ok(())))
                .await
                .is_ok()
        };
        // The first is begun at 1,000 us: it will do for whoever asked before, or takes one so old.
        let (early, late, content) = tokio::join!(asked(999, 0), asked(1_000, 0), asked(2_000, 1));
        assert!(early && late && content);
        assert_eq!(maker.begun(), 2);
    }

    #[tokio::test]
    async fn an_answer_is_made_to_its_end_for_those_who_come_later() {
        let (kept, maker) = (Kept::default(), Maker::default());
        let asked = || kept.answer("q".to_owned(), at(0, 1), maker.make(Ok(())));
        let gone = tokio::time::timeout(Duration::from_millis(5), asked()).await;
        assert!(gone.is_err());
        assert!(asked().await.is_ok());
        assert_eq!(maker.begun(), 1);
    }

    #[tokio::test]
    async fn a_fault_is_not_kept_and_that_it_would_be_too_long_is() {
        let (kept, maker) = (Kept::default(), Maker::default());
        for (code, begun) in [(Code::Internal, 2), (Code::ReportTooLong, 3)] {
            for _ in 0..2 {
                let made = maker.make(Err(code));
                let answer = kept.answer("q".to_owned(), at(0, 1), made).await;
                assert_eq!(
                    answer.map(|_| ()).map_err(|problem| problem.code()),
                    Err(code)
                );
            }
            assert_eq!(maker.begun(), begun);
        }
    }

    #[test]
    fn no_more_questions_are_kept_than_stated() {
        let kept = Kept::default();
        for number in 0..2 * QUESTIONS_MAX {
            kept.with(&number.to_string(), |_| ());
        }
        assert!(kept.0.lock().is_ok_and(|all| all.len() <= QUESTIONS_MAX));
    }
}
