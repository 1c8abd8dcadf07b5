//! Names of the user's own, in every place where the expansion has names, too: neither takes the other's for its own.

#![allow(non_camel_case_types, non_upper_case_globals, dead_code, reason = "the names are the point")]

use audited::audited;
use serde_json::{Value, json};
use testkit::recorded;

use crate::fixtures::{Fixture, said};

/// Looks at the records of one call: its action, its arguments and what is recorded of its result.
fn check(records: &[Value], action: &str, arguments: &Value, result: &Value) {
    let [started, completed] = records else { panic!("{records:?}") };
    assert_eq!((&started["action"], &started["stage"]), (&json!(action), &json!("started")));
    assert_eq!(started["request"]["arguments"], *arguments);
    assert_eq!((&completed["outcome"]["status"], &completed["response"]["summary"]), (&json!("success"), result));
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Modules, types, variants, traits and macros called like those of the standard library and of the crates that the
/// expansion uses. What the functions themselves need is named by its path.
mod shadowed {
    pub mod core {}
    pub mod std {}
    pub mod alloc {}
    pub mod audited {}
    pub mod audit_core {}
    pub mod tracing {}
    pub mod linkme {}
    pub mod serde {}
    pub mod futures_core {}

    pub struct Result;
    pub struct Option;
    pub struct Box;
    pub struct String;
    pub struct Vec;
    pub struct Pin;
    pub struct Site;
    pub struct Call;
    pub struct bool;
    pub struct str;
    pub struct u8;
    pub struct u32;
    pub struct usize;
    pub struct Some;
    pub struct None;
    pub struct Ok;
    pub struct Err;

    pub trait Future {}
    pub trait Send {}
    pub trait Sized {}
    pub trait Drop {}
    pub trait Fn {}
    pub trait FnOnce {}
    pub trait From {}
    pub trait Into {}
    pub trait Clone {}
    pub trait Default {}
    pub trait Iterator {}

    macro_rules! shadow {
        ($d:tt $($name:ident)*) => {
            $(
                #[allow(unused_macros, reason = "the expansion must not use it")]
                macro_rules! $name {
                    ($d($d any:tt)*) => { compile_error!("the user's own macro") };
                }
            )*
        };
    }
    shadow!($ vec format concat stringify line file column module_path matches assert panic write unreachable
        argument field skipped target settle settling finish census kind);

    type Text = ::std::string::String;
    type Outcome = ::core::result::Result<Text, Text>;
    type Boxed = ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = Outcome>>>;

    #[::audited::audited(action = "shadow.sync", redact = [card], target(type = "order", id = order))]
    pub fn sync(order: i64, card: &'static ::core::primitive::str) -> Outcome {
        Outcome::Ok(::std::string::ToString::to_string(&(order + ::core::convert::identity(0))) + &card[..0])
    }

    #[::audited::audited(action = "shadow.destructive", effect = "destructive", fields(paid = order), on_unavailable = "panic")]
    pub fn destructive(order: i64) -> ::core::option::Option<i64> {
        ::core::option::Option::Some(order)
    }

    #[::audited::audited(action = "shadow.async", outcome = |_| ::audited::Conclusion::success())]
    pub async fn asynchronous(order: i64) -> Outcome {
        ::core::future::ready(Outcome::Ok(Text::from("done"))).await
    }

    #[::audited::audited(action = "shadow.boxed", summary = [])]
    pub fn boxed(order: i64) -> Boxed {
        ::std::boxed::Box::pin(::core::future::ready(Outcome::Ok(Text::from("done"))))
    }

    #[::audited::audited(action = "shadow.opaque")]
    pub fn opaque(order: i64) -> impl ::core::future::Future<Output = Outcome> {
        ::core::future::ready(Outcome::Ok(Text::from("done")))
    }

    #[::audited::audited(action = "shadow.nothing")]
    pub fn nothing() {}

    #[::audited::audited(prefix = "shadow.site")]
    impl Site {
        pub fn method(&self, order: i64) -> i64 {
            order
        }
    }

    pub fn block(order: i64) -> i64 {
        ::audited::call!("shadow.block", fields(order), { order })
    }
}

#[test]
fn modules_types_traits_and_macros_of_the_user_are_not_the_expansions() {
    let order = json!({"order": 7});
    check(&recorded(|| assert!(shadowed::sync(7, "4242").is_ok())), "shadow.sync", &order, &json!("7"));
    check(&recorded(|| assert!(shadowed::destructive(7).is_some())), "shadow.destructive", &order, &json!(7));
    check(&recorded(|| assert!(block_on(shadowed::asynchronous(7)).is_ok())), "shadow.async", &order, &json!("done"));
    check(&recorded(|| assert!(block_on(shadowed::opaque(7)).is_ok())), "shadow.opaque", &order, &json!("done"));
    check(&recorded(shadowed::nothing), "shadow.nothing", &json!({}), &Value::Null);
    check(&recorded(|| assert_eq!(shadowed::Site.method(7), 7)), "shadow.site.method", &order, &json!(7));
    check(&recorded(|| assert_eq!(shadowed::block(7), 7)), "shadow.block", &json!({}), &json!(7));
    let records = recorded(|| assert!(block_on(shadowed::boxed(7)).is_ok()));
    assert_eq!((records.len(), &records[1]["outcome"]["status"]), (2, &json!("success")));
}

/// The names of the expansion's own variables, as parameters, and used by the body.
mod variables {
    use super::*;

    #[audited(action = "variables.sync")]
    pub fn sync(site: u8, call: u8, begun: u8, arguments: u8, returned: u8) -> u8 {
        site + call + begun + arguments + returned
    }

    #[audited(action = "variables.late")]
    pub fn late(kind: u8, late: u8, unavailable: u8, ending: u8) -> u8 {
        kind + late + unavailable + ending
    }

    #[audited(action = "variables.async")]
    pub async fn asynchronous(mut site: u8, call: u8, begun: u8, arguments: u8, returned: u8) -> Result<u8, u8> {
        site += std::future::ready(call).await;
        Ok(site + begun + arguments + returned)
    }

    #[audited(action = "variables.boxed", effect = "destructive", on_unavailable = |u| Err(u.to_string()))]
    pub fn boxed(
        site: u8,
        call: u8,
        returned: u8,
        unavailable: u8,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<u8, String>> + Send>> {
        Box::pin(async move { Ok(site + call + returned + unavailable) })
    }

    #[audited(action = "variables.fields", fields(call = begun, arguments = returned), target(type = "kind", id = kind))]
    pub fn fields(site: u8, begun: u8, returned: u8, kind: &str) -> usize {
        usize::from(site + begun + returned) + kind.len()
    }
}

#[test]
fn variables_of_the_function_are_not_the_expansions() {
    let arguments = json!({"site": 1, "call": 2, "begun": 3, "arguments": 4, "returned": 5});
    check(&recorded(|| assert_eq!(variables::sync(1, 2, 3, 4, 5), 15)), "variables.sync", &arguments, &json!(15));
    let records = recorded(|| assert_eq!(block_on(variables::asynchronous(1, 2, 3, 4, 5)), Ok(15)));
    check(&records, "variables.async", &arguments, &json!(15));
    let arguments = json!({"kind": 1, "late": 2, "unavailable": 3, "ending": 4});
    check(&recorded(|| assert_eq!(variables::late(1, 2, 3, 4), 10)), "variables.late", &arguments, &json!(10));
    let records = recorded(|| assert_eq!(block_on(variables::boxed(1, 2, 3, 4)), Ok(10)));
    check(&records, "variables.boxed", &json!({"site": 1, "call": 2, "returned": 3, "unavailable": 4}), &json!(10));
    let records = recorded(|| assert_eq!(variables::fields(1, 2, 3, "four"), 10));
    assert_eq!(records[0]["annotations"], json!({"call": 2, "arguments": 3}));
    assert_eq!(records[0]["target"], json!([{"type": "kind", "id": "four"}]));
}

/// The same names as items: functions, constants, statics and unit structs, whose names a `let` cannot take.
mod items {
    use super::*;

    pub const SITE: u8 = 1;
    pub static EXEMPTION: u8 = 2;
    pub const RETURNED: u8 = 3;

    pub fn begin() -> u8 {
        4
    }

    pub fn finish(number: u8) -> u8 {
        number
    }

    pub fn call() -> u8 {
        5
    }

    pub fn site() -> u8 {
        6
    }

    pub fn returned() -> u8 {
        7
    }

    #[audited(action = "items.sync", fields(site = site()))]
    pub fn sync() -> u8 {
        finish(SITE + EXEMPTION + RETURNED + begin() + call() + site() + returned())
    }

    #[audited(action = "items.async")]
    pub async fn asynchronous() -> Result<u8, u8> {
        std::future::ready(Ok(finish(SITE + EXEMPTION + RETURNED + begin() + call() + site() + returned()))).await
    }

    #[audited(action = "items.generic")]
    pub fn run<P: Copy + serde::Serialize>(begin: P) -> P {
        begin
    }

    #[audited(exempt("a reason"))]
    pub fn exempt() -> u8 {
        SITE + EXEMPTION
    }
}

/// The names of the expansion's variables where a `let` of that name would be a pattern.
mod patterns {
    use super::*;

    pub static returned: u8 = 2;
    pub struct begun;
    pub const site: u8 = 3;
    pub static arguments: u8 = 4;
    pub const late: u8 = 5;
    pub const unavailable: u8 = 6;
    pub const call: u8 = 7;
    pub struct kind;
    pub struct ending;
    pub const receipt: u8 = 8;

    #[audited(action = "patterns.sync")]
    pub fn sync() -> u8 {
        returned + site + arguments
    }

    #[audited(action = "patterns.async", effect = "destructive")]
    pub async fn asynchronous(order: u8) -> Result<u8, audited::Unavailable> {
        std::future::ready(Ok(order + returned + site + arguments)).await
    }

    #[audited(action = "patterns.boxed")]
    pub fn boxed(order: u8) -> std::pin::Pin<Box<dyn Future<Output = u8>>> {
        Box::pin(std::future::ready(order + returned + site + arguments))
    }

    #[audited(action = "patterns.opaque")]
    pub fn opaque(order: u8) -> impl Future<Output = u8> {
        std::future::ready(order + returned + site + arguments)
    }
}

#[test]
fn items_of_the_module_are_not_the_expansions() {
    check(&recorded(|| assert_eq!(items::sync(), 28)), "items.sync", &json!({}), &json!(28));
    check(&recorded(|| assert_eq!(block_on(items::asynchronous()), Ok(28))), "items.async", &json!({}), &json!(28));
    check(&recorded(|| assert_eq!(items::run(3), 3)), "items.generic", &json!({"begin": 3}), &json!(3));
    assert_eq!(recorded(|| assert_eq!(items::exempt(), 3)), Vec::<Value>::new());
    let order = json!({"order": 7});
    check(&recorded(|| assert_eq!(patterns::sync(), 9)), "patterns.sync", &json!({}), &json!(9));
    let records = recorded(|| assert_eq!(block_on(patterns::asynchronous(7)).ok(), Some(16)));
    check(&records, "patterns.async", &order, &json!(16));
    check(&recorded(|| assert_eq!(block_on(patterns::boxed(7)), 16)), "patterns.boxed", &order, &json!(16));
    check(&recorded(|| assert_eq!(block_on(patterns::opaque(7)), 16)), "patterns.opaque", &order, &json!(16));
}

/// Generic parameters and lifetimes called like those of the expansion and of the protocol behind it.
mod parameters {
    use super::*;

    #[audited(action = "parameters.sync", skip(f))]
    pub fn sync<
        'a,
        'c,
        T: serde::Serialize,
        R: Clone + serde::Serialize,
        E: serde::Serialize,
        F: Fn(&'a T) -> R,
        const C: usize,
    >(
        t: &'a T,
        e: &'c [E],
        f: F,
    ) -> Result<R, &'c E> {
        e.get(C).map_or_else(|| Ok(f(t)), Err)
    }

    #[audited(action = "parameters.async")]
    pub async fn asynchronous<'c, C, P, S>(c: &'c C, p: P, _s: S) -> Option<(&'c C, P)>
    where
        C: serde::Serialize + Sync,
        P: serde::Serialize + Send,
        S: Send,
    {
        'call: {
            std::future::ready(()).await;
            break 'call Some((c, p));
        }
    }

    pub struct Holder<'a, T>(pub &'a T);

    impl<'a, T: serde::Serialize> Holder<'a, T> {
        #[audited(action = "parameters.boxed")]
        pub fn boxed<'c, R: serde::Serialize + Clone>(
            &'c self,
            r: &'c R,
        ) -> std::pin::Pin<Box<dyn Future<Output = R> + 'c>> {
            Box::pin(async move { r.clone() })
        }
    }
}

