//! What somebody with the database does to records and keys, byte by byte. The layout is written
//! down here a second time, so that a change of it is seen.

use crate::world::World;

/// Bytes of a key in a page: epoch (4), length (1), wrapped key.
pub const SLOT: usize = 72;

/// The bytes of a record, cut up.
#[derive(Debug, Clone)]
pub struct Record {
    pub token: String,
    pub tenant: String,
    pub subject: String,
    pub retention: String,
    pub class: String,
    /// Page (8) and number (1) of the key.
    pub key: [u8; 9],
    pub flags: u8,
    /// When it was made, the hash of what it holds, and how long that is.
    pub middle: Vec<u8>,
    pub masked: Vec<u8>,
    pub sealed: Vec<u8>,
    pub details: Vec<u8>,
}

fn take<'b>(from: &mut &'b [u8], count: usize) -> &'b [u8] {
    let (taken, rest) = from.split_at(count);
    *from = rest;
    taken
}

fn short(from: &mut &[u8]) -> String {
    let length = take(from, 1)[0];
    String::from_utf8(take(from, usize::from(length)).to_vec()).unwrap()
}

fn long(from: &mut &[u8]) -> Vec<u8> {
    let length = u32::from_be_bytes(take(from, 4).try_into().unwrap());
    take(from, length as usize).to_vec()
}

impl Record {
    /// One that holds a value, and has no end, caller or purpose.
    pub fn parse(body: &[u8]) -> Self {
        let mut whole = body;
        let body = long(&mut whole);
        assert!(whole.is_empty());
        let from = &mut &body[..];
        let record = Self {
            token: short(from),
            tenant: short(from),
            subject: short(from),
            retention: short(from),
            class: short(from),
            key: take(from, 9).try_into().unwrap(),
            flags: take(from, 1)[0],
            middle: take(from, 8 + 1 + 32).to_vec(),
            masked: long(from),
            sealed: long(from),
            details: match from.is_empty() {
                true => Vec::new(),
                false => long(from),
            },
        };
        assert!(from.is_empty() && record.flags & !(1 | 32 | 64) == 0);
        record
    }

    fn bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for text in [
            &self.token,
            &self.tenant,
            &self.subject,
            &self.retention,
            &self.class,
        ] {
            body.push(text.len() as u8);
            body.extend(text.as_bytes());
        }
        body.extend(self.key);
        body.push(self.flags);
        body.extend(&self.middle);
        let details = (self.flags & 64 != 0).then_some(&self.details);
        for part in [Some(&self.masked), Some(&self.sealed), details] {
            let part = part.into_iter();
            part.for_each(|part| {
                body.extend((part.len() as u32).to_be_bytes());
                body.extend(part);
            });
        }
        [&(body.len() as u32).to_be_bytes()[..], &body].concat()
    }
}

impl World {
    pub async fn record(&self, token: &str) -> Record {
        let text = format!("SELECT body FROM vault_records WHERE token = '{token}'");
        Record::parse(&self.bytes(&text).await[0])
    }

    pub async fn records(&self) -> Vec<Record> {
        let bodies = self.bytes("SELECT body FROM vault_records").await;
        bodies.iter().map(|body| Record::parse(body)).collect()
    }

    /// Writes the bytes of a record, and columns that fit them.
    pub async fn put_record(&self, token: &str, record: &Record) {
        let body = hexadecimal(&record.bytes());
        let (page, slot) = record.key.split_at(8);
        let page = i64::from_be_bytes(page.try_into().unwrap());
        let Record {
            tenant,
            subject,
            retention,
            class,
            ..
        } = record;
        self.tamper(&format!(
            "UPDATE vault_records SET body = x'{body}', tenant = '{tenant}',
                subject = '{subject}', retention = '{retention}', class = '{class}',
                key_page = {page}, key_slot = {} WHERE token = '{token}'",
            slot[0]
        ))
        .await;
    }

    /// The wrapped keys of the page that a record's key is in, and its place among them.
    pub async fn page_of(&self, token: &str) -> (i64, usize, Vec<u8>) {
        let key = self.record(token).await.key;
        let page = i64::from_be_bytes(key[..8].try_into().unwrap());
        let text = format!("SELECT wrapped FROM vault_pages WHERE page = {page}");
        let wrapped = self.bytes(&text).await.remove(0);
        (page, usize::from(key[8]) * SLOT, wrapped)
    }

    pub async fn put_page(&self, page: i64, wrapped: &[u8]) {
        let wrapped = hexadecimal(wrapped);
        self.tamper(&format!(
            "UPDATE vault_pages SET wrapped = x'{wrapped}' WHERE page = {page}"
        ))
        .await;
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
