//! What `#[derive(Capture)]` says of a type, in whatever the value stands. The types here have names that no other test uses:
//! two types of one name are under the rules of both.

use std::collections::{BTreeMap, HashMap};

use audited::{Capture, audited};
use serde::Serialize;
use serde_json::{Value, json};

use super::place::{Place, TENANT, recorded};

/// What the two records of a call say.
struct Seen {
    argument: Value,
    result: Value,
    reason: Value,
    /// How what was removed from the arguments, and from the result.
    rules: [Vec<String>; 2],
    text: String,
}

/// Records a call that takes a value and returns it, which is recorded alike.
macro_rules! seen {
    ($type:ty, $value:expr) => {{
        #[audited(action = "order.ship", level = "request_response")]
        fn take(value: $type) -> $type {
            value
        }
        let seen = look(|| {
            let _back = take($value);
        });
        assert_eq!((&seen.argument, &seen.rules[0]), (&seen.result, &seen.rules[1]));
        seen
    }};
}

/// Shows what was recorded of the one call of the closure, on behalf of somebody.
fn look(call: impl FnOnce()) -> Seen {
    let directory = tempfile::tempdir().unwrap();
    let place = Place::new(&directory.path().join("place"));
    let log = place.open();
    recorded(&log, || audited::context().tenant(TENANT).on_behalf_of("account-17").in_scope(call));
    log.close().unwrap();
    let (started, ended) = (place.calls("started").remove(0), place.calls("completed").remove(0));
    let rules = [&started, &ended].map(|record| {
        let removed = record["redactions"].as_array().cloned().unwrap_or_default();
        let text = |removal: &Value, name: &str| removal[name].as_str().unwrap().to_owned();
        let mut rules: Vec<String> =
            removed.iter().map(|removal| format!("{} {}", text(removal, "method"), text(removal, "rule"))).collect();
        rules.sort();
        rules
    });
    Seen {
        argument: shown(started["request"]["arguments"].get("value")),
        result: shown(ended["response"].get("result")),
        reason: ended["outcome"]["reason"].clone(),
        rules,
        text: format!("{started}{ended}"),
    }
}

/// Puts words in the place of tokens and of what is sealed; what was left out is `"absent"`.
fn shown(value: Option<&Value>) -> Value {
    match value {
        None => json!("absent"),
        Some(Value::String(text)) if text.starts_with("token:k1:") => json!("TOKEN"),
        Some(Value::Object(members)) if members.contains_key("_sd") => json!("SEALED"),
        Some(Value::Object(members)) => {
            members.iter().map(|(name, member)| (name.clone(), shown(Some(member)))).collect()
        }
        Some(Value::Array(items)) => items.iter().map(|item| shown(Some(item))).collect(),
        Some(other) => other.clone(),
    }
}

#[track_caller]
fn check(seen: &Seen, value: Value, rules: &[&str]) {
    assert_eq!(seen.argument, value);
    assert_eq!(seen.rules[0], rules);
    for secret in SECRETS {
        assert!(!seen.text.contains(secret), "{secret} in {}", seen.text);
    }
}

/// What the marked members of all values here are.
const SECRETS: [&str; 7] =
    ["Ann Hathaway", "ann@example.org", "5105-9999", "510510510", "5550199", "born-078", "scribble"];

#[derive(Clone, Debug, Serialize, Capture)]
#[serde(rename_all = "camelCase")]
struct Patron {
    user_id: u32,
    #[audit(seal(subject = user_id))]
    full_name: String,
    #[audit(seal)]
    street: String,
    #[audit(token)]
    electronic_mail: String,
    #[audit(mask(last_four))]
    account: String,
    #[audit(mask)]
    phone: u32,
    #[audit(redact)]
    birth: Option<String>,
    #[audit(skip)]
    note: String,
    city: String,
}

fn patron() -> Patron {
    Patron {
        user_id: 7,
        full_name: "Ann Hathaway".into(),
        street: "Ann Hathaway Lane".into(),
        electronic_mail: "ann@example.org".into(),
        account: "ACC-5105-9999-1234".into(),
        phone: 5_550_199,
        birth: Some("born-078".into()),
        note: "scribble".into(),
        city: "Stratford".into(),
    }
}

