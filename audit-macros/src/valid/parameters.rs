//! Which parameters are recorded, under which name, and what is removed from them.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;

use super::{Method, Redaction, Root, check_text};
use crate::args::Args;
use crate::errors::{self, Errors};
use crate::model::Parameter;
use crate::path::{Path, Segment};
use crate::removal::{self, Removal};

/// Returns the indices of the parameters that are not captured.
pub(super) fn skipped(args: &Args, parameters: &[Parameter], errors: &mut Errors) -> Vec<usize> {
    let mut skipped = named(&args.skip, parameters, "skipped", errors);
    for (index, parameter) in parameters.iter().enumerate() {
        let Some(span) = parameter.skip else { continue };
        let name = parameter.text();
        if let Some((redact, _)) = &parameter.redact {
            errors.at(*redact, skipped_too(&name));
        }
        if args.only.is_some() {
            errors.at(span, ONLY_OR_SKIP);
        } else if skipped.contains(&index) {
            errors.at(span, format!("`{name}` is skipped twice"));
        } else {
            skipped.push(index);
        }
    }
    let Some(only) = &args.only else { return skipped };
    if let Some(skip) = args.given("skip") {
        errors.on(skip, ONLY_OR_SKIP);
    }
    let kept = named(only, parameters, "named", errors);
    (0..parameters.len()).filter(|index| !kept.contains(index)).collect()
}

/// Returns the indices of parameters, each of which is to be named once.
fn named(names: &[Ident], parameters: &[Parameter], what: &str, errors: &mut Errors) -> Vec<usize> {
    let mut found = Vec::new();
    for name in names {
        let text = name.unraw().to_string();
        match parameters.iter().position(|parameter| parameter.text() == text) {
            Some(index) if found.contains(&index) => errors.on(name, format!("`{text}` is {what} twice")),
            Some(index) => found.push(index),
            None => errors.on(name, unknown_parameter(name, parameters, &[])),
        }
    }
    found
}

/// Resolves the paths of `redact` and of the parameters' own `#[audit(redact)]`.
pub(super) fn redactions(
    args: &Args,
    parameters: &[Parameter],
    skipped: &[usize],
    errors: &mut Errors,
) -> Vec<Redaction> {
    // One that is skipped has had its error.
    let marked = parameters.iter().filter(|parameter| parameter.skip.is_none()).filter_map(|parameter| {
        let (span, method) = parameter.redact.as_ref()?;
        let mut name = parameter.name.clone();
        name.set_span(*span);
        Some(Removal::of_parameter(&name, method.clone()))
    });
    let marked: Vec<Removal> = marked.collect();
    let removals: Vec<&Removal> = args.redact.iter().chain(&marked).collect();
    let mut redactions = Vec::new();
    for (index, removal) in removals.iter().enumerate() {
        let path = &removal.path;
        let mut before = removals.iter().take(index);
        if before.any(|other| path.addresses_same_as(&other.path)) {
            errors.on(path, format!("`{}` is redacted twice", path.text()));
            continue;
        }
        let resolved = roots(path, args, parameters, skipped)
            .and_then(|roots| Ok((method(removal, &roots, args, parameters, skipped)?, roots)));
        match resolved {
            Ok((method, roots)) => redactions.extend(roots.into_iter().map(|root| Redaction {
                text: path.text(),
                root,
                segments: path.segments.clone(),
                // A parameter called `error` is removed as it says; the text of an error is left out.
                method: if root == Root::Error { Method::Drop } else { method.clone() },
            })),
            Err(error) => errors.push(error),
        }
    }
    redactions
}

/// Resolves how a value is removed.
fn method(
    removal: &Removal,
    roots: &[Root],
    args: &Args,
    parameters: &[Parameter],
    skipped: &[usize],
) -> syn::Result<Method> {
    let subject = match &removal.method {
        removal::Method::Drop => return Ok(Method::Drop),
        _ if roots == [Root::Error] => return Err(syn::Error::new_spanned(removal, ERROR_IS_LEFT_OUT)),
        removal::Method::Mask { last_four } => return Ok(Method::Mask { last_four: *last_four }),
        removal::Method::Token => return Ok(Method::Token),
        removal::Method::Seal(None) => return Ok(Method::Seal(None)),
        removal::Method::Seal(Some(subject)) => subject,
    };
    if subject.segments.iter().any(|segment| !matches!(segment, Segment::Key { .. })) {
        return Err(syn::Error::new_spanned(subject, ONE_SUBJECT));
    }
    let found = self::roots(subject, args, parameters, skipped)?;
    match found.first() {
        Some(Root::Return) if roots != [Root::Return] => {
            let message = "an argument is sealed before there is a result: its subject is a parameter, or in one";
            Err(syn::Error::new_spanned(subject, message))
        }
        Some(&root) if root != Root::Error => Ok(Method::Seal(Some((root, subject.segments.clone())))),
        _ => Err(syn::Error::new_spanned(subject, ONE_SUBJECT)),
    }
}

