//! Accounts, factors and sessions against people who want in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use paywarden_access::staff::{
    Acceptance, Error, Factor, Granter, Member, NewAccount, Proof, SecondFactor, Status, session,
};
use paywarden_store::Verdict;
use std::{collections::BTreeSet, sync::Arc};
use support::*;

fn code(text: &str) -> SecondFactor {
    SecondFactor::Code(text.to_owned())
}

fn status(house: &House, member: &Member) -> Status {
    let account = house.staff.find(&tenant(), &member.account.id).unwrap();
    account.status(house.clock.now())
}

#[tokio::test]
async fn an_invitation_becomes_a_passkey_a_session_and_leaves_that_name_nobody() {
    let house = House::new().await;
    let before = house.leaves().await;
    let (account, token) = house.invite("liu@example.com", &["analyst"]).await;
    assert_eq!(account.status(house.clock.now()), Status::Invited);
    let opened = house
        .staff
        .accept(&token, Acceptance::default(), home())
        .await
        .unwrap();
    let member = house.member(&opened);
    assert_eq!(member.session.factor, Factor::Invitation);
    assert!(member.scopes.iter().next().is_none());

    let mut device = Authenticator::new(ORIGIN);
    let promoted = house
        .add_passkey(&member, &mut device)
        .await
        .unwrap()
        .unwrap();
    assert!(house.staff.authenticate(&opened.token).is_err(), "fixation");
    let member = house.member(&promoted);
    assert!(member.session.factor.is_full() && house.staff.is_fresh(&member));
    let expected = house.staff.roles().find("analyst").unwrap().scopes;
    assert_eq!(member.scopes, expected);

    let signed_in = house
        .by_passkey(" LIU@example.com", &mut device)
        .await
        .unwrap();
    assert_eq!(house.member(&signed_in).account.id, account.id);
    assert_eq!(house.leaves().await, before + 4);
    for clear in ["liu@example", "Liu Wei", token.as_str(), "localhost"] {
        assert!(!house.holds(clear), "{clear}");
    }
    let verdict = house.database.verify(None).await.unwrap();
    assert!(matches!(verdict, Verdict::Intact(_)), "{verdict:?}");

    let house = house.again().await;
    assert!(house.staff.authenticate(&signed_in.token).is_err());
    let opened = house
        .by_passkey("liu@example.com", &mut device)
        .await
        .unwrap();
    assert_eq!(house.member(&opened).account.id, account.id);
}

#[tokio::test]
async fn a_session_outlives_the_program_that_is_replaced_with_all_its_limits() {
    let house = House::new().await;
    let opened = house.signed_in("liu@example.com").await;
    let ended = house.signed_in("wang@example.com").await;
    house.advance_s(60);
    let csrf = house.member(&opened).session.csrf;
    house.staff.keep_sessions().await.unwrap();
    assert!(!house.holds(&csrf) && !house.holds("127.0.0"));
    let house = house.replaced(200).await;
    assert!(house.staff.authenticate(&opened.token).is_err());
    house.staff.take_up_sessions().await.unwrap();
    let member = house.member(&opened);
    assert_eq!(member.session.csrf, csrf);
    assert!(house.staff.is_fresh(&member));
    house.advance_s(50);
    assert!(
        !house.staff.is_fresh(&house.member(&opened)),
        "310 s after the proof"
    );
    let member = house.member(&ended);
    let (author, id) = (member.author("a test"), member.account.id.clone());
    house
        .staff
        .end_sessions(author, &tenant(), &id, None)
        .await
        .unwrap();

    house.staff.keep_sessions().await.unwrap();
    let house = house.replaced(-3_600).await;
    house.staff.take_up_sessions().await.unwrap();
    assert!(house.staff.authenticate(&ended.token).is_err());
    house.advance_s(14 * 60);
    house.member(&opened);
    house.staff.keep_sessions().await.unwrap();
    let house = house.replaced(15 * 60).await;
    house.staff.take_up_sessions().await.unwrap();
    assert!(house.staff.authenticate(&opened.token).is_err(), "idle");
}

