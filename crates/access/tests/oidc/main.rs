//! Sign-on by an OpenID provider: the way in, and every way around it that is known, each refused.
#![cfg(test)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod mock;
#[path = "../support/mod.rs"]
mod support;

use mock::{Back, Nature, Provider, Signing};
use paywarden_access::staff::{Error, Factor, Member, Opened, Proof};
use serde_json::json;
use std::collections::BTreeMap;
use support::*;

/// A house with one provider, and somebody with a passkey whose account is bound to `liu` there.
struct Scene {
    house: House,
    provider: Provider,
    liu: Member,
    device: Authenticator,
}

impl Scene {
    /// `amr` counts as a cryptographic factor.
    async fn open(amr: &[&str]) -> Self {
        let provider = Provider::start().await;
        let house = House::with_providers(vec![provider.settings("corp", amr)]).await;
        provider.keep_time(&house.clock);
        let (liu, device) = house.with_passkey("liu@example.com", &["analyst"]).await;
        let scene = Self {
            house,
            provider,
            liu,
            device,
        };
        scene.bind(&scene.liu, "liu").await.unwrap();
        scene
    }

    async fn bind(&self, member: &Member, subject: &str) -> Result<Option<Opened>, Error> {
        let staff = &self.house.staff;
        let challenge = staff.identity_challenge(member, "corp", home()).await?;
        let back = self.provider.authorize(&challenge, subject);
        staff.bind_identity(member, back.answer()).await
    }

    /// What the browser of somebody comes back with.
    async fn back(&self, subject: &str) -> Back {
        let staff = &self.house.staff;
        let challenge = staff.sign_on_challenge("corp", home()).await.unwrap();
        self.provider.authorize(&challenge, subject)
    }

    async fn enter(&self, back: &Back) -> Result<Member, Error> {
        let opened = self.house.staff.sign_on(back.answer(), home()).await?;
        Ok(self.house.member(&opened))
    }

    /// Comes in at a provider of this nature; it must be refused, and honestly come in after.
    async fn is_refused(&self, what: &str, nature: Nature) {
        self.provider.become_(nature);
        let back = self.back("liu").await;
        let entered = self.enter(&back).await;
        assert!(matches!(entered, Err(Error::ProviderRefused)), "{what}");
        self.provider.become_(Nature::default());
        let back = self.back("liu").await;
        assert!(self.enter(&back).await.is_ok(), "{what}");
    }
}

