//! Every mistake, and the tokens that it is reported on.

use expect_test::{Expect, expect};
use proc_macro2::Span;

use super::tokens;

/// Compares the mistakes, each behind the tokens that it is reported on.
fn check_refused(arguments: &str, item: &str, expected: Expect) {
    expected.assert_eq(&mistakes(arguments, item));
}

/// Compares the mistakes of several attributes, which stand on one function with the parameter `a`.
fn check_each_refused(arguments: &[&str], expected: Expect) {
    let mistakes: Vec<String> = arguments.iter().map(|arguments| mistakes(arguments, "fn f(a: u8) {}")).collect();
    expected.assert_eq(&mistakes.join("\n"));
}

/// Lists the mistakes, after a check that the item is left as it was.
fn mistakes(arguments: &str, item: &str) -> String {
    let left = crate::attribute(tokens(arguments), tokens(item)).to_string();
    assert!(left.ends_with(&tokens(item).to_string()), "the item is emitted as it was: {left}");

    let error = crate::audit(tokens(arguments), tokens(item)).expect_err("the attribute is refused");
    error.into_iter().map(|error| format!("{}: {error}\n", place(error.span()))).collect()
}

fn place(span: Span) -> String {
    span.source_text().unwrap_or_else(|| "the attribute".to_owned())
}

