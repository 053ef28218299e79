//! FinCEN CTR: the cash of one person on one day, who handed it over or took it, and for whom.
//!
//! The side of the account is the institution's, the other one that of the cash. Where a person is
//! both sides they act on their own behalf; where another party hands over or takes the cash, that
//! one acts for them.

mod person;

use super::{Batch, DOLLARS_MAX, Writer, whole};
use crate::{
    Day, Profile, Report,
    check::Faults,
    export::{one_day, xml::Node},
    profile::LargeValueRule,
    report::{Account, Channel, Party, Relation, Side, Transaction},
};

/// On their own behalf, for another, and on whose behalf.
const OWN: &str = "50";
const FOR_ANOTHER: &str = "17";
const ON_BEHALF: &str = "23";
/// The most kinds of cash of one report, accounts of one person, and characters of another kind.
const KINDS_MAX: usize = 219;
const ACCOUNTS_MAX: usize = 198;
const KIND_CHARS: usize = 50;

/// What is the same whether cash comes in or goes out.
struct Way {
    /// The table of what it is for.
    table: &'static str,
    foreign: &'static str,
    other: &'static str,
    account: &'static str,
}

const WAYS: [Way; 2] = [
    Way {
        table: "cash_in",
        foreign: "53",
        other: "997",
        account: "8",
    },
    Way {
        table: "cash_out",
        foreign: "54",
        other: "998",
        account: "9",
    },
];
const IN: usize = 0;
const OUT: usize = 1;

/// What the schema cannot carry.
pub(super) fn check(report: &Report, profile: &Profile, faults: &mut Faults) {
    if !report.attachments.is_empty() {
        faults.add("/attachments", "too_many", "a CTR takes no attachment");
    }
    let earlier = report.earlier.as_ref();
    if earlier.is_some_and(|one| one.relation == Relation::Continuation) {
        let hint = "a CTR is corrected, not continued: report the other day apart";
        faults.add("/earlier/relation", "form", hint);
    }
    one_day(report, profile, faults);
    let writer = Writer { report, profile };
    for (place, one) in report.transactions.iter().enumerate() {
        writer.check_cash(place, one, faults);
    }
    let sums = writer.sums();
    let is_large = |rule: &LargeValueRule| sums.into_iter().any(|sum| rule.is_met(sum));
    let of_cash = |rule: &&LargeValueRule| rule.channels.contains(&Channel::Cash);
    let rule = profile.large_values.iter().find(of_cash);
    if rule.is_some_and(|rule| !is_large(rule)) {
        let hint = "neither what came in nor what went out is above the threshold";
        faults.add("/transactions", "amount", hint);
    }
    let kinds = writer.kinds();
    if kinds.len() > KINDS_MAX {
        faults.add("/transactions", "too_many", "at most 219 kinds of cash fit");
    }
    if kinds.iter().any(|one| whole(one.minor) > DOLLARS_MAX) {
        faults.add("/transactions", "amount", "a sum has at most 15 digits");
    }
    if writer
        .roles()
        .iter()
        .any(|one| one.accounts.len() > ACCOUNTS_MAX)
    {
        faults.add("/accounts", "too_many", "at most 198 of one person fit");
    }
}

/// Cash of one kind.
struct Kind {
    way: usize,
    code: String,
    other: String,
    country: String,
    minor: i128,
}

/// Somebody in one role.
struct Role<'r> {
    code: &'static str,
    /// Nobody knows who, if none.
    who: Option<&'r Party>,
    minors: [i128; 2],
    transactions: usize,
    accounts: Vec<(usize, &'r Account)>,
}

impl<'r> Writer<'r> {
    pub(super) fn currency(&self, today: Day) -> Batch {
        let report = self.report;
        let kinds = self.kinds();
        let total = |way: usize| -> i128 {
            let of_way = kinds.iter().filter(|one| one.way == way);
            of_way.map(|one| whole(one.minor)).sum()
        };
        let (cash_in, cash_out) = (total(IN), total(OUT));
        let mut node = Node::new("Activity");
        node.some(
            "EFilingPriorDocumentNumber",
            report.earlier.as_ref().map(|one| one.reference.clone()),
        );
        node.text("FilingDateText", today.compact());
        let mut association = Node::new("ActivityAssociation");
        let is_amended = report.earlier.is_some();
        association.text("CorrectsAmendsPriorReportIndicator", mark(is_amended));
        association.text("FinCENDirectBackFileIndicator", "");
        association.text("InitialReportIndicator", mark(!is_amended));
        node.push(association);
        let filers = self.filers(&amounts([cash_in, cash_out]));
        let people = self.roles();
        let parties = filers.len() + people.len();
        for party in filers {
            node.push(party);
        }
        for role in &people {
            node.push(self.person_in_role(role));
        }
        node.push(self.activity_in_cash(&kinds, [cash_in, cash_out]));
        Batch {
            form: "CTRX",
            activity: node,
            total: cash_in + cash_out,
            parties,
            attached: None,
        }
    }

