//! TOML tables whose keys are known, and values that say where they stand.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::PolicyError;

const NO_SAMPLING: &str = "a record that is left out by chance may be the one that is asked for; `level = \"none\"` \
    leaves out and counts";

/// A table of a policy, and what it is called in messages.
#[derive(Clone, Copy)]
pub(super) struct Table<'d> {
    pub(super) text: &'d str,
    pub(super) table: &'d DeTable<'d>,
    pub(super) place: usize,
    pub(super) what: &'static str,
}

/// A value of a policy.
#[derive(Clone, Copy)]
pub(super) struct Value<'d> {
    text: &'d str,
    value: &'d Spanned<DeValue<'d>>,
    key: &'static str,
}

impl<'d> Table<'d> {
    /// Refuses keys that are not among those.
    pub(super) fn check_keys(self, known: &[&'static str]) -> Result<Self, PolicyError> {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let reason = match name {
                "sample" | "sampling" | "sample_rate" => format!("expected no sampling, found `{name}`: {NO_SAMPLING}"),
                _ => {
                    let hint = hint(name, known).unwrap_or_else(|| format!("; there are {}", known.join(", ")));
                    format!("expected a key of {}, found `{}`{hint}", self.what, name.escape_debug())
                }
            };
            return Err(self.fault(key.span(), reason));
        }
        Ok(self)
    }

    /// Returns the value of a key.
    pub(super) fn value(self, key: &'static str) -> Option<Value<'d>> {
        self.table.get(key).map(|value| Value { text: self.text, value, key })
    }

    /// Returns the text of a key.
    pub(super) fn string(self, key: &'static str) -> Result<Option<&'d str>, PolicyError> {
        self.value(key).map(|value| value.string()).transpose()
    }

    /// Returns the texts of a key that has one text or a list of them.
    pub(super) fn strings(self, key: &'static str) -> Result<Vec<&'d str>, PolicyError> {
        self.value(key).map_or(Ok(Vec::new()), Value::strings)
    }

    /// Returns what one of several words stands for.
    pub(super) fn word<T>(
        self,
        key: &'static str,
        words: &[&'static str],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, PolicyError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        value.word(value.string()?, words, &parse).map(Some)
    }

    /// Returns what each of several words stands for.
    pub(super) fn words<T>(
        self,
        key: &'static str,
        words: &[&'static str],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, PolicyError> {
        let Some(value) = self.value(key) else { return Ok(Vec::new()) };
        value.elements().into_iter().map(|element| element.word(element.string()?, words, &parse)).collect()
    }

    /// Returns the number of a key.
    pub(super) fn number(self, key: &'static str) -> Result<Option<usize>, PolicyError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let found = match value.value.get_ref() {
            DeValue::Integer(number) => usize::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        found.map(Some).ok_or_else(|| value.expected("a number that is not negative"))
    }

    /// Returns the table of a key.
    pub(super) fn table(self, key: &'static str, what: &'static str) -> Result<Option<Self>, PolicyError> {
        self.value(key).map(|value| value.table(what)).transpose()
    }

    fn fault(self, span: Range<usize>, reason: impl Into<String>) -> PolicyError {
        PolicyError::at(self.text, span.start, reason)
    }
}

impl<'d> Value<'d> {
    /// Returns where the value stands.
    pub(super) fn place(self) -> usize {
        self.value.span().start
    }

    pub(super) fn string(self) -> Result<&'d str, PolicyError> {
        match self.value.get_ref() {
            DeValue::String(text) => Ok(text),
            _ => Err(self.expected("a text")),
        }
    }

    pub(super) fn strings(self) -> Result<Vec<&'d str>, PolicyError> {
        match self.value.get_ref() {
            DeValue::String(_) | DeValue::Array(_) => self.elements().into_iter().map(Self::string).collect(),
            _ => Err(self.expected("a text or a list of texts")),
        }
    }

    /// Returns the elements of a list, or the value itself if it is none.
    pub(super) fn elements(self) -> Vec<Self> {
        match self.value.get_ref() {
            DeValue::Array(elements) => elements.iter().map(|value| Self { value, ..self }).collect(),
            _ => vec![self],
        }
    }

    pub(super) fn table(self, what: &'static str) -> Result<Table<'d>, PolicyError> {
        match self.value.get_ref() {
            DeValue::Table(table) => Ok(Table { text: self.text, table, place: self.place(), what }),
            _ => Err(self.expected("a table")),
        }
    }

    pub(super) fn is_table(self) -> bool {
        matches!(self.value.get_ref(), DeValue::Table(_))
    }

    fn word<T>(self, word: &str, words: &[&'static str], parse: &dyn Fn(&str) -> Option<T>) -> Result<T, PolicyError> {
        parse(word).ok_or_else(|| {
            let found = format!("found `{}`{}", word.escape_debug(), hint(word, words).unwrap_or_default());
            let expected = format!("expected one of {} as `{}`, {found}", words.join(", "), self.key);
            PolicyError::at(self.text, self.place(), expected)
        })
    }

    pub(super) fn expected(self, expected: &str) -> PolicyError {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        PolicyError::at(self.text, self.place(), format!("expected {expected} as `{}`, found {found}", self.key))
    }
}

/// Suggests the known word that is nearest to one that is not known, if one is near.
fn hint(found: &str, known: &[&'static str]) -> Option<String> {
    let near = known.iter().map(|word| (distance(found, word), word)).min();
    let (_, word) = near.filter(|(distance, word)| *distance <= 2 && *distance < word.len())?;
    Some(format!(": is `{word}` meant?"))
}

/// Returns how many letters have to be put in, left out or changed to make the one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    // No word that is known is as long.
    for (index, letter) in a.chars().take(64).enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        let mut next = vec![left];
        for (above, other) in row.iter().skip(1).zip(&b) {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = *above;
            left = changed.min(*above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_of_words_is_counted_in_letters() {
        for (a, b, expected) in
            [("", "", 0), ("effect", "effect", 0), ("efect", "effect", 1), ("levle", "level", 2), ("a", "", 1)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
