//! The way into the body: the arguments are captured, and the intent is recorded, or the call refused.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::ExprClosure;

use super::{allow, located_at, private, word};
use crate::args::OnUnavailable;
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
pub(super) fn enter(audited: &Audited, entry: &Entry, exit: &TokenStream, place: TokenStream) -> TokenStream {
    let begin = begin(audited);
    let (checked, unchecked) = ways_in(entry);
    let refusal = match &audited.on_unavailable {
        OnUnavailable::Word(Unavailable::Count | Unavailable::Panic) => {
            return quote_spanned!(Span::mixed_site()=> #begin let mut __call = #unchecked;);
        }
        OnUnavailable::Word(Unavailable::Deny) | OnUnavailable::Closure(_) => refusal(audited, entry, place),
    };
    let allow = allow(audited).filter(|_| matches!(audited.on_unavailable, OnUnavailable::Closure(_)));
    quote_spanned! {Span::mixed_site()=>
        #begin
        #allow
        let mut __call = match #checked {
            ::core::result::Result::Ok(__call) => __call,
            ::core::result::Result::Err(__unavailable) => #exit #refusal,
        };
    }
}

/// Returns how to ask for a call that may be refused, and for one that may not.
fn ways_in(entry: &Entry) -> (TokenStream, TokenStream) {
    let (checked, unchecked) = match entry {
        Entry::Kind => {
            let way = |name| quote_spanned!(Span::mixed_site()=> __kind.#name(__begun));
            return (way(word("checked")), way(word("call")));
        }
        Entry::Call => ("checked", "call"),
        Entry::Await => ("checked_ready", "ready"),
        Entry::Future { .. } => ("checked_now", "call_now"),
    };
    let awaits = matches!(entry, Entry::Await).then(|| quote_spanned!(Span::mixed_site()=> .await));
    let way = |name| quote_spanned!(Span::mixed_site()=> __begun.#name() #awaits);
    (way(word(checked)), way(word(unchecked)))
}

/// Captures the arguments, before the body moves them.
fn begin(audited: &Audited) -> TokenStream {
    let private = private(audited);
    let arguments = audited.parameters.iter().enumerate().map(|(index, parameter)| {
        let (name, conditions) = (&parameter.name, &parameter.conditions);
        let capture = word(if audited.skipped.contains(&index) { "skipped" } else { "argument" });
        quote_spanned!(Span::mixed_site()=> #(#conditions)* #capture #index #name;)
    });
    let arguments: TokenStream = arguments.collect();
    let arguments = (!arguments.is_empty())
        .then(|| quote_spanned!(Span::mixed_site()=> #private::arguments!(__arguments; #arguments);));
    let fields = audited.fields.iter().map(|field| {
        let (name, value) = (&field.name, &field.value);
        quote_spanned!(Span::mixed_site()=> #private::field!(__arguments, #name, #value);)
    });
    let targets = audited.targets.iter().map(|target| {
        let (kind, id) = (&target.kind, &target.id);
        quote_spanned!(Span::mixed_site()=> #private::target!(__arguments, #kind, #id);)
    });
    let captures: TokenStream = arguments.into_iter().chain(fields).chain(targets).collect();
    let parameter = word(if captures.is_empty() { "_" } else { "__arguments" });
    let underscored = audited.parameters.iter().any(|parameter| parameter.text().starts_with('_'));
    let allow = underscored.then(|| {
        quote!(#[allow(clippy::used_underscore_binding, reason = "the body may leave it unused, the record does not")])
    });
    // A statement of its own: in one expression with the `await`, the borrows of the closure would live across it.
    quote_spanned! {Span::mixed_site()=>
        #allow
        let __begun = #private::begin(__site, &mut |#parameter| { #captures });
    }
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