fn patron_seen() -> Value {
    json!({
        "account": "****1234", "city": "Stratford", "electronicMail": "TOKEN", "fullName": "SEALED", "phone": "****",
        "street": "SEALED", "userId": 7,
    })
}

const PATRON_RULES: [&str; 6] = [
    "drop type:Patron.birth",
    "mask type:Patron.account",
    "mask type:Patron.phone",
    "seal type:Patron.full_name",
    "seal type:Patron.street",
    "token type:Patron.electronic_mail",
];

#[test]
fn each_mark_holds_for_a_member_of_a_struct_wherever_it_stands() {
    #[derive(Clone, Serialize)]
    struct Order {
        patron: Patron,
        number: u32,
    }
    check(&seen!(Patron, patron()), patron_seen(), &PATRON_RULES);
    check(&seen!(Box<Patron>, Box::new(patron())), patron_seen(), &PATRON_RULES);
    check(&seen!(Vec<Patron>, vec![patron()]), json!([patron_seen()]), &PATRON_RULES);
    check(&seen!((Patron, u8), (patron(), 1)), json!([patron_seen(), 1]), &PATRON_RULES);
    let order = Order { patron: patron(), number: 9 };
    let expect = json!({ "patron": patron_seen(), "number": 9 });
    check(&seen!(Order, order.clone()), expect.clone(), &PATRON_RULES);
    check(&seen!(Vec<Option<Order>>, vec![None, Some(order.clone())]), json!([null, expect]), &PATRON_RULES);
    let by_name = HashMap::from([("first", Box::new(order.clone()))]);
    check(&seen!(HashMap<&'static str, Box<Order>>, by_name), json!({ "first": expect }), &PATRON_RULES);
    let deep = BTreeMap::from([(1, vec![Ok(order)])]);
    let expect = json!({ "1": [{ "Ok": expect }] });
    check(&seen!(BTreeMap<u8, Vec<Result<Order, String>>>, deep), expect, &PATRON_RULES);
}

#[test]
fn each_mark_holds_for_a_member_of_a_tuple() {
    #[derive(Serialize, Capture)]
    struct TupleOfMarks(
        #[audit(seal)] &'static str,
        #[audit(token)] &'static str,
        #[audit(mask(last_four))] &'static str,
        #[audit(mask)] u32,
        #[audit(redact)] &'static str,
        #[audit(skip)] &'static str,
        u8,
    );
    let contact =
        || TupleOfMarks("Ann Hathaway", "ann@example.org", "ACC-5105-9999-1234", 5_550_199, "born-078", "scribble", 7);
    let rules = [
        "drop type:TupleOfMarks.4",
        "mask type:TupleOfMarks.2",
        "mask type:TupleOfMarks.3",
        "seal type:TupleOfMarks.0",
        "token type:TupleOfMarks.1",
    ];
    let expect = json!(["SEALED", "TOKEN", "****1234", "****", null, null, 7]);
    check(&seen!(TupleOfMarks, contact()), expect.clone(), &rules);
    check(&seen!(HashMap<u8, TupleOfMarks>, HashMap::from([(1, contact())])), json!({ "1": expect }), &rules);
}

#[test]
fn each_mark_holds_for_what_a_newtype_holds() {
    macro_rules! newtypes {
        ($($name:ident: $mark:meta, $text:literal => $instead:expr, $in_a_list:expr, $rules:expr;)+) => {$({
            #[derive(Serialize, Capture)]
            struct $name(#[$mark] &'static str);
            check(&seen!($name, $name($text)), $instead, &$rules);
            check(&seen!(Vec<Option<Box<$name>>>, vec![Some(Box::new($name($text)))]), json!([$in_a_list]), &$rules);
        })+};
    }
    newtypes! {
        NewtypeSealed: audit(seal), "Ann Hathaway" => json!("SEALED"), "SEALED", ["seal type:NewtypeSealed.0"];
        NewtypeLinked: audit(token), "ann@example.org" => json!("TOKEN"), "TOKEN", ["token type:NewtypeLinked.0"];
        NewtypeEnded: audit(mask(last_four)), "ACC-5105-9999-1234" => json!("****1234"), "****1234", ["mask type:NewtypeEnded.0"];
        NewtypeMasked: audit(mask), "5550199" => json!("****"), "****", ["mask type:NewtypeMasked.0"];
        NewtypeGone: audit(redact), "born-078" => json!("absent"), Value::Null, ["drop type:NewtypeGone.0"];
    }
    #[derive(Serialize, Capture)]
    struct NewtypeSkipped(#[audit(skip)] &'static str);
    check(&seen!(NewtypeSkipped, NewtypeSkipped("scribble")), json!("absent"), &[]);
}

#[test]
fn a_type_is_removed_as_a_whole_whatever_its_form() {
    #[derive(Clone, Serialize, Capture)]
    #[audit(token)]
    struct MarkedEmail(&'static str);
    #[derive(Serialize, Capture)]
    #[audit(mask)]
    struct MarkedPhone {
        area: u32,
        number: u32,
    }
    #[derive(Serialize, Capture)]
    #[audit(seal)]
    struct MarkedName(&'static str, &'static str);
    #[derive(Serialize, Capture)]
    #[audit(redact)]
    struct MarkedNothing;
    check(&seen!(MarkedEmail, MarkedEmail("ann@example.org")), json!("TOKEN"), &["token type:MarkedEmail"]);
    check(
        &seen!([MarkedEmail; 2], [const { MarkedEmail("ann@example.org") }; 2]),
        json!(["TOKEN", "TOKEN"]),
        &["token type:MarkedEmail"; 2],
    );
    check(
        &seen!(MarkedPhone, MarkedPhone { area: 510_510_510, number: 5_550_199 }),
        json!("****"),
        &["mask type:MarkedPhone"],
    );
    check(&seen!(MarkedName, MarkedName("Ann Hathaway", "Ann")), json!("SEALED"), &["seal type:MarkedName"]);
    check(&seen!(MarkedNothing, MarkedNothing), Value::Null, &[]);
}

#[test]
fn an_enum_that_is_marked_is_removed_as_a_whole_in_every_form_of_its_variants() {
    #[derive(Clone, Debug, Serialize, Capture)]
    #[audit(redact)]
    enum MarkedOutside {
        Nowhere510510510,
        Mail(String),
        Pair(String, u32),
        Phone { number: u32 },
    }
    #[derive(Clone, Debug, Serialize, Capture)]
    #[serde(tag = "kind", content = "is")]
    #[audit(mask)]
    enum MarkedBeside {
        Nowhere510510510,
        Mail(String),
        Pair(String, u32),
        Phone { number: u32 },
    }
    #[derive(Clone, Debug, Serialize, Capture)]
    #[serde(tag = "kind")]
    #[audit(seal)]
    enum MarkedInside {
        Nowhere510510510,
        Phone { number: u32 },
    }
    #[derive(Clone, Debug, Serialize, Capture)]
    #[serde(untagged)]
    #[audit(token)]
    enum MarkedUntagged {
        Phone { number: u32 },
    }
    let all = [
        MarkedOutside::Nowhere510510510,
        MarkedOutside::Mail("ann@example.org".into()),
        MarkedOutside::Pair("born-078".into(), 510_510_510),
        MarkedOutside::Phone { number: 510_510_510 },
    ];
    for contact in all {
        check(&seen!(MarkedOutside, contact.clone()), json!("absent"), &["drop type:MarkedOutside"]);
        check(&seen!(Vec<MarkedOutside>, vec![contact]), json!([null]), &["drop type:MarkedOutside"]);
    }
    let all = [
        MarkedBeside::Nowhere510510510,
        MarkedBeside::Mail("ann@example.org".into()),
        MarkedBeside::Pair("born-078".into(), 510_510_510),
        MarkedBeside::Phone { number: 510_510_510 },
    ];
    for contact in all {
        check(&seen!(MarkedBeside, contact), json!("****"), &["mask type:MarkedBeside"]);
    }
    for contact in [MarkedInside::Nowhere510510510, MarkedInside::Phone { number: 510_510_510 }] {
        check(&seen!(MarkedInside, contact), json!("SEALED"), &["seal type:MarkedInside"]);
    }
    check(
        &seen!(MarkedUntagged, MarkedUntagged::Phone { number: 510_510_510 }),
        json!({ "number": "TOKEN" }),
        &["token type:MarkedUntagged"],
    );
}

#[test]
fn each_mark_holds_for_variants_and_their_members() {
    #[derive(Clone, Debug, Serialize, Capture)]
    #[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
    enum Tender {
        #[audit(redact)]
        Code510510510,
        #[audit(token)]
        GiftCode(String),
        NewType(#[audit(mask(last_four))] String),
        Tuple(#[audit(seal)] String, #[audit(skip)] String, u8),
        Struct {
            order_id: u8,
            #[audit(seal(subject = order_id))]
            full_name: String,
            #[audit(redact)]
            birth: String,
        },
        #[audit(redact)]
        Whole {
            phone: u32,
        },
        Cash,
    }
    let text = str::to_owned;
    check(&seen!(Tender, Tender::Code510510510), json!("absent"), &["drop type:Tender"]);
    let expect = json!({ "gift-code": "TOKEN" });
    check(&seen!(Tender, Tender::GiftCode(text("ann@example.org"))), expect, &["token type:Tender::GiftCode"]);
    let expect = json!({ "new-type": "****1234" });
    check(&seen!(Tender, Tender::NewType(text("ACC-5105-9999-1234"))), expect, &["mask type:Tender::NewType.0"]);
    let tuple = Tender::Tuple(text("Ann Hathaway"), text("scribble"), 7);
    check(&seen!(Tender, tuple), json!({ "tuple": ["SEALED", null, 7] }), &["seal type:Tender::Tuple.0"]);
    let named = Tender::Struct { order_id: 1, full_name: text("Ann Hathaway"), birth: text("born-078") };
    let rules = ["drop type:Tender::Struct.birth", "seal type:Tender::Struct.full_name"];
    check(&seen!(Tender, named), json!({ "struct": { "fullName": "SEALED", "orderId": 1 } }), &rules);
    check(&seen!(Tender, Tender::Whole { phone: 5_550_199 }), json!({}), &["drop type:Tender::Whole"]);
    check(&seen!(Tender, Tender::Cash), json!("cash"), &[]);
}

#[test]
fn members_of_tagged_enums_are_known_by_their_names() {
    macro_rules! tagged {
        ($name:ident, $card:ident, $gift:ident, $form:meta, $around:expr) => {{
            #[derive(Clone, Debug, Serialize, Capture)]
            #[$form]
            enum $name {
                $card {
                    #[audit(mask)]
                    number: String,
                    shop: u8,
                },
                $gift {
                    #[audit(redact)]
                    code: String,
                },
            }
            let card = $name::$card { number: "510510510".into(), shop: 7 };
            let rule = concat!("mask type:", stringify!($name), "::", stringify!($card), ".number");
            check(&seen!($name, card.clone()), $around(stringify!($card), json!({ "number": "****", "shop": 7 })), &[rule]);
            let expect = json!([$around(stringify!($card), json!({ "number": "****", "shop": 7 }))]);
            check(&seen!(Vec<$name>, vec![card]), expect, &[rule]);
            let rule = concat!("drop type:", stringify!($name), "::", stringify!($gift), ".code");
            check(&seen!($name, $name::$gift { code: "born-078".into() }), $around(stringify!($gift), json!({})), &[rule]);
        }};
    }
    let inside = |variant: &str, mut members: Value| {
        members["kind"] = variant.into();
        members
    };
    tagged!(TaggedInside, CardInside, GiftInside, serde(tag = "kind"), inside);
    tagged!(
        TaggedBeside,
        CardBeside,
        GiftBeside,
        serde(tag = "kind", content = "is"),
        |variant: &str, members| json!({ "is": members, "kind": variant })
    );
    tagged!(TaggedUntagged, CardUntagged, GiftUntagged, serde(untagged), |_: &str, members: Value| members);
}

#[test]
fn a_debug_text_is_cut_where_a_marked_type_shows_itself_whatever_serde_calls_it() {
    #[derive(Clone, Debug, Serialize, Capture)]
    #[serde(rename = "shown_client")]
    struct ShownRenamed {
        #[audit(redact)]
        birth: &'static str,
    }
    #[derive(Clone, Debug, Serialize, Capture)]
    #[serde(rename_all = "snake_case")]
    enum ShownTender {
        ShownGiftCode(#[audit(token)] &'static str),
    }
    #[derive(Clone, Debug, Serialize, Capture)]
    #[serde(tag = "kind")]
    #[serde(rename_all = "snake_case")]
    enum ShownTagged {
        ShownByCard {
            #[audit(mask)]
            number: &'static str,
        },
    }
    #[derive(Clone, Debug, Serialize, Capture)]
    #[audit(redact)]
    enum ShownWhole {
        ShownMail(&'static str),
    }
    #[derive(Clone, Debug, Serialize, Capture)]
    struct ShownHolding(#[audit(seal)] &'static str);
    // A type that is only `Debug`, around one that has rules.
    #[derive(Debug)]
    struct Order<T> {
        #[expect(dead_code, reason = "only shown")]
        number: u8,
        #[expect(dead_code, reason = "only shown")]
        inner: [T; 1],
    }
    macro_rules! shown_by_debug {
        ($($type:ty: $inner:expr => $text:literal, $rule:literal;)+) => {$({
            #[audited(action = "order.ship", level = "request_response")]
            fn take(value: Order<$type>) {
                let _value = value;
            }
            let seen = look(|| take(Order { number: 7, inner: [$inner] }));
            check(&seen, json!(concat!("Order { number: 7, inner: [", $text, " [redacted]")), &[$rule]);
        })+};
    }
    shown_by_debug! {
        ShownRenamed: ShownRenamed { birth: "born-078" } => "ShownRenamed", "drop type:ShownRenamed";
        ShownTender: ShownTender::ShownGiftCode("ann@example.org") => "ShownGiftCode", "drop type:ShownTender";
        ShownTagged: ShownTagged::ShownByCard { number: "510510510" } => "ShownByCard", "drop type:ShownTagged";
        ShownWhole: ShownWhole::ShownMail("ann@example.org") => "ShownMail", "drop type:ShownWhole";
        ShownHolding: ShownHolding("Ann Hathaway") => "ShownHolding", "drop type:ShownHolding";
    }
}

#[test]
fn the_rules_of_two_types_of_one_name_hold_for_either() {
    macro_rules! wallets {
        ($($module:ident: $(#[$capture:meta])? [$($iban:meta)?] [$($phone:meta)?];)+) => {$(
            mod $module {
                #[derive(serde::Serialize)]
                $(#[$capture])?
                pub(super) struct Purse {
                    $(#[$iban])?
                    pub(super) iban: &'static str,
                    $(#[$phone])?
                    pub(super) phone: u32,
                    pub(super) city: &'static str,
                }
            }
            let wallet = $module::Purse { iban: "ACC-5105-9999", phone: 5_550_199, city: "Stratford" };
            let rules = ["drop type:Purse.iban", "mask type:Purse.phone"];
            check(&seen!($module::Purse, wallet), json!({ "city": "Stratford", "phone": "****" }), &rules);
        )+};
    }
    wallets! {
        one: #[derive(audited::Capture)] [audit(redact)] [];
        other: #[derive(audited::Capture)] [] [audit(mask)];
        without_rules: [] [];
    }
}

#[test]
fn what_a_type_removes_stays_out_of_errors() {
    #[derive(Debug)]
    enum Failure {
        #[expect(dead_code, reason = "only shown")]
        Nobody(Box<Patron>),
    }
    #[audited(action = "order.ship", level = "request_response")]
    fn fail(value: Patron) -> Result<u8, String> {
        Err(format!("{} of {} at {}", value.full_name, value.city, value.electronic_mail))
    }
    #[audited(action = "order.ship", level = "request_response")]
    fn show(value: u8) -> Result<u8, Failure> {
        if value == 0 { Ok(0) } else { Err(Failure::Nobody(Box::new(patron()))) }
    }
    let seen = look(|| drop(fail(patron())));
    check(&seen, patron_seen(), &PATRON_RULES);
    assert_eq!(seen.reason, "[redacted] of Stratford at [redacted]");
    let seen = look(|| drop(show(1)));
    check(&seen, json!(1), &[]);
    assert_eq!(seen.reason, "Nobody(Patron [redacted]");
}
