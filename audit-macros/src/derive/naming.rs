//! The names under which serde serialises types, variants and members.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, LitStr, Token, token};

use crate::errors::Errors;

/// What serde's attributes say, as far as it concerns names and forms.
#[derive(Default)]
pub(super) struct Serde {
    pub(super) rename: Option<String>,
    pub(super) rename_all: Option<Case>,
    pub(super) rename_all_fields: Option<Case>,
    /// The words that stand there, with or without a value.
    words: Vec<String>,
}

impl Serde {
    /// Reads the attributes `#[serde(…)]`; what is wrong with them serde reports.
    pub(super) fn of(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut found = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            let read = attribute.parse_nested_meta(|meta| found.take(&meta));
            // An attribute that serde cannot read, either, has its error by serde.
            if let Err(error) = read {
                errors.push(error);
            }
        }
        found
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let Some(word) = meta.path.get_ident().map(Ident::to_string) else { return skip(meta) };
        self.words.push(word.clone());
        match word.as_str() {
            "rename" => self.rename = name(meta)?.or(self.rename.take()),
            "rename_all" => self.rename_all = name(meta)?.and_then(|rule| Case::parse(&rule)),
            "rename_all_fields" => self.rename_all_fields = name(meta)?.and_then(|rule| Case::parse(&rule)),
            _ => skip(meta)?,
        }
        Ok(())
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|given| given == word)
    }
}

/// Reads `= "name"` or `(serialize = "name", deserialize = …)`; nothing if only the other direction is named.
fn name(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<String>> {
    if meta.input.peek(Token![=]) {
        return Ok(Some(meta.value()?.parse::<LitStr>()?.value()));
    }
    let mut found = None;
    meta.parse_nested_meta(|inner| {
        let value = inner.value()?.parse::<LitStr>()?.value();
        if inner.path.is_ident("serialize") {
            found = Some(value);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Passes over the value of a word that does not matter here.
fn skip(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(token::Paren) {
        meta.parse_nested_meta(|inner| skip(&inner))?;
    }
    Ok(())
}

/// A rule of `rename_all`.
#[derive(Clone, Copy)]
pub(super) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Case {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "lowercase" => Self::Lower,
            "UPPERCASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "snake_case" => Self::Snake,
            "SCREAMING_SNAKE_CASE" => Self::ScreamingSnake,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::ScreamingKebab,
            _ => return None,
        })
    }

    /// Names a member, which is written in snake case.
    pub(super) fn of_member(self, name: &Ident) -> String {
        let name = name.unraw().to_string();
        match self {
            Self::Lower | Self::Snake => name,
            Self::Upper | Self::ScreamingSnake => name.to_ascii_uppercase(),
            Self::Pascal => pascal(&name),
            Self::Camel => uncapitalised(&pascal(&name)),
            Self::Kebab => name.replace('_', "-"),
            Self::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// Names a variant, which is written in Pascal case.
    pub(super) fn of_variant(self, name: &Ident) -> String {
        let name = name.unraw().to_string();
        match self {
            Self::Pascal => name,
            Self::Lower => name.to_ascii_lowercase(),
            Self::Upper => name.to_ascii_uppercase(),
            Self::Camel => uncapitalised(&name),
            Self::Snake => snake(&name),
            Self::ScreamingSnake => snake(&name).to_ascii_uppercase(),
            Self::Kebab => snake(&name).replace('_', "-"),
            Self::ScreamingKebab => snake(&name).to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn pascal(name: &str) -> String {
    let mut capitalise = true;
    let mut out = String::new();
    for letter in name.chars() {
        if letter == '_' {
            capitalise = true;
        } else {
            out.push(if capitalise { letter.to_ascii_uppercase() } else { letter });
            capitalise = false;
        }
    }
    out
}

fn uncapitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (index, letter) in name.char_indices() {
        if index > 0 && letter.is_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
