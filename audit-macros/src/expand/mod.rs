//! The tokens that an audited function becomes.
//!
//! All identifiers of our own carry [`Span::mixed_site`], so that they are invisible to the user's code. A `static` has
//! no such hygiene, which is why the site's is in a block of its own. Items are
//! seen from everywhere, also where a local of ours would be: no constant or unit struct is called `__call`.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, Type};

use crate::args::{Boxed, OnUnavailable};
use crate::model::{Function, infer_opaque, nameable};
use crate::returned::{self, Returned, Stated};
use crate::tokens::spanned_block;
use crate::valid::{Audited, Exempt};
use crate::words::Durability;
use async_trait::Transformed;
use enter::{Entry, apart, drive, enter};

pub(crate) use call::call;

mod async_trait;
mod call;
mod enter;
mod site;

/// Writes the function with its body wrapped in the protocol of a call.
pub(crate) fn expand(function: &Function, audited: &Audited) -> TokenStream {
    let signature = &function.signature;
    let returned = Returned::of(&signature.output);
    let place = match &signature.output {
        ReturnType::Type(_, output) => output.to_token_stream(),
        ReturnType::Default => signature.ident.to_token_stream(),
    };
    let inner_attributes = &function.inner_attributes;
    if let Some(transformed) = Transformed::of(function) {
        let call = transformed.expand(audited, place);
        return with_body(function, quote!(#inner_attributes #call));
    }
    let site = site::site(audited);
    let (kind, entry) = match (signature.asyncness, returned) {
        (Some(_), _) => (None, Entry::Await),
        (None, Returned::Plain | Returned::Never | Returned::Stream) => (None, Entry::Call),
        (None, Returned::Future) => (None, Entry::Future { boxed: false }),
        (None, Returned::BoxedFuture) => (None, Entry::Future { boxed: true }),
        (None, Returned::Unknown) => (Some(kind(audited, &signature.output)), Entry::Kind),
    };
    let enter = enter(audited, &entry, &quote_spanned!(Span::mixed_site()=> return), place.clone());
    let leave = if signature.asyncness.is_some() {
        leave_async(function, audited, returned, place)
    } else {
        leave(function, audited, returned, place)
    };
    with_body(function, quote!(#inner_attributes #site #kind #enter #leave))
}

/// Writes the function with a note of why its calls are not recorded.
pub(crate) fn expand_exempt(function: &Function, exempt: &Exempt) -> TokenStream {
    let (inner_attributes, body) = (&function.inner_attributes, function.body.stream());
    let exemption = site::exemption(exempt);
    with_body(function, quote!(#inner_attributes #exemption #body))
}

fn with_body(function: &Function, content: TokenStream) -> TokenStream {
    let header = &function.header;
    let body = spanned_block(content, function.body.span());
    quote!(#header #body)
}

/// Finds out by the return type whether the call ends with the return.
fn kind(audited: &Audited, output: &ReturnType) -> TokenStream {
    let private = private(audited);
    let output = nameable(output);
    quote_spanned!(Span::mixed_site()=> let __kind = #private::kind!(#output);)
}

/// Runs the body and records how it ended, or lets the future that it returned do so.
fn leave(function: &Function, audited: &Audited, returned: Returned, place: TokenStream) -> TokenStream {
    let private = private(audited);
    let output = nameable(&function.signature.output).map(|output| quote_spanned!(Span::mixed_site()=> -> #output));
    let moves = moves(function, audited);
    let body = if moves.is_some() {
        inside(&function.body, &quote!(#moves)).to_token_stream()
    } else {
        function.body.to_token_stream()
    };
    let run = quote_spanned!(Span::mixed_site()=> __call.run(move || #output #body));
    let run = stating(function, audited, run);
    let (allow, overrides) = (allow(audited), overrides(audited));
    let end = match returned {
        Returned::Never => return run,
        Returned::Plain => return finish(audited, &run, "finish"),
        Returned::Stream => {
            quote_spanned!(Span::mixed_site()=> #private::settle_opaque!(__call, __returned #overrides))
        }
        Returned::Unknown if audited.refuses_at_once => {
            quote_spanned!(Span::mixed_site()=> __kind.deliver_at_once(__call, __returned, #private::settling!(#overrides)))
        }
        Returned::Unknown => {
            let late = enter::late(audited, place);
            quote_spanned!(Span::mixed_site()=> __kind.deliver(__call, __returned, #private::settling!(#overrides), #late))
        }
        Returned::Future | Returned::BoxedFuture => {
            let late = enter::late(audited, place);
            let guarded = quote_spanned!(Span::mixed_site()=> #private::guarded(__call, __returned, #private::settling!(#overrides), #late));
            if returned == Returned::BoxedFuture { enter::pinned(&guarded) } else { guarded }
        }
    };
    quote_spanned!(Span::mixed_site()=> let __returned = #run; #allow return #end;)
}

/// Runs a body and records its end, which is that of the call.
fn finish(audited: &Audited, run: &TokenStream, finish: &str) -> TokenStream {
    let (private, finish) = (private(audited), word(finish));
    let (allow, overrides) = (allow(audited), overrides(audited));
    let finish = quote_spanned!(Span::mixed_site()=> #private::#finish!(__call, __returned #overrides););
    // An attribute does not reach into a macro that stands as a statement.
    let finish = if allow.is_some() { quote_spanned!(Span::mixed_site()=> #allow { #finish }) } else { finish };
    quote_spanned!(Span::mixed_site()=> let __returned = #run; #finish return __returned;)
}

/// Allows what is said of closures that could be functions: the attribute takes closures.
fn allow(audited: &Audited) -> Option<TokenStream> {
    let has_closure = audited.outcome.is_some()
        || audited.result.is_some()
        || matches!(audited.on_unavailable, OnUnavailable::Closure(_));
    has_closure.then(|| {
        quote_spanned! {Span::mixed_site()=>
            #[allow(
                clippy::redundant_closure,
                clippy::redundant_closure_for_method_calls,
                reason = "the attribute takes closures"
            )]
        }
    })
}

/// States what comes out of an opaque future or stream, as the return type does.
fn stating(function: &Function, audited: &Audited, run: TokenStream) -> TokenStream {
    let Some(Stated { function, mut output }) = returned::stated(&function.signature.output) else { return run };
    infer_opaque(&mut output);
    let (private, function) = (private(audited), word(function));
    let inferred = (function == "yielding_result").then(|| quote_spanned!(Span::mixed_site()=> , _));
    quote_spanned!(Span::mixed_site()=> #private::#function::<#output, _ #inferred>(#run))
}

/// Drives the body and records how it ended.
fn leave_async(function: &Function, audited: &Audited, returned: Returned, place: TokenStream) -> TokenStream {
    let private = private(audited);
    // Gives `?` and `return` in the body their type. A block's type cannot be `!`, so an empty one stands for it.
    let output = match returned {
        Returned::Never => Some(syn::parse_quote!(::core::convert::Infallible)),
        _ => nameable(&function.signature.output),
    };
    let hint = output.as_ref().map(|output| hint(audited, output));
    let moves = moves(function, audited);
    let body = inside(&function.body, &quote!(#hint #moves));
    let body = quote_spanned!(Span::mixed_site()=> async move #body);
    let body = match audited.boxed {
        None => body,
        Some(Boxed::Send) => quote_spanned!(Span::mixed_site()=> #private::boxed(#body)),
        Some(Boxed::Local) => quote_spanned!(Span::mixed_site()=> #private::boxed_local(#body)),
    };
    let durable = audited.durability == Some(Durability::Disk);
    let (allow, overrides) = (allow(audited), overrides(audited));
    // Only that of the disk keeps the result across an `await`, which would cost a future whose result is not `Send` its
    // own `Send`.
    let settle = match returned {
        Returned::Never => {
            let run = drive(audited, &body, &quote_spanned!(Span::mixed_site()=> |_, __never| __never), place);
            return quote_spanned!(Span::mixed_site()=> match #run {});
        }
        Returned::Plain if !durable => {
            let end = quote_spanned! {Span::mixed_site()=>
                |__call, __returned| {
                    #private::finish_async!(__call, __returned #overrides);
                    __returned
                }
            };
            let run = drive(audited, &body, &end, place);
            return quote_spanned!(Span::mixed_site()=> #allow return #run;);
        }
        Returned::Plain => {
            let run = apart(audited, &body, place);
            return quote_spanned! {Span::mixed_site()=>
                #allow
                let (mut __call, __returned) = #run;
                #allow
                {
                    #private::finish_durable!(__call, __returned #overrides);
                }
                return __returned;
            };
        }
        Returned::Stream => "settle_opaque_async",
        _ if durable => "settle_durable",
        _ => "settle_async",
    };
    let settle = word(settle);
    let run = apart(audited, &body, place);
    let stating = (returned == Returned::Stream).then(|| {
        let stated = stating(function, audited, quote_spanned!(Span::mixed_site()=> __returned));
        quote_spanned!(Span::mixed_site()=> let __returned = #stated;)
    });
    quote_spanned! {Span::mixed_site()=>
        #allow
        let (__call, __returned) = #run;
        #stating
        #allow
        return #private::#settle!(__call, __returned #overrides);
    }
}

/// Gives the block that it stands in a type.
fn hint(audited: &Audited, output: &Type) -> TokenStream {
    let private = private(audited);
    quote_spanned!(Span::mixed_site()=> if false { return #private::never::<#output>(); })
}

/// Puts statements of ours before those of the body, in the user's own braces: these say of which edition the block is, and
/// lints are silent about what stands inside of ours.
fn inside(body: &Group, before: &TokenStream) -> Group {
    let statements = body.stream();
    spanned_block(quote!(#before #statements), body.span())
}

/// Moves all parameters into the body's closure, also those that it does not mention, and lets it drop them in the
/// function's own order, the last one first.
fn moves(function: &Function, audited: &Audited) -> Option<TokenStream> {
    let private = private(audited);
    let parameters = audited.parameters.iter().rev().map(|parameter| {
        let (name, conditions) = (&parameter.name, &parameter.conditions);
        quote!(#(#conditions)* #name)
    });
    let receiver = function.signature.receiver().map(|receiver| receiver.self_token.to_token_stream());
    let parameters: TokenStream = parameters.chain(receiver).collect();
    (!parameters.is_empty()).then(|| quote_spanned!(Span::mixed_site()=> #private::moves!(#parameters);))
}

/// Writes what the attribute itself says of the end of a call.
fn overrides(audited: &Audited) -> TokenStream {
    let outcome = audited.outcome.as_ref().map(|closure| quote_spanned!(Span::mixed_site()=> ; outcome = (#closure)));
    let result = audited.result.as_ref().map(|closure| quote_spanned!(Span::mixed_site()=> ; result = (#closure)));
    quote!(#outcome #result)
}

fn private(audited: &Audited) -> TokenStream {
    private_of(&audited.root)
}

fn private_of(root: &TokenStream) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> #root::__private)
}

fn word(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Moves a path, or the call `path(…)`, to the place of other tokens, for the compiler to point at; what it resolves to,
/// and its arguments, stay the same.
fn located_at(tokens: TokenStream, place: TokenStream) -> TokenStream {
    let mut places = place.into_iter().map(|token| token.span());
    let Some(first) = places.next() else { return tokens };
    let last = places.last().unwrap_or(first);
    let mut moved: Vec<TokenTree> = tokens.into_iter().collect();
    let behind_name = usize::from(matches!(moved.last(), Some(TokenTree::Group(_))));
    // The path ends where the call does: a compiler's error points at one or the other.
    let name = moved.len().saturating_sub(1 + behind_name);
    for (index, token) in moved.iter_mut().enumerate() {
        let location = if index < name { first } else { last };
        token.set_span(location.resolved_at(token.span()));
    }
    moved.into_iter().collect()
}
