//! Risk events: frauds of one payer that follow each other. An attack is caught in advance if its
//! first payment is alerted; what passes before the first alert is lost.

use super::sums::{Days, Payment};
use paywarden_domain::time::DAY;

/// Frauds of one payer further apart than this are two events, in microseconds.
const APART: i64 = 7 * DAY;

/// Counts the events among some frauds on the day of their first payment. Frauds of nobody known
/// stand alone.
pub(super) fn count(mut frauds: Vec<Payment>, days: &mut Days) {
    frauds.sort_by_key(|fraud| (fraud.payer, fraud.at, fraud.event_no));
    let follows = |one: &Payment, next: &Payment| {
        one.payer != 0 && one.payer == next.payer && next.at - one.at <= APART
    };
    for event in frauds.chunk_by(follows) {
        let Some(first) = event.first() else { continue };
        let sums = days.day(first.day());
        sums.events += 1;
        sums.events_in_advance += u64::from(first.stopped);
        for lost in event.iter().take_while(|fraud| !fraud.stopped) {
            if let Some(amount) = lost.amount {
                let amounts = sums.money.entry(amount.currency).or_default();
                amounts.before_alert += i128::from(amount.minor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::{Currency, Money};

    fn fraud(payer: u64, day: i64, minor: i64, stopped: bool) -> Payment {
        Payment {
            stands_for: 1,
            at: day * DAY,
            payer,
            event_no: day,
            amount: Some(Money {
                minor,
                currency: Currency::parse("USD").unwrap(),
            }),
            fraud: true,
            is_known: true,
            stopped,
        }
    }

    fn counted(frauds: Vec<Payment>) -> (u64, u64, i128) {
        let mut days = Days::default();
        count(frauds, &mut days);
        let whole = days.whole();
        let lost = whole.of(Currency::parse("USD").unwrap()).before_alert;
        (whole.events, whole.events_in_advance, lost)
    }

    #[test]
    fn frauds_of_a_payer_within_a_week_of_each_other_are_one_event() {
        let usual = vec![
            fraud(1, 9, 40, false),
            fraud(1, 0, 10, false),
            fraud(1, 5, 20, true),
            fraud(2, 5, 7, true),
            fraud(1, 20, 3, false),
        ];
        assert_eq!(counted(usual), (3, 1, 13));
        assert_eq!(
            counted(vec![fraud(1, 0, 1, false), fraud(1, 7, 2, false)]),
            (1, 0, 3)
        );
        assert_eq!(
            counted(vec![fraud(0, 0, 1, false), fraud(0, 0, 2, true)]),
            (2, 1, 1)
        );
        assert_eq!(counted(Vec::new()), (0, 0, 0));
    }
}