    fn activity_in_cash(&self, kinds: &[Kind], sums: [i128; 2]) -> Node {
        let report = self.report;
        let mut cash = Node::new("CurrencyTransactionActivity");
        cash.text("AggregateTransactionIndicator", mark(self.is_aggregated()));
        for way in [
            "ArmoredCarService",
            "ATM",
            "MailDepositShipment",
            "NightDeposit",
            "SharedBranching",
        ] {
            cash.text(&format!("{way}Indicator"), "");
        }
        let known = |sum: i128| {
            if sum > 0 {
                sum.to_string()
            } else {
                String::new()
            }
        };
        cash.text("TotalCashInReceiveAmountText", known(sums[IN]));
        cash.text("TotalCashOutAmountText", known(sums[OUT]));
        let first = report.transactions.first();
        cash.some(
            "TransactionDateText",
            first.map(|one| Day::of(one.at, self.profile.utc_offset_hours).compact()),
        );
        for kind in kinds {
            cash.push(detail(kind));
        }
        cash
    }

    fn check_cash(&self, place: usize, one: &Transaction, faults: &mut Faults) {
        let base = format!("/transactions/{place}");
        if one.channel != Channel::Cash {
            faults.add(format!("{base}/channel"), "form", "a CTR is of cash alone");
        }
        let Some(way) = self.way(one) else {
            let hint = "name the account on one side, so that it is known which way the cash went";
            faults.add(format!("{base}/from"), "missing", hint);
            return;
        };
        let is_foreign = one.amount.currency != self.profile.currency;
        if is_foreign && one.amount.currency.code().starts_with('X') {
            let hint = "FinCEN asks for the country of a currency, and this one has none";
            faults.add(format!("{base}/amount"), "amount", hint);
        }
        if is_foreign || self.purpose(way, one).is_some() {
            return;
        }
        let path = format!("{base}/description");
        match one.description.as_deref() {
            None => faults.add(
                path,
                "missing",
                "say what the cash was for: no account does",
            ),
            Some(text) if text.chars().count() > KIND_CHARS => {
                let hint = "what cash was for has at most 50 characters, where no account says it";
                faults.add(path, "too_long", hint);
            }
            Some(_) => {}
        }
    }

    /// Whether the cash of a transaction came in or went out; none where that is not to be known.
    fn way(&self, one: &Transaction) -> Option<usize> {
        let accounts = (one.from.account.is_some(), one.to.account.is_some());
        let is_subjects = |side: &Side| self.at(side).is_some_and(|party| party.is_subject);
        let told = match accounts {
            (true, true) | (false, false) => (is_subjects(&one.from), is_subjects(&one.to)),
            told => told,
        };
        match told {
            (false, true) => Some(IN),
            (true, false) => Some(OUT),
            _ => None,
        }
    }

