//! The attribute [`#[audited]`](macro@audited), which records the calls of a function in a tamper-evident log.
//!
//! Use it through the crate `audited`, which re-exports it: what the attribute expands to names that crate.

use proc_macro2::TokenStream;
use quote::quote;

use crate::errors::Errors;

mod args;
mod errors;
mod expand;
mod model;
mod path;
mod valid;
mod words;

/// Records every call of a function or method, sync or async.
///
/// A record of the intent is appended before the body runs and a record of the outcome after it, whatever happens:
/// error, panic or cancellation. Arguments are captured before the body moves them and redacted before anything sees
/// them. The returned value is the body's own.
///
/// ```text
/// #[audited(action = "order.refund", effect = "destructive", redact = [card, customer.ssn])]
/// async fn refund(order: OrderId, card: Card, customer: &Customer) -> Result<Receipt, RefundError> { … }
/// ```
///
/// Put it first, above other attributes.
///
/// # Arguments
///
/// | argument | value | default |
/// |---|---|---|
/// | `action` | what is done, in the words of the business: `"order.refund"`; at most 128 bytes, no white space | required |
/// | `name` | the name of the tool | the function's name |
/// | `effect` | `"read"`, `"write"` or `"destructive"` | `"write"` |
/// | `level` | `"metadata"`, `"request"` or `"request_response"`: how much is recorded | `"request"` |
/// | `stages` | `"started_completed"`, or `"completed"` for one record per call; not for a destructive action | `"started_completed"` |
/// | `durability` | `"os"` or `"disk"`: what a record survives before the call goes on | the log's own |
/// | `on_unavailable` | `"deny"`, `"count"`, `"panic"` or a closure: see below | `"deny"` if destructive, else `"count"` |
/// | `redact` | a list of paths: see below | nothing |
/// | `skip(a, b)` | parameters that are not captured; also written `skip = [a, b]` | none |
/// | `target(type = "order", id = order.id)` | what the call acts on; at most 16 times | none |
/// | `crate` | the path of the crate `audited` | `::audited` |
///
/// # Redaction
///
/// A path begins with a parameter, with `return` (the result) or with `error` (the text of an error), and goes on with
/// `.key`, `."any key"`, `.*` (every key) or `[]` (each element of a list or tuple). `?` after a key says that it may be
/// absent; without it, a value that lacks the key is withheld as a whole.
///
/// ```text
/// redact = [card, customer.ssn, items[].token, accounts.*.iban, customer.nickname?, customer."card-number", return.email, error]
/// ```
///
/// Parameters are the variables that the patterns bind: of `Parameters(Request { order, reason: why })` they are `order`
/// and `why`. `self` is not captured.
///
/// What is removed stays out of the error texts of the call, and of those around it that its error passes through. A
/// skipped parameter does so only if its name is that of a secret, such as `password`.
///
/// A parameter that holds a lock (`Mutex`, `RwLock`) is locked to be captured, as its `Serialize` does: skip it where the
/// caller may hold that lock.
///
/// # A call that cannot be recorded
///
/// `"deny"` returns the function's error without running the body: the return type is a `Result` whose error implements
/// `From<audited::Unavailable>`. A closure serves other types: it takes the `Unavailable` and returns what the function
/// returns. `"count"` runs the body and counts the gap, `"panic"` panics.
///
/// # Not supported
///
/// `const fn`; a trait's method without a body; a function that returns a future without being `async`. In a function
/// that returns `impl Trait`, a closure that is the result states the types of its parameters. In the body of a
/// `#[track_caller]` function `Location::caller()` does not name the function's caller.
#[proc_macro_attribute]
pub fn audited(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    attribute(arguments.into(), item.into()).into()
}

/// Expands the attribute, or reports every mistake and leaves the item as it was.
fn attribute(arguments: TokenStream, item: TokenStream) -> TokenStream {
    audit(arguments, item.clone()).unwrap_or_else(|mistakes| {
        let mistakes = mistakes.to_compile_error();
        quote!(#mistakes #item)
    })
}

fn audit(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let args = args::parse(arguments, &mut errors);
    valid::validate_alone(&args, &mut errors);
    let audited = match model::parse(item) {
        Ok(function) => Some(valid::validate(args, function, &mut errors)),
        Err(error) => {
            errors.push(error);
            None
        }
    };
    errors.finish()?;
    Ok(audited.as_ref().map(expand::expand).unwrap_or_default())
}

#[cfg(test)]
mod tests;
