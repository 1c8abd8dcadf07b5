//! What is named is removed, everywhere, before it reaches a record or a span; what cannot be found is withheld.

use audited::audited;
use serde::Serialize;
use serde_json::{Value, json};
use testkit::recorded;

/// Checks a record's redactions as `pointer rule` lines; all of them are drops.
fn check(record: &Value, expected: &[&str]) {
    let redactions = record["redactions"].as_array().cloned().unwrap_or_default();
    let text = |redaction: &Value, member: &str| redaction[member].as_str().unwrap().to_owned();
    let found: Vec<String> = redactions.iter().map(|r| format!("{} {}", text(r, "path"), text(r, "rule"))).collect();
    assert_eq!(found, expected);
    assert!(redactions.iter().all(|redaction| redaction["method"] == "drop"));
}

fn assert_absent(records: &[Value], secrets: &[&str]) {
    let text = serde_json::to_string(records).unwrap();
    for secret in secrets {
        assert!(!text.contains(secret), "`{secret}` stands in {text}");
    }
}

#[derive(Serialize)]
struct Customer {
    name: &'static str,
    tax_id: &'static str,
    password: &'static str,
}

const CUSTOMER: Customer = Customer { name: "Ann", tax_id: "TAX-31415926", password: "hunter2hunter2" };

#[test]
fn parameters_members_and_secret_names_are_removed() {
    #[audited(action = "pay", redact = [card, customer.tax_id, lines[].iban])]
    fn pay(card: &str, customer: &Customer, lines: Value, api_key: u64) {
        let _all = (card, customer, lines, api_key);
    }
    let lines = json!([{"iban": "DE89370400440532013000", "n": 1}, {"iban": "FR1420041010050500013", "headers": [{"Authorization": "Bearer abcdef"}]}]);
    let records = recorded(|| pay("4242424242424242", &CUSTOMER, lines, 987_654_321));
    assert_eq!(
        records[0]["request"]["arguments"],
        json!({"customer": {"name": "Ann"}, "lines": [{"n": 1}, {"headers": [{}]}]})
    );
    check(
        &records[0],
        &[
            "/request/arguments/card path:card",
            "/request/arguments/customer/tax_id path:customer.tax_id",
            "/request/arguments/customer/password name:password",
            "/request/arguments/lines/0/iban path:lines[].iban",
            "/request/arguments/lines/1/headers/0/Authorization name:authorization",
            "/request/arguments/lines/1/iban path:lines[].iban",
            "/request/arguments/api_key name:api_key",
        ],
    );
    assert_absent(&records, &["4242", "TAX-3", "hunter2", "DE89", "FR14", "987654321", "abcdef"]);
}

#[test]
fn the_result_is_redacted_by_path_and_name() {
    #[derive(Serialize)]
    struct Account {
        id: u8,
        email: &'static str,
        cards: Vec<Value>,
        session_token: &'static str,
    }
    #[audited(action = "account.read", effect = "read", redact = [return.email, return.cards[].number])]
    fn account() -> Result<Account, String> {
        let cards = vec![json!({"number": "4000000000000002", "brand": "visa"})];
        Ok(Account { id: 7, email: "ann@example.org", cards, session_token: "s-1234567" })
    }
    let records = recorded(|| assert!(account().is_ok()));
    assert_eq!(records[1]["response"]["summary"], json!({"cards": [{"brand": "visa"}], "id": 7}));
    check(
        &records[1],
        &[
            "/response/summary/email path:return.email",
            "/response/summary/cards/0/number path:return.cards[].number",
            "/response/summary/session_token name:token",
        ],
    );
    assert_absent(&records, &["ann@", "4000000000000002", "s-1234567"]);
}

#[test]
fn removed_arguments_are_removed_from_the_error_too() {
    #[derive(Debug)]
    enum PayError {
        Declined(#[allow(dead_code, reason = "shown by Debug only")] String),
    }
    impl std::fmt::Display for PayError {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            let Self::Declined(why) = self;
            write!(f, "declined: {why}")
        }
    }
    #[audited(action = "pay", redact = [card, amount])]
    fn pay(card: &str, amount: u32) -> Result<(), PayError> {
        Err(PayError::Declined(format!("card {card} has no {amount} left, password=hunter2")))
    }
    let records = recorded(|| assert!(pay("4242424242424242", 120).is_err()));
    assert_eq!(
        records[1]["outcome"]["reason"],
        "declined: card [redacted] has no [redacted] left, password= [redacted]"
    );
    assert_eq!(records[1]["outcome"]["error_type"], "PayError::Declined");
    check(&records[1], &["/outcome/reason path:amount", "/outcome/reason path:card", "/outcome/reason name:password"]);
    assert_absent(&records, &["4242", "hunter2"]);
}

