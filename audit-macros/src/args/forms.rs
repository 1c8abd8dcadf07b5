//! The arguments that there are: what each looks like, and where it may stand.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;

/// What the arguments belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `#[audited(…)] fn …`
    Function,
    /// `#[audited(…)] impl …`
    Implementation,
    /// `#[audited(…)]` on a method of such an `impl`.
    Method,
    /// `audited::call!(…)`
    Call,
}

/// One argument: its name, its form, where it may stand, and what to say elsewhere.
struct Argument(&'static str, &'static str, &'static [Place], &'static str);

use Place::{Call, Function, Implementation, Method};

const EVERYWHERE: &[Place] = &[Function, Implementation, Method, Call];
const CALLS: &[Place] = &[Function, Method, Call];
const FUNCTIONS: &[Place] = &[Function, Method];

pub(crate) const ACTION_FORM: &str = "action = \"order.refund\"";
pub(crate) const TARGET_FORM: &str = "target(type = \"order\", id = order.id)";
pub(crate) const FIELDS_FORM: &str = "fields(tenant = self.tenant, region)";
pub(crate) const PREFIX_FORM: &str = "prefix = \"orders\"";

const ONE_CALL: &str = "it is said of one call: write it in an `#[audited(…)]` on the method";

const ARGUMENTS: [Argument; 21] = [
    Argument("action", ACTION_FORM, CALLS, "write `prefix = \"orders\"`, after which the methods are named"),
    Argument("name", "name = \"refund\"", CALLS, ONE_CALL),
    Argument("effect", "effect = \"read\" | \"write\" | \"destructive\"", EVERYWHERE, ""),
    Argument("level", "level = \"metadata\" | \"request\" | \"request_response\"", EVERYWHERE, ""),
    Argument("telemetry", "telemetry = \"names\" | \"redacted_arguments\" | \"arguments\"", EVERYWHERE, ""),
    Argument("stages", "stages = \"started_completed\" | \"completed\"", EVERYWHERE, ""),
    Argument("durability", "durability = \"os\" | \"disk\"", EVERYWHERE, ""),
    Argument("append_timeout_ms", "append_timeout_ms = 50", EVERYWHERE, ""),
    Argument("on_unavailable", "on_unavailable = \"deny\" | \"count\" | \"panic\" | |unavailable| …", EVERYWHERE, ""),
    Argument("redact", "redact = [customer.ssn, mask(card)]", CALLS, ONE_CALL),
    Argument("skip", "skip(first, second)", CALLS, ONE_CALL),
    Argument("only", "only(first, second)", CALLS, ONE_CALL),
    Argument("fields", FIELDS_FORM, CALLS, ONE_CALL),
    Argument("target", TARGET_FORM, CALLS, ONE_CALL),
    Argument("outcome", "outcome = |returned| …", CALLS, ONE_CALL),
    Argument("summary", "summary = [id, lines[].sku]", CALLS, ONE_CALL),
    Argument("result", "result = |returned| …", CALLS, ONE_CALL),
    Argument(
        "boxed",
        "boxed` or `boxed = \"local\"",
        &[Function, Implementation, Method],
        "write `async { Box::pin(…).await }` in the block",
    ),
    Argument(
        "prefix",
        PREFIX_FORM,
        &[Implementation],
        "it is for an `impl` block, whose methods are named after it; one function has an `action`",
    ),
    Argument(
        "exempt",
        "exempt(\"it only formats\")",
        FUNCTIONS,
        "what is exempt is one function: write `#[audited(exempt(\"…\"))]` on it",
    ),
    Argument("crate", "crate = path::to::audited", EVERYWHERE, ""),
];

/// The arguments of arguments.
const PARTS: [(&str, &str); 3] = [("type", "type = \"order\""), ("id", "id = order.id"), ("as", "as = \"order_id\"")];

/// Returns what an argument looks like.
pub(crate) fn form(name: &Ident) -> &'static str {
    let name = name.unraw();
    let arguments = ARGUMENTS.iter().map(|Argument(argument, form, ..)| (*argument, *form));
    arguments.chain(PARTS).find(|(argument, _)| name == *argument).map_or("", |(_, form)| form)
}

/// Lists the arguments that may stand in a place.
pub(crate) fn allowed(place: Place) -> impl Iterator<Item = &'static str> {
    ARGUMENTS.iter().filter(move |Argument(_, _, places, _)| places.contains(&place)).map(|Argument(name, ..)| *name)
}

/// Says why an argument that there is may not stand in a place.
pub(crate) fn misplaced(name: &str, place: Place) -> Option<String> {
    let Argument(name, _, places, instead) = ARGUMENTS.iter().find(|Argument(argument, ..)| *argument == name)?;
    let whose = match place {
        _ if places.contains(&place) => return None,
        Function | Method => "of a function",
        Implementation => "of an `impl` block",
        Call => "of `call!`",
    };
    Some(format!("`{name}` is no argument {whose}: {instead}"))
}
