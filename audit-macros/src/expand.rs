//! The tokens that an audited function becomes.
//!
//! All identifiers of our own carry [`Span::mixed_site`], so that they are invisible to the user's code. A `static` has
//! no such hygiene, which is why the site's is in a block of its own.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{ExprClosure, ReturnType, Type};

use crate::args::OnUnavailable;
use crate::model::{nameable, spanned_block};
use crate::path::Segment;
use crate::valid::{Audited, Redaction, Root};
use crate::words::{Durability, Unavailable, Word};

/// Writes the function with its body wrapped in the protocol of a call.
pub(crate) fn expand(audited: &Audited) -> TokenStream {
    let function = &audited.function;
    let (header, inner_attributes) = (&function.header, &function.inner_attributes);
    let (site, begin, call, run) = (site(audited), begin(audited), call(audited), run(audited));
    let content = quote!(#inner_attributes #site #begin #call #run);
    let body = spanned_block(content, function.body.span());
    quote!(#header #body)
}

/// Describes the function, once for all of its calls.
fn site(audited: &Audited) -> TokenStream {
    let Audited { action, tool, effect, level, stages, durability, .. } = audited;
    let private = private(audited);
    let variant = |kind: &str, variant: &str| {
        let (kind, variant) = (format_ident!("{kind}"), format_ident!("{variant}"));
        quote!(#private::#kind::#variant)
    };
    let effect = variant("Effect", effect.variant());
    let level = variant("Level", level.variant());
    let stages = variant("Stages", stages.variant());
    let durability = match durability {
        Some(durability) => {
            let durability = variant("Durability", durability.variant());
            quote!(::core::option::Option::Some(#durability))
        }
        None => quote!(::core::option::Option::None),
    };
    let on_unavailable = variant("OnUnavailable", on_unavailable(&audited.on_unavailable));
    let parameters = audited.function.parameters.iter().map(crate::model::Parameter::text);
    let fields = audited.function.parameters.iter().map(|parameter| &parameter.field);
    let redact = audited.redact.iter().map(|redaction| path(&private, redaction));
    quote_spanned! {Span::mixed_site()=>
        let site = {
            static SITE: #private::Site = #private::Site {
                action: #action,
                tool: #tool,
                effect: #effect,
                level: #level,
                stages: #stages,
                durability: #durability,
                on_unavailable: #on_unavailable,
                parameters: &[#(#parameters),*],
                fields: &[#(#fields),*],
                redact: &[#(#redact),*],
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
            };
            &SITE
        };
    }
}

fn on_unavailable(policy: &OnUnavailable) -> &'static str {
    match policy {
        OnUnavailable::Closure(_) | OnUnavailable::Word(Unavailable::Deny) => "Return",
        OnUnavailable::Word(word) => word.variant(),
    }
}

fn path(private: &TokenStream, Redaction { text, root, segments }: &Redaction) -> TokenStream {
    let root = match root {
        Root::Parameter(index) => quote!(Parameter(#index)),
        Root::Return => quote!(Return),
        Root::Error => quote!(Error),
    };
    let segments = segments.iter().map(|segment| match segment {
        Segment::Key { name, optional } => quote!(#private::Segment::Key { name: #name, optional: #optional }),
        Segment::Any => quote!(#private::Segment::Any),
        Segment::Each => quote!(#private::Segment::Each),
    });
    quote!(#private::Path { text: #text, root: #private::Root::#root, segments: &[#(#segments),*] })
}

/// Captures the arguments, before the body moves them.
fn begin(audited: &Audited) -> TokenStream {
    let private = private(audited);
    let arguments = audited.function.parameters.iter().enumerate();
    let captured = arguments.map(|(index, parameter)| {
        let (name, conditions) = (&parameter.name, &parameter.conditions);
        let capture = if audited.skipped.contains(&index) { quote!(skipped) } else { quote!(argument) };
        quote_spanned!(Span::mixed_site()=> #(#conditions)* #private::#capture!(arguments, #index, #name);)
    });
    let targets = audited.targets.iter().map(|target| {
        let (kind, id) = (&target.kind, &target.id);
        quote_spanned!(Span::mixed_site()=> #private::target!(arguments, #kind, #id);)
    });
    let captures: TokenStream = captured.chain(targets).collect();
    let parameter = if captures.is_empty() { quote!(_) } else { quote_spanned!(Span::mixed_site()=> arguments) };
    let underscored = audited.function.parameters.iter().any(|parameter| parameter.text().starts_with('_'));
    let allow = underscored.then(|| {
        quote!(#[allow(clippy::used_underscore_binding, reason = "the body may leave it unused, the record does not")])
    });
    // A statement of its own: in one expression with the `await`, the borrows of the closure would live across it.
    quote_spanned! {Span::mixed_site()=>
        #allow
        let begun = #private::begin(site, &mut |#parameter| { #captures });
    }
}

/// Waits until the intent is recorded, or leaves the function.
fn call(audited: &Audited) -> TokenStream {
    let is_async = audited.function.signature.asyncness.is_some();
    let (allow, refusal) = match &audited.on_unavailable {
        OnUnavailable::Word(Unavailable::Count | Unavailable::Panic) => {
            let ready = if is_async { quote!(ready().await) } else { quote!(call()) };
            return quote_spanned!(Span::mixed_site()=> let mut call = begun.#ready;);
        }
        OnUnavailable::Word(Unavailable::Deny) => (None, deny(audited)),
        OnUnavailable::Closure(closure) => (
            Some(quote!(#[allow(clippy::redundant_closure, reason = "the attribute takes a closure")])),
            unavailable_with(audited, closure),
        ),
    };
    let checked = if is_async { quote!(checked_ready().await) } else { quote!(checked()) };
    quote_spanned! {Span::mixed_site()=>
        #allow
        let mut call = match begun.#checked {
            ::core::result::Result::Ok(call) => call,
            ::core::result::Result::Err(unavailable) => return #refusal,
        };
    }
}

/// Makes the function's own error. Where its type cannot be one, the compiler's error points at the return type.
fn deny(audited: &Audited) -> TokenStream {
    let signature = &audited.function.signature;
    let place = match &signature.output {
        ReturnType::Type(_, output) => output.to_token_stream(),
        ReturnType::Default => signature.ident.to_token_stream(),
    };
    let private = private(audited);
    located_at(quote_spanned!(Span::mixed_site()=> #private::deny(unavailable)), place)
}

/// Makes the value of the function's own closure. Where its type is another, the compiler's error points at the closure.
fn unavailable_with(audited: &Audited, closure: &ExprClosure) -> TokenStream {
    let private = private(audited);
    let call = quote_spanned!(Span::mixed_site()=> #private::unavailable_with(#closure, unavailable));
    located_at(call, closure.to_token_stream())
}

/// Runs the body and records how it ended.
fn run(audited: &Audited) -> TokenStream {
    let function = &audited.function;
    let private = private(audited);
    let body = &function.body;
    let never = matches!(&function.signature.output, ReturnType::Type(_, output) if matches!(**output, Type::Never(_)));
    let is_async = function.signature.asyncness.is_some();
    let output = nameable(&function.signature.output);
    let moves = moves(audited);
    // Braces of the user's around one expression would be called needless inside of ours.
    let inner_body = spanned_block(body.stream(), body.span().resolved_at(Span::mixed_site()));
    let run = if is_async {
        // Gives `?` and `return` in the body their type. A block's type cannot be `!`, so an empty one stands for it.
        let output = if never { Some(syn::parse_quote!(::core::convert::Infallible)) } else { output };
        let hint = output.map(|output| quote!(if false { return #private::never::<#output>(); }));
        quote_spanned!(Span::mixed_site()=> call.drive(async move { #hint #moves #inner_body }).await)
    } else {
        let output = output.map(|output| quote!(-> #output));
        let body = if moves.is_some() { quote!({ #moves #inner_body }) } else { body.to_token_stream() };
        quote_spanned!(Span::mixed_site()=> call.run(move || #output #body))
    };
    let finish = finish(audited);
    match (never, is_async) {
        (true, true) => quote_spanned!(Span::mixed_site()=> match #run {}),
        (true, false) => run,
        (false, _) => quote_spanned! {Span::mixed_site()=>
            let returned = #run;
            #private::#finish!(call, returned);
            returned
        },
    }
}

/// Moves all parameters into the body's closure, also those that it does not mention, and lets it drop them in the
/// function's own order, the last one first.
fn moves(audited: &Audited) -> Option<TokenStream> {
    let Audited { function, .. } = audited;
    let private = private(audited);
    let parameters = function.parameters.iter().rev().map(|parameter| {
        let (name, conditions) = (&parameter.name, &parameter.conditions);
        quote!(#(#conditions)* #name)
    });
    let receiver = function.signature.receiver().map(|receiver| receiver.self_token.to_token_stream());
    let parameters: TokenStream = parameters.chain(receiver).collect();
    (!parameters.is_empty()).then(|| quote_spanned!(Span::mixed_site()=> #private::moves!(#parameters);))
}

/// Names the macro that records the end: it blocks, does not wait, or awaits the disk. Only the last keeps the result
/// across an `await`, which would cost a future whose result is not `Send` its own `Send`.
fn finish(audited: &Audited) -> TokenStream {
    match (audited.function.signature.asyncness, audited.durability) {
        (None, _) => quote!(finish),
        (Some(_), Some(Durability::Disk)) => quote!(finish_durable),
        (Some(_), Some(Durability::Os) | None) => quote!(finish_async),
    }
}

fn private(audited: &Audited) -> TokenStream {
    let root = &audited.root;
    quote_spanned!(Span::mixed_site()=> #root::__private)
}

/// Moves the call `path(…)` to the place of other tokens, for the compiler to point at; what it resolves to, and its
/// arguments, stay the same.
fn located_at(call: TokenStream, place: TokenStream) -> TokenStream {
    let mut places = place.into_iter().map(|token| token.span());
    let Some(first) = places.next() else { return call };
    let last = places.last().unwrap_or(first);
    let mut moved: Vec<TokenTree> = call.into_iter().collect();
    // The path ends where the call does: a compiler's error points at one or the other.
    let name = moved.len().saturating_sub(2);
    for (index, token) in moved.iter_mut().enumerate() {
        let location = if index < name { first } else { last };
        token.set_span(location.resolved_at(token.span()));
    }
    moved.into_iter().collect()
}
