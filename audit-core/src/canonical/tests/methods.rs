//! What stands in the place of removed values, and what is said of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use super::super::{Canonical, Error};
use super::key;
use crate::privacy::types::{Act, Member, MemberRule, TypeRules};
use crate::privacy::{
    CallRules, Method, Pattern, Privacy, Protect, ProtectError, Sealed, Sealing, Secret, Subject, Token,
};
use crate::redact::{Path, Root, Rules, Segment};

/// Shows what it is asked for, so that a test can see it.
#[derive(Debug)]
struct Shown;

impl Protect for Shown {
    fn token(&self, tenant: Option<&str>, scalar: &[u8]) -> Result<Token, ProtectError> {
        let text = format!("token:k1:{}{}", tenant.unwrap_or_default(), core::str::from_utf8(scalar).unwrap());
        if text.contains("refused") {
            Err(ProtectError::new("no key"))
        } else {
            Ok(Token { text, key_id: "k1".into() })
        }
    }

    fn seal(&self, sealing: &Sealing<'_>) -> Result<Sealed, ProtectError> {
        let Sealing { subject, name, value, .. } = sealing;
        let digest = format!("{subject}/{name}={}", core::str::from_utf8(value).unwrap());
        Ok(Sealed { digest, key_id: format!("subject:{subject}") })
    }
}

fn protected() -> Privacy {
    Privacy::builder().protect(Arc::new(Shown)).build()
}

fn rules(privacy: Privacy, paths: &'static [Path]) -> Rules {
    Rules::default().with(CallRules { paths: &[], privacy: Some(Arc::new(privacy)) }).along(paths)
}

fn path(text: &'static str, segments: &'static [Segment], method: Method) -> Path {
    Path { text, root: Root::Parameter(0), segments, method }
}

fn one(path: Path) -> &'static [Path] {
    Box::leak(Box::new([path]))
}

/// Writes a value under the rules; returns what is left of it, and each removal as `path rule method key`.
fn written(rules: Rules, value: &impl Serialize) -> Result<(String, Vec<String>), Error> {
    let count = rules.paths().count();
    let mut canonical = Canonical::redacting(rules);
    canonical.write_at("/v", 0..count, &value)?;
    let (bytes, redactions, _secrets) = canonical.into_parts();
    let said = |removal: &crate::redact::Redaction| {
        let crate::redact::Redaction { path, removal } = removal;
        let key_id = removal.key_id.as_ref().map(|key| format!(" {key}")).unwrap_or_default();
        format!("{path} {} {}{key_id}", removal.rule, removal.method)
    };
    Ok((String::from_utf8(bytes.into_inner()).unwrap(), redactions.iter().map(said).collect()))
}

fn check(rules: Rules, value: &impl Serialize, left: &str, said: &[&str]) {
    let (found, removals) = written(rules, value).unwrap();
    assert_eq!(found, left);
    assert_eq!(removals, said);
}

const CUSTOMER: &[Segment] = &[key("customer")];
const NAME: &[Segment] = &[key("customer"), key("name")];