#[test]
fn generic_parameters_and_lifetimes_are_not_the_expansions() {
    let records = recorded(|| assert_eq!(parameters::sync::<_, _, _, _, 1>(&3, &[0_u8], |number| number + 1), Ok(4)));
    check(&records, "parameters.sync", &json!({"t": 3, "e": [0]}), &json!(4));
    let records = recorded(|| assert_eq!(block_on(parameters::asynchronous(&1, 2, ())), Some((&1, 2))));
    assert_eq!((records.len(), &records[0]["request"]["arguments"]["p"]), (2, &json!(2)));
    let records = recorded(|| assert_eq!(block_on(parameters::Holder(&1).boxed(&5)), 5));
    check(&records, "parameters.boxed", &json!({"r": 5}), &json!(5));
}

/// Functions that a macro writes: the name, the parameters, the body, and the attribute's arguments are its own.
mod generated {
    use super::*;

    macro_rules! tool {
        ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty $body:block, $action:expr, $secret:ident) => {
            $(#[$meta])*
            #[audited(action = $action, redact = [$secret], fields(first = first_of(&[$($arg.to_string()),*])))]
            $vis fn $name($($arg: $type),*) -> $output $body
        };
    }

    fn first_of(values: &[String]) -> String {
        values.first().cloned().unwrap_or_default()
    }

