//! The variables that patterns bind, and what `#[audit(…)]` says of them.

use proc_macro2::{Ident, Span};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, FieldPat, FnArg, LitStr, Member, Meta, Pat, PatIdent};

use crate::args::{each_element, skip_value, string};
use crate::errors::{self, Errors};
use crate::removal::Method;

/// One variable that the patterns of the parameters bind.
pub(crate) struct Parameter {
    pub(crate) name: Ident,
    /// What it is called where the pattern takes it from, `credentials.password` in
    /// `Login { credentials: Credentials { password: typed } }`; its own name outside of patterns.
    pub(crate) field: String,
    /// The `#[cfg(…)]` of the parameter, without which its capture would name nothing.
    pub(crate) conditions: Vec<Attribute>,
    /// `#[audit(redact)]`, `#[audit(mask)]` and the like: where it says so, and how.
    pub(crate) redact: Option<(Span, Method)>,
    /// `#[audit(skip)]`, where it says so.
    pub(crate) skip: Option<Span>,
    /// `#[audit(as = "…")]`.
    pub(crate) rename: Option<LitStr>,
}

impl Parameter {
    /// Returns the variable's name.
    pub(crate) fn text(&self) -> String {
        self.name.unraw().to_string()
    }

    /// Returns the name that it is recorded under.
    pub(crate) fn recorded(&self) -> String {
        self.rename.as_ref().map_or_else(|| self.text(), LitStr::value)
    }
}

/// Collects the variables of a function's parameters.
pub(super) fn of_function<'a>(inputs: impl IntoIterator<Item = &'a FnArg>, errors: &mut Errors) -> Vec<Parameter> {
    let mut found = Vec::new();
    for input in inputs {
        match input {
            FnArg::Typed(parameter) => of_pattern(&parameter.attrs, &parameter.pat, &mut found, errors),
            FnArg::Receiver(receiver) => {
                for mark in receiver.attrs.iter().filter(|attribute| attribute.path().is_ident("audit")) {
                    errors.on(&mark.meta, "`self` is not captured, so nothing of it is recorded");
                }
            }
        }
    }
    found
}

/// Adds the variables of one pattern to those before it.
pub(super) fn of_pattern(attributes: &[Attribute], pattern: &Pat, found: &mut Vec<Parameter>, errors: &mut Errors) {
    let conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect();
    let before = found.len();
    let mut bindings = Bindings { found: std::mem::take(found), conditions, members: Vec::new() };
    bindings.visit_pat_mut(&mut pattern.clone());
    *found = bindings.found;
    let own = found.get_mut(before..).unwrap_or_default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("audit")) {
        mark(attribute, pattern, own, errors);
    }
}

/// Notes what one `#[audit(…)]` says of the variables of its pattern.
fn mark(attribute: &Attribute, pattern: &Pat, parameters: &mut [Parameter], errors: &mut Errors) {
    let Meta::List(list) = &attribute.meta else {
        errors.on(&attribute.meta, format!("`#[audit]` is written {MARK_FORM}"));
        return;
    };
    if parameters.is_empty() {
        let message = format!("`{}` binds no variable, so nothing of it is recorded", pattern.to_token_stream());
        errors.on(&attribute.meta, message);
        return;
    }
    let parser = |input: ParseStream<'_>| {
        if input.is_empty() {
            errors.on(list, format!("`#[audit]` is written {MARK_FORM}"));
        }
        each_element(input, errors, |input, _| word(input, parameters));
        Ok(())
    };
    if let Err(error) = parser.parse2(list.tokens.clone()) {
        errors.push(error);
    }
}

fn word(input: ParseStream<'_>, parameters: &mut [Parameter]) -> syn::Result<()> {
    let word =
        Ident::parse_any(input).map_err(|error| syn::Error::new(error.span(), format!("expected {MARK_FORM}")))?;
    let text = word.unraw().to_string();
    let twice = parameters.iter().any(|parameter| match text.as_str() {
        "redact" | "mask" | "token" | "seal" => parameter.redact.is_some(),
        "skip" => parameter.skip.is_some(),
        _ => text == "as" && parameter.rename.is_some(),
    });
    if twice {
        return skip_value(input, syn::Error::new(word.span(), format!("`{text}` is given twice")));
    }
    match text.as_str() {
        "redact" | "mask" | "token" | "seal" => {
            let method = Method::of_mark(&word, input)?;
            parameters.iter_mut().for_each(|parameter| parameter.redact = Some((word.span(), method.clone())));
        }
        "skip" => parameters.iter_mut().for_each(|parameter| parameter.skip = Some(word.span())),
        "as" => {
            let name = string(&word, input)?;
            let [parameter] = parameters else {
                let names: Vec<String> = parameters.iter().map(Parameter::text).collect();
                let names = errors::list(names.iter().map(String::as_str));
                let message = format!("the pattern binds {names}: `as` names one variable");
                return Err(syn::Error::new(word.span(), message));
            };
            parameter.rename = Some(name);
        }
        _ => {
            let suggestion = errors::did_you_mean(&text, MARKS);
            let message = format!("unknown word `{text}`; a parameter has {}{suggestion}", errors::list(MARKS));
            return skip_value(input, syn::Error::new(word.span(), message));
        }
    }
    Ok(())
}

/// Collects the variables of a pattern, in the order in which they are written.
struct Bindings {
    found: Vec<Parameter>,
    conditions: Vec<Attribute>,
    /// The members around the variable.
    members: Vec<String>,
}

impl VisitMut for Bindings {
    fn visit_field_pat_mut(&mut self, member: &mut FieldPat) {
        let named = if let Member::Named(name) = &member.member { Some(name.unraw().to_string()) } else { None };
        let around = self.members.len();
        self.members.extend(named);
        visit_mut::visit_field_pat_mut(self, member);
        self.members.truncate(around);
    }

    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        // The cases of `A(x) | B(x)` bind the same variables.
        if !self.found.iter().any(|parameter| parameter.name == pattern.ident) {
            let name = pattern.ident.clone();
            let field = if self.members.is_empty() { name.unraw().to_string() } else { self.members.join(".") };
            let conditions = self.conditions.clone();
            self.found.push(Parameter { name, field, conditions, redact: None, skip: None, rename: None });
        }
        visit_mut::visit_pat_ident_mut(self, pattern);
    }
}

const MARKS: [&str; 6] = ["redact", "mask", "token", "seal", "skip", "as"];
const MARK_FORM: &str = "`#[audit(redact)]`, `#[audit(mask)]`, `#[audit(token)]`, `#[audit(seal)]`, `#[audit(skip)]` or `#[audit(as = \"order_id\")]`";
