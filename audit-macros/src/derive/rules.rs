//! What the marks of a type and of its members say, held against how serde serialises them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Data, DataEnum, DeriveInput, Field, Fields, Meta, Token, Variant};

use super::naming::{Case, Serde};
use crate::args::each_element;
use crate::errors::{self, Errors};
use crate::removal;

/// What is known of a type.
pub(super) struct Described {
    /// The names under which its values are serialised.
    pub(super) names: Vec<String>,
    pub(super) rules: Vec<Rule>,
    /// The path of the crate that the expansion names.
    pub(super) root: TokenStream,
}

/// What is done with one member.
pub(super) struct Rule {
    pub(super) variant: Option<String>,
    pub(super) member: Member,
    pub(super) act: Act,
    /// What the rule is called in a record: `Customer.name`.
    pub(super) name: String,
}

#[derive(Clone)]
pub(super) enum Member {
    Name(String),
    Index(usize),
    All,
}

#[derive(Clone)]
pub(super) enum Act {
    Skip,
    Remove(Method),
}

#[derive(Clone)]
pub(super) enum Method {
    Drop,
    Mask {
        last_four: bool,
    },
    Token,
    /// For the member of that name, or for the user on whose behalf the agent acts.
    Seal(Option<String>),
}

/// Reads the marks of a type.
pub(super) fn of(input: &DeriveInput, errors: &mut Errors) -> Described {
    let serde = Serde::of(&input.attrs, errors);
    let name = serde.rename.clone().unwrap_or_else(|| input.ident.unraw().to_string());
    let marks = Marks::of(&input.attrs, true, errors);
    let root =
        marks.root.as_ref().map_or_else(|| quote_spanned!(Span::mixed_site()=> ::audited), syn::Path::to_token_stream);
    let mut described = Described { names: vec![name], rules: Vec::new(), root };
    let place = Place { shown: input.ident.unraw().to_string(), variant: None, case: serde.rename_all };
    for word in ["into", "remote", "transparent"] {
        if serde.has(word) {
            errors.on(
                &input.ident,
                format!("with `#[serde({word})]` the type is not serialised under its own name: {INSTEAD}"),
            );
            return described;
        }
    }
    if let Some(act) = marks.act(&[], errors) {
        described.rules.push(Rule { variant: None, member: Member::All, act, name: place.shown.clone() });
    }
    match &input.data {
        Data::Struct(data) => of_fields(&data.fields, &place, &mut described.rules, errors),
        Data::Enum(data) => of_variants(data, &place, &serde, &mut described, errors),
        Data::Union(data) => errors.on(data.union_token, "a union cannot be serialised, so nothing of it is recorded"),
    }
    if described.rules.is_empty() && errors.is_empty() {
        errors.on(
            &input.ident,
            format!("nothing of the type is marked: write {FORM} on a member, or leave the derive out"),
        );
    }
    described
}

/// Where members stand.
struct Place {
    /// The type, and the variant if there is one, as the rule names them.
    shown: String,
    variant: Option<String>,
    case: Option<Case>,
}

