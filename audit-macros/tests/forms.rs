//! Compiles and runs the forms beside a single function: futures that are returned, `impl` blocks, `call!`, arguments that
//! change what is recorded.

#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications, unreachable_code)]
#![allow(
    clippy::manual_async_fn,
    clippy::future_not_send,
    clippy::indexing_slicing,
    clippy::missing_const_for_fn,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::redundant_pub_crate,
    clippy::unit_arg,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the functions are samples"
)]

use std::fmt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use audit_macros::{audited, call};
use expect_test::{Expect, expect};

mod mock;

fn check<T: fmt::Debug>(returned: T, expected: Expect) {
    expected.assert_eq(&format!("{} → {returned:?}", mock::notes().join(", ")));
}

fn block_on<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

#[derive(Debug, PartialEq)]
struct Denied(u8);

impl From<mock::Unavailable> for Denied {
    fn from(_: mock::Unavailable) -> Self {
        Self(0)
    }
}

type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[audited(action = "later", effect = "destructive", crate = mock)]
fn later(order: &str, early: bool) -> Later<'_, Result<usize, Denied>> {
    if early {
        return Box::pin(std::future::ready(Err(Denied(1))));
    }
    let future = async move { Ok(order.len()) };
    Box::pin(future)
}

#[audited(action = "later", crate = mock, on_unavailable = |_| Err(Denied(2)))]
fn later_by_closure(order: u8) -> impl Future<Output = Result<u8, Denied>> + Send {
    async move { Ok(order) }
}

#[audited(action = "later", crate = mock, effect = "destructive")]
fn pinned(order: u8) -> Pin<Box<impl Future<Output = Result<u8, Denied>>>> {
    Box::pin(async move { Ok(order) })
}

#[audited(action = "now", crate = mock, on_unavailable = |_| Denied(order))]
fn now(order: u8) -> Denied {
    Denied(order + 1)
}

