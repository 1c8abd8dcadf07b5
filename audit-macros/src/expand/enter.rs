//! The way into the body: the arguments are captured, and the intent is recorded, or the call refused.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::ExprClosure;

use super::{allow, located_at, private, word};
use crate::args::OnUnavailable;
use crate::model::Parameter;
use crate::valid::Audited;
use crate::words::Unavailable;

/// How a call begins.
pub(super) enum Entry {
    /// It waits for the record, where that must be on the disk, by blocking.
    Call,
    /// It awaits the record.
    Await,
    /// The return type decides.
    Kind,
    /// The returned future awaits the record.
    Future { boxed: bool },
}

/// Begins the call, or leaves by `exit`, which is `return` or a `break`. Errors of the return type point at `place`.
///
/// What an `async` function enters with is for [`drive`] to take.
pub(super) fn enter(audited: &Audited, entry: &Entry, exit: &TokenStream, place: TokenStream) -> TokenStream {
    let (function, begun) = way_in(audited, entry);
    let begin = begin(audited, function, &begun);
    let checked = match entry {
        Entry::Await if !awaits_first(audited) => return begin,
        Entry::Await => quote_spanned!(Span::mixed_site()=> __begun.checked_ready().await),
        Entry::Kind if refuses(audited) => quote_spanned!(Span::mixed_site()=> __kind.checked(__begun)),
        Entry::Kind => {
            let call = word(if panics(audited) { "call_or_panic" } else { "call" });
            return quote_spanned!(Span::mixed_site()=> #begin let mut __call = __kind.#call(__begun););
        }
        Entry::Call | Entry::Future { .. } if refuses(audited) => quote_spanned!(Span::mixed_site()=> __begun),
        Entry::Call | Entry::Future { .. } => return begin,
    };
    let (refusal, allow) = (refusal(audited, entry, place), allow_of_policy(audited));
    let mutable = (!matches!(entry, Entry::Await)).then(|| word("mut"));
    quote_spanned! {Span::mixed_site()=>
        #begin
        #allow
        let #mutable __call = match #checked {
            ::core::result::Result::Ok(__call) => __call,
            ::core::result::Result::Err(__unavailable) => #exit #refusal,
        };
    }
}

