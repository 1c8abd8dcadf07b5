//! The expansion of `call!`.

use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Type;

use super::enter::{Entry, apart, enter};
use super::{allow, hint, inside, overrides, private, site, word};
use crate::model::{Body, Closure};
use crate::tokens::spanned_block;
use crate::valid::Audited;
use crate::words::Durability;

/// Writes the body wrapped in the protocol of a call. `place` is where errors of its type are reported.
pub(crate) fn call(body: &Body, audited: &Audited, place: TokenStream) -> TokenStream {
    match body {
        Body::Block(block) => of_block(block, audited, place),
        Body::Async { head, moves, block } => {
            let moves = moves.then(|| quote_spanned!(Span::mixed_site()=> move));
            let content = awaited(block, moves, None, audited, place);
            let block = spanned_block(content, block.span());
            quote!(#head #block)
        }
        Body::Closure(closure) => of_closure(closure, audited, place),
    }
}

fn of_block(block: &Group, audited: &Audited, place: TokenStream) -> TokenStream {
    let private = private(audited);
    let exit = quote_spanned!(Span::mixed_site()=> break 'call);
    let site = site::site(audited);
    let enter = enter(audited, &Entry::Call, &exit, place);
    let overrides = overrides(audited);
    // The type that the block is expected to have is that of its body, which has to be known before it is recorded.
    quote_spanned! {Span::mixed_site()=>
        'call: {
            #site
            #enter
            let __kind = #private::Kind::OF;
            if false {
                break 'call #private::never_as(&__kind);
            }
            let __returned = #private::typed(&__kind, __call.run(|| #block));
            #private::settle!(__call, __returned #overrides)
        }
    }
}

fn of_closure(closure: &Closure, audited: &Audited, place: TokenStream) -> TokenStream {
    let place = closure.output.as_ref().map_or(place, |output| output.to_token_stream());
    let content = if closure.is_async {
        awaited(&closure.body, None, closure.output.as_ref(), audited, place)
    } else {
        let site = site::site(audited);
        let enter = enter(audited, &Entry::Call, &quote_spanned!(Span::mixed_site()=> return), place);
        let run = run(&closure.body, closure.output.as_ref(), audited);
        quote!(#site #enter #run)
    };
    let head = &closure.head;
    let body = spanned_block(content, closure.body.span().resolved_at(Span::mixed_site()));
    quote!(#head #body)
}

/// Runs a body. What it uses of its surroundings it borrows or takes as it would by itself.
fn run(body: &Group, output: Option<&Type>, audited: &Audited) -> TokenStream {
    let private = private(audited);
    let is_never = matches!(output, Some(Type::Never(_)));
    let output = output.map(|output| quote_spanned!(Span::mixed_site()=> -> #output));
    let run = quote_spanned!(Span::mixed_site()=> __call.run(|| #output #body));
    if is_never {
        return run;
    }
    let overrides = overrides(audited);
    quote_spanned!(Span::mixed_site()=> let __returned = #run; #private::settle!(__call, __returned #overrides))
}

/// Drives a body inside of an async block or closure.
pub(super) fn awaited(
    body: &Group,
    moves: Option<TokenStream>,
    output: Option<&Type>,
    audited: &Audited,
    place: TokenStream,
) -> TokenStream {
    let private = private(audited);
    let site = site::site(audited);
    let enter = enter(audited, &Entry::Await, &quote_spanned!(Span::mixed_site()=> return), place.clone());
    let hint = output.map(|output| hint(audited, output));
    let body = inside(body, &quote!(#hint));
    let settle = word(if audited.durability == Some(Durability::Disk) { "settle_durable" } else { "settle_async" });
    let body = quote_spanned!(Span::mixed_site()=> async #moves #body);
    let run = apart(audited, &body, place);
    let (allow, overrides) = (allow(audited), overrides(audited));
    quote_spanned! {Span::mixed_site()=>
        #site
        #enter
        #allow
        let (__call, __returned) = #run;
        return #private::#settle!(__call, __returned #overrides);
    }
}