#[test]
fn a_mask_shows_at_most_the_last_four_of_a_long_scalar() {
    const LAST: Method = Method::Mask { last_four: true };
    let masked = |value: serde_json::Value, left: &str| {
        let rules = rules(protected(), one(path("customer", CUSTOMER, LAST)));
        check(rules, &json!({ "customer": value }), left, &["/v/customer path:customer mask"]);
    };
    masked(json!("4242424242424242"), r#"{"customer":"****4242"}"#);
    masked(json!(4_242_424_242_424_242_u64), r#"{"customer":"****4242"}"#);
    masked(json!("ünïcode-ümläut"), r#"{"customer":"****läut"}"#);
    masked(json!("12345678901"), r#"{"customer":"****"}"#);
    masked(json!(["4242424242424242"]), r#"{"customer":"****"}"#);
    masked(json!(null), r#"{"customer":"****"}"#);
    let plain = rules(protected(), one(path("customer", CUSTOMER, Method::Mask { last_four: false })));
    check(
        plain,
        &json!({"customer": "4242424242424242"}),
        r#"{"customer":"****"}"#,
        &["/v/customer path:customer mask"],
    );
}

#[test]
fn each_scalar_becomes_a_token_of_its_type() {
    let rules = rules(protected(), one(path("customer", CUSTOMER, Method::Token)));
    let value = json!({"customer": {"id": 42, "ids": ["42", true, null], "password": "x", "card": "4242424242424242"}});
    check(
        rules,
        &value,
        r#"{"customer":{"card":"token:k1:\"4242424242424242\"","id":"token:k1:42","ids":["token:k1:\"42\"","token:k1:true",null]}}"#,
        &["/v/customer/password name:password drop", "/v/customer path:customer token k1"],
    );
}

#[test]
fn a_sealed_value_names_its_subject_and_keeps_no_password() {
    let mut rules = rules(
        protected(),
        one(path("customer", CUSTOMER, Method::Seal(Subject::Within { root: Root::Parameter(1), segments: &[] }))),
    );
    rules.set_subject(0, "ann".to_owned());
    let value = json!({"customer": {"mail": "a@b", "pin": 1, "note": "card 4242424242424242"}});
    check(
        rules.clone(),
        &value,
        r#"{"customer":{"_sd":["ann/customer={\"mail\":\"a@b\",\"note\":\"card [redacted]\"}"]}}"#,
        &[
            "/v/customer pattern:card_number drop",
            "/v/customer name:pin drop",
            "/v/customer path:customer seal subject:ann",
        ],
    );
    // The path is stronger than the pattern.
    let value = json!({"customer": "4242424242424242"});
    let left = r#"{"customer":{"_sd":["ann/customer=\"4242424242424242\""]}}"#;
    check(rules, &value, left, &["/v/customer path:customer seal subject:ann"]);
}

#[test]
fn what_cannot_be_made_is_dropped() {
    let value = json!({"customer": {"name": "Ann"}});
    let (left, said) = (r#"{"customer":{}}"#, ["/v/customer/name path:customer.name drop"]);
    let on_behalf = Method::Seal(Subject::OnBehalfOf);
    let beside = Method::Seal(Subject::Beside("id"));
    for method in [Method::Token, on_behalf] {
        check(rules(Privacy::default(), one(path("customer.name", NAME, method))), &value, left, &said);
    }
    for method in [on_behalf, beside] {
        check(rules(protected(), one(path("customer.name", NAME, method))), &value, left, &said);
    }
    let refused = json!({"customer": {"name": ["Ann", "refused"]}});
    check(rules(protected(), one(path("customer.name", NAME, Method::Token))), &refused, left, &said);
    let dropping = rules(protected(), one(path("customer.name", NAME, Method::Token))).dropping();
    check(dropping, &value, left, &said);
}

#[test]
fn a_value_is_sealed_for_the_member_beside_it_wherever_that_stands() {
    let privacy = || {
        let seal = Method::Seal(Subject::Beside("id"));
        Privacy::builder().name("mail", seal).name("phone", seal).protect(Arc::new(Shown)).build()
    };
    #[derive(Serialize)]
    struct Person {
        mail: &'static str,
        age: u8,
        id: u32,
        phone: Option<u8>,
    }
    check(
        rules(privacy(), &[]),
        &[Person { mail: "a@b", age: 7, id: 12, phone: None }],
        r#"[{"age":7,"id":12,"mail":{"_sd":["12/mail=\"a@b\""]},"phone":{"_sd":["12/phone=null"]}}]"#,
        &["/v/0/mail name:mail seal subject:12", "/v/0/phone name:phone seal subject:12"],
    );
    check(
        rules(privacy(), &[]),
        &json!({"a": {"mail": "a@b", "phone": 1}, "id": 3, "mail": {"id": 4, "x": "y"}}),
        r#"{"a":{},"id":3,"mail":{"_sd":["3/mail={\"id\":4,\"x\":\"y\"}"]}}"#,
        &["/v/a/mail name:mail drop", "/v/a/phone name:phone drop", "/v/mail name:mail seal subject:3"],
    );
    // The subject may be removed itself.
    let privacy = privacy().to_builder().name("id", Method::Token).build();
    check(
        rules(privacy, &[]),
        &json!({"id": "u1", "mail": "m"}),
        r#"{"id":"token:k1:\"u1\"","mail":{"_sd":["u1/mail=\"m\""]}}"#,
        &["/v/id name:id token k1", "/v/mail name:mail seal subject:u1"],
    );
}

#[test]
fn the_stronger_rule_decides() {
    let mask = Method::Mask { last_four: false };
    let privacy =
        Privacy::builder().name("card", mask).pattern(Pattern::CardNumber, Method::Token).protect(Arc::new(Shown));
    let value = json!({"card": "4242424242424242", "note": "4242 4242 4242 4242!"});
    check(
        rules(privacy.build(), &[]),
        &value,
        r#"{"card":"****","note":"token:k1:\"4242424242424242\"!"}"#,
        &["/v/card name:card mask", "/v/note pattern:card_number token k1"],
    );
}

#[test]
fn patterns_are_found_in_texts_numbers_and_keys_of_maps() {
    let value = json!({
        "list": ["see https://ann:pw@host/", 4_242_424_242_424_242_u64, 4.2],
        "4242424242424242": {"n": 1},
        "keys": {"sk_live_4eC39HqLyjWDarjtT1zdp7dc": 1, "kept": 2},
    });
    check(
        rules(Privacy::default(), &[]),
        &value,
        r#"{"keys":{"kept":2},"list":["see https://[redacted]@host/","[redacted]",4.2]}"#,
        &[
            "/v pattern:card_number drop",
            "/v/keys pattern:stripe_key drop",
            "/v/list/0 pattern:url_credentials drop",
            "/v/list/1 pattern:card_number drop",
        ],
    );
    let token = Privacy::builder().pattern(Pattern::CardNumber, Method::Token).protect(Arc::new(Shown)).build();
    check(
        rules(token, &[]),
        &json!({"4242424242424242": 1}),
        r#"{"token:k1:\"4242424242424242\"":1}"#,
        &["/v pattern:card_number token k1"],
    );
}

#[test]
fn keys_of_maps_are_removed_where_asked_for() {
    let value = BTreeMap::from([("ann@example.org", 1), ("kept", 2), ("u-12", 3)]);
    let by = |method| rules(Privacy::builder().map_keys(method).protect(Arc::new(Shown)).build(), &[]);
    let said = |method: &str| format!("/v pattern:map_key {method}");
    check(by(Method::Drop), &value, r#"{"kept":2}"#, &[&said("drop")]);
    let masked = r#"{"****1":1,"****3":3,"kept":2}"#;
    check(by(Method::Mask { last_four: false }), &value, masked, &[&said("mask")]);
    let tokens = r#"{"kept":2,"token:k1:\"ann@example.org\"":1,"token:k1:\"u-12\"":3}"#;
    check(by(Method::Token), &value, tokens, &[&said("token k1")]);
    // The names of a struct's members are no keys.
    #[derive(Serialize)]
    struct Address {
        line1: u8,
    }
    check(by(Method::Drop), &Address { line1: 1 }, r#"{"line1":1}"#, &[]);
}

#[test]
fn a_name_before_a_value_tells_what_it_is() {
    let said = |path: &str, name: &str| format!("{path} name:{name} drop");
    check(
        rules(Privacy::default(), &[]),
        &json!([["Authorization", "Bearer x"], ["a", "b"], ["api_key", "b", "c"], ["secret santa", "b"]]),
        r#"[["Authorization",null],["a","b"],["api_key","b","c"],["secret santa","b"]]"#,
        &[&said("/v/0/1", "authorization")],
    );
    check(
        rules(Privacy::default(), &[]),
        &json!([{"name": "DB_PASSWORD", "value": "x"}, {"key": "Cookie", "value": ["y"]}, {"name": "n", "value": "z"}]),
        r#"[{"name":"DB_PASSWORD"},{"key":"Cookie"},{"name":"n","value":"z"}]"#,
        &[&said("/v/0/value", "password"), &said("/v/1/value", "cookie")],
    );
}

macro_rules! typed {
    ($name:literal: $($variant:expr, $member:expr, $act:expr, $rule:literal;)+) => {
        const _: () = {
            #[used]
            #[allow(unsafe_code, reason = "as the derive does it")]
            #[cfg_attr(any(target_os = "linux", target_os = "android", target_os = "freebsd"), unsafe(link_section = "audited_types"))]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,audited_types"))]
            #[cfg_attr(windows, unsafe(link_section = ".audtyp$b"))]
            static RULES: TypeRules = TypeRules {
                name: $name,
                members: &[$(MemberRule { variant: $variant, member: $member, act: $act, rule: $rule },)+],
            };
        };
    };
}

typed! { "TypedPerson":
    None, Member::Name("name"), Act::Remove(Method::Seal(Subject::Beside("id"))), "TypedPerson.name";
    None, Member::Name("born"), Act::Remove(Method::Drop), "TypedPerson.born";
    None, Member::Name("hidden"), Act::Skip, "TypedPerson.hidden";
}
typed! { "TypedPayment":
    Some("Card"), Member::Name("number"), Act::Remove(Method::Mask { last_four: true }), "TypedPayment::Card.number";
    Some("Cash"), Member::All, Act::Remove(Method::Drop), "TypedPayment::Cash";
    Some("Pair"), Member::Index(1), Act::Remove(Method::Drop), "TypedPayment::Pair.1";
}
typed! { "TypedMail": None, Member::Index(0), Act::Remove(Method::Token), "TypedMail.0"; }
typed! { "TypedNote": None, Member::All, Act::Remove(Method::Drop), "TypedNote"; }

#[derive(Serialize)]
struct TypedPerson {
    name: &'static str,
    born: u16,
    hidden: u8,
    id: &'static str,
}

#[derive(Serialize)]
enum TypedPayment {
    Card { number: u64 },
    Cash(u8),
    Pair(u8, u8),
}

#[derive(Serialize)]
struct TypedMail(&'static str);

#[derive(Serialize)]
struct TypedNote {
    text: &'static str,
}

#[test]
fn types_say_what_is_removed_of_their_members_wherever_they_stand() {
    let person = TypedPerson { name: "Ann", born: 1980, hidden: 1, id: "u1" };
    check(rules(protected(), &[]), &json!({"p": [serde_json::to_value(1).unwrap()]}), r#"{"p":[1]}"#, &[]);
    check(
        rules(protected(), &[]),
        &BTreeMap::from([("p", vec![person])]),
        r#"{"p":[{"id":"u1","name":{"_sd":["u1/name=\"Ann\""]}}]}"#,
        &["/v/p/0/born type:TypedPerson.born drop", "/v/p/0/name type:TypedPerson.name seal subject:u1"],
    );
    check(
        rules(protected(), &[]),
        &(TypedPayment::Card { number: 4_242_424_242_424_242 }, TypedPayment::Cash(1), TypedPayment::Pair(1, 2)),
        r#"[{"Card":{"number":"****4242"}},{},{"Pair":[1,null]}]"#,
        &[
            "/v/0/Card/number type:TypedPayment::Card.number mask",
            "/v/1/Cash type:TypedPayment::Cash drop",
            "/v/2/Pair/1 type:TypedPayment::Pair.1 drop",
        ],
    );
    check(
        rules(protected(), &[]),
        &BTreeMap::from([("m", (TypedMail("a@b"), TypedNote { text: "t" }))]),
        r#"{"m":["token:k1:\"a@b\"",null]}"#,
        &["/v/m/0 type:TypedMail.0 token k1", "/v/m/1 type:TypedNote drop"],
    );
}

#[test]
fn a_secret_leaves_its_place() {
    let secret = || Secret::new("hunter2");
    #[derive(Serialize)]
    struct Login {
        user: &'static str,
        code: Option<Secret<&'static str>>,
        codes: Vec<Secret<&'static str>>,
    }
    let login = Login { user: "ann", code: Some(secret()), codes: vec![secret()] };
    check(
        rules(Privacy::default(), &[]),
        &login,
        r#"{"codes":[null],"user":"ann"}"#,
        &["/v/code type:Secret drop", "/v/codes/0 type:Secret drop"],
    );
    let mut canonical = Canonical::redacting(Rules::default());
    assert_eq!(canonical.write_at("/v", core::iter::empty(), &secret()), Ok(false));
    assert_eq!(canonical.scrub("no hunter2").text.as_deref(), Some("no [redacted]"));
    assert!(canonical.into_bytes().is_empty());
    // Inside of a sealed value it stays out, too; as the very value of a path it is what the path says.
    const CODE: &[Segment] = &[key("code")];
    let paths = one(path("code", CODE, Method::Token));
    let login = BTreeMap::from([("code", secret())]);
    check(rules(protected(), paths), &login, r#"{"code":"token:k1:\"hunter2\""}"#, &["/v/code path:code token k1"]);
}