#[test]
fn the_call_of_a_returned_future_ends_with_it() {
    check(
        block_on(later("order", false)),
        expect![[r#"begin later(order="order", early=false), run, finish_async Ok(5) → Ok(5)"#]],
    );
    check(
        block_on(later("order", true)),
        expect![[r#"begin later(order="order", early=true), run, finish_async Err(Denied(1)) → Err(Denied(1))"#]],
    );
    check(drop(later("order", false)), expect![[r#"begin later(order="order", early=false), run → ()"#]]);
    check(block_on(later_by_closure(1)), expect!["begin later(order=1), run, finish_async Ok(1) → Ok(1)"]);
    check(block_on(pinned(1)), expect!["begin later(order=1), run, finish_async Ok(1) → Ok(1)"]);
    check(now(1), expect!["begin now(order=1), run, finish Denied(2) → Denied(2)"]);
    mock::unavailable(true);
    check(block_on(later("order", false)), expect![[r#"begin later(order="order", early=false) → Err(Denied(0))"#]]);
    check(block_on(later_by_closure(1)), expect!["begin later(order=1) → Err(Denied(2))"]);
    check(block_on(pinned(1)), expect!["begin later(order=1) → Err(Denied(0))"]);
    check(now(1), expect!["begin now(order=1) → Denied(1)"]);
    mock::unavailable(false);
}

#[audited(action = "heap", crate = mock, boxed)]
async fn boxed(order: &str) -> usize {
    std::future::ready(order.len()).await
}

#[audited(action = "heap", crate = mock, boxed = "local", durability = "disk")]
async fn boxed_local(order: std::rc::Rc<u8>) -> Denied {
    std::future::ready(()).await;
    Denied(*order)
}

const TENANT: &str = "acme";
mod actions {
    pub(crate) const PAY: &str = "card.pay";
}

#[audited(action = actions::PAY, name = TENANT, crate = mock, fields(TENANT, "card.length" = card.len(), a.b = 1),
    outcome = |paid| paid.is_some(), result = |paid| format!("{paid:?}"), redact = [return])]
fn pay(#[audit(as = "order_id")] order: u8, #[audit(redact)] card: &str, #[audit(skip)] _client: &str) -> Option<u8> {
    Some(order)
}

#[audited(action = "card.pay", only(b), crate = mock, summary = [a, b[].c])]
async fn only(a: u8, b: u8) -> Denied {
    Denied(a + b)
}

#[test]
fn arguments_choose_what_is_recorded() {
    check(block_on(boxed("order")), expect![[r#"begin heap(order="order"), boxed, drive, finish_async 5 → 5"#]]);
    check(
        block_on(boxed_local(std::rc::Rc::new(3))),
        expect!["begin heap(order=3), boxed_local, drive, finish_durable Denied(3) → Denied(3)"],
    );
    check(
        pay(1, "4242", "client"),
        expect![[
            r#"begin card.pay(order_id=1, card="4242", _client skipped, +TENANT="acme", +card.length=4, +a.b=1), run, finish Some(1) outcome true result "Some(1)" → Some(1)"#
        ]],
    );
    check(block_on(only(1, 2)), expect!["begin card.pay(a skipped, b=2), drive, finish_async Denied(3) → Denied(3)"]);
}

struct Orders<T>(T);

#[audited(prefix = "orders", effect = "read", crate = mock, boxed)]
impl<T: Clone + fmt::Debug + Send + Sync> Orders<T> {
    const LIMIT: u8 = 3;
    const REFUND_LINE: u32 = line!() + 8;

    /// Finds one.
    pub(crate) fn find(&self, id: u8) -> Option<T> {
        (id < Self::LIMIT).then(|| self.0.clone())
    }

    #[audited(effect = "destructive", action = "own.refund")]
    pub(crate) async fn refund(&self, #[audit(as = "who")] to: T) -> Result<T, Denied> {
        std::future::ready(Ok(to)).await
    }

    #[audited(exempt("it computes a constant"))]
    const fn limit() -> u8 {
        Self::LIMIT
    }
}

#[audited(prefix = "order", crate = mock)]
impl Iterator for Orders<u8> {
    type Item = u8;

    fn next(&mut self) -> Option<Self::Item> {
        self.0 += 1;
        Some(self.0)
    }
}

#[audited(exempt("it only formats"), crate = mock)]
async fn label(order: u8) -> String {
    #![allow(clippy::unused_async, reason = "an inner attribute of the body")]
    fn text(order: u8) -> String {
        order.to_string()
    }
    text(order)
}

#[test]
fn the_methods_of_a_block_are_audited() {
    let mut orders = Orders(1);
    check(orders.find(1), expect!["begin orders.find(id=1), run, finish Some(1) → Some(1)"]);
    check(block_on(orders.refund(2)), expect!["begin own.refund(who=2), boxed, drive, finish_async Ok(2) → Ok(2)"]);
    let line = Orders::<u8>::REFUND_LINE;
    assert_eq!(
        mock::__private::CENSUS.get(),
        format!("own.refund refund destructive  {line}"),
        "the line is the method's"
    );
    check(Orders::<u8>::limit(), expect![" → 3"]);
    check(orders.next(), expect!["begin order.next(), run, finish Some(2) → Some(2)"]);
    check(block_on(label(1)), expect![[r#" → "1""#]]);
}

#[test]
fn blocks_are_calls() {
    let order = String::from("order");
    let mut count = 0;
    let length = call!("order.read", crate = mock, fields(order), {
        count += 1;
        order.len()
    });
    check((length, count), expect![[r#"begin order.read(+order="order"), run, finish 5 → (5, 1)"#]]);
    let read = |fails: bool| -> Result<u8, Denied> {
        let read = call!(actions::PAY, crate = mock, target(type = "order", id = order), effect = "destructive", {
            if fails {
                Err(Denied(1))?;
            }
            Ok::<_, Denied>(2)
        })?;
        Ok(read + 1)
    };
    check(read(false), expect!["begin card.pay(order:order), run, finish Ok(2) → Ok(3)"]);
    check(read(true), expect!["begin card.pay(order:order), run, finish Err(Denied(1)) → Err(Denied(1))"]);
    mock::unavailable(true);
    check(read(false), expect!["begin card.pay(order:order) → Err(Denied(0))"]);
    mock::unavailable(false);
}

#[test]
fn async_blocks_are_calls() {
    let order = String::from("order");
    let borrowed = call!("order.read", crate = mock, async { order.len() });
    check(block_on(borrowed), expect!["begin order.read(), drive, finish_async 5 → 5"]);
    let moved =
        call!("order.read", crate = mock, durability = "disk", on_unavailable = |_| 7, async move { order.len() });
    check(block_on(moved), expect!["begin order.read(), drive, finish_durable 5 → 5"]);
}

#[test]
fn closures_are_audited_like_functions() {
    let mut sum = 0;
    let mut add = call!("sum.add", crate = mock, redact = [b], |#[audit(as = "first")] a: u8, (b, _): (u8, u8)| {
        sum += a + b;
        sum
    });
    check(
        (add(1, (2, 3)), add(1, (0, 0))),
        expect!["begin sum.add(first=1, b=2), run, finish 3, begin sum.add(first=1, b=0), run, finish 4 → (3, 4)"],
    );
    let text = String::from("order");
    let keep =
        call!("text.keep", crate = mock, on_unavailable = "deny", move |length: usize| -> Result<String, Denied> {
            text.get(..length).map(str::to_owned).ok_or(Denied(9))
        });
    check(
        (keep(2), keep(9)),
        expect![[
            r#"begin text.keep(length=2), run, finish Ok("or"), begin text.keep(length=9), run, finish Err(Denied(9)) → (Ok("or"), Err(Denied(9)))"#
        ]],
    );
    let lengths: Vec<usize> = ["a", "bc"].iter().map(call!("text.length", crate = mock, |text| text.len())).collect();
    check(
        lengths,
        expect![[
            r#"begin text.length(text="a"), run, finish 1, begin text.length(text="bc"), run, finish 2 → [1, 2]"#
        ]],
    );
    let wait = call!("wait", crate = mock, async |order: u8| -> Result<u8, Denied> {
        let order = std::future::ready(Ok::<_, Denied>(order)).await?;
        Ok(order + 1)
    });
    check(block_on(wait(1)), expect!["begin wait(order=1), drive, finish_async Ok(2) → Ok(2)"]);
}
