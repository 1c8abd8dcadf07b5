//! Compiles expansions of many shapes, free of warnings, and runs them against a stand-in for the runtime.

#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications, unreachable_code)]
#![allow(
    clippy::drop_non_drop,
    clippy::indexing_slicing,
    clippy::missing_const_for_fn,
    clippy::needless_pass_by_ref_mut,
    clippy::needless_pass_by_value,
    clippy::needless_raw_string_hashes,
    clippy::non_minimal_cfg,
    clippy::panic,
    clippy::redundant_pub_crate,
    clippy::too_many_arguments,
    clippy::toplevel_ref_arg,
    clippy::unit_arg,
    reason = "the functions are samples"
)]

use std::fmt::{self, Display};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use audit_macros::audited;
use expect_test::{Expect, expect};

mod mock;

/// Compares a result and the notes that it left.
fn check<T: fmt::Debug>(returned: T, expected: Expect) {
    expected.assert_eq(&format!("{} → {returned:?}", mock::notes().join(", ")));
}

/// Runs a future that never waits.
fn block_on<F: Future + Send>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// A value that is moved, and captured as its type.
struct Moved(u8);

#[derive(Debug)]
struct Denied(&'static str);

impl From<mock::Unavailable> for Denied {
    fn from(_: mock::Unavailable) -> Self {
        Self("unavailable")
    }
}

impl From<fmt::Error> for Denied {
    fn from(_: fmt::Error) -> Self {
        Self("fmt")
    }
}

#[audited(action = "a.move", crate = mock, redact = [moved, by.a])]
fn moves(moved: Moved, mut by: u8, _unused: &str) -> Result<u8, Denied> {
    by += moved.0;
    if by > 9 {
        return Err(Denied("too many"));
    }
    fmt::write(&mut String::new(), format_args!("{by}"))?;
    drop(moved);
    Ok(by)
}

#[test]
fn arguments_are_captured_before_the_body_moves_them() {
    check(moves(Moved(1), 2, "x"), expect![[r#"begin a.move(moved=?, by=2, _unused="x"), run, finish Ok(3) → Ok(3)"#]]);
    check(
        moves(Moved(1), 9, "x"),
        expect![[
            r#"begin a.move(moved=?, by=9, _unused="x"), run, finish Err(Denied("too many")) → Err(Denied("too many"))"#
        ]],
    );
}

#[audited(action = "a.wipe", crate = mock, effect = "destructive", target(type = "order", id = order + 1), skip(secret))]
fn wipe(order: u8, secret: Moved) -> Result<u8, Denied> {
    Ok(order + secret.0)
}

#[audited(action = "a.wipe", crate = mock, effect = "destructive")]
async fn wipe_async(order: u8) -> Result<u8, Denied> {
    let waited = std::future::ready(order).await;
    Err(Denied(if waited > 1 { "async" } else { "small" }))
}

#[audited(action = "a.wipe", crate = mock, on_unavailable = |unavailable| denied_text(unavailable))]
fn wipe_text(order: u8) -> String {
    order.to_string()
}

#[audited(action = "a.wipe", crate = mock, on_unavailable = |_| None)]
async fn wipe_option(order: u8) -> Option<u8> {
    Some(std::future::ready(order).await)
}

fn denied_text(unavailable: mock::Unavailable) -> String {
    Denied::from(unavailable).0.to_owned()
}

#[test]
fn destructive_calls_go_on_when_they_are_recorded() {
    check(wipe(1, Moved(2)), expect!["begin a.wipe(order=1, secret skipped, order:2), run, finish Ok(3) → Ok(3)"]);
    check(
        block_on(wipe_async(1)),
        expect![[r#"begin a.wipe(order=1), drive, finish_async Err(Denied("small")) → Err(Denied("small"))"#]],
    );
    check(wipe_text(1), expect![[r#"begin a.wipe(order=1), run, finish "1" → "1""#]]);
    check(block_on(wipe_option(1)), expect!["begin a.wipe(order=1), drive, finish_async Some(1) → Some(1)"]);
}

#[test]
fn denied_calls_do_not_run() {
    mock::unavailable(true);
    check(
        wipe(1, Moved(2)),
        expect![[r#"begin a.wipe(order=1, secret skipped, order:2) → Err(Denied("unavailable"))"#]],
    );
    check(block_on(wipe_async(1)), expect![[r#"begin a.wipe(order=1) → Err(Denied("unavailable"))"#]]);
    check(wipe_text(1), expect![[r#"begin a.wipe(order=1) → "unavailable""#]]);
    check(block_on(wipe_option(1)), expect!["begin a.wipe(order=1) → None"]);
    mock::unavailable(false);
}

struct Cart {
    items: Vec<String>,
}

struct Request {
    a: u8,
    b: Option<u8>,
}

impl Cart {
    #[audited(action = "cart.first", crate = mock, effect = "read")]
    fn first(&self) -> Option<&str> {
        Some(self.items.first()?.as_str())
    }

    #[audited(action = "cart.last", crate = mock)]
    fn last(&mut self) -> &mut String {
        self.items.push(String::from("new"));
        let last = self.items.len() - 1;
        &mut self.items[last]
    }

    #[audited(action = "cart.take", crate = mock, redact = [c])]
    async fn take(mut self, Request { a, b: c, .. }: Request, (d, _): (u8, u8), ref e: u8) -> Self {
        std::future::ready(()).await;
        self.items.push(format!("{a}{c:?}{d}{e}"));
        self
    }

    #[audited(action = "cart.borrow", crate = mock)]
    async fn borrow<'a>(&'a mut self, other: &'a str) -> Result<&'a str, Box<dyn std::error::Error + Send + Sync>> {
        if other.is_empty() {
            return Ok(self.items.first().ok_or("empty")?);
        }
        std::future::ready(()).await;
        Ok(other)
    }
}

trait Tool {
    #[audited(action = "tool.run", crate = mock)]
    fn run(&self, input: u8) -> u8 {
        input + self.base()
    }

    fn base(&self) -> u8;
}

impl Tool for Cart {
    fn base(&self) -> u8 {
        1
    }
}

#[test]
fn methods_borrow_and_move() {
    let mut cart = Cart { items: vec!["one".to_owned()] };
    check(cart.first(), expect![[r#"begin cart.first(), run, finish Some("one") → Some("one")"#]]);
    check(cart.last(), expect![[r#"begin cart.last(), run, finish "new" → "new""#]]);
    check(
        block_on(cart.borrow("")).ok(),
        expect![[r#"begin cart.borrow(other=""), drive, finish_async Ok("one") → Some("one")"#]],
    );
    check(
        block_on(cart.borrow("other")).ok(),
        expect![[r#"begin cart.borrow(other="other"), drive, finish_async Ok("other") → Some("other")"#]],
    );
    check(cart.run(2), expect!["begin tool.run(input=2), run, finish 3 → 3"]);
    check(
        block_on(cart.take(Request { a: 1, b: None }, (2, 3), 4)).items,
        expect![[r#"begin cart.take(a=1, c=None, d=2, e=4), drive, finish_async ? → ["one", "new", "1None24"]"#]],
    );
}

#[audited(action = "unit", crate = mock)]
fn unit(count: &mut u8) {
    if *count > 0 {
        return;
    }
    *count += 1;
}

#[audited(action = "unit", crate = mock)]
async fn unit_async(count: &mut u8) {
    if *count > 0 {
        return;
    }
    std::future::ready(()).await;
    *count += 1;
}

#[audited(action = "empty", crate = mock)]
fn empty() {}

#[audited(action = "empty", crate = mock)]
async fn empty_async() {}

#[rustfmt::skip]
#[audited(action = "line", crate = mock)]
async fn line(n: u8) -> u8 { n + 1 }

#[rustfmt::skip]
#[audited(action = "line", crate = mock)]
async fn bare_line() -> u8 { 2 }

#[audited(action = "diverge", crate = mock)]
fn diverge() -> u8 {
    panic!("diverged")
}

#[audited(action = "diverge", crate = mock)]
async fn diverge_async() -> Result<(), Denied> {
    panic!("diverged")
}

#[audited(action = "never", crate = mock)]
fn never(code: u8) -> ! {
    panic!("never {code}");
}

#[audited(action = "never", crate = mock)]
async fn never_async(code: u8) -> ! {
    std::future::ready(()).await;
    if code > 0 {
        never(code);
    }
    panic!("never {code}");
}

#[test]
fn functions_without_a_result() {
    let mut count = 0;
    check(unit(&mut count), expect!["begin unit(count=0), run, finish () → ()"]);
    check(block_on(unit_async(&mut count)), expect!["begin unit(count=1), drive, finish_async () → ()"]);
    check(empty(), expect!["begin empty(), run, finish () → ()"]);
    check(block_on(empty_async()), expect!["begin empty(), drive, finish_async () → ()"]);
    check(block_on(line(1)), expect!["begin line(n=1), drive, finish_async 2 → 2"]);
    check(block_on(bare_line()), expect!["begin line(), drive, finish_async 2 → 2"]);
}

#[test]
fn panics_go_on() {
    check(std::panic::catch_unwind(diverge).is_err(), expect!["begin diverge(), run → true"]);
    check(std::panic::catch_unwind(|| block_on(diverge_async())).is_err(), expect!["begin diverge(), drive → true"]);
    check(std::panic::catch_unwind(|| never(1)).is_err(), expect!["begin never(code=1), run → true"]);
    check(
        std::panic::catch_unwind(|| block_on(never_async(1))).is_err(),
        expect!["begin never(code=1), drive, begin never(code=1), run → true"],
    );
}

#[audited(action = "generic", crate = mock)]
fn generic<'a, T: Display + 'a, const N: usize>(
    items: &'a [T; N],
    keep: impl Fn(&T) -> bool + 'a,
) -> Result<impl Iterator<Item = &'a T>, Denied> {
    if N == 0 {
        return Err(Denied("none"));
    }
    Ok(items.iter().filter(move |item| keep(item)))
}

#[audited(action = "generic", crate = mock)]
async fn generic_async<T: Display + Send>(item: T) -> (impl Display, Option<impl Display>) {
    std::future::ready(()).await;
    (1, Some(item))
}

#[audited(action = "opaque", crate = mock)]
fn opaque(limit: u8) -> impl Iterator<Item = u8> {
    0..limit
}

#[audited(action = "opaque", crate = mock)]
async fn opaque_async(limit: u8) -> impl Display {
    limit
}

#[audited(action = "opaque", crate = mock, effect = "destructive")]
fn opaque_denied(limit: u8) -> Result<impl Display, Denied> {
    Ok(limit)
}

#[audited(action = "coerced", crate = mock)]
async fn coerced(negative: bool) -> Result<Box<dyn Fn(u8) -> u8 + Send>, Denied> {
    if negative {
        return Ok(Box::new(|value| 0 - value));
    }
    Ok(Box::new(|value| value))
}

#[audited(action = "unsafe", crate = mock, skip = [pointed])]
#[expect(unsafe_code, reason = "an unsafe function is a shape, too")]
unsafe extern "C" fn extern_c(pointed: *const u8) -> u8 {
    // SAFETY: the caller gives a pointer to a byte.
    unsafe { *pointed }
}

#[test]
#[expect(unsafe_code, reason = "an unsafe function is called like one")]
fn unsafe_functions_stay_unsafe() {
    static BYTE: u8 = 7;
    // SAFETY: the pointer is that of a static.
    check(unsafe { extern_c(&raw const BYTE) }, expect!["begin unsafe(pointed skipped), run, finish 7 → 7"]);
}

#[test]
fn types_are_left_to_inference_where_they_have_no_name() {
    check(
        generic(&[1, 2], |item| *item > 1).map(Iterator::count).ok(),
        expect!["begin generic(items=?, keep=?), run, finish ? → Some(1)"],
    );
    check(
        block_on(generic_async("x")).1.map(|item| item.to_string()),
        expect![[r#"begin generic(item=?), drive, finish_async ? → Some("x")"#]],
    );
    check(opaque(3).count(), expect!["begin opaque(limit=3), run, finish 0..3 → 3"]);
    check(block_on(opaque_async(3)).to_string(), expect![[r#"begin opaque(limit=3), drive, finish_async 3 → "3""#]]);
    check(
        opaque_denied(3).map(|item| item.to_string()).ok(),
        expect![[r#"begin opaque(limit=3), run, finish Ok(3) → Some("3")"#]],
    );
    check(
        block_on(coerced(false)).map(|function| function(3)).ok(),
        expect!["begin coerced(negative=false), drive, finish_async ? → Some(3)"],
    );
}

macro_rules! tool {
    ($name:ident, $action:literal, $level:expr, $argument:ident: $type:ty, $body:block) => {
        #[audited(action = $action, level = $level, crate = $crate::mock, redact = [$argument])]
        fn $name($argument: $type, local: u8) -> $type $body
    };
}

tool!(made_by_macro, "made.by.macro", "metadata", argument: u8, { 7 });

#[audited(action = "attributes", crate = mock)]
#[must_use]
fn attributes(#[cfg(any())] gone: Gone, #[cfg(all())] here: u8, _: u8) -> u8 {
    #![allow(unused_variables, reason = "an inner attribute of the body")]
    let unused = 1;
    here
}

/// Names of the user that the expansion has, too.
mod shadow {
    #![allow(non_upper_case_globals, non_camel_case_types, dead_code, reason = "the names are the expansion's")]
    #![no_implicit_prelude]

    use super::audited;

    const SITE: u8 = 1;
    enum Option {}
    enum Result {}
    struct Ok;
    struct Err;
    mod core {}
    mod std {}

    #[audited(action = "shadow", crate = crate::mock, effect = "destructive", target(type = "site", id = SITE),
        on_unavailable = |unavailable| begin(unavailable))]
    pub(crate) fn shadow(site: u8, begun: u8, mut call: u8, returned: u8, arguments: u8, unavailable: u8) -> u8 {
        call += 1;
        SITE + site + begun + call + returned + arguments + unavailable
    }

    #[audited(action = "shadow", crate = crate::mock)]
    pub(crate) async fn shadow_async(site: u8, begun: u8, mut call: u8, returned: u8) -> u8 {
        call += 1;
        SITE + site + begun + call + returned
    }

    fn begin(_: crate::mock::Unavailable) -> u8 {
        0
    }
}

#[test]
fn nothing_of_the_user_is_shadowed() {
    check(
        shadow::shadow(1, 2, 3, 4, 5, 6),
        expect![
            "begin shadow(site=1, begun=2, call=3, returned=4, arguments=5, unavailable=6, site:1), run, finish 23 → 23"
        ],
    );
    check(
        block_on(shadow::shadow_async(1, 2, 3, 4)),
        expect!["begin shadow(site=1, begun=2, call=3, returned=4), drive, finish_async 12 → 12"],
    );
    check(made_by_macro(1, 2), expect!["begin made.by.macro(argument=1, local=2), run, finish 7 → 7"]);
    check(attributes(1, 2), expect!["begin attributes(here=1), run, finish 1 → 1"]);
}

/// A value that is no `Sync`: a future that kept a borrow of it would not be `Send`.
struct NotSync(std::cell::Cell<u8>);

#[audited(action = "not.sync", crate = mock, target(type = "cell", id = cell.0.get()))]
async fn not_sync(cell: NotSync) -> u8 {
    std::future::ready(()).await;
    cell.0.get()
}

#[audited(action = "not.send", crate = mock)]
async fn not_send() -> Result<u8, Box<dyn std::error::Error>> {
    std::future::ready(()).await;
    Ok("1".parse()?)
}

#[audited(action = "durable", crate = mock, durability = "disk")]
async fn durable() -> u8 {
    1
}

#[test]
fn futures_stay_send() {
    check(
        block_on(not_sync(NotSync(std::cell::Cell::new(1)))),
        expect!["begin not.sync(cell=?, cell:1), drive, finish_async 1 → 1"],
    );
    check(block_on(not_send()).ok(), expect!["begin not.send(), drive, finish_async Ok(1) → Some(1)"]);
    check(block_on(durable()), expect!["begin durable(), drive, finish_durable 1 → 1"]);
}