#[test]
fn all_mistakes_are_reported_at_once() {
    check_refused(
        r#"efect = "read", level = "reqest", durability = disk, stages = 3, level = "request",
           redact = [crad, order[0], order[0].1, card, card, pin, order.card-number, return[]?, self.x], skip(pin, odrer, pin),
           target(type = "order"), target(typ = "a", id = 1), on_unavailable = |a, b| a, telemetry = "none""#,
        "const fn refund(order: Order, card: Card, pin: Pin) -> BoxFuture<'static, ()> { loop {} }",
        expect![[r#"
            efect: unknown argument `efect`; the arguments are `action`, `name`, `effect`, `level`, `stages`, `durability`, `on_unavailable`, `redact`, `skip`, `target` and `crate`; did you mean `effect`?
            "reqest": the values of `level` are `"metadata"`, `"request"` and `"request_response"`; did you mean `"request"`?
            disk: the values of `durability` are `"os"` and `"disk"`; did you mean `"disk"`, in quotes?
            3: the values of `stages` are `"started_completed"` and `"completed"`
            level: `level` is given twice
            [0]: elements have no numbers in a path: lists and tuples are addressed by `[]`, which means each element
            [0]: elements have no numbers in a path: lists and tuples are addressed by `[]`, which means each element
            -: a key that is no identifier is written in quotes, as in `customer."card-number"`
            ?: `?` follows a key that may be absent, as in `customer.ssn?`
            target: `target` lacks its `id`: `target(type = "order", id = order.id)`
            typ: unknown argument `typ`; the arguments of `target` are `type` and `id`; did you mean `type`?
            |a, b| a: the closure of `on_unavailable` takes one parameter, the `Unavailable`, and returns what the function returns
            telemetry: unknown argument `telemetry`; the arguments are `action`, `name`, `effect`, `level`, `stages`, `durability`, `on_unavailable`, `redact`, `skip`, `target` and `crate`
            the attribute: `action` is missing: it says what is done in the words of the business, as in `action = "order.refund"`
            const: a `const fn` may run at compile time, when nothing can be recorded: remove `const`, or audit the function that calls it
            BoxFuture<'static, ()>: functions that return a future are not supported yet: the call would be recorded as finished before it ran; write `async fn`, or, under `#[async_trait]`, put `#[audited]` on the inner `async fn` that this one calls
            odrer: no parameter is called `odrer`; allowed: `order`, `card` and `pin`; did you mean `order`?
            pin: `pin` is skipped twice
            crad: no parameter is called `crad`; allowed: `order`, `card`, `pin`, `return` and `error`; did you mean `card`?
            card: `card` is redacted twice
            pin: `pin` is skipped, so nothing of it is recorded and nothing is left to redact: remove it from `skip` or `redact`
            self: `self` is not captured, so nothing of it is recorded
        "#]],
    );
}

#[test]
fn action_is_required_and_well_formed() {
    let too_long = format!(r#"action = "{}""#, "é".repeat(65));
    check_each_refused(
        &[
            "",
            r#"acton = "a.b""#,
            r#""a.b""#,
            r#"action = "", name = "", target(type = "a b", id = 1)"#,
            r#"action = "order refund""#,
            r#"action = "order\u{7}""#,
            &too_long,
            "action = refund",
            "action = b\"refund\"",
            "action(refund)",
            "action = ",
            r#"action = "a" name = "b""#,
            r#"action = "a", effect = f(1 2), crate ="#,
        ],
        expect![[r#"
            the attribute: `action` is missing: it says what is done in the words of the business, as in `action = "order.refund"`

            acton: unknown argument `acton`; the arguments are `action`, `name`, `effect`, `level`, `stages`, `durability`, `on_unavailable`, `redact`, `skip`, `target` and `crate`; did you mean `action`?

            "a.b": expected an argument such as `action = "order.refund"`

            "": an action is not empty
            "": a tool name is not empty
            "a b": a target type has no white space, as in `order.refund`

            "order refund": an action has no white space, as in `order.refund`

            "order\u{7}": an action has no control characters

            "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé": an action has at most 128 bytes, this one has 130

            refund: `action` is a text in quotes: `action = "order.refund"`

            b"refund": `action` is a text in quotes: `action = "order.refund"`

            action: `action` is written `action = "order.refund"`

            =: expected a value: `action = "order.refund"`

            name: expected `,`

            2: expected a value: `effect = "read" | "write" | "destructive"`
            =: `crate` is a path: `crate = path::to::audited`
        "#]],
    );
}

#[test]
fn words_are_checked() {
    check_each_refused(
        &[
            r#"action = "a", effect = "destuctive""#,
            r#"action = "a", effect = "delete""#,
            r#"action = "a", effect = destructive"#,
            r#"action = "a", durability = true"#,
            r#"action = "a", on_unavailable = "return""#,
            r#"action = "a", effect = "destructive", stages = "completed""#,
        ],
        expect![[r#"
            "destuctive": the values of `effect` are `"read"`, `"write"` and `"destructive"`; did you mean `"destructive"`?

            "delete": the values of `effect` are `"read"`, `"write"` and `"destructive"`

            destructive: the values of `effect` are `"read"`, `"write"` and `"destructive"`; did you mean `"destructive"`, in quotes?

            true: the values of `durability` are `"os"` and `"disk"`

            "return": the values of `on_unavailable` are `"deny"`, `"count"` and `"panic"`, or a closure such as `|unavailable| …`

            "completed": a destructive action has two stages: its intent must be recorded before the body runs; allowed: `"started_completed"`
        "#]],
    );
}

#[test]
fn lists_have_their_own_form() {
    let too_many = format!(r#"action = "a"{}"#, r#", target(type = "order", id = 1)"#.repeat(17));
    check_each_refused(
        &[
            r#"action = "a", redact(a), skip = a, target = "order", crate = "audited""#,
            r#"action = "a", redact = [a.b, a.b?], skip = [b, "c", a.b]"#,
            r#"action = "a", redact = [a b, a.., a.'x', error.b, a[]?, "a"]"#,
            &too_many,
        ],
        expect![[r#"
            redact: `redact` is written `redact = [card, customer.ssn]`
            skip: `skip` is written `skip(first, second)`
            target: `target` is written `target(type = "order", id = order.id)`
            "audited": `crate` is a path: `crate = path::to::audited`

            "c": expected the name of a parameter
            .: expected `,`
            b: no parameter is called `b`; allowed: `a`
            a.b: `a` is skipped, so nothing of it is recorded and nothing is left to redact: remove it from `skip` or `redact`
            a.b?: `a.b` is redacted twice

            b: expected `.key`, `."key"`, `.*`, `[]` or `,`
            .: expected a key after `.`: `.key`, `."key"` or `.*`
            'x': expected a key after `.`: `.key`, `."key"` or `.*`
            ?: `?` follows a key that may be absent, as in `customer.ssn?`
            "a": expected a path that begins with a parameter, `return` or `error`
            error.b: the text of an error has no keys: write `error`

            "order": more than 16 targets: a call names at most 16
        "#]],
    );
}

#[test]
fn only_functions_with_a_body_are_audited() {
    for (item, expected) in [
        (
            "fn f(&self);",
            expect![[r#"
            f: a function without a body has no calls to record: put `#[audited]` on its implementations
        "#]],
        ),
        (
            "pub struct S { a: u8 }",
            expect![[r#"
            struct: `#[audited]` goes on functions and methods, not on `struct`
        "#]],
        ),
        (
            "unsafe impl A for S {}",
            expect![[r#"
            unsafe: `#[audited]` goes on functions and methods: put it on the methods of this `impl`
        "#]],
        ),
        (
            "const fn f() {}",
            expect![[r#"
            const: a `const fn` may run at compile time, when nothing can be recorded: remove `const`, or audit the function that calls it
        "#]],
        ),
        (
            "#[audited::audited(action = \"b\")] fn f() {}",
            expect![[r#"
            audited::audited: `#[audited]` is given twice: each call would be recorded twice
        "#]],
        ),
        (
            "fn f(a) {}",
            expect![[r#"
            ): expected `:`
        "#]],
        ),
    ] {
        check_refused(r#"action = "a""#, item, expected);
    }
}

#[test]
fn futures_need_an_async_function() {
    let arguments = r#"action = "a""#;
    for output in [
        "impl Future<Output = ()> + Send",
        "impl Send + ::core::future::Future<Output = ()>",
        "Pin<Box<dyn Future<Output = ()> + Send + '_>>",
        "::core::pin::Pin<Box<dyn ::core::future::Future<Output = ()>>>",
        "futures::future::BoxFuture<'_, ()>",
        "LocalBoxFuture<'_, ()>",
    ] {
        let item = format!("fn f() -> {output} {{ g() }}");
        let error = crate::audit(tokens(arguments), tokens(&item)).expect_err(output);
        assert_eq!(place(error.span()), output);
        assert!(error.to_string().contains("write `async fn`"), "{error}");
        let item = format!("async fn f() -> {output} {{ g() }}");
        assert!(crate::audit(tokens(arguments), tokens(&item)).is_ok(), "{output}");
    }
}
