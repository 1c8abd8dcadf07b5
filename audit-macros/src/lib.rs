//! The attribute [`#[audited]`](macro@audited), which records the calls of a function in a tamper-evident log.
//!
//! Use it through the crate `audited`, which re-exports it: what the attribute expands to names that crate.

use proc_macro2::TokenStream;
use quote::quote;

use crate::args::Place;
use crate::errors::Errors;
use crate::valid::Around;

mod args;
mod block;
mod closure;
mod derive;
mod errors;
mod expand;
mod implementation;
mod mcp;
mod model;
mod path;
mod removal;
mod returned;
mod tokens;
mod valid;
mod words;

/// Records every call of a function or method, sync or async, or of every method of an `impl` block.
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
/// Put it first, above other attributes: some of them drop what stands below them. For blocks and closures there is
/// [`call!`](macro@call).
///
/// # Arguments
///
/// | argument | value | default |
/// |---|---|---|
/// | `action` | what is done, in the words of the business: `"order.refund"`, at most 128 bytes, no white space; or the path of a constant: `actions::REFUND` | required |
/// | `name` | the name of the tool, or the path of a constant | the function's name |
/// | `effect` | `"read"`, `"write"` or `"destructive"` | `"write"` |
/// | `level` | `"metadata"`, `"request"` or `"request_response"`: how much is recorded | `"request"` |
/// | `stages` | `"started_completed"`, or `"completed"` for one record per call; not for a destructive action | `"started_completed"` |
/// | `telemetry` | `"names"`, `"redacted_arguments"` or `"arguments"`: what the span shows of arguments and result: nothing, what the record holds of them with each text masked, or all that the record holds, which is never what was removed | `"names"` |
/// | `durability` | `"os"` or `"disk"`: what a record survives before the call goes on | the log's own |
/// | `append_timeout_ms` | how long each record of a call may wait for room in the log, and for the disk where that is demanded, before `on_unavailable` decides: a whole number of milliseconds, at most a day; `0` does not wait, and is refused where the disk is demanded | the log's own |
/// | `on_unavailable` | `"deny"`, `"count"`, `"panic"` or a closure: see below | `"deny"` if destructive, else `"count"` |
/// | `redact` | a list of paths, and how what they address is removed: see below | nothing |
/// | `skip(a, b)` | parameters that are not captured; also written `skip = [a, b]` | none |
/// | `only(a, b)` | the only parameters that are captured; not beside `skip` | all |
/// | `fields(tenant = self.tenant, region)` | what is recorded beside the parameters; `region` alone means the value of `region`; names are identifiers, dotted or in quotes | none |
/// | `target(type = "order", id = order.id)` | what the call acts on; at most 16 times | none |
/// | `outcome` | a closure that says from a reference to what was returned how the call ended: as a `bool`, a `Status` or a `Conclusion` | the type says it: an `Err` is a failure |
/// | `summary` | members of the result (what is inside of `Ok` or `Some`) that are recorded of it: `[id, lines[].sku]`, paths as in `redact` | the result if it is short, else its shape |
/// | `result` | a closure from a reference to the result (what is inside of `Ok` or `Some`) to the value that is recorded in its place; not beside `summary` | the result |
/// | `boxed` | alone, or `boxed = "local"` for a future that is not `Send`: puts the body of an `async fn` on the heap, which keeps futures small where audited functions call each other deeply | on the stack |
/// | `exempt("reason")` | says that the calls are not recorded, and why; stands alone | |
/// | `prefix` | on an `impl` block: see below | |
/// | `crate` | the path of the crate `audited` | `::audited` |
///
/// The closures of `outcome` and `result` see no parameter: they run after the body has taken them.
///
/// # Parameters
///
/// Parameters are the variables that the patterns bind: of `Parameters(Request { order, reason: why })` they are `order`
/// and `why`. `self` is not captured. What is said of one parameter can stand on it:
///
/// ```text
/// fn pay(#[audit(as = "order_id")] id: u64, #[audit(redact)] card: Card, #[audit(skip)] client: &Client) { … }
/// ```
///
/// `as` is the name in the record; `redact` and `skip` on a pattern mean all of its variables. Arguments of the attribute
/// name a parameter by its variable.
///
/// A parameter that holds a lock (`Mutex`, `RwLock`) is locked to be captured, as its `Serialize` does: skip it where the
/// caller may hold that lock.
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
/// A path alone leaves the value out. How else it is removed, a method says:
///
/// ```text
/// redact = [mask(card, last_four), token(customer.email), seal(customer.name, subject = customer.id), seal(note)]
/// ```
///
/// | method | in the value's place |
/// |---|---|
/// | `drop(card)`, or `card` | nothing |
/// | `mask(card)`, `mask(card, last_four)` | `"****"`, or `"****4242"` if the value has at least twelve characters |
/// | `token(email)` | a digest under a key of the log: the same for equal values |
/// | `seal(name, subject = customer.id)` | a salted digest; the value itself is kept under the key of its subject, and is gone with that key. The subject is a parameter, or in one, or for a part of the result in `return`; without one it is the user on whose behalf the agent acts |
///
/// Where the log has no keys for a token or a seal, or there is no subject, the value is left out. On a parameter the
/// methods are written `#[audit(redact)]`, `#[audit(mask(last_four))]`, `#[audit(token)]` and `#[audit(seal(subject = id))]`.
/// What a type itself says of its members, by [`Capture`](macro@Capture), holds beside `redact`, which is the stronger of
/// the two.
///
/// What is removed stays out of the error texts of the call, and of those around it that its error passes through. A
/// skipped parameter does so only if its name is that of a secret, such as `password`.
///
/// # A call that cannot be recorded
///
/// `"deny"` returns the function's error without running the body: the return type is a `Result` whose error implements
/// `From<audited::Unavailable>`. A closure serves other types, such as errors of another crate: it takes the `Unavailable`
/// and returns what the function returns, or, where that is a future, what the future resolves to. `"count"` runs the body
/// and counts the gap, `"panic"` panics. A log that is only slow or full is waited for first, as long as `append_timeout_ms`
/// allows, or else the log's own limit; a closing record that does not get into the log is counted, whatever the policy.
///
/// ```text
/// #[audited(action = "order.refund", effect = "destructive", on_unavailable = |u| Err(ErrorData::internal_error(u.to_string(), None)))]
/// ```
///
/// # Futures and streams
///
/// The call of an `async fn` goes on until its future ends. So does that of a function that returns `impl Future`,
/// `Pin<Box<impl Future>>`, or, whatever the type is called, `Pin<Box<dyn Future>>` and `Box<dyn Future + Unpin>`: what
/// comes back is the same type with the record inside. A call that returns a stream, opaque or boxed, bare or in a
/// `Result`, ends with the stream, and its record counts the items. Functions under `#[async_trait]` are among these,
/// above it and below.
///
/// The call of an `async fn`, also of one that `#[async_trait]` has rewritten, begins at the first poll; that of any other
/// function when it is called, in the context that is at work there.
///
/// # Blocks
///
/// ```text
/// #[audited(prefix = "orders", effect = "read")]
/// impl Orders {
///     pub fn find(&self, id: u64) -> Option<Order> { … }                        // orders.find
///     #[audited(effect = "destructive", redact = [card])]
///     pub async fn refund(&self, card: Card) -> Result<(), RefundError> { … }   // orders.refund
///     #[audited(exempt("it only formats"))]
///     fn label(&self) -> String { … }
/// }
/// ```
///
/// Every method and associated function with a body is audited; its action is the prefix, a dot and its name, unless its own
/// `#[audited(action = "…")]` says otherwise. For all of them the block may state `effect`, `level`, `telemetry`, `stages`,
/// `durability`, `append_timeout_ms`, `on_unavailable`, `boxed` (which means its async methods) and `crate`; a method's own
/// arguments win. Other items stay as they are. Trait implementations and generic ones are written alike.
///
/// # With other macros
///
/// Above rmcp's `#[tool(…)]` the attribute takes from it what it does not state itself: `name`, and `effect` from
/// `read_only_hint` and `destructive_hint`, if they are written. A tool that is destructive by its hint needs an error that
/// a refusal can be turned into, or an `on_unavailable`, like one that is by its `effect`. Below `#[tool]` there is nothing
/// left to read. On the `impl` itself, `#[audited(prefix = …)]` stands above `#[tool_router]`.
///
/// # Not supported
///
/// `const fn`; a function without a body, as in a trait or an `extern` block. `action` and `name` are no constant of `Self`
/// or of a generic parameter. In a function that returns `impl Trait`, a closure that is the result states the types of its
/// parameters. An `impl Future` or `impl Stream` passes on its auto traits, but no other trait, such as `FusedFuture`, and
/// the future of a named type, such as `Ready<T>`, ends its call when it is returned; the record says so. Of a future or
/// stream in another type than those above the same holds. In the body of a `#[track_caller]` function
/// `Location::caller()` does not name the function's caller. A parameter that the body leaves unused is not reported: the
/// record uses it. An attribute that drops those below it, as swiftide's
/// `#[tool]` does, drops this one too, unseen: it stands above them, and the census (`audited::sites`) tells what is missing.
#[proc_macro_attribute]
pub fn audited(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let mut errors = Errors::default();
    let item = attribute(arguments.into(), item.into(), &mut errors);
    reported(&errors, item).into()
}

