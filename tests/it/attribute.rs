//! What the attribute can say of parameters, fields, blocks of methods and blocks of code, in the records that it leaves.

use audited::{audited, call};
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use testkit::recorded;

const CARD: &str = "4242424242424242";

mod actions {
    pub const REFUND: &str = "order.refund";
    pub const TOOL: &str = "refund an order";
}

fn first(call: impl FnOnce()) -> Value {
    recorded(call).remove(0)
}

#[test]
fn parameters_are_marked_where_they_stand() {
    struct Charge {
        card: &'static str,
        order: u32,
    }
    #[audited(action = "card.charge")]
    fn charge(
        #[audit(as = "order_id")] order: u32,
        #[audit(redact)] card: &str,
        #[audit(skip)] note: &str,
    ) -> Result<usize, String> {
        Err(format!("{card} was refused for {order}, {}", note.len()))
    }
    #[audited(action = "card.charge")]
    fn destructured(#[audit(redact)] Charge { card, order }: Charge) -> usize {
        card.len() + usize::try_from(order).unwrap()
    }
    let records = recorded(|| assert!(charge(7, CARD, "n").is_err()));
    assert_eq!(records[0]["request"]["arguments"], json!({"order_id": 7}));
    let removed = json!([{"method": "drop", "path": "/request/arguments/card", "rule": "path:card"}]);
    assert_eq!(records[0]["redactions"], removed);
    assert_eq!(records[1]["outcome"]["reason"], "[redacted] was refused for 7, 1");
    let record = first(|| assert_eq!(destructured(Charge { card: CARD, order: 1 }), 17));
    assert_eq!(record["request"]["arguments"], json!({}));
}

#[test]
fn only_some_parameters_are_captured() {
    #[audited(action = "order.ship", only(order))]
    fn ship(order: u32, address: &str, password: &str) -> Result<u32, String> {
        Err(format!("{order} {address} {password}"))
    }
    let records = recorded(|| assert!(ship(7, "Elm Street", "hunter2hunter2").is_err()));
    assert_eq!(records[0]["request"]["arguments"], json!({"order": 7}));
    assert_eq!(records[1]["outcome"]["reason"], "7 Elm Street [redacted]");
}

#[test]
fn fields_stand_in_the_annotations_of_the_first_record() {
    struct Shop {
        tenant: &'static str,
    }
    impl Shop {
        #[audited(action = "order.ship", fields(tenant = self.tenant, geo.zone = order * 2, "api key" = "k", lost = boom()))]
        fn ship(&self, order: u32) -> u32 {
            order
        }
        #[audited(action = "order.read", effect = "read", stages = "completed", fields(tenant = self.tenant.len()))]
        async fn read(&self) -> u32 {
            1
        }
    }
    fn boom() -> u32 {
        panic!("not one of the function")
    }
    let shop = Shop { tenant: "acme" };
    let records = recorded(|| assert_eq!(shop.ship(7), 7));
    let expected = json!({"geo.zone": 14, "lost": "[unavailable]", "tenant": "acme"});
    assert_eq!(records[0]["annotations"], expected);
    assert_eq!(records[0]["redactions"][0]["path"], "/annotations/api key");
    assert_eq!((&records[0]["request"]["arguments"], &records[1]["annotations"]), (&json!({"order": 7}), &Value::Null));
    let record = first(|| assert_eq!(shop.read().now_or_never(), Some(1)));
    assert_eq!((&record["stage"], &record["annotations"]), (&json!("completed"), &json!({"tenant": 4})));
}

#[test]
fn names_may_be_constants() {
    #[audited(action = actions::REFUND, name = actions::TOOL)]
    fn refund() {}
    let record = first(refund);
    assert_eq!(record["action"], "order.refund");
    assert_eq!(record["operation"]["tool"]["name"], "refund an order");
}