fn of_variants(data: &DataEnum, place: &Place, serde: &Serde, described: &mut Described, errors: &mut Errors) {
    // Only serde's own form of an enum tells its variants to the serializer.
    let form = ["tag", "untagged"].into_iter().find(|word| serde.has(word));
    let of_all = described.rules.first().map(|rule| rule.act.clone());
    let mut shown = Vec::new();
    for variant in &data.variants {
        let own = Serde::of(&variant.attrs, errors);
        let form = form.or_else(|| ["untagged", "with", "serialize_with"].into_iter().find(|word| own.has(word)));
        let renamed = || serde.rename_all.map(|case| case.of_variant(&variant.ident));
        let name = own.rename.clone().or_else(renamed).unwrap_or_else(|| variant.ident.unraw().to_string());
        let inside = Place {
            shown: format!("{}::{}", place.shown, variant.ident.unraw()),
            variant: form.is_none().then(|| name.clone()),
            case: own.rename_all.or(serde.rename_all_fields),
        };
        if let Some(act) = &of_all {
            if let Some(form) = form.filter(|_| hides_type(variant, serde, &own)) {
                errors.on(
                    &variant.ident,
                    format!("with `#[serde({form})]` serde does not tell here of which type it is: {INSTEAD}"),
                );
            }
            // A text of `Debug` shows the variant, and not the type.
            let (variant, name) = (inside.variant.clone(), inside.shown.clone());
            shown.push(Rule { variant, member: Member::All, act: act.clone(), name });
        }
        let before = described.rules.len();
        let marks = Marks::of(&variant.attrs, false, errors);
        if let Some(act) = marks.act(&[], errors) {
            // Of a variant without members the name is all there is: it would stand in the record as that of the rule.
            let is_unit = matches!(variant.fields, Fields::Unit);
            let name = if is_unit { place.shown.clone() } else { inside.shown.clone() };
            described.rules.push(Rule { variant: inside.variant.clone(), member: Member::All, act, name });
        }
        of_fields(&variant.fields, &inside, &mut described.rules, errors);
        let Some(form) = form else { continue };
        let unnamed = described.rules.iter().skip(before).any(|rule| !matches!(rule.member, Member::Name(_)));
        if unnamed {
            let message = format!("with `#[serde({form})]` only members with a name can be told apart: {INSTEAD}");
            errors.on(&variant.ident, message);
        }
        // Some of serde's forms serialise a variant as a struct of its own name.
        if described.rules.len() > before {
            described.names.push(name);
        }
    }
    described.rules.extend(shown);
}

/// Tells whether serde serialises a variant as if there were no enum around it.
fn hides_type(variant: &Variant, serde: &Serde, own: &Serde) -> bool {
    let is_untagged = serde.has("untagged") || own.has("untagged");
    let is_inside = serde.has("tag") && !serde.has("content");
    let is_written_otherwise = own.has("with") || own.has("serialize_with");
    match variant.fields {
        Fields::Named(_) => is_written_otherwise,
        Fields::Unnamed(_) => is_untagged || is_inside || is_written_otherwise,
        Fields::Unit => false,
    }
}

fn of_fields(fields: &Fields, place: &Place, rules: &mut Vec<Rule>, errors: &mut Errors) {
    let names: Vec<(Option<&Ident>, String)> =
        fields.iter().map(|field| (field.ident.as_ref(), named(field, place, errors))).collect();
    let before = rules.len();
    for (index, field) in fields.iter().enumerate() {
        let marks = Marks::of(&field.attrs, false, errors);
        let Some(act) = marks.act(&names, errors) else { continue };
        let (member, shown) = match (&field.ident, names.get(index)) {
            (Some(ident), Some((_, name))) => (Member::Name(name.clone()), ident.unraw().to_string()),
            _ => (Member::Index(index), index.to_string()),
        };
        rules.push(Rule { variant: place.variant.clone(), member, act, name: format!("{}.{shown}", place.shown) });
    }
    // With one member flattened, serde makes a map of all of them, which has no name.
    let is_flattened = |field: &&Field| Serde::of(&field.attrs, &mut Errors::default()).has("flatten");
    if let Some(field) = fields.iter().find(is_flattened).filter(|_| rules.len() > before) {
        let message = format!("with a flattened member serde does not tell the name of the type: {INSTEAD}");
        errors.on(field.ident.as_ref(), message);
    }
}

/// Returns the name under which a member is serialised; an empty one if it has none.
fn named(field: &Field, place: &Place, errors: &mut Errors) -> String {
    let Some(ident) = &field.ident else { return String::new() };
    let own = Serde::of(&field.attrs, errors).rename;
    own.or_else(|| place.case.map(|case| case.of_member(ident))).unwrap_or_else(|| ident.unraw().to_string())
}

/// What `#[audit(…)]` says.
#[derive(Default)]
struct Marks {
    skip: Option<Span>,
    remove: Option<(Span, removal::Method)>,
    root: Option<syn::Path>,
}

