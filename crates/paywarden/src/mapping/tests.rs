//! Mappings as people write them, good and bad.

use super::*;

const HANDBOOK: &str = "tx_id,tx_datetime,customer_id,terminal_id,amount,is_fraud,fraud_scenario\n";
const SPARKOV: &str = "tx_id,occurred_at,card,account,first_name,last_name,gender,dob,street,city,\
    state,zip,lat,long,city_pop,merchant,category,merchant_lat,merchant_long,amount,is_fraud\n";

fn read(mapping: &str, header: &str, row: &str) -> Result<Row, String> {
    let text = format!("{header}{row}\n");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mapping = Mapping::find(mapping).unwrap();
    let rows = mapping.bind(reader.headers().unwrap()).unwrap();
    let record = reader.records().next().unwrap().unwrap();
    rows.read(2, &record)
}

#[test]
fn shipped_mappings_read_their_files_and_hide_the_answer() {
    let row = read(
        "handbook",
        HANDBOOK,
        "7,2018-04-01T00:00:31Z,596,3156,57.16,1,2",
    )
    .unwrap();
    assert!(row.fraud);
    let label = row.label.unwrap();
    assert_eq!(label.known_at.to_string(), "2018-04-08T00:00:31Z");
    insta::assert_snapshot!(std::str::from_utf8(&label.body).unwrap());
    assert_eq!(row.scenario.as_deref(), Some("terminal compromised"));
    assert_eq!(row.amount_minor, 5716);
    insta::assert_snapshot!(std::str::from_utf8(&row.body).unwrap(), @r#"{"amount":{"currency":"USD","value":"57.16"},"channel":"pos","id":"7","merchant":{"terminal_id":"3156"},"occurred_at":"2018-04-01T00:00:31Z","payer":{"id":"596"},"type":"payment.card"}"#);

    let row = read(
        "sparkov",
        SPARKOV,
        "d1,2019-01-01T00:00:25Z,4111111111111111,57418,Sara,Anderson,F,1969-03-26,1 Road,\
         Springfield,IL,62677,39.8,-89.8,2562,fraud_Harber Inc,misc_net,39.6,-90.3,1.22,0",
    )
    .unwrap();
    assert_eq!((row.fraud, row.label, row.entities.len()), (false, None, 5));
    insta::assert_snapshot!(std::str::from_utf8(&row.body).unwrap());
}

#[test]
fn entities_are_told_apart_by_kind() {
    let row = read(
        "handbook",
        HANDBOOK,
        "7,2018-04-01T00:00:31Z,596,596,57.16,0,0",
    )
    .unwrap();
    let [customer, terminal] = row.entities[..] else {
        panic!("two entities")
    };
    assert_ne!(customer, terminal);
}

#[test]
fn bad_rows_say_what_is_wrong() {
    let mut said = String::new();
    for row in [
        ",2018-04-01T00:00:31Z,596,3156,57.16,0,0",
        "7,yesterday,596,3156,57.16,0,0",
        "7,2018-04-01T00:00:31Z,596,3156,,0,0",
        "7,2018-04-01T00:00:31Z,596,3156,-5,0,0",
        "7,2018-04-01T00:00:31Z,596,3156,1.234,0,0",
    ] {
        said += &read("handbook", HANDBOOK, row).unwrap_err();
        said.push('\n');
    }
    insta::assert_snapshot!(said);
}

#[test]
fn wrong_mappings_say_what_to_do() {
    let base = "name = 'x'\nabout = 'x'\nid = 'a'\noccurred_at = 'b'\n";
    let label = "[label]\ncolumn = 'y'\nsource = 'analyst'\nverdicts = {}\n";
    let mut said = String::new();
    for text in [
        format!("{base}amuont = 'c'"),
        format!("{base}columns = {{ 'payer.id' = 'y' }}\n{label}delay = '1d'"),
        format!("{base}{label}delay = 'soon'"),
    ] {
        said += &Mapping::parse(&text).unwrap_err().message();
    }
    let twice = format!("{base}[constants]\n'payer' = 1\n[columns]\n'payer.id' = 'a'");
    let mapping = Mapping::parse(&twice).unwrap();
    let header = StringRecord::from(vec!["a", "b"]);
    said += &mapping.bind(&header).err().unwrap().message();
    said += &mapping
        .bind(&StringRecord::from(vec!["a"]))
        .err()
        .unwrap()
        .message();
    said += &Mapping::find("nothing").unwrap_err().message();
    insta::assert_snapshot!(said);
}

#[test]
fn durations_have_a_unit() {
    assert_eq!(parse_duration("90s"), Some(90 * time::SECOND));
    assert_eq!(parse_duration("7d"), Some(7 * time::DAY));
    for wrong in ["", "d", "7", "-1d", "1w", "7é"] {
        assert_eq!(parse_duration(wrong), None, "{wrong}");
    }
}