#[test]
fn a_panic_message_is_cleaned_like_an_error() {
    #[audited(action = "pay", redact = [card])]
    fn pay(card: &str) {
        panic!("no bank for {card}");
    }
    let records = recorded(|| assert!(std::panic::catch_unwind(|| pay("5105105105105100")).is_err()));
    assert_eq!(records[1]["outcome"]["reason"], "no bank for [redacted]");
    check(&records[1], &["/outcome/reason path:card"]);
}

#[test]
fn the_error_text_can_be_withheld() {
    #[audited(action = "mail.send", redact = [error])]
    fn send() -> Result<(), String> {
        Err("no mailbox ann@example.org".to_owned())
    }
    let records = recorded(|| assert!(send().is_err()));
    assert_eq!(records[1]["outcome"], json!({"effect": "unknown", "error_type": "String", "status": "failure"}));
    check(&records[1], &["/outcome/reason path:error"]);
}

#[test]
fn what_a_path_does_not_meet_is_withheld_whole() {
    #[derive(Debug)]
    struct Opaque(#[allow(dead_code, reason = "shown by Debug only")] &'static str);
    #[audited(action = "pay", redact = [customer.taxId, opaque.inner, list.number])]
    fn pay(customer: &Customer, opaque: Opaque, list: Vec<Value>) -> Result<(), String> {
        let _all = (customer, list);
        Err(format!("{opaque:?} of TAX-31415926 refused"))
    }
    let records =
        recorded(|| assert!(pay(&CUSTOMER, Opaque("deep secret"), vec![json!({"number": "41111111"})]).is_err()));
    assert_eq!(records[0]["request"]["arguments"], json!({}));
    check(
        &records[0],
        &[
            "/request/arguments/customer path:customer.taxId",
            "/request/arguments/opaque path:opaque.inner",
            "/request/arguments/list path:list.number",
        ],
    );
    assert_absent(&records, &["TAX-3", "hunter2", "deep secret", "41111111"]);
}

#[test]
fn secrets_in_a_debug_text_are_cut() {
    #[derive(Debug)]
    #[allow(dead_code, reason = "shown by Debug only")]
    struct Login {
        user: &'static str,
        user_password: &'static str,
        note: &'static str,
    }
    #[audited(action = "login")]
    fn login(request: Login) -> Result<(), String> {
        Err(format!("`{}` is not the password of bob", request.user_password))
    }
    let request = Login { user: "bob", user_password: "tr0ub4dor", note: "and more" };
    let records = recorded(|| assert!(login(request).is_err()));
    assert_eq!(records[0]["request"]["arguments"]["request"], r#"Login { user: "bob", user_password: [redacted]"#);
    assert_eq!(records[1]["outcome"]["reason"], "`[redacted]` is not the password of bob");
    check(&records[0], &["/request/arguments/request name:password"]);
}

#[test]
fn a_target_does_not_give_away_what_its_parameter_withholds() {
    #[audited(action = "card.block", redact = [card], target(type = "card", id = card))]
    fn block(card: &str) {
        let _card = card;
    }
    let records = recorded(|| block("4242424242424242"));
    assert_eq!(records[0]["target"], json!([{"id": "[redacted]", "type": "card"}]));
    check(&records[0], &["/request/arguments/card path:card", "/target/0/id path:card"]);
    assert_absent(&records, &["4242"]);
}

#[test]
fn keys_under_any_key_are_withheld_with_their_map() {
    #[audited(action = "wallet.read", effect = "read", redact = [return.methods.*])]
    fn wallet() -> Value {
        json!({"methods": {"card_900017": {"n": 1}, "card_900018": {"n": 2}}, "owner": "Ann"})
    }
    let records = recorded(|| drop(wallet()));
    assert_eq!(records[1]["response"]["summary"], json!({"methods": {}, "owner": "Ann"}));
    check(&records[1], &["/response/summary/methods path:return.methods.*"]);
    assert_absent(&records, &["card_9000"]);
}

#[test]
fn many_removals_are_listed_in_groups() {
    #[audited(action = "import")]
    fn import(rows: Vec<Value>) {
        drop(rows);
    }
    let records = recorded(|| import((0..200).map(|n| json!({"n": n, "pin": n})).collect()));
    check(&records[0], &["/request/arguments/rows name:pin"]);
    assert_eq!(records[0]["request"]["arguments"]["rows"].as_array().map(Vec::len), Some(200));
}