impl Marks {
    fn of(attributes: &[Attribute], is_type: bool, errors: &mut Errors) -> Self {
        let mut marks = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("audit")) {
            let Meta::List(list) = &attribute.meta else {
                errors.on(&attribute.meta, format!("`#[audit]` is written {FORM}"));
                continue;
            };
            let parser = |input: ParseStream<'_>| {
                if input.is_empty() {
                    errors.on(list, format!("`#[audit]` is written {FORM}"));
                }
                each_element(input, errors, |input, _| marks.word(input, is_type));
                Ok(())
            };
            if let Err(error) = parser.parse2(list.tokens.clone()) {
                errors.push(error);
            }
        }
        marks
    }

    fn word(&mut self, input: ParseStream<'_>, is_type: bool) -> syn::Result<()> {
        let expected = |error: syn::Error| syn::Error::new(error.span(), format!("expected {FORM}"));
        let word = Ident::parse_any(input).map_err(expected)?;
        let text = word.unraw().to_string();
        match text.as_str() {
            "crate" if is_type => {
                input.parse::<Token![=]>()?;
                self.root = Some(input.call(syn::Path::parse_mod_style)?);
                return Ok(());
            }
            "skip" if !is_type && self.remove.is_none() && self.skip.is_none() => self.skip = Some(word.span()),
            "skip" if is_type => {
                return Err(syn::Error::new(word.span(), "a type is not skipped: skip the members that have it"));
            }
            "redact" | "mask" | "token" | "seal" if self.remove.is_none() && self.skip.is_none() => {
                self.remove = Some((word.span(), removal::Method::of_mark(&word, input)?));
            }
            "redact" | "mask" | "token" | "seal" | "skip" => {
                let message = "a member is removed in one way: keep one of the marks";
                return Err(syn::Error::new(word.span(), message));
            }
            _ => {
                let suggestion = errors::did_you_mean(&text, MARKS);
                let message = format!("unknown word `{text}`; a member has {}{suggestion}", errors::list(MARKS));
                return Err(syn::Error::new(word.span(), message));
            }
        }
        Ok(())
    }

    /// Resolves what the marks say, beside the members of these names.
    fn act(&self, beside: &[(Option<&Ident>, String)], errors: &mut Errors) -> Option<Act> {
        if self.skip.is_some() {
            return Some(Act::Skip);
        }
        let (_, method) = self.remove.as_ref()?;
        let subject = match method {
            removal::Method::Drop => return Some(Act::Remove(Method::Drop)),
            removal::Method::Mask { last_four } => return Some(Act::Remove(Method::Mask { last_four: *last_four })),
            removal::Method::Token => return Some(Act::Remove(Method::Token)),
            removal::Method::Seal(None) => return Some(Act::Remove(Method::Seal(None))),
            removal::Method::Seal(Some(subject)) => subject,
        };
        let found = beside.iter().find(|(ident, _)| ident.is_some_and(|ident| *ident == subject.first));
        match found {
            Some((_, name)) if subject.segments.is_empty() => Some(Act::Remove(Method::Seal(Some(name.clone())))),
            _ => {
                let names: Vec<String> =
                    beside.iter().filter_map(|(ident, _)| Some(ident.as_ref()?.unraw().to_string())).collect();
                let allowed = match names.as_slice() {
                    [] => String::from("there is none"),
                    names => format!("there are {}", errors::list(names.iter().map(String::as_str))),
                };
                errors.on(subject, format!("the subject is a member with a name beside the sealed one; {allowed}"));
                None
            }
        }
    }
}

const MARKS: [&str; 5] = ["redact", "mask", "token", "seal", "skip"];
const FORM: &str =
    "`#[audit(redact)]`, `#[audit(mask)]`, `#[audit(token)]`, `#[audit(seal(subject = id))]` or `#[audit(skip)]`";
const INSTEAD: &str = "use `redact` with paths where it is a parameter, or wrap the value in `Secret`";
