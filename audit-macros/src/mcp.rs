//! What rmcp's `#[tool(…)]` on the same function says, and its likes in rig and swiftide: the tool's name and its hints.
//!
//! Whatever is not as these write it belongs to another macro of that name, or is a mistake that they report.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Path, Token, parenthesized, token};

use crate::words::Effect;

/// What a tool says of itself.
#[derive(Default)]
pub(crate) struct Tool {
    /// The name that a client calls it by, if that is not the function's.
    pub(crate) name: Option<String>,
    /// Only what is written: MCP's own default, destructive, would deny calls that nobody called so.
    pub(crate) effect: Option<Effect>,
}

/// Reads the first `#[tool]`, if one stands there.
pub(crate) fn read(attributes: &[Attribute]) -> Option<Tool> {
    let attribute = attributes.iter().find(|attribute| is_tool(attribute.path()))?;
    let Meta::List(list) = &attribute.meta else { return Some(Tool::default()) };
    Some(list.parse_args_with(tool).unwrap_or_default())
}

fn is_tool(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| last.ident == "tool" || last.ident == "rig_tool")
}

fn tool(input: ParseStream<'_>) -> syn::Result<Tool> {
    let items = Punctuated::<Item, Token![,]>::parse_terminated(input)?;
    if let Some(other) = items.iter().find(|item| !ITEMS.iter().any(|known| item.name.is_ident(known))) {
        return Err(syn::Error::new_spanned(&other.name, "no item of rmcp's"));
    }
    let item = |name: &str| items.iter().find(|item| item.name.is_ident(name)).map(|item| &item.value);
    let name = match item("name") {
        Some(Value::Expression(value)) => text(value),
        _ => None,
    };
    let hints = match item("annotations") {
        Some(Value::List(hints)) => hints.as_slice(),
        _ => &[],
    };
    let hint = |name: &str| hints.iter().any(|hint| hint.name.is_ident(name) && is_true(&hint.value));
    let effect = if hint("read_only_hint") {
        Some(Effect::Read)
    } else {
        hint("destructive_hint").then_some(Effect::Destructive)
    };
    Ok(Tool { name, effect })
}

/// `local`, `name = "refund"`, `annotations(destructive_hint)`
struct Item {
    name: Path,
    value: Value,
}

enum Value {
    None,
    Expression(Box<Expr>),
    List(Vec<Item>),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Path::parse_mod_style)?;
        let value = if input.parse::<Option<Token![=]>>()?.is_some() {
            Value::Expression(input.parse()?)
        } else if input.peek(token::Paren) {
            let content;
            parenthesized!(content in input);
            Value::List(Punctuated::<Self, Token![,]>::parse_terminated(&content)?.into_iter().collect())
        } else {
            Value::None
        };
        Ok(Self { name, value })
    }
}

fn text(value: &Expr) -> Option<String> {
    if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value { Some(text.value()) } else { None }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::None => true,
        Value::Expression(value) => {
            text(value).is_some_and(|text| text == "true")
                || matches!(&**value, Expr::Lit(ExprLit { lit: Lit::Bool(value), .. }) if value.value)
        }
        Value::List(_) => false,
    }
}

const ITEMS: [&str; 13] = [
    "name",
    "title",
    "description",
    "input_schema",
    "output_schema",
    "icons",
    "meta",
    "local",
    "annotations",
    // Those of rig's `#[rig_tool]` and swiftide's `#[tool]`.
    "param",
    "params",
    "required",
    "fn_name",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Word as _;

    #[test]
    fn what_is_written_is_read() {
        for (written, expected) in [
            ("#[doc = \"x\"]", None),
            ("#[tool]", Some((None, None))),
            ("#[tool()]", Some((None, None))),
            ("#[rmcp::tool(name = \"refund\", description = f::<A, B>(1, 2),)]", Some((Some("refund"), None))),
            ("#[tool(annotations(read_only_hint = true))]", Some((None, Some("Read")))),
            ("#[tool(annotations(destructive_hint), local)]", Some((None, Some("Destructive")))),
            (
                "#[tool(annotations(destructive_hint = \"true\", read_only_hint = false))]",
                Some((None, Some("Destructive"))),
            ),
            ("#[tool(annotations(destructive_hint, read_only_hint))]", Some((None, Some("Read")))),
            (
                "#[tool(annotations(title = \"A\", idempotent_hint = true, destructive_hint = false))]",
                Some((None, None)),
            ),
            ("#[tool(name = concat!(\"a\"))]", Some((None, None))),
            ("#[tool(name = \"a\", param(name = \"b\"))]", Some((Some("a"), None))),
            ("#[rig_tool(name = \"a\", params(b = \"the b\"), required(b))]", Some((Some("a"), None))),
            ("#[tool(name = \"a\", of_another = \"macro\")]", Some((None, None))),
        ] {
            let function: syn::ItemFn = syn::parse_str(&format!("{written} fn f() {{}}")).expect(written);
            let tool = read(&function.attrs);
            let found = tool.as_ref().map(|tool| (tool.name.as_deref(), tool.effect.map(|effect| effect.variant())));
            assert_eq!(found, expected, "{written}");
        }
    }
}
