//! Tools behind a trait: every generation of async methods, and the attribute on each side of `#[async_trait]`.

use std::collections::BTreeMap;
use std::rc::Rc;

use async_trait::async_trait;
use audited::audited;
use serde::Serialize;
use serde_json::{Value, json};
use testkit::recorded;

#[derive(Debug, PartialEq, Eq)]
enum Failure {
    Sold,
}

type Sold = Result<u32, Failure>;

/// Gives up its turn once, so that a call is polled twice.
async fn sell(number: u32) -> Sold {
    tokio::task::yield_now().await;
    if number == 0 { Err(Failure::Sold) } else { Ok(number) }
}

#[async_trait]
trait Tool: Sync {
    async fn call(&self, number: u32) -> Sold;

    #[audited(action = "by.default", redact = [card])]
    async fn by_default(&self, number: u32, card: &str) -> Sold {
        assert_eq!(card, "4242");
        sell(number).await
    }

    #[audited(action = "generic.default")]
    async fn generic_by_default<T>(&self, number: T) -> Sold
    where
        T: Into<u32> + Serialize + Send + 'static,
        Self: Sized,
    {
        sell(number.into()).await
    }
}

struct Shop {
    stock: BTreeMap<u32, &'static str>,
}

#[async_trait]
impl Tool for Shop {
    #[audited(action = "inside.impl", fields(known = self.stock.contains_key(&number)))]
    async fn call(&self, number: u32) -> Sold {
        assert_eq!(self.stock.get(&1), Some(&"one"));
        sell(number).await
    }
}

struct Above;

#[audited(prefix = "above")]
#[async_trait]
impl Tool for Above {
    async fn call(&self, number: u32) -> Sold {
        sell(number).await
    }
}

struct Below;

#[async_trait]
#[audited(prefix = "below")]
impl Tool for Below {
    async fn call(&self, mut number: u32) -> Sold {
        number += 1;
        sell(number - 1).await
    }
}

#[async_trait(?Send)]
trait LocalTool {
    async fn call_here(&self, number: u32) -> Sold;

    #[audited(action = "here.default")]
    async fn here_by_default(&self, number: u32) -> Sold {
        let number = Rc::new(number);
        sell(*number).await
    }
}

#[async_trait(?Send)]
impl LocalTool for Shop {
    #[audited(action = "here.impl")]
    async fn call_here(&self, number: u32) -> Sold {
        let number = Rc::new(number);
        sell(*number).await
    }
}

trait NativeTool {
    fn natively(&self, number: u32) -> impl Future<Output = Sold> + Send;

    #[audited(action = "native.default")]
    fn natively_by_default(&self, number: u32) -> impl Future<Output = Sold> + Send {
        async move { sell(number).await }
    }
}

impl NativeTool for Shop {
    #[audited(action = "native.impl")]
    async fn natively(&self, number: u32) -> Sold {
        sell(number).await
    }
}

/// A tool as it was before there was a macro for it.
trait BoxedTool {
    fn boxed<'t>(&'t self, number: u32) -> std::pin::Pin<Box<dyn Future<Output = Sold> + Send + 't>>;
}

impl BoxedTool for Shop {
    #[audited(action = "boxed.impl")]
    fn boxed<'t>(&'t self, number: u32) -> std::pin::Pin<Box<dyn Future<Output = Sold> + Send + 't>> {
        Box::pin(sell(number))
    }
}

/// Runs the work twice, with a number that is sold and one that is not, and looks at what each call left.
fn check<F: Future<Output = Sold>>(action: &str, work: impl Fn(u32) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (number, expected) in [(7, Ok(7)), (0, Err(Failure::Sold))] {
        let records = recorded(|| assert_eq!(runtime.block_on(work(number)), expected));
        let [started, completed] = records.as_slice() else { panic!("{action}: {records:?}") };
        assert_eq!((&started["action"], &started["stage"]), (&json!(action), &json!("started")));
        assert_eq!(started["request"]["arguments"]["number"], number, "{started}");
        let failed = expected.is_err();
        assert_eq!(completed["outcome"]["status"], if failed { "failure" } else { "success" }, "{completed}");
        assert_eq!(
            completed["outcome"]["error_type"],
            if failed { json!("Failure::Sold") } else { Value::Null },
            "{completed}"
        );
    }
}

fn shop() -> Shop {
    Shop { stock: BTreeMap::from([(1, "one")]) }
}

#[test]
fn methods_under_async_trait_are_recorded_wherever_the_attribute_stands() {
    check("inside.impl", |number| async move { shop().call(number).await });
    check("above.call", |number| async move { Above.call(number).await });
    check("below.call", |number| async move { Below.call(number).await });
    check("inside.impl", |number| async move {
        let tool: Box<dyn Dynamic> = Box::new(shop());
        tool.dynamic(number).await
    });
}

/// A tool behind `dyn`, as registries keep it.
#[async_trait]
trait Dynamic: Sync {
    async fn dynamic(&self, number: u32) -> Sold;
}

#[async_trait]
impl<T: Tool + Sync> Dynamic for T {
    async fn dynamic(&self, number: u32) -> Sold {
        self.call(number).await
    }
}

#[test]
fn default_and_generic_methods_are_recorded() {
    check("by.default", |number| async move { Above.by_default(number, "4242").await });
    let records = recorded(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(Below.by_default(0, "4242")), Err(Failure::Sold));
    });
    assert_eq!(records[0]["request"]["arguments"], json!({"number": 0}));
    check("generic.default", |number| async move { Above.generic_by_default(number).await });
}

#[test]
fn futures_that_stay_on_their_thread_are_recorded() {
    check("here.impl", |number| async move { shop().call_here(number).await });
    check("here.default", |number| async move { shop().here_by_default(number).await });
}

#[test]
fn native_and_boxed_methods_are_recorded() {
    check("native.impl", |number| async move { shop().natively(number).await });
    check("native.default", |number| async move { shop().natively_by_default(number).await });
    check("boxed.impl", |number| async move { shop().boxed(number).await });
}

#[test]
fn futures_of_tools_are_still_send() {
    fn send<F: Future + Send>(future: F) -> F {
        future
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let records = recorded(|| {
        let shop = shop();
        assert_eq!(runtime.block_on(send(shop.call(1))), Ok(1));
        assert_eq!(runtime.block_on(send(shop.natively(2))), Ok(2));
        assert_eq!(runtime.block_on(send(shop.boxed(3))), Ok(3));
    });
    let recorded: Vec<&Value> = records.iter().filter(|record| record["stage"] == "started").collect();
    assert_eq!(recorded.len(), 3);
}
