//! `#[derive(Capture)]`: the rules that it registers, and what it refuses.

use expect_test::{Expect, expect};

use super::{tokens, without_mistakes};
use crate::errors::Errors;

/// Lists the rules of a type, one in a line: the names of the type, then variant, member, what is done and the rule.
fn check(item: &str, expected: Expect) {
    let expansion = without_mistakes(|errors| crate::derive::expand(tokens(item), errors)).to_string();
    let expansion = expansion.replace(' ', "").replace("::audited::__private::", "").replace("::core::option::", "");
    let mut lines = String::new();
    for part in expansion.split("TypeRules{name:").skip(1) {
        let (name, members) = part.split_once(",members:&[").unwrap();
        lines += &format!("{name}\n");
        for rule in members.split("MemberRule{").skip(1) {
            let (rule, _) = rule.split_once(",}").unwrap();
            lines += &format!("    {}\n", rule.replace(",rule:", "  ").replace("act:Act::", " "));
        }
    }
    expected.assert_eq(&lines);
}

fn check_refused(items: &[&str], expected: Expect) {
    let mut lines = String::new();
    for item in items {
        let mut errors = Errors::default();
        let _unused = crate::derive::expand(tokens(item), &mut errors);
        for error in errors.iter() {
            lines += &format!("{error}\n");
        }
        lines += "\n";
    }
    expected.assert_eq(&lines);
}

