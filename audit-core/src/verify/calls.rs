//! What the lines of a part say of calls.

use core::hash::{BuildHasherDefault, Hash, Hasher};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::id::CallId;
use crate::verify::Summary;
use crate::vocabulary::Stage;

/// Calls that begin or end in a part; what went before it is not known yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Calls {
    /// How many calls are new whatever went before.
    new: u64,
    abandoned: u64,
    fates: Vec<(CallId, Fate)>,
}

/// What happens to one call in a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fate {
    /// True if the first line that tells of it ends it: then it is new unless it was open before.
    ends_first: bool,
    /// The number of the entry that began it, if it is open at the end of the part.
    open: Option<u64>,
}

impl Calls {
    /// Adds the part's calls to those before it.
    pub(super) fn add_to(&self, summary: &mut Summary) {
        summary.calls += self.new;
        summary.abandoned += self.abandoned;
        for (call_id, fate) in &self.fates {
            let was_open = match fate.open {
                Some(number) => summary.open_calls.insert(*call_id, number).is_some(),
                None => !summary.open_calls.is_empty() && summary.open_calls.remove(call_id).is_some(),
            };
            summary.calls += u64::from(fate.ends_first && !was_open);
        }
    }
}

/// Collects the calls of a part while its lines are read.
#[derive(Debug, Default)]
pub(super) struct Collecting<'a> {
    new: u64,
    abandoned: u64,
    fates: HashMap<Text<'a>, Fate, BuildHasherDefault<Fold>>,
}

impl<'a> Collecting<'a> {
    /// Makes room for the calls of so many lines.
    pub(super) fn of(lines: usize) -> Self {
        Self { fates: HashMap::with_capacity_and_hasher(lines, BuildHasherDefault::default()), ..Self::default() }
    }

    /// Takes what one line says; the texts are those of its members.
    pub(super) fn add(&mut self, number: u64, call_id: &'a [u8], stage: &[u8]) {
        let stage = match stage {
            b"started" => Some(Stage::Started),
            b"completed" => Some(Stage::Completed),
            _ => core::str::from_utf8(stage).ok().and_then(Stage::parse),
        };
        let Some(stage) = stage else { return };
        let begins = stage == Stage::Started;
        let (true, Some(text)) = (begins || stage.ends_call(), Text::new(call_id)) else { return };
        self.new += u64::from(begins);
        self.abandoned += u64::from(stage == Stage::Abandoned);
        let open = begins.then_some(number);
        match self.fates.entry(text) {
            Entry::Vacant(place) => _ = place.insert(Fate { ends_first: !begins, open }),
            Entry::Occupied(mut place) => {
                let fate = place.get_mut();
                self.new += u64::from(!begins && fate.open.is_none());
                fate.open = open;
            }
        }
    }

    pub(super) fn finish(self) -> Calls {
        let parse = |(text, fate): (Text<'_>, Fate)| {
            let text = core::str::from_utf8(text.0).ok()?;
            Some((text.parse().ok()?, fate))
        };
        Calls { new: self.new, abandoned: self.abandoned, fates: self.fates.into_iter().filter_map(parse).collect() }
    }
}

/// The text of a [`CallId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Text<'a>(&'a [u8; 36]);

impl<'a> Text<'a> {
    /// Takes what [`CallId`] takes: lower-case hexadecimal digits in five groups.
    fn new(text: &'a [u8]) -> Option<Self> {
        let text: &[u8; 36] = text.try_into().ok()?;
        let fits = |(byte, form): (&u8, &u8)| {
            let is_digit = byte.is_ascii_digit() | matches!(byte, b'a'..=b'f');
            (is_digit & (*form == b'0')) | ((*byte == b'-') & (*form == b'-'))
        };
        // Without a branch for each byte, so that all are looked at together.
        text.iter().zip(FORM).map(fits).fold(true, |all, one| all & one).then_some(Self(text))
    }
}

/// The form of an identifier: a digit for every hexadecimal digit.
const FORM: &[u8; 36] = b"00000000-0000-0000-0000-000000000000";

impl Hash for Text<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The end is random in every identifier that this crate makes.
        state.write_u64(self.0.last_chunk().map_or(0, |random| u64::from_le_bytes(*random)));
    }
}

/// Spreads a word over the bits that a map looks at. Whoever makes identifiers that meet slows down one part.
#[derive(Debug, Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * 0x9e37_79b9_7f4a_7c15;
        let [low, high] = [product, product >> 64].map(|half| u64::try_from(half & u128::from(u64::MAX)).unwrap_or(0));
        self.0 = low ^ high;
    }
}
