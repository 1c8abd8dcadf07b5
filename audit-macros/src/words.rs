//! The words that an argument may have as its value.

use crate::errors;

/// A closed set of words, each with the variant of the same name in the runtime's vocabulary.
pub(crate) trait Word: Copy + 'static {
    /// Every word, as written in the attribute.
    const ALL: &'static [(&'static str, Self)];

    /// Returns the name of the variant that stands for this word at run time.
    fn variant(self) -> &'static str;

    /// Returns the word as it is written.
    fn text(self) -> &'static str;

    /// Returns the word that `text` spells.
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
    }

    /// Writes the words as values, with their quotes: `"read"`, `"write"` and `"destructive"`.
    fn allowed() -> String {
        let quoted: Vec<String> = Self::ALL.iter().map(|(word, _)| format!("{word:?}")).collect();
        errors::list(quoted.iter().map(String::as_str))
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($variant,)+ }

        impl Word for $name {
            const ALL: &'static [(&'static str, Self)] = &[$(($text, Self::$variant),)+];

            fn variant(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)+ }
            }

            fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

words! {
    /// What the function does to the world.
    Effect { Read = "read", Write = "write", Destructive = "destructive", }
}
words! {
    /// How much of a call is recorded.
    Level { Metadata = "metadata", Request = "request", RequestResponse = "request_response", }
}
words! {
    /// What the span shows of arguments and result.
    Telemetry { Names = "names", RedactedArguments = "redacted_arguments", Arguments = "arguments", }
}
words! {
    /// Which stages are recorded.
    Stages { StartedCompleted = "started_completed", Completed = "completed", }
}
words! {
    /// What a record survives before the call goes on.
    Durability { Os = "os", Disk = "disk", }
}
words! {
    /// What happens to a call that cannot be recorded, where a word says so.
    Unavailable { Deny = "deny", Count = "count", Panic = "panic", }
}