/// Returns the function that begins a call, and what it gives.
fn way_in(audited: &Audited, entry: &Entry) -> (&'static str, TokenStream) {
    let begun = quote_spanned!(Span::mixed_site()=> __begun);
    let call = quote_spanned!(Span::mixed_site()=> __call);
    let [waiting, at_once] =
        if panics(audited) { ["call_or_panic", "call_now_or_panic"] } else { ["call", "call_now"] };
    match (entry, refuses(audited)) {
        (Entry::Kind, _) => ("begin", begun),
        (Entry::Call, true) => ("checked", begun),
        (Entry::Call, false) => (waiting, quote_spanned!(Span::mixed_site()=> mut #call)),
        (Entry::Await, true) if audited.refuses_at_once => ("begin", begun),
        (Entry::Await, true) => ("checked_now", call),
        (Entry::Await, false) => (at_once, call),
        (Entry::Future { .. }, true) => ("checked_now", begun),
        (Entry::Future { .. }, false) => (at_once, quote_spanned!(Span::mixed_site()=> mut #call)),
    }
}

/// Drives the body of an `async` function, and lets `end` take what it returns, or returns the refusal.
pub(super) fn drive(audited: &Audited, body: &TokenStream, end: &TokenStream, place: TokenStream) -> TokenStream {
    if !refuses(audited) || awaits_first(audited) {
        return quote_spanned!(Span::mixed_site()=> __call.driven(#body, #end).await);
    }
    let (private, refusal) = (private(audited), refusal(audited, &Entry::Await, place));
    quote_spanned! {Span::mixed_site()=>
        match #private::driven_checked(__call, #body, #end).await {
            ::core::result::Result::Ok(__returned) => __returned,
            ::core::result::Result::Err(__unavailable) => return #refusal,
        }
    }
}

/// Drives the body, and leaves the end of the call to what comes after: gives the call and what the body returned.
pub(super) fn apart(audited: &Audited, body: &TokenStream, place: TokenStream) -> TokenStream {
    let private = private(audited);
    drive(audited, body, &quote_spanned!(Span::mixed_site()=> #private::apart), place)
}

/// Tells whether the function does not run its body where its call cannot be recorded.
const fn refuses(audited: &Audited) -> bool {
    match audited.on_unavailable {
        OnUnavailable::Word(Unavailable::Count | Unavailable::Panic) => false,
        OnUnavailable::Word(Unavailable::Deny) | OnUnavailable::Closure(_) => true,
    }
}

/// Tells whether the function panics where its call cannot be recorded: what it says names the place of its caller.
const fn panics(audited: &Audited) -> bool {
    matches!(audited.on_unavailable, OnUnavailable::Word(Unavailable::Panic))
}

/// Tells whether the record is awaited before the body takes the variables that its refusal uses.
const fn awaits_first(audited: &Audited) -> bool {
    audited.refuses_at_once && refuses(audited)
}

fn allow_of_policy(audited: &Audited) -> Option<TokenStream> {
    allow(audited).filter(|_| matches!(audited.on_unavailable, OnUnavailable::Closure(_)))
}

/// Captures the arguments, before the body moves them.
fn begin(audited: &Audited, function: &str, begun: &TokenStream) -> TokenStream {
    let private = private(audited);
    let arguments = audited.parameters.iter().map(|Parameter { name, conditions, .. }| quote!(#(#conditions)* #name));
    let arguments: TokenStream = arguments.collect();
    let arguments = if arguments.is_empty() {
        quote_spanned!(Span::mixed_site()=> [])
    } else {
        quote_spanned!(Span::mixed_site()=> #private::arguments!(#arguments))
    };
    let places = places(audited);
    let fields = audited.fields.iter().map(|field| {
        let (name, value) = (&field.name, &field.value);
        quote_spanned!(Span::mixed_site()=> #private::field!(__arguments, #name, #value);)
    });
    let targets = audited.targets.iter().map(|target| {
        let (kind, id) = (&target.kind, &target.id);
        quote_spanned!(Span::mixed_site()=> #private::target!(__arguments, #kind, #id);)
    });
    let also: TokenStream = fields.chain(targets).collect();
    let also = if also.is_empty() {
        quote_spanned!(Span::mixed_site()=> ::core::option::Option::None)
    } else {
        quote_spanned!(Span::mixed_site()=> ::core::option::Option::Some(&mut |__arguments| { #also }))
    };
    let underscored = audited.parameters.iter().any(|parameter| parameter.text().starts_with('_'));
    let allow = underscored.then(|| {
        quote!(#[allow(clippy::used_underscore_binding, reason = "the body may leave it unused, the record does not")])
    });
    let function = word(function);
    // A statement of its own: in one expression with an `await`, the borrows of the arguments would live across it.
    quote_spanned! {Span::mixed_site()=>
        #allow
        let #begun = #private::#function(__site, #private::Given { arguments: &#arguments, places: &[#places], also: #also });
    }
}

/// Says what is done with each argument, where that is not the same for all.
fn places(audited: &Audited) -> Option<TokenStream> {
    let private = private(audited);
    let conditional = audited.parameters.iter().any(|parameter| !parameter.conditions.is_empty());
    let places = audited.parameters.iter().enumerate().map(|(index, Parameter { conditions, .. })| {
        let place = word(if audited.skipped.contains(&index) { "Skipped" } else { "Taken" });
        quote_spanned!(Span::mixed_site()=> #(#conditions)* #private::Place::#place(#index),)
    });
    (conditional || !audited.skipped.is_empty()).then(|| places.collect())
}

/// Makes what a refused call returns.
fn refusal(audited: &Audited, entry: &Entry, place: TokenStream) -> TokenStream {
    let private = private(audited);
    match entry {
        Entry::Call | Entry::Await => match &audited.on_unavailable {
            OnUnavailable::Closure(closure) => unavailable_with(audited, closure),
            OnUnavailable::Word(_) => {
                located_at(quote_spanned!(Span::mixed_site()=> #private::deny(__unavailable)), place)
            }
        },
        Entry::Kind => {
            let refuse = word(if audited.refuses_at_once { "refuse_at_once" } else { "refuse" });
            let policy = policy(audited, place);
            quote_spanned!(Span::mixed_site()=> __kind.#refuse(__unavailable, #policy))
        }
        Entry::Future { boxed } => {
            let policy = policy(audited, place);
            let refused = quote_spanned!(Span::mixed_site()=> #private::refused(__unavailable, #policy));
            if *boxed { pinned(&refused) } else { refused }
        }
    }
}

/// Names what turns an `Unavailable` into what the function, or its future, returns. Where its own error cannot be one,
/// the compiler's error points at the return type.
fn policy(audited: &Audited, place: TokenStream) -> TokenStream {
    let private = private(audited);
    match &audited.on_unavailable {
        OnUnavailable::Closure(closure) => {
            let call = unavailable_with(audited, closure);
            quote_spanned!(Span::mixed_site()=> |__unavailable| #call)
        }
        OnUnavailable::Word(_) => located_at(quote_spanned!(Span::mixed_site()=> #private::deny), place),
    }
}

/// Says how a future refuses a call whose record turns out not to be on the disk.
pub(super) fn late(audited: &Audited, place: TokenStream) -> TokenStream {
    match audited.on_unavailable {
        OnUnavailable::Word(Unavailable::Count | Unavailable::Panic) => {
            quote_spanned!(Span::mixed_site()=> ::core::option::Option::None)
        }
        OnUnavailable::Word(Unavailable::Deny) | OnUnavailable::Closure(_) => {
            let policy = policy(audited, place);
            quote_spanned!(Span::mixed_site()=> ::core::option::Option::Some(#policy))
        }
    }
}

/// Makes the value of the user's own closure. Where its type is another, the compiler's error points at the closure.
fn unavailable_with(audited: &Audited, closure: &ExprClosure) -> TokenStream {
    let private = private(audited);
    let call = quote_spanned!(Span::mixed_site()=> #private::unavailable_with(#closure, __unavailable));
    located_at(call, closure.to_token_stream())
}

pub(super) fn pinned(future: &TokenStream) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> ::std::boxed::Box::pin(#future))
}