    /// The party of a side, or the main holder of its account.
    fn at(&self, side: &Side) -> Option<&'r Party> {
        let report = self.report;
        let named = side.party.as_deref().and_then(|id| report.party(id));
        named.or_else(|| report.holders(self.kept(side)?).next())
    }

    fn kept(&self, side: &Side) -> Option<&'r Account> {
        self.report.account(side.account.as_deref()?)
    }

    /// Each transaction of which the way is known: way, dollars in cents, the institution's side and
    /// that of the cash.
    fn cash(&self) -> impl Iterator<Item = (usize, i128, &'r Transaction, &'r Side, &'r Side)> {
        self.report.transactions.iter().filter_map(|one| {
            let way = self.way(one)?;
            let minor = i128::from(one.in_currency(self.profile.currency)?.minor);
            let (ours, theirs) = match way {
                IN => (&one.to, &one.from),
                _ => (&one.from, &one.to),
            };
            Some((way, minor, one, ours, theirs))
        })
    }

    fn sums(&self) -> [i128; 2] {
        let mut sums = [0; 2];
        for (way, minor, ..) in self.cash() {
            sums[way] += minor;
        }
        sums
    }

    /// The code of what cash was for, by the account it went to or came from.
    fn purpose(&self, way: usize, one: &'r Transaction) -> Option<&'r str> {
        let side = if way == IN { &one.to } else { &one.from };
        self.profile
            .code(WAYS[way].table, self.kept(side)?.kind.name())
    }

    fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = Vec::new();
        for (way, minor, one, ..) in self.cash() {
            let is_foreign = one.amount.currency != self.profile.currency;
            let (code, other, country) = match self.purpose(way, one) {
                _ if is_foreign => (WAYS[way].foreign, "", &one.amount.currency.code()[..2]),
                Some(code) => (code, "", ""),
                None => (
                    WAYS[way].other,
                    one.description.as_deref().unwrap_or_default(),
                    "",
                ),
            };
            let same = |kind: &&mut Kind| {
                kind.code == code && kind.other == other && kind.country == country
            };
            match kinds.iter_mut().find(same) {
                Some(kind) => kind.minor += minor,
                None => kinds.push(Kind {
                    way,
                    code: code.to_owned(),
                    other: other.to_owned(),
                    country: country.to_owned(),
                    minor,
                }),
            }
        }
        kinds
    }

    /// Nobody is known who handed over or took the cash, and no transaction is large alone.
    fn is_aggregated(&self) -> bool {
        let of_cash = |rule: &&LargeValueRule| rule.channels.contains(&Channel::Cash);
        let rule = self.profile.large_values.iter().find(of_cash);
        let is_small = |minor: i128| rule.is_none_or(|rule| !rule.is_met(minor));
        self.cash()
            .all(|(_, minor, _, _, theirs)| is_small(minor) && self.known(theirs).is_none())
    }

    fn known(&self, side: &Side) -> Option<&'r Party> {
        self.at(side).filter(|party| party.full_name().is_some())
    }

    /// Who took part, each in each of their roles.
    fn roles(&self) -> Vec<Role<'r>> {
        let mut roles: Vec<Role<'r>> = Vec::new();
        let is_aggregated = self.is_aggregated();
        for (way, minor, _, ours, theirs) in self.cash() {
            let owner = self.at(ours).or(self.report.subjects().next());
            let actor = self.known(theirs);
            let account = self.kept(ours).map(|account| (way, account));
            let is_own = actor.is_some() && actor.map(|one| &one.id) == owner.map(|one| &one.id);
            let code = if is_own { OWN } else { ON_BEHALF };
            count(&mut roles, (code, owner), (way, minor), account);
            if !is_own && !is_aggregated {
                count(&mut roles, (FOR_ANOTHER, actor), (way, minor), None);
            }
        }
        roles
    }
}

fn count<'r>(
    roles: &mut Vec<Role<'r>>,
    (code, who): (&'static str, Option<&'r Party>),
    (way, minor): (usize, i128),
    account: Option<(usize, &'r Account)>,
) {
    let id = |party: Option<&'r Party>| party.map(|party| &party.id);
    let place = match roles
        .iter()
        .position(|role| role.code == code && id(role.who) == id(who))
    {
        Some(place) => place,
        None => {
            roles.push(Role {
                code,
                who,
                minors: [0; 2],
                transactions: 0,
                accounts: Vec::new(),
            });
            roles.len() - 1
        }
    };
    let role = &mut roles[place];
    role.minors[way] += minor;
    role.transactions += 1;
    let new = account.filter(|(way, one)| {
        !role
            .accounts
            .iter()
            .any(|known| known.0 == *way && known.1.id == one.id)
    });
    role.accounts.extend(new);
}

fn mark(holds: bool) -> &'static str {
    if holds { "Y" } else { "" }
}

/// What came in and went out, in whole dollars.
fn amounts(sums: [i128; 2]) -> Vec<(&'static str, String)> {
    let names = [
        "IndividualEntityCashInAmountText",
        "IndividualEntityCashOutAmountText",
    ];
    let known = names.into_iter().zip(sums).filter(|(_, sum)| *sum > 0);
    known.map(|(name, sum)| (name, sum.to_string())).collect()
}

fn detail(kind: &Kind) -> Node {
    let mut node = Node::new("CurrencyTransactionActivityDetail");
    node.text("CurrencyTransactionActivityDetailTypeCode", &kind.code);
    node.text("DetailTransactionAmountText", whole(kind.minor).to_string());
    node.text("OtherCurrencyTransactionActivityDetailText", &kind.other);
    node.text("OtherForeignCurrencyCountryText", &kind.country);
    node
}