/// Records a block, an async block or a closure, where there is no function to put [`#[audited]`](macro@audited) on.
///
/// The action comes first, the body last; between them stand arguments of the attribute.
///
/// ```text
/// let receipt = audited::call!("order.refund", effect = "destructive", fields(order), { bank.refund(order) })?;
/// let receipt = audited::call!("order.refund", target(type = "order", id = order), async { bank.refund(order).await }).await?;
/// let refund = audited::call!(actions::REFUND, redact = [card], |order: u64, card: Card| -> Result<Receipt, Error> {
///     bank.refund(order, card)
/// });
/// ```
///
/// A block is one call, here and now. An async block is one call, which begins when it is first polled. A closure, also an
/// `async` one, is the same closure, each call of which is recorded with its parameters as arguments; these are named by
/// `redact`, `skip` and `only`, and may carry `#[audit(…)]`.
///
/// The arguments are `action` (first, with or without its name), `name` (by default the action), `effect`, `level`, `telemetry`,
/// `stages`, `durability`, `append_timeout_ms`, `on_unavailable`, `redact`, `skip`, `only`, `fields`, `target`, `outcome`,
/// `summary`, `result` and `crate`, each as in the attribute. Of the variables that a block uses nothing is captured: record
/// them by `fields`.
///
/// # What is different inside
///
/// The block is the body of a closure: `?` and `return` leave the block, not the function around it, and `break` cannot leave
/// it. A block has the type that its surroundings expect; where they leave it open, as for an async block with a `?` in it,
/// its last expression states it: `Ok::<_, Error>(())`. A closure whose call is refused returns what its own return type allows, so with `"deny"` it should state that type.
///
/// # Not supported
///
/// `boxed`, `prefix` and `exempt`. The future of an `async` closure borrows the parameters, so that it is `Send` only if they
/// are `Sync`.
#[proc_macro]
pub fn call(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let mut errors = Errors::default();
    let body = block::expand(input.into(), &mut errors);
    if errors.is_empty() { body.into() } else { in_place(&errors).into() }
}

