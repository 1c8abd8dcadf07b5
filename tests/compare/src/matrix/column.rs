//! The attributes that are compared, each in its best documented form.

use super::shape::{Returns, Shape};

/// An attribute, as one column of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Column {
    /// No attribute: proves that the shape itself is sound.
    Bare,
    Audited,
    Instrument,
    InstrumentResult,
    Fastrace,
    Emit,
    Logcall,
}

/// The columns of the table; [`Column::Bare`] is not printed.
pub(crate) const COLUMNS: [Column; 7] = [
    Column::Bare,
    Column::Audited,
    Column::Instrument,
    Column::InstrumentResult,
    Column::Fastrace,
    Column::Emit,
    Column::Logcall,
];

/// How an attribute is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    /// As it is meant to be: with all arguments, and the result where the attribute can.
    Default,
    /// The same with all arguments listed.
    Listed,
    /// With those arguments that have `Debug`, or none.
    Shown,
}

impl Column {
    /// The column's heading.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "no attribute",
            Self::Audited => "`#[audited]`",
            Self::Instrument => "`#[instrument]`",
            Self::InstrumentResult => "`#[instrument(ret, err)]`",
            Self::Fastrace => "`#[fastrace::trace]`",
            Self::Emit => "`#[emit::span]`",
            Self::Logcall => "`#[logcall]`",
        }
    }

    /// The name of generated directories.
    pub(crate) const fn directory(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Audited => "audited",
            Self::Instrument => "instrument",
            Self::InstrumentResult => "instrument_result",
            Self::Fastrace => "fastrace",
            Self::Emit => "emit",
            Self::Logcall => "logcall",
        }
    }

    /// The library through which the column is observed.
    pub(crate) const fn probe(self) -> &'static str {
        match self {
            Self::Bare => "probe_bare",
            Self::Audited => "probe_audited",
            Self::Instrument | Self::InstrumentResult => "probe_tracing",
            Self::Fastrace => "probe_fastrace",
            Self::Emit => "probe_emit",
            Self::Logcall => "probe_logcall",
        }
    }

    /// The attribute in each form, for documents, and what of the result it takes.
    pub(crate) const fn described(self) -> [&'static str; 4] {
        match self {
            Self::Bare => ["", "", "", ""],
            Self::Audited => ["`#[audited(action = \"…\")]`", "", "", "is recorded"],
            Self::Instrument => [
                "`#[instrument]`, with `skip(self)` on a method",
                "`#[instrument(skip_all, fields(x = ?x))]`",
                "the same, or `#[instrument(skip_all)]`",
                "is not asked for",
            ],
            Self::InstrumentResult => [
                "`#[instrument(ret, err)]`, without `err` where no `Result` is returned, with `err(Debug)` where the error has \
                 no `Display`",
                "`#[instrument(skip_all, fields(x = ?x), ret, err)]`",
                "the same, or `#[instrument(skip_all, ret, err)]`",
                "is recorded",
            ],
            Self::Fastrace => {
                ["`#[trace(properties = { \"x\": \"{x:?}\" })]`", "", "the same, or `#[trace]`", "cannot be recorded"]
            }
            Self::Emit => {
                ["`#[span(\"…\", #[emit::as_debug] x: &x)]`", "", "the same, or `#[span(\"…\")]`", "cannot be recorded"]
            }
            Self::Logcall => [
                "`#[logcall(\"info\")]`",
                "`#[logcall(\"info\", input = \"x = {x:?}\")]`",
                "the same, or `#[logcall(\"info\", input = \"\", output = \"\")]`",
                "is recorded, save in the last form",
            ],
        }
    }

    /// True if the form takes the result, too.
    pub(crate) const fn takes_result(self, form: Form) -> bool {
        match self {
            Self::Audited | Self::InstrumentResult => true,
            Self::Logcall => !matches!(form, Form::Shown),
            Self::Bare | Self::Instrument | Self::Fastrace | Self::Emit => false,
        }
    }

    /// The forms that are tried, the next one where the one before does not do it.
    pub(crate) const fn tried(self) -> &'static [Form] {
        match self {
            Self::Bare | Self::Audited => &[Form::Default],
            Self::Instrument | Self::InstrumentResult | Self::Logcall => &[Form::Default, Form::Listed, Form::Shown],
            Self::Fastrace | Self::Emit => &[Form::Default, Form::Shown],
        }
    }

    /// Writes the shape with this attribute in the place of the placeholder; `None` if the crate has no such form.
    pub(crate) fn apply(self, form: Form, shape: &Shape) -> Option<String> {
        let call = self.call(shape);
        if call.is_none() && shape.source.contains("shape_call!(") {
            return None;
        }
        let (prefix, special, exempt) = match self {
            Self::Audited => (
                "#[::audited::audited(prefix = \"compare\")]".to_owned(),
                "#[::audited::audited(action = \"compare.special\")]",
                "#[::audited::audited(exempt(\"no tool\"))]",
            ),
            _ => (self.attribute(Form::Shown, shape), "", ""),
        };
        let source =
            shape.source.replace("#[shape]", &self.attribute(form, shape)).replace("#[shape(prefix)]", &prefix);
        let source = source.replace("#[shape(special)]", special).replace("#[shape(exempt)]", exempt);
        Some(source.replace("shape_call!(", &call.unwrap_or_default()))
    }

    fn attribute(self, form: Form, shape: &Shape) -> String {
        let captures = if form == Form::Shown { &shape.shown } else { &shape.captures };
        let list = |write: fn(&str) -> String| captures.iter().map(|name| write(name)).collect::<Vec<_>>().join(", ");
        match self {
            Self::Bare => String::new(),
            Self::Audited => {
                let more = shape.audited.as_ref().map(|arguments| format!(", {arguments}")).unwrap_or_default();
                format!("#[::audited::audited(action = \"{}\"{more})]", action(shape))
            }
            Self::Instrument | Self::InstrumentResult => {
                let mut arguments = vec!["name = \"subject\"".to_owned()];
                match form {
                    Form::Default if shape.has_receiver() => arguments.push("skip(self)".to_owned()),
                    Form::Default => {}
                    _ => {
                        arguments.push("skip_all".to_owned());
                        arguments.push(format!("fields({})", list(|name| format!("{} = ?{}", raw(name), raw(name)))));
                    }
                }
                if self == Self::InstrumentResult {
                    arguments.push(result_of(shape).to_owned());
                }
                format!("#[::tracing::instrument({})]", arguments.join(", "))
            }
            Self::Fastrace => {
                let properties = list(|name| format!("\"{name}\": \"{{{name}:?}}\""));
                let properties =
                    if properties.is_empty() { properties } else { format!(", properties = {{ {properties} }}") };
                format!("#[::fastrace::trace(name = \"subject\"{properties})]")
            }
            Self::Emit => {
                let properties = list(|name| format!("#[::emit::as_debug] {}: &{}", raw(name), raw(name)));
                let separator = if properties.is_empty() { "" } else { ", " };
                format!("#[::emit::span(\"subject\"{separator}{properties})]")
            }
            Self::Logcall => {
                let input = list(|name| format!("{name} = {{{name}:?}}"));
                match form {
                    Form::Default => "#[::logcall::logcall(\"info\")]".to_owned(),
                    Form::Listed => format!("#[::logcall::logcall(\"info\", input = \"{input}\")]"),
                    Form::Shown => format!("#[::logcall::logcall(\"info\", input = \"{input}\", output = \"\")]"),
                }
            }
        }
    }

    /// The beginning of a macro call around a block.
    fn call(self, shape: &Shape) -> Option<String> {
        match self {
            Self::Audited => Some(format!("::audited::call!(\"{}\", ", action(shape))),
            Self::Logcall => None,
            _ => Some("probe::call_block!(".to_owned()),
        }
    }
}

/// What `#[instrument]` has to be told of the result.
const fn result_of(shape: &Shape) -> &'static str {
    match shape.returns {
        Returns::Value => "ret",
        Returns::Result => "ret, err",
        Returns::ResultDebug => "ret, err(Debug)",
    }
}

/// A name as it is written in code.
fn raw(name: &str) -> String {
    if matches!(name, "type" | "fn") { format!("r#{name}") } else { name.to_owned() }
}

/// The action under which a shape's calls are recorded, where it does not say another.
pub(crate) fn action(shape: &Shape) -> String {
    format!("compare.{}", shape.stem)
}
