//! Where a sealed value belongs.

/// Everything that an envelope is bound to besides its key's cipher and version. Purposes are not
/// part of it: they may change while the value stays.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// What kind of thing is sealed, so that no two kinds are ever taken for each other.
    pub domain: &'static str,
    /// Whose data it is: the company.
    pub tenant: &'a str,
    /// Whose data it is: the person.
    pub subject: &'a str,
    /// Its class, such as `card_number`.
    pub class: &'a str,
    /// Which field of the record.
    pub field: &'a str,
    /// Which record.
    pub record: &'a str,
    /// Which version of the record.
    pub version: u32,
    /// Identifier of the key.
    pub key: &'a str,
}

impl Context<'_> {
    /// Canonical: every part has its length (4 bytes) in front, so that no two contexts have the
    /// same bytes. Behind them stands the header of the envelope.
    pub(super) fn bytes(&self, header: &[u8]) -> Vec<u8> {
        let version = self.version.to_be_bytes();
        let parts: [&[u8]; 9] = [
            self.domain.as_bytes(),
            self.tenant.as_bytes(),
            self.subject.as_bytes(),
            self.class.as_bytes(),
            self.field.as_bytes(),
            self.record.as_bytes(),
            &version,
            self.key.as_bytes(),
            header,
        ];
        let length = parts.iter().map(|part| 4 + part.len()).sum();
        let mut bytes = Vec::with_capacity(length);
        for part in parts {
            // A part of 4 GiB cannot be: all of them are identifiers.
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }
}