/// Returns what a path starts from; with a parameter called `error` that is two things.
fn roots(path: &Path, args: &Args, parameters: &[Parameter], skipped: &[usize]) -> syn::Result<Vec<Root>> {
    let mut roots = Vec::new();
    if path.first == "return" {
        return Ok(vec![Root::Return]);
    }
    let is_error = path.first == "error" && path.segments.is_empty();
    let name = path.first.unraw().to_string();
    match parameters.iter().position(|parameter| parameter.text() == name) {
        Some(index) if !skipped.contains(&index) => roots.push(Root::Parameter(index)),
        // The parameter is not captured, but the text of an error is.
        Some(_) if is_error => {}
        Some(_) if args.only.is_some() => return Err(syn::Error::new_spanned(path, not_in_only(&name))),
        Some(_) => return Err(syn::Error::new_spanned(path, skipped_too(&name))),
        None if path.first == "error" && !is_error => return Err(syn::Error::new_spanned(path, ERROR_IS_TEXT)),
        None if path.first == "error" => {}
        None if args.fields.iter().any(|field| field.name.value() == name) => {
            return Err(syn::Error::new_spanned(path, own_field(&name)));
        }
        None => {
            let message = unknown_parameter(&path.first, parameters, &["return", "error"]);
            return Err(syn::Error::new(path.first.span(), message));
        }
    }
    if is_error {
        roots.push(Root::Error);
    }
    Ok(roots)
}

/// Checks the names under which parameters and fields are recorded: two members of one name are no JSON object.
pub(super) fn check_recorded(args: &Args, parameters: &[Parameter], skipped: &[usize], errors: &mut Errors) {
    let captured = parameters.iter().enumerate().filter(|(index, _)| !skipped.contains(index));
    let captured: Vec<&Parameter> = captured.map(|(_, parameter)| parameter).collect();
    for (index, parameter) in captured.iter().enumerate() {
        let name = parameter.recorded();
        let Some(other) = captured.iter().take(index).find(|other| other.recorded() == name) else { continue };
        let renamed = parameter.rename.as_ref().or(other.rename.as_ref());
        errors.on(renamed, format!("two parameters are recorded as `{name}`"));
    }
    let mut recorded: Vec<String> = captured.iter().map(|parameter| parameter.recorded()).collect();
    for parameter in parameters {
        let Some(name) = &parameter.rename else { continue };
        check_text(name, "a name", errors);
        if parameter.skip.is_some() || args.skip.contains(&parameter.name) {
            errors.on(name, format!("`{}` is skipped, so it is recorded under no name", parameter.text()));
        }
    }
    for field in &args.fields {
        check_text(&field.name, "a name", errors);
        let name = field.name.value();
        if recorded.contains(&name) {
            let message = format!("`{name}` is recorded already: a name stands for one parameter or field");
            errors.on(&field.name, message);
        }
        recorded.push(name);
    }
}

fn skipped_too(name: &str) -> String {
    format!(
        "`{name}` is skipped, so nothing of it is recorded and nothing is left to redact: remove it from `skip` or `redact`"
    )
}

fn not_in_only(name: &str) -> String {
    format!(
        "`{name}` is not in `only`, so nothing of it is recorded and nothing is left to redact: add it to `only` or remove \
         it from `redact`"
    )
}

fn own_field(name: &str) -> String {
    format!("`{name}` is a field of your own making: record the part of it that may be seen, or leave it out")
}

fn unknown_parameter(name: &Ident, parameters: &[Parameter], others: &[&str]) -> String {
    if name == "self" {
        return "`self` is not captured, so nothing of it is recorded".to_owned();
    }
    let text = name.unraw().to_string();
    if let Some(renamed) = parameters.iter().find(|parameter| parameter.recorded() == text) {
        return format!("`{text}` is what `{0}` is recorded as: write the parameter's own name, `{0}`", renamed.text());
    }
    let allowed: Vec<String> =
        parameters.iter().map(Parameter::text).chain(others.iter().map(|other| (*other).to_owned())).collect();
    if allowed.is_empty() {
        return format!("no parameter is called `{text}`: there is none");
    }
    let allowed = || allowed.iter().map(String::as_str);
    let suggestion = errors::did_you_mean(&text, allowed());
    format!("no parameter is called `{text}`; allowed: {}{suggestion}", errors::list(allowed()))
}

const ERROR_IS_LEFT_OUT: &str = "the text of an error is left out as a whole: write `error`";
const ONE_SUBJECT: &str = "a subject is one value: a parameter or `return`, and keys, as in `customer.id`";
const ERROR_IS_TEXT: &str = "the text of an error has no keys: write `error`";
const ONLY_OR_SKIP: &str = "`only` says which parameters are recorded, `skip` which are not: keep one";