    tool! {
        /// Adds.
        #[must_use]
        pub fn add(a: u8, b: u8, card: &str) -> usize { usize::from(a + b) + card.len() }, "generated.add", card
    }

    macro_rules! tools {
        ($($name:ident => $action:literal, $effect:literal, |$arg:ident| $body:expr;)*) => {
            $(
                #[audited(action = $action, effect = $effect, on_unavailable = "count")]
                pub async fn $name($arg: u8) -> Result<u8, String> {
                    let call = $body;
                    std::future::ready(Ok(call)).await
                }
            )*
        };
    }

    tools! {
        double => "generated.double", "read", |call| call * 2;
        square => "generated.square", "destructive", |site| site * site;
    }

    pub const ACTION: &str = "generated.constant";

    macro_rules! with_path {
        ($action:path, $parameters:tt, $outer:ident, $body:expr) => {
            #[audited(action = $action)]
            pub fn $outer $parameters -> u8 {
                let local = 1;
                $body + local
            }
        };
    }

    with_path!(ACTION, (number: u8), constant, number);

    macro_rules! nested {
        ($name:ident, $body:expr) => {
            pub fn $name(local: u8) -> u8 {
                let call = 1;
                call + audited::call!("generated.nested", fields(local), { $body(local) })
            }
        };
    }

