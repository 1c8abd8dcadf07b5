//! Every mistake, and the tokens that it is reported on.

use expect_test::{Expect, expect};
use proc_macro2::Span;

use super::tokens;
use crate::errors::Errors;

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
    let mut errors = Errors::default();
    let left = crate::attribute(tokens(arguments), tokens(item), &mut errors).to_string();
    assert!(!errors.is_empty(), "the attribute is refused: {left}");
    assert_eq!(left, tokens(item).to_string(), "the item is emitted as it was");
    listed(&errors)
}

fn listed(errors: &Errors) -> String {
    errors.iter().map(|error| format!("{}: {error}\n", place(error.span()))).collect()
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
            efect: unknown argument `efect`; the arguments are `action`, `name`, `effect`, `level`, `telemetry`, `stages`, `durability`, `append_timeout_ms`, `on_unavailable`, `redact`, `skip`, `only`, `fields`, `target`, `outcome`, `summary`, `result`, `boxed`, `exempt` and `crate`; did you mean `effect`?
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
            "none": the values of `telemetry` are `"names"`, `"redacted_arguments"` and `"arguments"`
            const: a `const fn` may run at compile time, when nothing can be recorded: remove `const`, or audit the function that calls it
            the attribute: `action` is missing: it says what is done in the words of the business, as in `action = "order.refund"`
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

            acton: unknown argument `acton`; the arguments are `action`, `name`, `effect`, `level`, `telemetry`, `stages`, `durability`, `append_timeout_ms`, `on_unavailable`, `redact`, `skip`, `only`, `fields`, `target`, `outcome`, `summary`, `result`, `boxed`, `exempt` and `crate`; did you mean `action`?

            "a.b": expected an argument such as `action = "order.refund"`

            "": an action is not empty
            "": a tool name is not empty
            "a b": a target type has no white space, as in `order.refund`

            "order refund": an action has no white space, as in `order.refund`

            "order\u{7}": an action has no control characters

            "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé": an action has at most 128 bytes, this one has 130

            refund: `action` is a text in quotes or the path of a constant: `action = "order.refund"`

            b"refund": `action` is a text in quotes or the path of a constant: `action = "order.refund"`

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
fn timeouts_are_numbers_that_leave_time_for_the_disk() {
    check_each_refused(
        &[
            r#"action = "a", append_timeout_ms = "50""#,
            r#"action = "a", append_timeout_ms = 50ms"#,
            r#"action = "a", append_timeout_ms = 0.5"#,
            r#"action = "a", append_timeout_ms = -1"#,
            r#"action = "a", append_timeout_ms = TIMEOUT"#,
            r#"action = "a", append_timeout_ms = 86_400_001"#,
            r#"action = "a", append_timeout_ms = 100_000_000_000_000_000_000"#,
            r#"action = "a", append_timeout_ms(50)"#,
            r#"action = "a", append_timeout_ms = 50, append_timeout_ms = 50"#,
            r#"action = "a", append_timeout_ms = 0, effect = "destructive""#,
            r#"action = "a", append_timeout_ms = 0x0, durability = "disk""#,
            r#"exempt("why"), append_timeout_ms = 50"#,
            r#"action = "a", append_timeout = 50"#,
        ],
        expect![[r#"
            "50": `append_timeout_ms` is a whole number of milliseconds, at most 86400000 (a day): `append_timeout_ms = 50`

            50ms: `append_timeout_ms` is a whole number of milliseconds, at most 86400000 (a day): `append_timeout_ms = 50`

            0.5: `append_timeout_ms` is a whole number of milliseconds, at most 86400000 (a day): `append_timeout_ms = 50`

            -1: `append_timeout_ms` is a whole number of milliseconds, at most 86400000 (a day): `append_timeout_ms = 50`

            TIMEOUT: `append_timeout_ms` is a whole number of milliseconds, at most 86400000 (a day): `append_timeout_ms = 50`

            86_400_001: `append_timeout_ms` is a whole number of milliseconds, at most 86400000 (a day): `append_timeout_ms = 50`

            100_000_000_000_000_000_000: `append_timeout_ms` is a whole number of milliseconds, at most 86400000 (a day): `append_timeout_ms = 50`

            append_timeout_ms: `append_timeout_ms` is written `append_timeout_ms = 50`

            append_timeout_ms: `append_timeout_ms` is given twice

            0: a record that must be on the disk takes time: `append_timeout_ms` is at least 1 for a destructive action and with `durability = "disk"`

            0x0: a record that must be on the disk takes time: `append_timeout_ms` is at least 1 for a destructive action and with `durability = "disk"`

            append_timeout_ms: `exempt` stands alone: the calls are recorded, or they are not

            append_timeout: unknown argument `append_timeout`; the arguments are `action`, `name`, `effect`, `level`, `telemetry`, `stages`, `durability`, `append_timeout_ms`, `on_unavailable`, `redact`, `skip`, `only`, `fields`, `target`, `outcome`, `summary`, `result`, `boxed`, `exempt` and `crate`; did you mean `append_timeout_ms`?
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
            r#"action = "a", redact = [msk(a), mask(a, first_four), mask(), token(a, b), seal(a, a.id), drop(a, last_four)]"#,
            r#"action = "a", redact = [seal(a.b, subject = x.id), seal(a.c, subject = a[].id), seal(a.d, subject = return.id)]"#,
            r#"action = "a", redact = [token(error), mask(a), seal(a)]"#,
            &too_many,
        ],
        expect![[r#"
            redact: `redact` is written `redact = [customer.ssn, mask(card)]`
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

            msk: unknown method `msk`; a value is removed by `drop`, `mask`, `token` and `seal`; did you mean `mask`?
            first_four: `mask` takes nothing but `last_four`: `mask(card, last_four)`
            ): expected a path that begins with a parameter, `return` or `error`
            b: `token` takes nothing but what is removed: `token(email)`
            .id: `seal` takes whose value it is, or nothing for the user on whose behalf the agent acts: `seal(name, subject = customer.id)`
            last_four: `drop` takes nothing but what is removed: `drop(card)`, or simply `card`

            x: no parameter is called `x`; allowed: `a`, `return` and `error`
            a[].id: a subject is one value: a parameter or `return`, and keys, as in `customer.id`
            return.id: an argument is sealed before there is a result: its subject is a parameter, or in one

            token(error): the text of an error is left out as a whole: write `error`
            a: `a` is redacted twice

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
                f: a function without a body has no calls to record: put `#[audited]` on its implementations, or on the function that calls it
            "#]],
        ),
        (
            "pub struct S { a: u8 }",
            expect![[r#"
                struct: `#[audited]` goes on functions, methods and `impl` blocks, not on `struct`
            "#]],
        ),
        (
            "unsafe impl A for S {}",
            expect![[r#"
                action: `action` is no argument of an `impl` block: write `prefix = "orders"`, after which the methods are named
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

/// Compares the mistakes in several uses of `call!`.
fn check_each_call_refused(inputs: &[&str], expected: Expect) {
    let mistakes: Vec<String> = inputs
        .iter()
        .map(|input| {
            let mut errors = Errors::default();
            let left = crate::block::expand(tokens(input), &mut errors);
            assert!(left.is_empty(), "nothing is left of what is refused: {left}");
            listed(&errors)
        })
        .collect();
    expected.assert_eq(&mistakes.join("\n"));
}

#[test]
fn marks_of_parameters_are_checked() {
    for (item, expected) in [
        (
            "fn f(#[audit(redcat, skip, skip, as = a, as)] a: u8) {}",
            expect![[r#"
                redcat: unknown word `redcat`; a parameter has `redact`, `mask`, `token`, `seal`, `skip` and `as`; did you mean `redact`?
                skip: `skip` is given twice
                a: `as` is a text in quotes: `as = "order_id"`
                as: `as` is written `as = "order_id"`
            "#]],
        ),
        (
            "fn f(#[audit = \"redact\"] a: u8, #[audit()] b: u8) {}",
            expect![[r#"
                audit = "redact": `#[audit]` is written `#[audit(redact)]`, `#[audit(mask)]`, `#[audit(token)]`, `#[audit(seal)]`, `#[audit(skip)]` or `#[audit(as = "order_id")]`
                audit(): `#[audit]` is written `#[audit(redact)]`, `#[audit(mask)]`, `#[audit(token)]`, `#[audit(seal)]`, `#[audit(skip)]` or `#[audit(as = "order_id")]`
            "#]],
        ),
        (
            "fn f(#[audit(redact, as = \"x\")] S { a, b }: S, #[audit(skip)] _: u8, #[audit(as = \"\")] c: u8) {}",
            expect![[r#"
                as: the pattern binds `a` and `b`: `as` names one variable
                audit(skip): `_` binds no variable, so nothing of it is recorded
                "": a name is not empty
            "#]],
        ),
        (
            "fn f(#[audit(as = \"b\")] a: u8, b: u8, #[audit(skip, as = \"c\")] d: u8) {}",
            expect![[r#"
            "b": two parameters are recorded as `b`
            "c": `d` is skipped, so it is recorded under no name
        "#]],
        ),
    ] {
        let mut errors = Errors::default();
        let left = crate::attribute(tokens(r#"action = "a""#), tokens(item), &mut errors).to_string();
        assert!(!left.contains("audit"), "no other macro knows the marks: {left}");
        expected.assert_eq(&listed(&errors));
    }
}

#[test]
fn what_only_a_call_says_is_no_matter_of_a_block() {
    let block = "impl S { #[audited(exempt(\"x\"), name = \"b\")] fn f() {} #[audited = 1] fn g() {} #[audited(a)] fn h(&self); }";
    for (arguments, expected) in [
        (
            "",
            expect![[r#"
            the attribute: `prefix` is missing: the methods are named after it, as in `prefix = "orders"`, which makes `orders.refund`
        "#]],
        ),
        (
            r#"prefix = "a b", name = "c", prefix = "d", exempt("e")"#,
            expect![[r#"
            name: `name` is no argument of an `impl` block: it is said of one call: write it in an `#[audited(…)]` on the method
            prefix: `prefix` is given twice
            exempt: `exempt` is no argument of an `impl` block: what is exempt is one function: write `#[audited(exempt("…"))]` on it
            "a b": a prefix has no white space, as in `order.refund`
        "#]],
        ),
        (
            r#"prefix = "a""#,
            expect![[r#"
                name: `exempt` stands alone: the calls are recorded, or they are not
                audited = 1: expected the method's own arguments: `#[audited(effect = "read")]`
                a: unknown argument `a`; the arguments are `action`, `name`, `effect`, `level`, `telemetry`, `stages`, `durability`, `append_timeout_ms`, `on_unavailable`, `redact`, `skip`, `only`, `fields`, `target`, `outcome`, `summary`, `result`, `boxed`, `exempt` and `crate`
                h: a function without a body has no calls to record: put `#[audited]` on its implementations, or on the function that calls it
            "#]],
        ),
        (
            r#"prefix = "a", stages = "completed", effect = "destructive""#,
            expect![[r#"
                "completed": a destructive action has two stages: its intent must be recorded before the body runs; allowed: `"started_completed"`
            "#]],
        ),
    ] {
        let mut errors = Errors::default();
        let left = crate::attribute(tokens(arguments), tokens(block), &mut errors).to_string();
        assert!(!left.contains("audited"), "the methods' own arguments are not left to expand by themselves: {left}");
        expected.assert_eq(&listed(&errors));
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    check_each_refused(
        &[
            r#"action = "a", exempt("b")"#,
            r#"exempt()"#,
            r#"exempt("\n")"#,
            r#"action = "a", only(a, a, b), skip(c)"#,
            r#"action = "a", fields(b, b = 1, "" = 2, a = 3, self.c, 4)"#,
            r#"action = "a", summary = [a, a?, .b], result = |a, b| 1, outcome = |r| r == a"#,
            r#"action = Self::A, name = (a), boxed, prefix = "b""#,
        ],
        expect![[r#"
            action: `exempt` stands alone: the calls are recorded, or they are not

            (): why calls are not recorded is stated in quotes: `exempt("it only formats")`

            "\n": why calls are not recorded is stated in quotes: `exempt("it only formats")`

            c: no parameter is called `c`; allowed: `a`
            skip: `only` says which parameters are recorded, `skip` which are not: keep one
            a: `a` is named twice
            b: no parameter is called `b`; allowed: `a`

            self: the value lacks its name: `c = self.c`
            4: expected `fields(tenant = self.tenant, region)`
            b: `b` is recorded already: a name stands for one parameter or field
            "": a name is not empty
            a: `a` is recorded already: a name stands for one parameter or field

            .: expected a path into the result, such as `id` or `lines[].sku`
            |a, b| 1: the closure of `result` takes one parameter, a reference to the result
            result: `summary` and `result` both say what is recorded of the result: `summary` names members of it, `result` makes another value; keep one
            a?: `a` is named twice
            a: the closure of `outcome` runs after the body has taken `a`: it has only the result

            (a): `name` is a text in quotes or the path of a constant: `name = "refund"`
            prefix: `prefix` is no argument of a function: it is for an `impl` block, whose methods are named after it; one function has an `action`
            boxed: `boxed` puts the body of an `async fn` on the heap: this function is not `async`
            Self::A: what is said of a function is a `static`, which cannot use `Self`: name the type, as in `Orders::A`
        "#]],
    );
}

#[test]
fn calls_are_checked_like_functions() {
    check_each_call_refused(
        &[
            "",
            r#""a""#,
            r#""a", 7"#,
            r#""a", b.c()"#,
            r#""a", efect = "read", {}"#,
            r#"effect = "read", {}"#,
            r#""a b", redact = [c], skip(d), {}"#,
            r#""a", action = "b", {}"#,
            r#""a", {}, name = "b""#,
            r#""a", || {}, name = "b""#,
            r#""a", async move"#,
            r#""a", |a, b"#,
            r#""a", |a|"#,
            r#""a", outcome = |r| a, |a: u8| a"#,
            r#""a", boxed, exempt("b"), prefix = "c", async {}"#,
        ],
        expect![[r#"
            the attribute: the body is missing: `call!` records a block, an async block or a closure, its last argument
            the attribute: `action` is missing: it says what is done in the words of the business, as in `action = "order.refund"`

            the attribute: the body is missing: `call!` records a block, an async block or a closure, its last argument

            7: expected an argument such as `effect = "read"`, or what is recorded: a block, an async block or a closure

            b: expected an argument such as `effect = "read"`, or what is recorded: a block, an async block or a closure

            efect: unknown argument `efect`; the arguments are `action`, `name`, `effect`, `level`, `telemetry`, `stages`, `durability`, `append_timeout_ms`, `on_unavailable`, `redact`, `skip`, `only`, `fields`, `target`, `outcome`, `summary`, `result` and `crate`; did you mean `effect`?

            the attribute: `action` is missing: it says what is done in the words of the business, as in `action = "order.refund"`

            "a b": an action has no white space, as in `order.refund`
            d: no parameter is called `d`: there is none
            c: no parameter is called `c`; allowed: `return` and `error`

            action: `action` is given twice

            name: what is recorded comes last: move the other arguments before it

            name: what is recorded comes last: move the other arguments before it

            the attribute: unexpected end of input, the last argument of `call!` is what it records: a block, an async block or a closure

            the attribute: expected `|`

            the attribute: the closure has no body

            a: the closure of `outcome` runs after the body has taken `a`: it has only the result

            boxed: `boxed` is no argument of `call!`: write `async { Box::pin(…).await }` in the block
            exempt: `exempt` is no argument of `call!`: what is exempt is one function: write `#[audited(exempt("…"))]` on it
            prefix: `prefix` is no argument of `call!`: it is for an `impl` block, whose methods are named after it; one function has an `action`
        "#]],
    );
}