#[test]
fn a_block_of_methods_is_audited_under_one_prefix() {
    struct Orders<T>(T);
    trait Total {
        fn total(&self, extra: u32) -> u32;
    }
    #[audited(prefix = "orders", effect = "read", level = "metadata")]
    impl<T: Copy + Into<u32>> Orders<T> {
        const TAX: u32 = 2;

        fn new(first: T) -> Self {
            Self(first)
        }

        #[audited(effect = "write", level = "request", redact = [by])]
        async fn raise(&self, by: u32) -> u32 {
            self.0.into() + by + Self::TAX
        }

        #[audited(action = "own.action")]
        fn own(&self) -> u32 {
            self.0.into()
        }

        #[audited(exempt("constant"))]
        const fn tax() -> u32 {
            Self::TAX
        }
    }
    #[audited(prefix = "total")]
    impl<T: Copy + Into<u32>> Total for Orders<T> {
        fn total(&self, extra: u32) -> u32 {
            self.0.into() + extra
        }
    }
    let records = recorded(|| {
        let orders = Orders::new(1_u16);
        assert_eq!(orders.raise(3).now_or_never(), Some(6));
        assert_eq!((orders.own(), Orders::<u16>::tax(), orders.total(4)), (1, 2, 5));
    });
    let started: Vec<(&str, &str, &Value)> = records
        .iter()
        .filter(|record| record["stage"] == "started")
        .map(|record| (record["action"].as_str().unwrap(), record["level"].as_str().unwrap(), &record["request"]))
        .map(|(action, level, request)| (action, level, &request["arguments"]))
        .collect();
    let (none, nothing, extra) = (Value::Null, json!({}), json!({"extra": 4}));
    let expected = [
        ("orders.new", "metadata", &none),
        ("orders.raise", "request", &nothing),
        ("own.action", "metadata", &none),
        ("total.total", "request", &extra),
    ];
    assert_eq!(started, expected);
}

#[test]
fn a_block_of_code_is_a_call() {
    let mut count = 1;
    let records = recorded(|| {
        let order = String::from("ORD-1");
        let length = call!("order.read", effect = "read", fields(order), target(type = "order", id = &order), {
            count += 1;
            order.len()
        });
        let moved = call!("order.drop", { order });
        assert_eq!((length, moved.as_str()), (5, "ORD-1"));
        let failed: Result<(), String> = call!("order.fail", {
            Err("no stock".to_owned())?;
            Ok(())
        });
        assert!(failed.is_err());
    });
    assert_eq!(count, 2);
    assert_eq!(records[0]["annotations"], json!({"order": "ORD-1"}));
    assert_eq!(records[1]["response"]["summary"], 5);
    assert_eq!(records[5]["outcome"]["reason"], "no stock");
}

#[test]
fn a_block_that_must_be_recorded_is_refused_without_running() {
    #[derive(Debug, PartialEq)]
    struct Refused;
    impl From<audited::Unavailable> for Refused {
        fn from(_: audited::Unavailable) -> Self {
            Self
        }
    }
    let memory = testkit::Memory::new();
    memory.refuse(audited::sink::AppendErrorKind::Io);
    let subscriber = tracing_subscriber::layer::SubscriberExt::with(tracing_subscriber::registry(), memory.layer());
    tracing::subscriber::with_default(subscriber, || {
        let mut ran = false;
        let refused: Result<u8, Refused> = call!("disk.wipe", effect = "destructive", {
            ran = true;
            Ok(1)
        });
        assert_eq!((refused, ran), (Err(Refused), false));
        let value = call!("disk.wipe", effect = "destructive", on_unavailable = |_| 7, { 1 });
        assert_eq!(value, 7);
        let refused = call!("disk.wipe", effect = "destructive", async { Ok::<u8, Refused>(1) }).now_or_never();
        assert_eq!(refused, Some(Err(Refused)));
    });
}

#[test]
fn closures_and_async_blocks_are_calls() {
    let tax = 2;
    let records = recorded(|| {
        let mut total = 0;
        let mut add = call!("cart.add", redact = [card], |price: u32, card: &str| {
            total += price + tax;
            card.len()
        });
        assert_eq!((add(1, CARD), add(2, CARD)), (16, 16));
        assert_eq!(total, 7);
        let trim = call!("text.trim", |text: &str| -> usize { text.trim().len() });
        assert_eq!(trim(" a "), 1);
        let name = String::from("n");
        let read = call!("file.read", async move { name.len() });
        assert_eq!(read.now_or_never(), Some(1));
        let double = call!("number.double", async |number: u32| number * tax);
        assert_eq!(double(4).now_or_never(), Some(8));
    });
    let seen: Vec<(&str, &Value)> = records
        .iter()
        .filter(|record| record["stage"] == "started")
        .map(|record| (record["action"].as_str().unwrap(), &record["request"]["arguments"]))
        .collect();
    let (one, two, text, none, four) =
        (json!({"price": 1}), json!({"price": 2}), json!({"text": " a "}), json!({}), json!({"number": 4}));
    let expected =
        [("cart.add", &one), ("cart.add", &two), ("text.trim", &text), ("file.read", &none), ("number.double", &four)];
    assert_eq!(seen, expected);
}
