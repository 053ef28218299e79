//! What an envelope is bound to: everything swapped, one at a time.

use super::*;
use proptest::prelude::*;

const CONTEXT: Context<'static> = Context {
    domain: "vault record",
    tenant: "acme",
    subject: "sub_1",
    class: "card_number",
    field: "value",
    record: "tok_1",
    version: 1,
    key: "key_1",
};

/// What swaps one part of a context.
type Swap = (&'static str, fn(&mut Context<'static>));

const SWAPS: [Swap; 9] = [
    ("domain", |context| context.domain = "vault key"),
    ("tenant", |context| context.tenant = "other"),
    ("subject", |context| context.subject = "sub_2"),
    ("class", |context| context.class = "phone"),
    ("field", |context| context.field = "details"),
    ("row", |context| context.record = "tok_2"),
    ("version", |context| context.version = 2),
    ("key", |context| context.key = "key_2"),
    // The same bytes one after the other, cut at another place.
    ("boundary", |context| {
        context.tenant = "acmes";
        context.subject = "ub_1";
    }),
];

#[test]
fn nothing_opens_in_another_context_version_or_cipher() {
    let bytes = SealKey::random_bytes();
    for cipher in Cipher::ALL {
        let key = SealKey::new(cipher, &bytes, 7).unwrap();
        let sealed = key.seal(&CONTEXT, b"4012888888881881").unwrap();
        assert_eq!(sealed.len(), 16 + OVERHEAD_BYTES);
        assert_eq!(key_version(&sealed), Some(7));
        assert_eq!(&**key.open(&CONTEXT, &sealed).unwrap(), b"4012888888881881");
        for (what, swap) in SWAPS {
            let mut context = CONTEXT;
            swap(&mut context);
            assert!(key.open(&context, &sealed).is_err(), "{cipher:?} {what}");
        }
        let later = SealKey::new(cipher, &bytes, 8).unwrap();
        let mut relabelled = sealed.clone();
        relabelled[5] = 8;
        assert!(later.open(&CONTEXT, &sealed).is_err(), "{cipher:?}");
        assert!(later.open(&CONTEXT, &relabelled).is_err(), "{cipher:?}");
        for other in Cipher::ALL.into_iter().filter(|other| *other != cipher) {
            let key = SealKey::new(other, &bytes, 7).unwrap();
            let mut relabelled = sealed.clone();
            relabelled[1] = other.id();
            assert!(key.open(&CONTEXT, &sealed).is_err(), "{cipher:?} {other:?}");
            assert!(
                key.open(&CONTEXT, &relabelled).is_err(),
                "{cipher:?} {other:?}"
            );
        }
    }
}

#[test]
fn profiles_are_found_by_name() {
    assert_eq!(Profile::find("default"), Some(&Profile::DEFAULT));
    assert_eq!(Profile::find("gm"), Some(&Profile::GM));
    assert_eq!(Profile::find("fips"), None);
}

proptest! {
    #[test]
    fn a_changed_or_cut_envelope_does_not_open(
        plain: Vec<u8>, cipher in 0..3_usize, at: prop::sample::Index, bit in 0..8_u8,
    ) {
        let key = SealKey::new(Cipher::ALL[cipher], &SealKey::random_bytes(), 1).unwrap();
        let sealed = key.seal(&CONTEXT, &plain).unwrap();
        prop_assert_eq!(&**key.open(&CONTEXT, &sealed).unwrap(), &plain);
        prop_assert_ne!(&sealed, &key.seal(&CONTEXT, &plain).unwrap());
        let mut changed = sealed.clone();
        changed[at.index(sealed.len())] ^= 1 << bit;
        prop_assert!(key.open(&CONTEXT, &changed).is_err());
        prop_assert!(key.open(&CONTEXT, &sealed[..at.index(sealed.len())]).is_err());
    }
}