    nested!(nested, |number: u8| number + 1);

    macro_rules! methods {
        ($type:ident, $prefix:literal, $($name:ident)*) => {
            pub struct $type;

            #[audited(prefix = $prefix)]
            impl $type {
                $(pub fn $name(&self, $name: u8) -> u8 { $name })*
            }
        };
    }

    methods!(Orders, "generated.orders", open close);
}

#[test]
fn functions_that_a_macro_writes_are_recorded() {
    let records = recorded(|| assert_eq!(generated::add(1, 2, "4242"), 7));
    check(&records, "generated.add", &json!({"a": 1, "b": 2}), &json!(7));
    assert_eq!(records[0]["annotations"], json!({"first": "1"}));
    check(
        &recorded(|| assert_eq!(block_on(generated::double(4)), Ok(8))),
        "generated.double",
        &json!({"call": 4}),
        &json!(8),
    );
    check(
        &recorded(|| assert_eq!(block_on(generated::square(4)), Ok(16))),
        "generated.square",
        &json!({"site": 4}),
        &json!(16),
    );
    check(&recorded(|| assert_eq!(generated::constant(4), 5)), "generated.constant", &json!({"number": 4}), &json!(5));
    check(&recorded(|| assert_eq!(generated::nested(4), 6)), "generated.nested", &json!({}), &json!(5));
    check(
        &recorded(|| assert_eq!(generated::Orders.open(4), 4)),
        "generated.orders.open",
        &json!({"open": 4}),
        &json!(4),
    );
    check(
        &recorded(|| assert_eq!(generated::Orders.close(4), 4)),
        "generated.orders.close",
        &json!({"close": 4}),
        &json!(4),
    );
}