#[tokio::test]
async fn sessions_are_taken_up_once_and_not_after_a_crash() {
    let house = House::new().await;
    let opened = house.signed_in("liu@example.com").await;
    house.staff.keep_sessions().await.unwrap();
    let house = house.again().await;
    house.staff.take_up_sessions().await.unwrap();
    house.member(&opened);
    let crashed = house.again().await;
    crashed.staff.take_up_sessions().await.unwrap();
    assert!(crashed.staff.authenticate(&opened.token).is_err());
}

#[tokio::test]
async fn of_two_who_use_one_invitation_at_once_one_gets_in() {
    let house = House::new().await;
    let (_, token) = house.invite("liu@example.com", &[]).await;
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let (staff, token) = (Arc::clone(&house.staff), token.clone());
            tokio::spawn(async move {
                staff
                    .accept(&token, Acceptance::default(), home())
                    .await
                    .is_ok()
            })
        })
        .collect();
    let mut inside = 0;
    for one in tries {
        inside += usize::from(one.await.unwrap());
    }
    assert_eq!(inside, 1);
    let (_, late) = house.invite("wang@example.com", &[]).await;
    house.advance_s(24 * 3_600);
    let refused = house
        .staff
        .accept(&late, Acceptance::default(), home())
        .await;
    assert!(matches!(refused.err(), Some(Error::InvitationUnknown)));
}

#[tokio::test]
async fn a_password_counts_with_a_code_and_each_code_once() {
    let house = House::new().await;
    let (member, secret, codes) = house.with_password("liu@example.com").await;
    assert_eq!(status(&house, &member), Status::Active);
    let now = house.code(&secret);
    // The code that set the application up is used.
    let again = house
        .by_password("liu@example.com", PASSWORD, code(&now))
        .await;
    assert!(matches!(again.err(), Some(Error::SignInRefused)));
    house.advance_s(60);
    let now = house.code(&secret);
    let opened = house
        .by_password("liu@example.com", PASSWORD, code(&now))
        .await
        .unwrap();
    assert_eq!(opened.session.factor, Factor::PasswordAndCode);
    let again = house
        .by_password("liu@example.com", PASSWORD, code(&now))
        .await;
    assert!(
        matches!(again.err(), Some(Error::SignInRefused)),
        "replayed"
    );

    let recovery = || SecondFactor::RecoveryCode(codes[3].clone());
    let opened = house
        .by_password("liu@example.com", PASSWORD, recovery())
        .await
        .unwrap();
    let member = house.member(&opened);
    assert_eq!(member.session.factor, Factor::RecoveryCode);
    assert_eq!(member.scopes.iter().count(), 0);
    assert_eq!(member.account.factors().summary().recovery_codes, 9);
    let again = house
        .by_password("liu@example.com", PASSWORD, recovery())
        .await;
    assert!(
        matches!(again.err(), Some(Error::SignInRefused)),
        "replayed"
    );
    let mut device = Authenticator::new(ORIGIN);
    let promoted = house
        .add_passkey(&member, &mut device)
        .await
        .unwrap()
        .unwrap();
    assert!(house.member(&promoted).scopes.iter().count() > 0);
}

#[tokio::test]
async fn one_code_at_the_same_moment_lets_one_in() {
    let house = House::new().await;
    let (_, secret, _) = house.with_password("liu@example.com").await;
    house.advance_s(60);
    let now = house.code(&secret);
    let tries: Vec<_> = (0..4_u8)
        .map(|number| {
            let (staff, now) = (Arc::clone(&house.staff), now.clone());
            let password = support::secret(PASSWORD);
            tokio::spawn(async move {
                let (login, from) = ("liu@example.com", network(number));
                staff
                    .sign_in_by_password(login, password, code(&now), from)
                    .await
                    .is_ok()
            })
        })
        .collect();
    let mut inside = 0;
    for one in tries {
        inside += usize::from(one.await.unwrap());
    }
    assert_eq!(inside, 1);
}

