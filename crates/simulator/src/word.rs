//! Names, streets and remarks. Domains, addresses and telephone numbers are of reserved ranges.

/// Given names, by the languages of the places.
#[rustfmt::skip]
pub(crate) const GIVEN: [&str; 48] = [
    "Ava", "Liam", "Olivia", "Noah", "Emma", "James", "Sophia", "Lucas", "Mia", "Ethan", "Grace",
    "Henry", "Ella", "Daniel", "Chloe", "Samuel", "Hannah", "Jonas", "Lena", "Felix", "Clara",
    "Mateo", "Lucía", "Diego", "Camille", "Hugo", "Zoé", "Léa", "Wei", "Fang", "Jun", "Yan", "Ming",
    "Xiu", "Haruto", "Yui", "Ren", "Sakura", "Yousef", "Fatima", "Noor", "Khalid", "Amara",
    "Kwame", "Priya", "Arjun", "Ingrid", "Pavel",
];

/// Family names.
#[rustfmt::skip]
pub(crate) const FAMILY: [&str; 48] = [
    "Smith", "Johnson", "Brown", "Garcia", "Miller", "Davis", "Wilson", "Moore", "Taylor", "Clark",
    "Lewis", "Walker", "Young", "King", "Wright", "Hill", "Schmidt", "Weber", "Fischer", "Klein",
    "Dubois", "Laurent", "Moreau", "Núñez", "Romero", "Torres", "Murphy", "Kelly", "Wang", "Li",
    "Zhang", "Chen", "Liu", "Huang", "Sato", "Suzuki", "Tanaka", "Itō", "Al-Sabah", "Haddad",
    "Mansour", "Okafor", "Mensah", "Sharma", "Patel", "Larsen", "Novák", "Silva",
];

/// Streets.
#[rustfmt::skip]
pub(crate) const STREETS: [&str; 16] = [
    "Oak Street", "Mill Lane", "Station Road", "Park Avenue", "Lake View", "Cedar Drive",
    "Church Street", "River Road", "Garden Row", "Hill Street", "Market Square", "Willow Way",
    "Bridge Street", "Maple Court", "Harbour Road", "Elm Grove",
];

/// First halves of shop names.
#[rustfmt::skip]
pub(crate) const SHOP: [&str; 24] = [
    "Blue", "Corner", "Golden", "Green", "Happy", "Little", "Lucky", "Modern", "North", "Old Town",
    "Red", "River", "Royal", "Silver", "Simple", "South", "Star", "Sunny", "Twin", "Urban",
    "Village", "West", "White", "Wild",
];

/// Domains of e-mail addresses: reserved by RFC 2606.
#[rustfmt::skip]
pub(crate) const DOMAINS: [&str; 6] = [
    "example.com", "example.net", "example.org", "mail.example", "post.example", "web.example",
];

/// Domains that throw addresses away.
pub(crate) const THROWAWAY: [&str; 3] = ["quick.test", "tenminutes.test", "drop.test"];

/// Why goods come back.
pub(crate) const REASONS: [&str; 4] = ["wrong_size", "defective", "not_received", "changed_mind"];

/// What honest people write beside a transfer.
#[rustfmt::skip]
pub(crate) const REMARKS: [&str; 14] = [
    "rent", "dinner", "thanks!", "birthday present", "invoice", "holiday", "electricity", "deposit",
    "car repair", "tickets", "school fees", "for mum", "monthly savings", "shared flat",
];

/// What people write beside a transfer that somebody talked them into. Honest people write some of
/// these too.
#[rustfmt::skip]
pub(crate) const PRESSED_REMARKS: [&str; 10] = [
    "safe account", "customs fee", "release of package", "investment", "trading account",
    "tax refund fee", "visa fee", "loan", "deposit", "hospital bill",
];
