//! The trail through the API, checked by other people's code: the crates `tlog_tiles` and
//! `signed_note` accept its checkpoints, tiles and proofs, and refuse what was changed.

use crate::support::{Client, Sent, Setup, Signer, World, payment, witness};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use paywarden_crypto::{
    SignatureAlgorithm::Ed25519,
    note::{Note, NoteKind, NoteSigner},
};
use paywarden_domain::{Timestamp, time::DAY};
use paywarden_store::{Clock, Fault, Trust, Verdict, trail::notary::public_keys};
use serde_json::{Value, json};
use signed_note::{StandardVerifier, VerifierList};
use tlog_tiles::{
    Checkpoint, Error, Hash, Tile, TileHashReader, TileReader, check_record, check_tree,
    prove_record, prove_tree, record_hash, tree_hash,
};

/// Leaves besides those of the keys: more than one tile.
const DECISIONS: usize = 300;

struct Auditor {
    client: Client,
    signer: Signer,
}

impl Auditor {
    async fn new(world: &World, tenant: &str) -> Self {
        Self {
            client: world.client(true).await,
            signer: world.signer(tenant, Ed25519).await,
        }
    }

    async fn bytes(&mut self, path: &str) -> Vec<u8> {
        let sent = Sent::new(Method::GET, &format!("/v1/trail/{path}"), "");
        let answer = self.client.signed(&self.signer, sent).await;
        assert!(answer.status.is_success(), "{path} {:?}", answer.body);
        answer.body.to_vec()
    }

    async fn text(&mut self, path: &str) -> String {
        String::from_utf8(self.bytes(path).await).unwrap()
    }

    async fn json(&mut self, path: &str) -> Value {
        serde_json::from_slice(&self.bytes(path).await).unwrap()
    }