#[tokio::test]
async fn names_that_do_not_exist_are_answered_like_names_that_do() {
    let house = House::new().await;
    let (_, secret, _) = house.with_password("liu@example.com").await;
    house.advance_s(60);
    let right = house.code(&secret);
    let mut said = Vec::new();
    for (place, login) in ["liu@example.com", "nobody@example.com"]
        .into_iter()
        .enumerate()
    {
        let mut answers = Vec::new();
        for _ in 0..14 {
            let password = support::secret("wrong wrong wrong");
            let from = network(place as u8);
            let staff = &house.staff;
            let answer = staff
                .sign_in_by_password(login, password, code(&right), from)
                .await;
            answers.push(answer.err().unwrap().to_string());
            if let Err(Error::Delayed { wait_us }) = staff
                .sign_in_by_password(login, support::secret(""), code(""), from)
                .await
            {
                answers.push(wait_us.to_string());
                house.advance_s(wait_us.div_ceil(1_000_000));
            }
        }
        said.push(answers);
    }
    assert_eq!(said[0], said[1]);

    // The shape of challenges too.
    let (_, _device) = house.with_passkey("wang@example.com", &[]).await;
    let shapes = ["wang@example.com", "nobody@example.com", "liu@example.com"].map(|login| {
        let challenge = house.staff.passkey_challenge(login, home()).unwrap();
        shape(&challenge.options)
    });
    assert_eq!(shapes[0], shapes[1]);
    assert_eq!(shapes[0], shapes[2]);
    let ids: BTreeSet<String> = (0..3)
        .map(|_| {
            let challenge = house
                .staff
                .passkey_challenge("nobody@example.com", home())
                .unwrap();
            challenge.options["publicKey"]["allowCredentials"][0]["id"].to_string()
        })
        .collect();
    assert_eq!(
        ids.len(),
        1,
        "a passkey that changes with each question is none"
    );
}

