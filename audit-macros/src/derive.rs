//! `#[derive(Capture)]`: what a type says of its members, left where the serializer of records finds it.
//!
//! The rules are found by the names under which the type is serialised, so the derive reads serde's attributes, too.

mod naming;
mod rules;

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote_spanned;
use syn::{DeriveInput, parse_quote};

use crate::errors::Errors;
use rules::{Described, Member, Rule};

/// Expands the derive; nothing that can be used if something was added to `errors`.
pub(crate) fn expand(input: TokenStream, errors: &mut Errors) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => {
            errors.push(error);
            return TokenStream::new();
        }
    };
    let described = rules::of(&input, errors);
    let private = quote_root(&described.root);
    let statics = described.names.iter().map(|name| registered(&private, name, &described));
    let bound = bound(&private, &input);
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        const _: () = {
            #(#statics)*
            #bound
        };
    }
}

fn quote_root(root: &TokenStream) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> #root::__private)
}

/// Puts the rules under one name into the section that the linker gathers. Each token is of the macro's own site: a crate
/// may forbid unsafe code in its own.
fn registered(private: &TokenStream, name: &str, described: &Described) -> TokenStream {
    let name = text(name);
    let rules = described.rules.iter().map(|rule| member_rule(private, rule));
    quote_spanned! {Span::mixed_site()=>
        const _: () = {
            #[used]
            #[cfg_attr(any(target_os = "linux", target_os = "android", target_os = "freebsd"), unsafe(link_section = "audited_types"))]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,audited_types"))]
            #[cfg_attr(windows, unsafe(link_section = ".audtyp$b"))]
            static __AUDITED_TYPE: #private::TypeRules = #private::TypeRules { name: #name, members: &[#(#rules),*] };
        };
    }
}

fn member_rule(private: &TokenStream, rule: &Rule) -> TokenStream {
    let variant = match &rule.variant {
        Some(name) => {
            let name = text(name);
            quote_spanned!(Span::mixed_site()=> ::core::option::Option::Some(#name))
        }
        None => quote_spanned!(Span::mixed_site()=> ::core::option::Option::None),
    };
    let member = match &rule.member {
        Member::Name(name) => {
            let name = text(name);
            quote_spanned!(Span::mixed_site()=> Name(#name))
        }
        Member::Index(index) => {
            let index = spanned(Literal::usize_unsuffixed(*index));
            quote_spanned!(Span::mixed_site()=> Index(#index))
        }
        Member::All => quote_spanned!(Span::mixed_site()=> All),
    };
    let act = match &rule.act {
        rules::Act::Skip => quote_spanned!(Span::mixed_site()=> Skip),
        rules::Act::Remove(method) => {
            let method = method_of(private, method);
            quote_spanned!(Span::mixed_site()=> Remove(#private::Method::#method))
        }
    };
    let name = text(&rule.name);
    quote_spanned! {Span::mixed_site()=>
        #private::MemberRule {
            variant: #variant,
            member: #private::Member::#member,
            act: #private::Act::#act,
            rule: #name,
        }
    }
}

fn method_of(private: &TokenStream, method: &rules::Method) -> TokenStream {
    match method {
        rules::Method::Drop => quote_spanned!(Span::mixed_site()=> Drop),
        rules::Method::Mask { last_four } => {
            let last_four = spanned_ident(if *last_four { "true" } else { "false" });
            quote_spanned!(Span::mixed_site()=> Mask { last_four: #last_four })
        }
        rules::Method::Token => quote_spanned!(Span::mixed_site()=> Token),
        rules::Method::Seal(None) => quote_spanned!(Span::mixed_site()=> Seal(#private::Subject::OnBehalfOf)),
        rules::Method::Seal(Some(beside)) => {
            let beside = text(beside);
            quote_spanned!(Span::mixed_site()=> Seal(#private::Subject::Beside(#beside)))
        }
    }
}

/// Demands that the type can be serialised: its rules would not be met otherwise.
fn bound(private: &TokenStream, input: &DeriveInput) -> TokenStream {
    let name = &input.ident;
    let mut generics = input.generics.clone();
    let (_, arguments, _) = input.generics.split_for_impl();
    let whole: syn::Type = parse_quote!(#name #arguments);
    let serialize = quote_spanned!(name.span()=> #private::Serialize);
    generics.make_where_clause().predicates.push(parse_quote!(#whole: #serialize));
    let (parameters, arguments, conditions) = generics.split_for_impl();
    quote_spanned! {Span::mixed_site()=>
        impl #parameters #private::Described for #name #arguments #conditions {}
        // Where the linker is not known to gather sections no rule would be found.
        #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_vendor = "apple", windows)))]
        ::core::compile_error!("`#[derive(Capture)]` is not for this target: use `redact` with paths instead");
    }
}

fn text(value: &str) -> Literal {
    spanned(Literal::string(value))
}

fn spanned(mut literal: Literal) -> Literal {
    literal.set_span(Span::mixed_site());
    literal
}

fn spanned_ident(name: &str) -> proc_macro2::Ident {
    proc_macro2::Ident::new(name, Span::mixed_site())
}