    async fn decide(&mut self, id: &str) -> String {
        let sent = Sent::decision(&payment(id));
        let answer = self.client.signed(&self.signer, sent).await;
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    async fn cosign(&mut self, note: &Note) -> (u16, Value) {
        let body = json!({ "checkpoint": note.to_string() });
        let sent = Sent::json(Method::POST, "/v1/trail/cosignatures", &body);
        let answer = self.client.signed(&self.signer, sent).await;
        (answer.status.as_u16(), answer.json())
    }
}

/// A checkpoint as the outside crates read it, its signature checked with a verifier key.
fn checkpoint(note: &str, vkey: &str) -> Checkpoint {
    let parsed = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
    let verifier = StandardVerifier::new(vkey).unwrap();
    let known = VerifierList::new(vec![Box::new(verifier)]);
    let (verified, _) = parsed.verify(&known).unwrap();
    assert!(!verified.is_empty());
    Checkpoint::from_bytes(parsed.text()).unwrap()
}

/// Tiles that were fetched before, by their path in the crate's own writing.
struct Fetched(Vec<(String, Vec<u8>)>);

impl TileReader for Fetched {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let find = |tile: &Tile| self.0.iter().find(|(path, _)| *path == tile.path());
        let found = tiles
            .iter()
            .map(|tile| find(tile).map(|(_, bytes)| bytes.clone()));
        found.collect::<Option<_>>().ok_or(Error::InvalidTile)
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// Every tile that a tree of this size has.
async fn fetch(auditor: &mut Auditor, size: u64) -> Fetched {
    let mut fetched = Vec::new();
    for tile in Tile::new_tiles(8, 0, size) {
        let path = tile.path();
        let bytes = auditor.bytes(&path.replacen("tile/8/", "tile/", 1)).await;
        fetched.push((path, bytes));
    }
    Fetched(fetched)
}

async fn vkey(auditor: &mut Auditor) -> String {
    let keys = auditor.json("keys").await;
    keys["keys"][0]["vkey"].as_str().unwrap().to_owned()
}

fn hashes(json: &Value) -> Vec<Hash> {
    let hash = |text: &Value| Hash::parse_hash(text.as_str().unwrap()).unwrap();
    json.as_array().unwrap().iter().map(hash).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn other_peoples_code_accepts_checkpoints_tiles_and_proofs() {
    let world = World::start(Setup::default()).await;
    let mut auditor = Auditor::new(&world, "acme").await;
    let vkey = vkey(&mut auditor).await;
    let early = checkpoint(&auditor.text("checkpoint").await, &vkey);
    let mut last = String::new();
    for number in 0..DECISIONS {
        last = auditor.decide(&format!("p{number}")).await;
    }
    let note = auditor.text("checkpoint").await;
    let signed = checkpoint(&note, &vkey);
    assert!(signed.size() >= early.size() + DECISIONS as u64);

    // The root out of their reading of our tiles, every hash checked against the checkpoint.
    let fetched = fetch(&mut auditor, signed.size()).await;
    let reader = TileHashReader::new(signed.size(), *signed.hash(), &fetched);
    assert_eq!(tree_hash(signed.size(), &reader).unwrap(), *signed.hash());

    // Their proofs from our tiles are our proofs, and theirs is the check.
    let entry_bundle = auditor.bytes("tile/entries/000").await;
    for index in [0, 1, 17, 255, 256, signed.size() - 1] {
        let answer = auditor
            .json(&format!("proofs/inclusion?leaf={index}"))
            .await;
        let proof = hashes(&answer["hashes"]);
        let leaf = STANDARD
            .decode(answer["leaf"]["bytes"].as_str().unwrap())
            .unwrap();
        assert_eq!(prove_record(signed.size(), index, &reader).unwrap(), proof);
        let hash = record_hash(&leaf);
        check_record(&proof, signed.size(), *signed.hash(), index, hash).unwrap();
        let forged = record_hash(b"another leaf");
        assert!(check_record(&proof, signed.size(), *signed.hash(), index, forged).is_err());
        let mut framed = (leaf.len() as u16).to_be_bytes().to_vec();
        framed.extend(leaf);
        let is_in_bundle = entry_bundle
            .windows(framed.len())
            .any(|part| part == framed);
        assert_eq!(is_in_bundle, index < 256);
    }
    let (from, to) = (early.size(), signed.size());
    let path = format!("proofs/consistency?from={from}&to={to}");
    let proof = hashes(&auditor.json(&path).await["hashes"]);
    let from_tiles = prove_tree(to, from, &reader);
    assert_eq!(from_tiles.unwrap(), proof);
    check_tree(&proof, to, *signed.hash(), from, *early.hash()).unwrap();
    assert!(check_tree(&proof, to, *signed.hash(), from, *signed.hash()).is_err());

    // A changed tile, a changed checkpoint.
    let mut changed = fetch(&mut auditor, signed.size()).await;
    changed.0.last_mut().unwrap().1[20] ^= 1;
    let reader = TileHashReader::new(signed.size(), *signed.hash(), &changed);
    assert!(prove_record(signed.size(), 1, &reader).is_err());
    let forged = note.replacen(&signed.size().to_string(), "9999", 1);
    let parsed = signed_note::Note::from_bytes(forged.as_bytes()).unwrap();
    let known = VerifierList::new(vec![Box::new(StandardVerifier::new(&vkey).unwrap())]);
    assert!(parsed.verify(&known).is_err());

    // A decision is found by its identifier.
    let answer = auditor
        .json(&format!("proofs/inclusion?decision={last}"))
        .await;
    assert_eq!(answer["leaf"]["decision"], json!(last));
}

/// Which of these verifier keys have signed a checkpoint, in the eyes of the outside crate.
fn signers(note: &str, vkeys: &[String]) -> Vec<bool> {
    let parsed = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
    let signed = |vkey: &String| {
        let known = VerifierList::new(vec![Box::new(StandardVerifier::new(vkey).unwrap())]);
        parsed.verify(&known).is_ok()
    };
    vkeys.iter().map(signed).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_takes_over_while_the_one_before_signs_on() {
    let clock = Clock::simulated(Timestamp::from_micros(1_800_000_000_000_000), 1);
    let setup = Setup {
        notary_clock: Some(clock.clone()),
        ..Setup::default()
    };
    let world = World::start(setup).await;
    let mut auditor = Auditor::new(&world, "acme").await;
    auditor.decide("p1").await;
    let first = auditor.text("checkpoint").await;
    let wait = |days: i64| match &clock {
        Clock::Simulated(clock) => clock.advance_us((days * DAY).unsigned_abs()),
        _ => panic!("the clock is simulated"),
    };
    wait(1);
    let key = world.notary.rotate().await.unwrap();
    assert_eq!(key.generation, 2);

    // Verifiers are told of both, and until when the old one counts.
    let keys = auditor.json("keys").await["keys"].clone();
    let vkeys = keys.as_array().unwrap().iter();
    let vkeys: Vec<_> = vkeys
        .map(|key| key["vkey"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(vkeys.len(), 2);
    assert!(keys[0]["valid_until"].is_string() && keys[1]["valid_until"].is_null());
    assert_eq!(keys[0]["valid_until"], json!("2027-02-15T08:00:00Z"));

    // What was signed before still holds; what is signed now names both.
    assert_eq!(signers(&first, &vkeys), [true, false]);
    auditor.decide("p2").await;
    let second = auditor.text("checkpoint").await;
    assert_eq!(signers(&second, &vkeys), [true, true]);

    // Witnesses go on as before, also under a checkpoint from before.
    for text in [&first, &second] {
        let note = Note::parse(text).unwrap();
        let mut cosigned = note.clone();
        let signature = witness().sign(&note, 1_800_100_000).unwrap();
        cosigned.push(signature).unwrap();
        assert_eq!(auditor.cosign(&cosigned).await.0, 200);
    }

    // After the overlap the new key signs alone, and the trail holds from end to end.
    wait(31);
    auditor.decide("p3").await;
    let third = auditor.text("checkpoint").await;
    assert_eq!(signers(&third, &vkeys), [false, true]);
    let trust = Trust {
        keys: public_keys(&world.keyring, 2).unwrap(),
        checkpoints: [first, second, third]
            .map(|text| Note::parse(&text).unwrap())
            .into(),
    };
    let verdict = world.database.verify(Some(&trust)).await.unwrap();
    assert!(matches!(verdict, Verdict::Intact(_)), "{verdict:?}");
    let old_alone = Trust {
        keys: public_keys(&world.keyring, 1).unwrap(),
        checkpoints: vec![],
    };
    let verdict = world.database.verify(Some(&old_alone)).await.unwrap();
    let Verdict::Broken { fault, .. } = verdict else {
        panic!("a key that nobody was told of passed")
    };
    assert_eq!(fault, Fault::KeyUnknown { generation: 2 });
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_are_paged_and_name_no_payment() {
    let world = World::start(Setup::default()).await;
    let mut auditor = Auditor::new(&world, "acme").await;
    for number in 0..5 {
        auditor.decide(&format!("personal-{number}")).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = auditor.json(&format!("leaves?limit=2{cursor}")).await;
        seen.extend(page["leaves"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert!(seen.len() > 5);
    for (index, leaf) in seen.iter().enumerate() {
        assert_eq!(leaf["index"], json!(index));
        let bytes = STANDARD.decode(leaf["bytes"].as_str().unwrap()).unwrap();
        for personal in ["personal-", "payer-1", "4012888888881881"] {
            assert!(!leaf.to_string().contains(personal), "{leaf}");
            assert!(
                !bytes
                    .windows(personal.len())
                    .any(|part| part == personal.as_bytes())
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_cosigns_what_we_signed_and_nothing_else() {
    let world = World::start(Setup::default()).await;
    let mut auditor = Auditor::new(&world, "acme").await;
    auditor.decide("p").await;
    let note = Note::parse(&auditor.text("checkpoint").await).unwrap();
    let mut cosigned = note.clone();
    cosigned
        .push(witness().sign(&note, 1_800_000_000).unwrap())
        .unwrap();
    let (status, kept) = auditor.cosign(&cosigned).await;
    assert_eq!((status, &kept["note"]), (200, &json!(cosigned.to_string())));
    // It is served from now on, and still one of ours.
    let served = auditor.text("checkpoint").await;
    assert_eq!(served, cosigned.to_string());
    checkpoint(&served, &vkey(&mut auditor).await);

    // Nobody knows this witness.
    let stranger = NoteSigner::from_seed("stranger.example", NoteKind::Cosignature, &[6; 32]);
    let mut by_stranger = note.clone();
    by_stranger
        .push(stranger.unwrap().sign(&note, 1).unwrap())
        .unwrap();
    // The witness signed another root for the same size: a fork.
    let fork = note.text().lines().take(2).collect::<Vec<_>>().join("\n");
    let fork = Note::new(&format!("{fork}\n{}\n", STANDARD.encode([7; 32]))).unwrap();
    let mut forked = fork.clone();
    forked.push(witness().sign(&fork, 1).unwrap()).unwrap();
    // Its signature was made over something else.
    let mut unfit = note.clone();
    unfit.push(witness().sign(&fork, 1).unwrap()).unwrap();
    // The checkpoint of another tenant.
    let mut other = Auditor::new(&world, "other").await;
    for (by, cosigned, code) in [
        (&mut auditor, &by_stranger, "cosignature_invalid"),
        (&mut other, &cosigned, "trail_unknown"),
    ] {
        assert_eq!(by.cosign(cosigned).await.1["code"], code);
    }
    for (cosigned, code) in [(&forked, "trail_unknown"), (&unfit, "cosignature_invalid")] {
        assert_eq!(auditor.cosign(cosigned).await.1["code"], code);
    }
    assert_eq!(auditor.text("checkpoint").await, served);
}