#[test]
fn members_are_known_by_the_names_that_serde_gives_them() {
    check(
        r#"#[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Customer<T> where T: Copy {
            #[audit(seal(subject = user_id))] full_name: String,
            user_id: T,
            #[serde(rename = "e-mail", default)] #[audit(token)] email: String,
            #[serde(rename(serialize = "out", deserialize = "in"))] #[audit(mask(last_four))] card: String,
            #[serde(rename(deserialize = "in"))] #[audit(mask)] r#type: String,
            #[audit(redact)] home_address: String,
            #[audit(seal)] #[serde(with = "some::module")] note: String,
            #[audit(skip)] cache: u8,
        }"#,
        expect![[r#"
            "Customer"
                variant:Option::None,member:Member::Name("fullName"), Remove(Method::Seal(Subject::Beside("userId")))  "Customer.full_name"
                variant:Option::None,member:Member::Name("e-mail"), Remove(Method::Token)  "Customer.email"
                variant:Option::None,member:Member::Name("out"), Remove(Method::Mask{last_four:true})  "Customer.card"
                variant:Option::None,member:Member::Name("type"), Remove(Method::Mask{last_four:false})  "Customer.type"
                variant:Option::None,member:Member::Name("homeAddress"), Remove(Method::Drop)  "Customer.home_address"
                variant:Option::None,member:Member::Name("note"), Remove(Method::Seal(Subject::OnBehalfOf))  "Customer.note"
                variant:Option::None,member:Member::Name("cache"), Skip  "Customer.cache"
        "#]],
    );
    check(
        "#[serde(rename = \"Iban\")] struct Account(u8, #[audit(mask)] String);",
        expect![[r#"
        "Iban"
            variant:Option::None,member:Member::Index(1), Remove(Method::Mask{last_four:false})  "Account.1"
    "#]],
    );
    check(
        "#[audit(token)] struct Email(String);",
        expect![[r#"
        "Email"
            variant:Option::None,member:Member::All, Remove(Method::Token)  "Email"
    "#]],
    );
}

#[test]
fn members_of_variants_are_known_by_the_form_of_the_enum() {
    let item = |attribute: &str| {
        format!(
            "{attribute} enum Payment {{ #[audit(redact)] VoucherCode(String), \
            Card {{ #[audit(mask)] card_number: String }}, Cash, Account(u8, #[audit(redact)] u8) }}"
        )
    };
    check(
        &item("#[serde(rename_all = \"kebab-case\", rename_all_fields = \"PascalCase\")]"),
        expect![[r#"
        "Payment"
            variant:Option::Some("voucher-code"),member:Member::All, Remove(Method::Drop)  "Payment::VoucherCode"
            variant:Option::Some("card"),member:Member::Name("CardNumber"), Remove(Method::Mask{last_four:false})  "Payment::Card.card_number"
            variant:Option::Some("account"),member:Member::Index(1), Remove(Method::Drop)  "Payment::Account.1"
    "#]],
    );
    let named = "enum Payment { #[serde(rename = \"c\")] Card { #[audit(mask)] number: String }, Cash }";
    check(
        &format!("#[serde(tag = \"kind\")] {named}"),
        expect![[r#"
        "Payment"
            variant:Option::None,member:Member::Name("number"), Remove(Method::Mask{last_four:false})  "Payment::Card.number"
        "c"
            variant:Option::None,member:Member::Name("number"), Remove(Method::Mask{last_four:false})  "Payment::Card.number"
    "#]],
    );
    check(
        &format!("#[serde(untagged)] {named}"),
        expect![[r#"
        "Payment"
            variant:Option::None,member:Member::Name("number"), Remove(Method::Mask{last_four:false})  "Payment::Card.number"
        "c"
            variant:Option::None,member:Member::Name("number"), Remove(Method::Mask{last_four:false})  "Payment::Card.number"
    "#]],
    );
}

#[test]
fn an_enum_that_is_marked_is_known_by_its_variants_where_debug_shows_them() {
    let item = "#[audit(redact)] enum Contact { Nowhere, Mail(String), #[audit(mask)] Phone { number: u32 } }";
    check(
        &format!("#[serde(rename_all = \"snake_case\")] {item}"),
        expect![[r#"
        "Contact"
            variant:Option::None,member:Member::All, Remove(Method::Drop)  "Contact"
            variant:Option::Some("phone"),member:Member::All, Remove(Method::Mask{last_four:false})  "Contact::Phone"
            variant:Option::Some("nowhere"),member:Member::All, Remove(Method::Drop)  "Contact::Nowhere"
            variant:Option::Some("mail"),member:Member::All, Remove(Method::Drop)  "Contact::Mail"
            variant:Option::Some("phone"),member:Member::All, Remove(Method::Drop)  "Contact::Phone"
    "#]],
    );
    check(
        "#[serde(tag = \"kind\")] #[audit(token)] enum Contact { Nowhere, Phone { number: u32 } }",
        expect![[r#"
        "Contact"
            variant:Option::None,member:Member::All, Remove(Method::Token)  "Contact"
            variant:Option::None,member:Member::All, Remove(Method::Token)  "Contact::Nowhere"
            variant:Option::None,member:Member::All, Remove(Method::Token)  "Contact::Phone"
    "#]],
    );
}

#[test]
fn what_serde_does_not_tell_is_refused() {
    check_refused(
        &[
            "#[serde(into = \"Other\")] struct A { #[audit(redact)] a: u8 }",
            "#[serde(transparent)] struct A { #[audit(redact)] a: u8 }",
            "struct A { #[serde(flatten)] a: B, #[audit(redact)] b: u8 }",
            "enum A { #[serde(untagged)] B(#[audit(redact)] u8), C(#[audit(redact)] u8) }",
            "#[serde(tag = \"t\")] enum A { #[audit(redact)] B(u8), C(#[audit(redact)] u8), D { #[audit(redact)] d: u8 } }",
            "#[serde(tag = \"t\")] #[audit(redact)] enum A { B(u8), C { c: u8 }, D }",
            "#[serde(untagged)] #[audit(redact)] enum A { B(u8), C { c: u8 }, D }",
            "#[audit(redact)] enum A { B(u8), #[serde(untagged)] C(u8), #[serde(with = \"m\")] D { d: u8 } }",
            "struct A { a: u8 }",
            "union A { a: u8 }",
            "struct A { #[audit] a: u8, #[audit()] b: u8, #[audit(redcat)] c: u8, #[audit(redact, skip)] d: u8 }",
            "struct A { #[audit(seal(subject = b))] a: u8, #[audit(seal(subject = a.b))] c: u8, #[audit(mask(first))] d: u8 }",
            "struct A(#[audit(seal(subject = b))] u8);",
            "#[audit(skip)] struct A(#[audit(redact)] u8);",
        ],
        expect![[r#"
            with `#[serde(into)]` the type is not serialised under its own name: use `redact` with paths where it is a parameter, or wrap the value in `Secret`

            with `#[serde(transparent)]` the type is not serialised under its own name: use `redact` with paths where it is a parameter, or wrap the value in `Secret`

            with a flattened member serde does not tell the name of the type: use `redact` with paths where it is a parameter, or wrap the value in `Secret`

            with `#[serde(untagged)]` only members with a name can be told apart: use `redact` with paths where it is a parameter, or wrap the value in `Secret`

            with `#[serde(tag)]` only members with a name can be told apart: use `redact` with paths where it is a parameter, or wrap the value in `Secret`
            with `#[serde(tag)]` only members with a name can be told apart: use `redact` with paths where it is a parameter, or wrap the value in `Secret`

            with `#[serde(tag)]` serde does not tell here of which type it is: use `redact` with paths where it is a parameter, or wrap the value in `Secret`

            with `#[serde(untagged)]` serde does not tell here of which type it is: use `redact` with paths where it is a parameter, or wrap the value in `Secret`

            with `#[serde(untagged)]` serde does not tell here of which type it is: use `redact` with paths where it is a parameter, or wrap the value in `Secret`
            with `#[serde(with)]` serde does not tell here of which type it is: use `redact` with paths where it is a parameter, or wrap the value in `Secret`

            nothing of the type is marked: write `#[audit(redact)]`, `#[audit(mask)]`, `#[audit(token)]`, `#[audit(seal(subject = id))]` or `#[audit(skip)]` on a member, or leave the derive out

            a union cannot be serialised, so nothing of it is recorded

            `#[audit]` is written `#[audit(redact)]`, `#[audit(mask)]`, `#[audit(token)]`, `#[audit(seal(subject = id))]` or `#[audit(skip)]`
            `#[audit]` is written `#[audit(redact)]`, `#[audit(mask)]`, `#[audit(token)]`, `#[audit(seal(subject = id))]` or `#[audit(skip)]`
            unknown word `redcat`; a member has `redact`, `mask`, `token`, `seal` and `skip`; did you mean `redact`?
            a member is removed in one way: keep one of the marks

            the subject is a member with a name beside the sealed one; there are `a`, `c` and `d`
            the subject is a member with a name beside the sealed one; there are `a`, `c` and `d`
            `mask` takes nothing but `last_four`: `mask(card, last_four)`

            the subject is a member with a name beside the sealed one; there is none

            a type is not skipped: skip the members that have it

        "#]],
    );
}

#[test]
fn every_case_of_serde_names_members_and_variants() {
    let cases = [
        "lowercase",
        "UPPERCASE",
        "PascalCase",
        "camelCase",
        "snake_case",
        "SCREAMING_SNAKE_CASE",
        "kebab-case",
        "SCREAMING-KEBAB-CASE",
    ];
    let names = cases.map(|case| {
        let item =
            format!("enum A {{ #[serde(rename_all = \"{case}\")] TwoWords {{ #[audit(redact)] two_words: u8 }} }}");
        let item = format!("#[serde(rename_all = \"{case}\")] {item}");
        let expansion = without_mistakes(|errors| crate::derive::expand(tokens(&item), errors)).to_string();
        let quoted: Vec<&str> = expansion.split('"').collect();
        let at = quoted.iter().position(|text| text.ends_with("members : & [") || text.contains("Some (")).unwrap();
        format!("{} {}", quoted[at + 1], quoted[at + 3])
    });
    let expected = [
        "twowords two_words",
        "TWOWORDS TWO_WORDS",
        "TwoWords TwoWords",
        "twoWords twoWords",
        "two_words two_words",
        "TWO_WORDS TWO_WORDS",
        "two-words two-words",
        "TWO-WORDS TWO-WORDS",
    ];
    assert_eq!(names, expected);
}