/// Says of a type which of its members are removed from records, and how, wherever a value of it is recorded.
///
/// ```text
/// #[derive(Serialize, Capture)]
/// struct Customer {
///     id: u64,
///     #[audit(seal(subject = id))]
///     name: String,
///     #[audit(token)]
///     email: String,
///     #[audit(mask(last_four))]
///     card: String,
///     #[audit(redact)]
///     ssn: String,
///     #[audit(skip)]
///     cache: Vec<u8>,
/// }
/// ```
///
/// | mark | what is recorded |
/// |---|---|
/// | `redact` | nothing; the record says what was removed, by the rule `type:Customer.ssn` |
/// | `mask`, `mask(last_four)` | `"****"`, with the last four characters of a long value where asked |
/// | `token` | a keyed digest, the same for equal values |
/// | `seal`, `seal(subject = id)` | a salted digest; the value itself is kept under the key of its subject: the member beside it, or the user on whose behalf the agent acts |
/// | `skip` | nothing, and the record says nothing of it |
///
/// Marks stand on the members of structs and of the variants of enums, on variants, and on the type itself, which then is
/// removed as a whole. Of a marked variant its name is still seen, unless it has no members: where the choice itself is the
/// secret, mark the type. `#[audit(crate = path)]` on the type names the crate `audited`.
///
/// The rules hold at any depth: in lists and maps, in types that know nothing of them, in results and in errors. A text in
/// which `Debug` shows the type is cut there: an error's, a panic's, or that of a parameter that is only `Debug`. The
/// type has to be `Serialize`: a value is known by the name that serde gives its type, and by the names of its members,
/// `rename` and `rename_all` included. **Two types of one name are not told apart**: what is marked in either is removed
/// from both. Where serde does not tell the name (`into`, `remote`, `transparent`, `flatten`, unnamed members of tagged
/// enums) a mark is an error. A hand-written `Serialize` has to use the type's own name.
#[proc_macro_derive(Capture, attributes(audit))]
pub fn capture(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let mut errors = Errors::default();
    let expansion = derive::expand(input.into(), &mut errors);
    if errors.is_empty() { expansion.into() } else { errors.to_compile_errors().into() }
}

/// Expands the attribute; with a mistake in it the item stays as it was, so that one mistake is one error.
fn attribute(arguments: TokenStream, item: TokenStream, errors: &mut Errors) -> TokenStream {
    let item = tokens::ungrouped(item);
    if implementation::is_one(&item) {
        return implementation::expand(arguments, item, errors);
    }
    let expanded = function(arguments, item.clone(), errors);
    expanded.filter(|_| errors.is_empty()).unwrap_or_else(|| tokens::without_marks(item))
}

fn function(arguments: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<TokenStream> {
    // Of what is no function the arguments do not matter.
    let mut function = model::parse(item, errors).map_err(|error| errors.push(error)).ok()?;
    let args = args::parse(arguments, Place::Function, errors);
    if args.is_given("exempt") {
        let exempt = valid::exempt(args, &function, None, errors)?;
        return Some(expand::expand_exempt(&function, &exempt));
    }
    let audited = valid::function(args, &mut function, Around::default(), Place::Function, errors);
    errors.is_empty().then(|| expand::expand(&function, &audited))
}

/// Puts the mistakes before the item.
fn reported(errors: &Errors, item: TokenStream) -> TokenStream {
    let mistakes = errors.to_compile_errors();
    quote!(#mistakes #item)
}

/// Puts the mistakes in the place of an expression.
fn in_place(errors: &Errors) -> TokenStream {
    let mistakes = errors.to_compile_errors();
    quote!({ #mistakes })
}

#[cfg(test)]
mod tests;