/// `audited` behind another path: a crate that passes it on, a macro that names it by `$crate`.
mod elsewhere {
    pub mod passed_on {
        pub use audited as journal;
    }

    #[audited::audited(crate = crate::hygiene::elsewhere::passed_on::journal, action = "elsewhere.path")]
    pub fn by_path(number: u8) -> u8 {
        number
    }

    #[audited::audited(crate = crate::hygiene::elsewhere::passed_on::journal, prefix = "elsewhere.block")]
    impl Elsewhere {
        pub async fn method(&self, number: u8) -> u8 {
            number
        }
    }

    pub struct Elsewhere;

    macro_rules! named_by_dollar_crate {
        ($name:ident, $action:literal) => {
            #[audited::audited(crate = $crate::hygiene::elsewhere::passed_on::journal, action = $action)]
            pub fn $name(number: u8) -> u8 {
                number
            }
        };
    }

    named_by_dollar_crate!(by_macro, "elsewhere.macro");
}

#[test]
fn the_crate_can_be_named_by_another_path() {
    let number = json!({"number": 4});
    check(&recorded(|| assert_eq!(elsewhere::by_path(4), 4)), "elsewhere.path", &number, &json!(4));
    check(&recorded(|| assert_eq!(elsewhere::by_macro(4), 4)), "elsewhere.macro", &number, &json!(4));
    let records = recorded(|| assert_eq!(block_on(elsewhere::Elsewhere.method(4)), 4));
    check(&records, "elsewhere.block.method", &number, &json!(4));
}

#[test]
fn a_program_that_renames_the_crate_needs_no_other_name_for_it() {
    let output = Fixture::copy("renamed").with_versions_of_the_workspace().cargo(["run", "--quiet", "--offline"]);
    assert!(output.status.success(), "{}", said(&output));
    let actions = ["async", "block", "boxed", "opaque", "orders.open", "sync"].map(|name| format!("renamed.{name}\n"));
    let expected = actions.concat() + "count is exempt\nexempt is exempt\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
