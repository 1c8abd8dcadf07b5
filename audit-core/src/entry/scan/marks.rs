//! Where the quotes of a record are, 64 bytes at a time.

/// The quotes that begin and end texts: a bit for each byte of the record, 64 to a word.
#[derive(Debug, Default)]
pub(super) struct Marks {
    quotes: Vec<u64>,
    has_escapes: bool,
}

/// What is found in 64 bytes.
struct Block {
    quotes: u64,
    has_backslash: bool,
    /// Of each byte in turn: bit 7 is set if one is not ASCII.
    joined: u8,
    has_control: bool,
}

impl Marks {
    /// Reads the record; `None` where one of its bytes cannot stand in any text in that form.
    pub(super) fn set(&mut self, record: &[u8]) -> Option<()> {
        self.quotes.clear();
        self.has_escapes = false;
        let (blocks, rest) = record.as_chunks::<64>();
        let (mut joined, mut has_control) = (0, false);
        let mut push = |block: Block| {
            self.quotes.push(block.quotes);
            joined |= block.joined;
            has_control |= block.has_control;
            self.has_escapes |= block.has_backslash;
        };
        for block in blocks {
            push(look(block));
        }
        let mut last = [b' '; 64];
        last.get_mut(..rest.len())?.copy_from_slice(rest);
        push(look(&last));
        let is_text = !has_control && (joined < 0x80 || core::str::from_utf8(record).is_ok());
        (is_text && (!self.has_escapes || self.unmark_escaped(record))).then_some(())
    }

    /// Returns the word of an index, while there are more.
    #[inline]
    pub(super) fn quotes(&self, word: usize) -> Option<u64> {
        self.quotes.get(word).copied()
    }

    pub(super) const fn has_escapes(&self) -> bool {
        self.has_escapes
    }

    /// Takes the quotes out that a backslash precedes; false if a backslash begins no escape (RFC 8259 §7).
    fn unmark_escaped(&mut self, record: &[u8]) -> bool {
        let mut at = 0;
        while let Some(found) = record.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
            let escaped = at + found + 1;
            match record.get(escaped) {
                Some(b'"') => {
                    if let Some(word) = self.quotes.get_mut(escaped / 64) {
                        *word &= !(1 << (escaped % 64));
                    }
                }
                Some(b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                Some(b'u') => {
                    let digits = record.get(escaped + 1..escaped + 5);
                    if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                        return false;
                    }
                }
                _ => return false,
            }
            at = escaped + 1;
        }
        true
    }
}

/// Looks at 64 bytes with operations that a compiler turns into those of vectors.
#[inline]
fn look(block: &[u8; 64]) -> Block {
    let mut bits = [0; 64];
    for (bit, byte) in bits.iter_mut().zip(block) {
        *bit = u8::from(*byte == b'"');
    }
    let mut quotes = 0;
    for eight in bits.as_chunks::<8>().0.iter().rev() {
        quotes = quotes << 8 | u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56;
    }
    let (mut joined, mut has_backslash, mut has_control) = (0, 0, 0);
    for byte in block {
        joined |= *byte;
        has_backslash |= u8::from(*byte == b'\\');
        has_control |= u8::from(*byte < b' ');
    }
    Block { quotes, has_backslash: has_backslash != 0, joined, has_control: has_control != 0 }
}

/// Moves the lowest bits of eight bytes next to each other, into the top byte of the product.
const GATHER: u64 = 0x0102_0408_1020_4080;