/// Names of members and kinds and lengths of values.
fn shape(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("{name}:{}", shape(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        serde_json::Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(shape).collect::<Vec<_>>().join(",")
            )
        }
        serde_json::Value::String(text) => format!("text of {}", text.len()),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn ten_failures_lock_passwords_but_no_passkey_and_a_restart_does_not_unlock() {
    let house = House::new().await;
    let (member, secret, _) = house.with_password("liu@example.com").await;
    let mut device = Authenticator::new(ORIGIN);
    house.add_passkey(&member, &mut device).await.unwrap();
    let mut failures = 0;
    while failures < 10 {
        match house
            .by_password("liu@example.com", "wrong wrong wrong", code("1"))
            .await
            .err()
        {
            Some(Error::SignInRefused) => failures += 1,
            Some(Error::Delayed { wait_us }) => house.advance_s(wait_us.div_ceil(1_000_000)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(status(&house, &member), Status::Locked);
    let right = |house: &House| code(&house.code(&secret));
    let locked = house
        .by_password("liu@example.com", PASSWORD, right(&house))
        .await;
    assert!(matches!(locked.err(), Some(Error::Delayed { wait_us }) if wait_us > 1_700_000_000));
    house.advance_s(60);
    house
        .by_passkey("liu@example.com", &mut device)
        .await
        .unwrap();

    let house = house.again().await;
    let locked = house
        .by_password("liu@example.com", PASSWORD, right(&house))
        .await;
    assert!(matches!(locked.err(), Some(Error::Delayed { .. })));
    house
        .staff
        .unlock(operator(), &tenant(), &member.account.id)
        .await
        .unwrap();
    house
        .by_password("liu@example.com", PASSWORD, right(&house))
        .await
        .unwrap();
}

#[tokio::test]
async fn passkeys_of_others_answers_of_elsewhere_and_unverified_users_are_refused() {
    let house = House::new().await;
    let (_, mut mine) = house.with_passkey("liu@example.com", &[]).await;
    let (_, mut theirs) = house.with_passkey("wang@example.com", &[]).await;
    let staff = &house.staff;
    let challenge = |login: &str| staff.passkey_challenge(login, home()).unwrap();
    let refused = async |ceremony: &str, answer: serde_json::Value| {
        let result = staff.sign_in_by_passkey(ceremony, &answer, home()).await;
        matches!(
            result.err(),
            Some(Error::SignInRefused | Error::CeremonyUnknown)
        )
    };
    let begun = challenge("liu@example.com");
    assert!(
        refused(&begun.ceremony, theirs.get_by(&begun.options, 0)).await,
        "of another"
    );
    let begun = challenge("liu@example.com");
    let answer = mine.get(&begun.options);
    let later = challenge("liu@example.com");
    assert!(
        refused(&later.ceremony, answer.clone()).await,
        "of another ceremony"
    );
    mine.origin = "https://localhost.example.com".to_owned();
    let begun = challenge("liu@example.com");
    assert!(
        refused(&begun.ceremony, mine.get(&begun.options)).await,
        "of another origin"
    );
    mine.origin = ORIGIN.to_owned();
    mine.verifies = false;
    let begun = challenge("liu@example.com");
    assert!(
        refused(&begun.ceremony, mine.get(&begun.options)).await,
        "unverified"
    );
    mine.verifies = true;
    let begun = challenge("liu@example.com");
    let answer = mine.get(&begun.options);
    staff
        .sign_in_by_passkey(&begun.ceremony, &answer, home())
        .await
        .unwrap();
    assert!(refused(&begun.ceremony, answer).await, "replayed");
    mine.counter = 0;
    let begun = challenge("liu@example.com");
    assert!(
        refused(&begun.ceremony, mine.get(&begun.options)).await,
        "cloned"
    );
}

#[tokio::test]
async fn what_one_person_began_another_does_not_end() {
    let house = House::new().await;
    let (_, mut mine) = house.with_passkey("liu@example.com", &[]).await;
    let (other, _) = house.with_passkey("wang@example.com", &[]).await;
    let staff = &house.staff;
    // A proof for somebody else's session.
    let begun = staff.passkey_challenge("liu@example.com", home()).unwrap();
    let answer = mine.get(&begun.options);
    let proof = Proof::Passkey {
        ceremony: &begun.ceremony,
        answer: &answer,
    };
    assert!(staff.prove(&other, proof, home()).await.is_err());
    // A registration that somebody else began.
    let setup = staff.passkey_setup(&other, home()).unwrap();
    let member = house.arrived("zhao@example.com", &[]).await;
    let answer = mine.create(&setup.options);
    let stolen = staff
        .add_passkey(&member, &setup.ceremony, &answer, "x")
        .await;
    assert!(matches!(stolen.err(), Some(Error::CeremonyUnknown)));
}

#[tokio::test]
async fn a_fresh_proof_changes_the_cookie_and_lasts_five_minutes() {
    let house = House::new().await;
    let (member, mut device) = house.with_passkey("liu@example.com", &["analyst"]).await;
    house.advance_s(session::FRESH_US / 1_000_000);
    assert!(!house.staff.is_fresh(&member));
    let challenge = house.staff.proof_challenge(&member, home()).unwrap();
    let answer = device.get(&challenge.options);
    let proof = Proof::Passkey {
        ceremony: &challenge.ceremony,
        answer: &answer,
    };
    let opened = house.staff.prove(&member, proof, home()).await.unwrap();
    assert_eq!(opened.session.id, member.session.id);
    assert!(house.staff.is_fresh(&house.member(&opened)));
    assert_ne!(opened.session.csrf, member.session.csrf);
}

#[tokio::test]
async fn roles_that_exclude_each_other_are_refused_and_nobody_grants_to_themselves() {
    let house = House::new().await;
    let (member, _) = house
        .with_passkey("liu@example.com", &["rule_author"])
        .await;
    let staff = &house.staff;
    let set = async |roles: &[&str]| {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        staff
            .set_roles(operator(), &tenant(), &member.account.id, &roles)
            .await
    };
    for roles in [
        &["rule_author", "rule_approver"][..],
        &["system_administrator", "security_administrator"],
        &["audit_administrator", "system_administrator"],
        &["audit_administrator", "auditor"],
        &["security_administrator", "analyst"],
        &["key_custodian", "rule_author"],
    ] {
        assert!(
            matches!(set(roles).await, Err(Error::RolesConflict(_))),
            "{roles:?}"
        );
    }
    assert!(matches!(set(&["nobody"]).await, Err(Error::RoleUnknown(_))));
    set(&["rule_author", "senior_analyst"]).await.unwrap();
    let own = vec!["system_administrator".to_owned()];
    let author = member.author("test");
    let by_oneself = staff
        .set_roles(author, &tenant(), &member.account.id, &own)
        .await;
    assert!(matches!(by_oneself, Err(Error::Oneself)));
    let elsewhere = paywarden_domain::TenantId::parse("other").unwrap();
    let across = staff
        .set_roles(operator(), &elsewhere, &member.account.id, &own)
        .await;
    assert!(matches!(across, Err(Error::AccountUnknown)));
    // What was granted before keeps its giver and its time.
    let account = staff.find(&tenant(), &member.account.id).unwrap();
    assert_eq!(account.grants()[0], member.account.grants()[0]);
}

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "one story")]
async fn the_first_administrator_can_found_two_others_and_a_custodian_and_grant_nothing_else() {
    let house = House::new().await;
    let staff = &house.staff;
    let first = staff.first_administrator(&tenant()).await.unwrap().unwrap();
    let second = staff.first_administrator(&tenant()).await.unwrap().unwrap();
    assert_eq!(first.account.id, second.account.id);
    let old = staff
        .accept(&first.token, Acceptance::default(), home())
        .await;
    assert!(matches!(old.err(), Some(Error::InvitationUnknown)));
    let nameless = staff
        .accept(&second.token, Acceptance::default(), home())
        .await;
    assert!(matches!(nameless.err(), Some(Error::NameRefused(_))));
    let acceptance = |login: &str| Acceptance {
        login: Some(login.to_owned()),
        name: Some("Zhao Min".to_owned()),
    };
    let generic = staff
        .accept(&second.token, acceptance("Admin@example.com"), home())
        .await;
    assert!(matches!(generic.err(), Some(Error::NameRefused(_))));
    let accepted = staff
        .accept(&second.token, acceptance("zhao@example.com"), home())
        .await;
    let member = house.member(&accepted.unwrap());
    let mut device = Authenticator::new(ORIGIN);
    let opened = house
        .add_passkey(&member, &mut device)
        .await
        .unwrap()
        .unwrap();
    let member = house.member(&opened);
    assert!(
        staff
            .first_administrator(&tenant())
            .await
            .unwrap()
            .is_none()
    );

    let granter = Granter::of(member.scopes);
    let invite = async |login: &str, roles: &[&str]| {
        let author = member.author("test");
        staff
            .invite(author, &tenant(), person(login, roles), granter)
            .await
    };
    invite("a@example.com", &[]).await.unwrap();
    let refused = invite("b@example.com", &["analyst"]).await;
    assert!(matches!(refused.err(), Some(Error::GrantForbidden)));
    invite("c@example.com", &["security_administrator"])
        .await
        .unwrap();
    let refused = invite("d@example.com", &["security_administrator"]).await;
    assert!(matches!(refused.err(), Some(Error::GrantForbidden)));
    invite("e@example.com", &["audit_administrator"])
        .await
        .unwrap();
    invite("f@example.com", &["key_custodian"]).await.unwrap();
    let refused = invite("g@example.com", &["key_custodian"]).await;
    assert!(matches!(refused.err(), Some(Error::GrantForbidden)));
    let taken = invite("A@example.com", &[]).await;
    assert!(matches!(taken.err(), Some(Error::LoginTaken)));
}

#[tokio::test]
async fn disabling_ends_sessions_and_the_unused_are_disabled_after_ninety_days() {
    let house = House::new().await;
    let (member, mut device) = house.with_passkey("liu@example.com", &[]).await;
    let opened = house
        .by_passkey("liu@example.com", &mut device)
        .await
        .unwrap();
    let id = &member.account.id;
    house
        .staff
        .disable(operator(), &tenant(), id)
        .await
        .unwrap();
    assert!(house.staff.authenticate(&opened.token).is_err());
    let begun = house
        .staff
        .passkey_challenge("liu@example.com", home())
        .unwrap();
    let answer = device.get_by(&begun.options, 0);
    let refused = house
        .staff
        .sign_in_by_passkey(&begun.ceremony, &answer, home())
        .await;
    assert!(matches!(refused.err(), Some(Error::SignInRefused)));
    house.staff.enable(operator(), &tenant(), id).await.unwrap();
    house
        .by_passkey("liu@example.com", &mut device)
        .await
        .unwrap();

    const DAY_S: u64 = 86_400;
    assert!(house.staff.disable_unused().await.unwrap().is_empty());
    house.advance_s(89 * DAY_S);
    let (fresh, _) = house.with_passkey("wang@example.com", &[]).await;
    assert!(house.staff.disable_unused().await.unwrap().is_empty());
    house.advance_s(2 * DAY_S);
    assert_eq!(house.staff.disable_unused().await.unwrap(), [id.as_str()]);
    assert_eq!(status(&house, &member), Status::Disabled);
    assert_eq!(status(&house, &fresh), Status::Active);
}

#[tokio::test]
async fn the_last_way_in_stays_and_old_passwords_do_not_come_back() {
    let house = House::new().await;
    let (member, _) = house.with_passkey("liu@example.com", &[]).await;
    let last = house.staff.remove_passkey(&member, 0).await;
    assert!(matches!(last, Err(Error::LastFactor)));
    let (member, _, _) = house.with_password("wang@example.com").await;
    let set = async |password: &str| {
        let account = house.staff.find(&tenant(), &member.account.id).unwrap();
        let member = Member {
            account,
            ..member.clone()
        };
        house
            .staff
            .set_password(&member, support::secret(password))
            .await
    };
    assert!(matches!(set("short").await, Err(Error::PasswordRefused(_))));
    assert!(matches!(
        set(&"x".repeat(129)).await,
        Err(Error::PasswordRefused(_))
    ));
    for number in 0..3 {
        set(&format!("another password {number}")).await.unwrap();
        assert!(
            matches!(set(PASSWORD).await, Err(Error::PasswordRefused(_))),
            "{number}"
        );
    }
    set("another password 3").await.unwrap();
    set(PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_review_says_who_may_what_by_whom_and_whether_it_is_used() {
    let house = House::new().await;
    let (member, _) = house
        .with_passkey("liu@example.com", &["rule_author"])
        .await;
    house.invite("=cmd@example.com", &[]).await;
    house.advance_s(100 * 86_400);
    let before = house.leaves().await;
    let review = house.staff.review(operator(), &tenant()).await.unwrap();
    assert_eq!(house.leaves().await, before + 1);
    let line = review
        .lines
        .iter()
        .find(|line| line.account == member.account.id)
        .unwrap();
    assert_eq!((line.unused_days, line.is_unused), (100, true));
    assert_eq!(line.grants[0].by, "staff:uid-0");
    assert!(line.scopes.contains(&"rules:write") && line.conflicts.is_empty());
    let csv = review.to_csv();
    assert_eq!(csv.lines().count(), 3);
    assert!(csv.contains(",'=cmd@example.com,invited,,"), "{csv}");
    let elsewhere = paywarden_domain::TenantId::parse("other").unwrap();
    let theirs = house.staff.review(operator(), &elsewhere).await.unwrap();
    assert!(theirs.lines.is_empty());
    let nobody = NewAccount {
        login: None,
        name: String::new(),
        roles: Vec::new(),
    };
    let refused = house
        .staff
        .invite(operator(), &tenant(), nobody, Granter::Anybody)
        .await;
    assert!(matches!(refused.err(), Some(Error::NameRefused(_))));
}