fn with(claims: &[(&'static str, serde_json::Value)]) -> Nature {
    Nature {
        claims: claims.iter().cloned().collect::<BTreeMap<_, _>>(),
        ..Nature::default()
    }
}

#[tokio::test]
async fn a_word_that_is_no_cryptographic_factor_lets_a_factor_be_proved_and_nothing_else() {
    let mut scene = Scene::open(&["hwk"]).await;
    let back = scene.back("liu").await;
    let member = scene.enter(&back).await.unwrap();
    let staff = scene.house.staff.clone();
    assert_eq!(member.account.id, scene.liu.account.id);
    assert_eq!(member.session.factor, Factor::ProviderAlone);
    assert!(member.scopes.iter().next().is_none() && !staff.is_fresh(&member));
    let challenge = staff.proof_challenge(&member, home()).unwrap();
    let answer = scene.device.get(&challenge.options);
    let proof = Proof::Passkey {
        ceremony: &challenge.ceremony,
        answer: &answer,
    };
    let opened = staff.prove(&member, proof, home()).await.unwrap();
    let whole = scene.house.member(&opened);
    assert_eq!(whole.session.factor, Factor::Passkey);
    assert!(staff.is_fresh(&whole) && whole.scopes.iter().next().is_some());
    assert_ne!(whole.session.csrf, member.session.csrf);
}

#[tokio::test]
async fn methods_and_classes_that_the_settings_name_are_a_factor_and_no_others() {
    let scene = Scene::open(&["hwk"]).await;
    for (claims, factor) in [
        (vec![("amr", json!(["pwd", "hwk"]))], Factor::Provider),
        (vec![("acr", json!("urn:strong"))], Factor::Provider),
        (
            vec![("amr", json!(["pwd", "sms", "mfa"]))],
            Factor::ProviderAlone,
        ),
        (
            vec![("acr", json!("urn:weak")), ("amr", json!(null))],
            Factor::ProviderAlone,
        ),
    ] {
        scene.provider.become_(with(&claims));
        let back = scene.back("liu").await;
        let member = scene.enter(&back).await.unwrap();
        assert_eq!(member.session.factor, factor, "{claims:?}");
        assert_eq!(
            scene.house.staff.is_fresh(&member),
            factor == Factor::Provider
        );
    }
}

#[tokio::test]
async fn an_invitation_and_a_cryptographic_word_set_an_account_up() {
    let scene = Scene::open(&["hwk"]).await;
    let staff = &scene.house.staff;
    let invited = scene.house.arrived("mei@example.com", &["analyst"]).await;
    scene.provider.become_(with(&[("amr", json!(["hwk"]))]));
    let opened = scene.bind(&invited, "mei").await.unwrap().unwrap();
    let member = scene.house.member(&opened);
    assert_eq!(member.session.factor, Factor::Provider);
    assert!(member.scopes.iter().next().is_some());
    let back = scene.back("mei").await;
    assert_eq!(
        scene.enter(&back).await.unwrap().account.id,
        member.account.id
    );
    // It is the last way in, and so it stays.
    let last = staff.unbind_identity(&member, 0).await;
    assert!(matches!(last, Err(Error::LastFactor)));
    // A word that is none sets nothing up.
    let other = scene.house.arrived("wu@example.com", &["analyst"]).await;
    scene.provider.become_(Nature::default());
    assert!(scene.bind(&other, "wu").await.unwrap().is_none());
    let back = scene.back("wu").await;
    let member = scene.enter(&back).await.unwrap();
    assert!(member.scopes.iter().next().is_none());
    let none = staff.proof_challenge(&member, home());
    assert!(matches!(none, Err(Error::FactorUnknown)));
}

#[tokio::test]
async fn an_identity_opens_the_account_that_it_is_bound_to_and_a_name_opens_none() {
    let scene = Scene::open(&["hwk"]).await;
    let staff = &scene.house.staff;
    // The same address of e-mail, verified, and another subject.
    scene.provider.become_(with(&[
        ("email", json!("liu@example.com")),
        ("email_verified", json!(true)),
        ("preferred_username", json!("liu@example.com")),
        ("amr", json!(["hwk"])),
    ]));
    let back = scene.back("somebody else").await;
    assert!(matches!(
        scene.enter(&back).await,
        Err(Error::SignInRefused)
    ));
    let (mei, _) = scene
        .house
        .with_passkey("mei@example.com", &["analyst"])
        .await;
    let taken = scene.bind(&mei, "liu").await;
    assert!(matches!(taken, Err(Error::IdentityTaken)));
    // By an administrator: for somebody else, and no factor by itself.
    let who = (&tenant(), mei.account.id.as_str());
    let own = staff
        .bind_identity_of(mei.author("mine"), who, "corp", "mei")
        .await;
    assert!(matches!(own, Err(Error::Oneself)));
    let unknown = staff
        .bind_identity_of(operator(), who, "other", "mei")
        .await;
    assert!(matches!(unknown, Err(Error::ProviderUnknown)));
    staff
        .bind_identity_of(operator(), who, "corp", "mei")
        .await
        .unwrap();
    let back = scene.back("mei").await;
    assert_eq!(scene.enter(&back).await.unwrap().account.id, mei.account.id);
    // Gone with the binding, and with the account.
    staff.unbind_identity(&scene.liu, 0).await.unwrap();
    let back = scene.back("liu").await;
    assert!(matches!(
        scene.enter(&back).await,
        Err(Error::SignInRefused)
    ));
    staff
        .disable(operator(), &tenant(), &mei.account.id)
        .await
        .unwrap();
    let back = scene.back("mei").await;
    assert!(matches!(
        scene.enter(&back).await,
        Err(Error::SignInRefused)
    ));
    assert!(!scene.house.holds("somebody else"));
}

#[tokio::test]
async fn a_code_and_a_ceremony_are_good_once_and_for_their_use() {
    let scene = Scene::open(&[]).await;
    let staff = &scene.house.staff;
    let back = scene.back("liu").await;
    scene.enter(&back).await.unwrap();
    let again = scene.enter(&back).await;
    assert!(
        matches!(again, Err(Error::CeremonyUnknown)),
        "replayed answer"
    );
    // The code of before in a sign-on of now.
    let fresh = scene.back("liu").await;
    let replayed = Back {
        code: back.code.clone(),
        ..fresh
    };
    let entered = scene.enter(&replayed).await;
    assert!(
        matches!(entered, Err(Error::ProviderRefused)),
        "replayed code"
    );
    // A ceremony for coming in binds nothing, and one session's is not another's.
    let back = scene.back("thief").await;
    let bound = staff.bind_identity(&scene.liu, back.answer()).await;
    assert!(matches!(bound, Err(Error::CeremonyUnknown)), "other use");
    let (mei, _) = scene
        .house
        .with_passkey("mei@example.com", &["analyst"])
        .await;
    let challenge = staff
        .identity_challenge(&mei, "corp", home())
        .await
        .unwrap();
    let back = scene.provider.authorize(&challenge, "thief");
    let bound = staff.bind_identity(&scene.liu, back.answer()).await;
    assert!(
        matches!(bound, Err(Error::CeremonyUnknown)),
        "other session"
    );
    let challenge = staff
        .identity_challenge(&mei, "corp", home())
        .await
        .unwrap();
    let back = scene.provider.authorize(&challenge, "liu");
    assert!(matches!(
        scene.enter(&back).await,
        Err(Error::CeremonyUnknown)
    ));
    // Five minutes are enough.
    let late = scene.back("liu").await;
    scene.house.advance_s(300);
    assert!(
        matches!(scene.enter(&late).await, Err(Error::CeremonyUnknown)),
        "late"
    );
}

#[tokio::test]
async fn an_answer_that_another_browser_began_is_refused() {
    let scene = Scene::open(&[]).await;
    // The thief sends the victim their own answer: the page of the victim has no such ceremony.
    let (thief, victim) = (scene.back("liu").await, scene.back("liu").await);
    let fixed = Back {
        ceremony: victim.ceremony.clone(),
        ..thief.clone()
    };
    let entered = scene.enter(&fixed).await;
    assert!(
        matches!(entered, Err(Error::ProviderRefused)),
        "another state"
    );
    let guessed = Back {
        ceremony: "guessed".to_owned(),
        ..thief
    };
    let entered = scene.enter(&guessed).await;
    assert!(
        matches!(entered, Err(Error::CeremonyUnknown)),
        "no ceremony"
    );
    // A code of the thief in the victim's sign-on: its challenge and nonce are others.
    let (thief, victim) = (scene.back("liu").await, scene.back("liu").await);
    let injected = Back {
        code: thief.code,
        ..victim
    };
    let entered = scene.enter(&injected).await;
    assert!(
        matches!(entered, Err(Error::ProviderRefused)),
        "injected code"
    );
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_refused() {
    let scene = Scene::open(&[]).await;
    let now_s = scene.house.clock.now().seconds();
    for (what, claims) in [
        ("wrong nonce", vec![("nonce", json!("another"))]),
        ("no nonce", vec![("nonce", json!(null))]),
        ("other audience", vec![("aud", json!("another client"))]),
        (
            "one audience more",
            vec![("aud", json!(["paywarden", "another client"]))],
        ),
        (
            "other issuer",
            vec![("iss", json!("https://login.example.com"))],
        ),
        ("expired", vec![("exp", json!(now_s - 1))]),
        ("from the future", vec![("iat", json!(now_s + 3_600))]),
        ("long ago", vec![("iat", json!(now_s - 3_600))]),
        (
            "authenticated long ago",
            vec![("auth_time", json!(now_s - 3_600))],
        ),
        ("authenticated at no time", vec![("auth_time", json!(null))]),
        ("no subject", vec![("sub", json!(""))]),
    ] {
        scene.is_refused(what, with(&claims)).await;
    }
}

#[tokio::test]
async fn a_signature_that_is_none_or_somebody_elses_is_refused() {
    let scene = Scene::open(&[]).await;
    for (what, signing) in [
        ("alg none", Signing::None),
        ("by the shared secret", Signing::Shared),
        ("by another key", Signing::Forged),
    ] {
        let nature = Nature {
            signing,
            ..Nature::default()
        };
        scene.is_refused(what, nature).await;
    }
}

#[tokio::test]
async fn keys_that_change_are_read_again_and_not_at_every_forged_token() {
    let scene = Scene::open(&[]).await;
    let rotated = Nature {
        signing: Signing::Rotated,
        ..Nature::default()
    };
    scene.provider.become_(rotated.clone());
    let read = scene.provider.asked("/keys");
    // Within a minute of reading them they are not read again.
    let back = scene.back("liu").await;
    assert!(matches!(
        scene.enter(&back).await,
        Err(Error::ProviderRefused)
    ));
    assert_eq!(scene.provider.asked("/keys"), read);
    scene.house.advance_s(61);
    let back = scene.back("liu").await;
    scene.enter(&back).await.unwrap();
    assert_eq!(scene.provider.asked("/keys"), read + 1);
    scene.house.advance_s(3_600);
    let back = scene.back("liu").await;
    scene.enter(&back).await.unwrap();
    assert_eq!(scene.provider.asked("/keys"), read + 2);
}

#[tokio::test]
async fn two_providers_are_not_mixed_up() {
    let (honest, evil) = (Provider::start().await, Provider::start().await);
    let settings = vec![honest.settings("honest", &[]), evil.settings("evil", &[])];
    let house = House::with_providers(settings).await;
    honest.keep_time(&house.clock);
    evil.keep_time(&house.clock);
    let staff = &house.staff;
    let names_itself = Nature {
        names_itself: true,
        ..Nature::default()
    };
    honest.become_(names_itself);
    let (liu, _) = house.with_passkey("liu@example.com", &["analyst"]).await;
    let challenge = staff
        .identity_challenge(&liu, "honest", home())
        .await
        .unwrap();
    let mut back = honest.authorize(&challenge, "liu");
    back.iss = Some(honest.issuer().to_owned());
    staff.bind_identity(&liu, back.answer()).await.unwrap();

    // RFC 9207: whoever names itself must, and nobody else may stand there.
    for iss in [None, Some(evil.issuer().to_owned()), Some(String::new())] {
        let challenge = staff.sign_on_challenge("honest", home()).await.unwrap();
        let mut back = honest.authorize(&challenge, "liu");
        back.iss = iss;
        let entered = staff.sign_on(back.answer(), home()).await;
        assert!(
            matches!(entered, Err(Error::ProviderRefused)),
            "{:?}",
            back.iss
        );
    }
    // The evil one hands the code of the honest one to us, as if it were its own.
    let to_honest = staff.sign_on_challenge("honest", home()).await.unwrap();
    let to_evil = staff.sign_on_challenge("evil", home()).await.unwrap();
    let stolen = honest.authorize(&to_honest, "liu");
    let mut mixed = evil.authorize(&to_evil, "liu");
    mixed.code = stolen.code;
    mixed.iss = Some(honest.issuer().to_owned());
    let entered = staff.sign_on(mixed.answer(), home()).await;
    assert!(matches!(entered, Err(Error::ProviderRefused)));
    // The same subject at another issuer is another person.
    let to_evil = staff.sign_on_challenge("evil", home()).await.unwrap();
    let back = evil.authorize(&to_evil, "liu");
    let entered = staff.sign_on(back.answer(), home()).await;
    assert!(matches!(entered, Err(Error::SignInRefused)));
    // And a token that names the honest issuer, by the evil one's key.
    let nature = with(&[("iss", json!(honest.issuer()))]);
    evil.become_(nature);
    let to_evil = staff.sign_on_challenge("evil", home()).await.unwrap();
    let back = evil.authorize(&to_evil, "liu");
    let entered = staff.sign_on(back.answer(), home()).await;
    assert!(matches!(entered, Err(Error::ProviderRefused)));
}

#[tokio::test]
async fn a_provider_that_hangs_or_babbles_is_left_alone_for_a_while() {
    let provider = Provider::start().await;
    let house = House::with_providers(vec![provider.settings("corp", &[])]).await;
    provider.keep_time(&house.clock);
    let staff = &house.staff;
    let discovery = "/.well-known/openid-configuration";
    for nature in [
        Nature {
            hangs_on: Some(discovery),
            ..Nature::default()
        },
        Nature {
            issuer: Some("https://login.example.com".to_owned()),
            ..Nature::default()
        },
        Nature {
            answers: Some((200, "x".repeat(1024 * 1024))),
            ..Nature::default()
        },
        Nature {
            answers: Some((302, String::new())),
            ..Nature::default()
        },
    ] {
        provider.become_(nature);
        let asked = provider.asked(discovery);
        let refused = staff.sign_on_challenge("corp", home()).await;
        assert!(matches!(refused, Err(Error::ProviderUnavailable)));
        // Nobody else waits for it meanwhile.
        let refused = staff.sign_on_challenge("corp", home()).await;
        assert!(matches!(refused, Err(Error::ProviderUnavailable)));
        assert_eq!(provider.asked(discovery), asked + 1);
        house.advance_s(6);
    }
    // One that answers again is asked again, and one that hangs on the code is not a wrong guess.
    provider.become_(Nature::default());
    let challenge = staff.sign_on_challenge("corp", home()).await.unwrap();
    let back = provider.authorize(&challenge, "liu");
    provider.become_(Nature {
        hangs_on: Some("/token"),
        ..Nature::default()
    });
    let entered = staff.sign_on(back.answer(), home()).await;
    assert!(matches!(entered, Err(Error::ProviderUnavailable)));
    let unknown = staff.sign_on_challenge("other", home()).await;
    assert!(matches!(unknown, Err(Error::ProviderUnknown)));
}

#[tokio::test]
async fn whoever_guesses_is_slowed_down_by_their_network() {
    let scene = Scene::open(&[]).await;
    let mut delayed = false;
    for _ in 0..40 {
        let guess = Back {
            state: "guessed".to_owned(),
            ..scene.back("liu").await
        };
        let entered = scene.house.staff.sign_on(guess.answer(), network(9)).await;
        match entered.err().unwrap() {
            Error::Delayed { .. } => delayed = true,
            Error::ProviderRefused => assert!(!delayed),
            other => panic!("{other}"),
        }
    }
    assert!(delayed);
}
