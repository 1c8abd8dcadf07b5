//! The descriptor of what is audited: a `static`, which also stands in the registry of the linked program.
//!
//! Each of its tokens is of the macro's own site, literals included: the section that it is put into is unsafe code to the
//! compiler, which a crate may forbid in its own tokens.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};

use super::{located_at, private, private_of, word};
use crate::args::OnUnavailable;
use crate::model::Parameter;
use crate::path::Segment;
use crate::valid::{Audited, Exempt, Method, Redaction, Root, Text};
use crate::words::{Unavailable, Word};

/// Describes the function, once for all of its calls.
pub(super) fn site(audited: &Audited) -> TokenStream {
    let Audited { effect, level, telemetry, stages, .. } = audited;
    let private = private(audited);
    let variant = |kind: &str, variant: &str| {
        let (kind, variant) = (word(kind), word(variant));
        quote_spanned!(Span::mixed_site()=> #private::#kind::#variant)
    };
    let effect = variant("Effect", effect.variant());
    let level = variant("Level", level.variant());
    let telemetry = variant("Telemetry", telemetry.variant());
    let stages = variant("Stages", stages.variant());
    let durability = match audited.durability {
        Some(durability) => {
            let durability = variant("Durability", durability.variant());
            quote_spanned!(Span::mixed_site()=> ::core::option::Option::Some(#durability))
        }
        None => quote_spanned!(Span::mixed_site()=> ::core::option::Option::None),
    };
    let append_timeout = match audited.append_timeout_ms {
        Some(milliseconds) => {
            let milliseconds = spanned(Literal::u64_unsuffixed(milliseconds));
            let timeout = quote_spanned!(Span::mixed_site()=> ::core::time::Duration::from_millis(#milliseconds));
            quote_spanned!(Span::mixed_site()=> ::core::option::Option::Some(#timeout))
        }
        None => quote_spanned!(Span::mixed_site()=> ::core::option::Option::None),
    };
    let on_unavailable = variant("OnUnavailable", on_unavailable(&audited.on_unavailable));
    let parameters = audited.parameters.iter().map(|parameter| text(&parameter.recorded()));
    let fields = audited.parameters.iter().map(|Parameter { field, .. }| text(field));
    let redact = audited.redact.iter().map(|redaction| redaction_path(&private, redaction));
    let summary = audited.summary.iter().map(|written| {
        let root = quote_spanned!(Span::mixed_site()=> Return);
        path(&private, &written.text(), &root, &written.segments, &drop_method(&private))
    });
    let census = census(audited);
    let checks = [
        checked(audited, &audited.action, ACTION, "check_action"),
        checked(audited, &audited.tool, TOOL, "check_tool"),
    ];
    let (action, tool) = (constant(&audited.action, ACTION), constant(&audited.tool, TOOL));
    quote_spanned! {Span::mixed_site()=>
        let __site = {
            #(#checks)*
            #[used]
            #[cfg_attr(any(target_os = "linux", target_os = "android", target_os = "freebsd"), unsafe(link_section = "audited_sites"))]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,audited_sites"))]
            #[cfg_attr(windows, unsafe(link_section = ".audsit$b"))]
            static __AUDITED_SITE: #private::Site = #private::Site {
                action: #action,
                tool: #tool,
                effect: #effect,
                level: #level,
                telemetry: #telemetry,
                stages: #stages,
                durability: #durability,
                append_timeout: #append_timeout,
                on_unavailable: #on_unavailable,
                parameters: &[#(#parameters),*],
                fields: &[#(#fields),*],
                redact: &[#(#redact),*],
                summary: &[#(#summary),*],
                census: #census,
            };
            &__AUDITED_SITE
        };
    }
}

/// Notes that a function is not audited, and why. An item, so that the body's own items still stand first.
pub(super) fn exemption(exempt: &Exempt) -> TokenStream {
    let private = private_of(&exempt.root);
    let (tool, reason) = (text(&exempt.tool), text(&exempt.reason.value()));
    let line = line(exempt.line);
    quote_spanned! {Span::mixed_site()=>
        const _: () = {
            #[used]
            #[cfg_attr(any(target_os = "linux", target_os = "android", target_os = "freebsd"), unsafe(link_section = "audited_exempt"))]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,audited_exempt"))]
            #[cfg_attr(windows, unsafe(link_section = ".audexe$b"))]
            static __AUDITED_EXEMPTION: #private::Exemption = #private::Exemption {
                tool: #tool,
                reason: #reason,
                census: #private::census_exempt!(#tool, #reason #line),
            };
        };
    }
}

/// Writes what a reader of the binary finds without running it.
fn census(audited: &Audited) -> TokenStream {
    let private = private(audited);
    let (action, tool) = (constant(&audited.action, ACTION), constant(&audited.tool, TOOL));
    let (effect, level) = (text(audited.effect.text()), text(audited.level.text()));
    let redact: Vec<&str> = audited.redact.iter().map(|redaction| redaction.text.as_str()).collect();
    let skipped = audited.skipped.iter().filter_map(|index| audited.parameters.get(*index));
    let skipped: Vec<String> = skipped.map(Parameter::recorded).collect();
    let (redact, skipped) = (text(&redact.join(",")), text(&skipped.join(",")));
    let line = line(audited.line);
    let census = word(match (&audited.action, &audited.tool) {
        (Text::Literal(_), Text::Literal(_)) => "census",
        _ => "census_of",
    });
    quote_spanned!(Span::mixed_site()=> #private::#census!(#action, #tool, #effect, #level, #redact, #skipped #line))
}

fn line(line: Option<u32>) -> Option<TokenStream> {
    line.map(|line| {
        let line = spanned(Literal::u32_unsuffixed(line));
        quote_spanned!(Span::mixed_site()=> , #line)
    })
}

/// Gives a text that only the compiler knows a name, so that a mistake in it is one, and lets the compiler check it. What
/// it finds, it reports where the text is named.
fn checked(audited: &Audited, written: &Text, name: &str, check: &str) -> Option<TokenStream> {
    let Text::Constant(path) = written else { return None };
    let (private, name, check) = (private(audited), word(name), word(check));
    let check = located_at(quote_spanned!(Span::mixed_site()=> #private::#check(#name)), path.to_token_stream());
    Some(quote_spanned! {Span::mixed_site()=>
        const #name: &::core::primitive::str = #path;
        const _: () = #check;
    })
}

/// Writes a text, or the name of the constant that it was given.
fn constant(text: &Text, name: &str) -> TokenStream {
    match text {
        Text::Literal(value) => self::text(value).to_token_stream(),
        Text::Constant(_) => word(name).to_token_stream(),
    }
}

fn on_unavailable(policy: &OnUnavailable) -> &'static str {
    match policy {
        OnUnavailable::Closure(_) | OnUnavailable::Word(Unavailable::Deny) => "Return",
        OnUnavailable::Word(word) => word.variant(),
    }
}

fn redaction_path(private: &TokenStream, redaction: &Redaction) -> TokenStream {
    let root = root(redaction.root);
    let method = method(private, &redaction.method);
    path(private, &redaction.text, &root, &redaction.segments, &method)
}

fn method(private: &TokenStream, method: &Method) -> TokenStream {
    match method {
        Method::Drop => drop_method(private),
        Method::Mask { last_four } => {
            let last_four = word(if *last_four { "true" } else { "false" });
            quote_spanned!(Span::mixed_site()=> #private::Method::Mask { last_four: #last_four })
        }
        Method::Token => quote_spanned!(Span::mixed_site()=> #private::Method::Token),
        Method::Seal(None) => {
            quote_spanned!(Span::mixed_site()=> #private::Method::Seal(#private::Subject::OnBehalfOf))
        }
        Method::Seal(Some((from, steps))) => {
            let (from, steps) = (root(*from), segments(private, steps));
            quote_spanned! {Span::mixed_site()=>
                #private::Method::Seal(#private::Subject::Within { root: #private::Root::#from, segments: &[#(#steps),*] })
            }
        }
    }
}

fn drop_method(private: &TokenStream) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> #private::Method::Drop)
}

fn root(root: Root) -> TokenStream {
    match root {
        Root::Parameter(index) => {
            let index = spanned(Literal::usize_unsuffixed(index));
            quote_spanned!(Span::mixed_site()=> Parameter(#index))
        }
        Root::Return => quote_spanned!(Span::mixed_site()=> Return),
        Root::Error => quote_spanned!(Span::mixed_site()=> Error),
    }
}

fn segments<'a>(private: &'a TokenStream, segments: &'a [Segment]) -> impl Iterator<Item = TokenStream> + 'a {
    segments.iter().map(move |segment| match segment {
        Segment::Key { name, optional } => {
            let (name, optional) = (text(name), word(if *optional { "true" } else { "false" }));
            quote_spanned!(Span::mixed_site()=> #private::Segment::Key { name: #name, optional: #optional })
        }
        Segment::Any => quote_spanned!(Span::mixed_site()=> #private::Segment::Any),
        Segment::Each => quote_spanned!(Span::mixed_site()=> #private::Segment::Each),
    })
}

fn path(
    private: &TokenStream,
    written: &str,
    root: &TokenStream,
    steps: &[Segment],
    method: &TokenStream,
) -> TokenStream {
    let (written, steps) = (text(written), segments(private, steps));
    quote_spanned! {Span::mixed_site()=>
        #private::Path {
            text: #written,
            root: #private::Root::#root,
            segments: &[#(#steps),*],
            method: #method,
        }
    }
}

fn text(value: &str) -> Literal {
    spanned(Literal::string(value))
}

fn spanned(mut literal: Literal) -> Literal {
    literal.set_span(Span::mixed_site());
    literal
}

/// Names that no constant of the user's has: the items of a block are seen by everything in it.
const ACTION: &str = "__AUDITED_ACTION";
const TOOL: &str = "__AUDITED_TOOL";
