//! The compression function of SHA-256 over sixteen independent messages at once.
//!
//! The rounds of one message wait for each other, in the processor's own SHA-256 instructions too. Messages that share
//! nothing do not: with vectors of 512 bits, one word of sixteen messages each, a block costs less than half of what
//! these instructions take for it.

/// How many messages are hashed at once.
pub(super) const LANES: usize = 16;

/// The states of all messages: the eight words of each stand below each other, one message in a column.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct States(pub(super) [[u32; LANES]; 8]);

impl States {
    /// Returns the state of one message.
    pub(super) fn of(&self, lane: usize) -> [u32; 8] {
        self.0.map(|row| row.get(lane).copied().unwrap_or_default())
    }

    /// Sets the state of one message.
    pub(super) fn set(&mut self, lane: usize, state: [u32; 8]) {
        for (row, word) in self.0.iter_mut().zip(state) {
            if let Some(place) = row.get_mut(lane) {
                *place = word;
            }
        }
    }
}

/// Tells whether this processor can do it.
pub(super) fn is_supported() -> bool {
    #[cfg(target_arch = "x86_64")]
    return wide::is_supported();
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Takes one block of every message. Without effect where [`is_supported`] is false.
pub(super) fn compress(states: &mut States, blocks: &[&[u8; 64]; LANES]) {
    #[cfg(target_arch = "x86_64")]
    wide::compress(states, blocks);
    #[cfg(not(target_arch = "x86_64"))]
    let _nothing = (states, blocks);
}

#[cfg(target_arch = "x86_64")]
mod wide {
    #![allow(
        unsafe_code,
        reason = "vectors are read and written through pointers, and their functions entered once they were detected"
    )]

    use core::arch::x86_64::{
        __m512i, _mm512_add_epi32, _mm512_loadu_si512, _mm512_ror_epi32, _mm512_set_epi64, _mm512_set1_epi32,
        _mm512_setzero_si512, _mm512_shuffle_epi8, _mm512_shuffle_i32x4, _mm512_srli_epi32, _mm512_storeu_si512,
        _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32,
        _mm512_unpacklo_epi64,
    };

    use super::{LANES, States};

    pub(super) fn is_supported() -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
    }

    pub(super) fn compress(states: &mut States, blocks: &[&[u8; 64]; LANES]) {
        if is_supported() {
            // SAFETY: the features that the function enables were detected the line before.
            unsafe { compress_detected(states, blocks) }
        }
    }

    /// What three inputs give bit by bit: `x ^ y ^ z`, `x ? y : z`, and the majority (FIPS 180-4 §4.1.2).
    const XOR: i32 = 0x96;
    const CHOOSE: i32 = 0xca;
    const MAJORITY: i32 = 0xe8;

    #[target_feature(enable = "avx512f,avx512bw")]
    fn compress_detected(states: &mut States, blocks: &[&[u8; 64]; LANES]) {
        let mut words = transpose(load(blocks));
        let start = states.0.each_ref().map(|row| load_row(row));
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = start;
        for (index, constants) in ROUNDS.iter().enumerate() {
            if index > 0 {
                schedule(&mut words);
            }
            // The words change places by name, eight rounds bring each back to its own.
            macro_rules! round {
                ($round:literal, $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident) => {
                    let word = _mm512_add_epi32(words[$round], _mm512_set1_epi32(constants[$round].cast_signed()));
                    let choice = _mm512_ternarylogic_epi32::<CHOOSE>($e, $f, $g);
                    let sum = _mm512_add_epi32(_mm512_add_epi32($h, word), _mm512_add_epi32(choice, sum_1($e)));
                    let majority = _mm512_ternarylogic_epi32::<MAJORITY>($a, $b, $c);
                    $d = _mm512_add_epi32($d, sum);
                    $h = _mm512_add_epi32(sum, _mm512_add_epi32(majority, sum_0($a)));
                };
            }
            round!(0, a b c d e f g h);
            round!(1, h a b c d e f g);
            round!(2, g h a b c d e f);
            round!(3, f g h a b c d e);
            round!(4, e f g h a b c d);
            round!(5, d e f g h a b c);
            round!(6, c d e f g h a b);
            round!(7, b c d e f g h a);
            round!(8, a b c d e f g h);
            round!(9, h a b c d e f g);
            round!(10, g h a b c d e f);
            round!(11, f g h a b c d e);
            round!(12, e f g h a b c d);
            round!(13, d e f g h a b c);
            round!(14, c d e f g h a b);
            round!(15, b c d e f g h a);
        }
        let end = [a, b, c, d, e, f, g, h];
        for ((row, start), end) in states.0.iter_mut().zip(start).zip(end) {
            store_row(row, _mm512_add_epi32(start, end));
        }
    }

    /// Replaces the sixteen words of the schedule by those that follow them (FIPS 180-4 §6.2.2).
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn schedule(words: &mut [__m512i; 16]) {
        macro_rules! next {
            ($($word:literal, $two_before:literal, $seven_before:literal, $fifteen_before:literal;)+) => {$(
                let late = _mm512_add_epi32(words[$seven_before], sigma_1(words[$two_before]));
                let early = _mm512_add_epi32(words[$word], sigma_0(words[$fifteen_before]));
                words[$word] = _mm512_add_epi32(early, late);
            )+};
        }
        next! {
            0, 14, 9, 1; 1, 15, 10, 2; 2, 0, 11, 3; 3, 1, 12, 4;
            4, 2, 13, 5; 5, 3, 14, 6; 6, 4, 15, 7; 7, 5, 0, 8;
            8, 6, 1, 9; 9, 7, 2, 10; 10, 8, 3, 11; 11, 9, 4, 12;
            12, 10, 5, 13; 13, 11, 6, 14; 14, 12, 7, 15; 15, 13, 8, 0;
        }
    }

    macro_rules! mixing {
        ($($name:ident: $x:ident => $first:expr, $second:expr, $third:expr;)+) => {$(
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw")]
            fn $name($x: __m512i) -> __m512i {
                _mm512_ternarylogic_epi32::<XOR>($first, $second, $third)
            }
        )+};
    }

    // The four functions that mix the bits of one word (FIPS 180-4 §4.1.2).
    mixing! {
        sum_0: x => _mm512_ror_epi32::<2>(x), _mm512_ror_epi32::<13>(x), _mm512_ror_epi32::<22>(x);
        sum_1: x => _mm512_ror_epi32::<6>(x), _mm512_ror_epi32::<11>(x), _mm512_ror_epi32::<25>(x);
        sigma_0: x => _mm512_ror_epi32::<7>(x), _mm512_ror_epi32::<18>(x), _mm512_srli_epi32::<3>(x);
        sigma_1: x => _mm512_ror_epi32::<17>(x), _mm512_ror_epi32::<19>(x), _mm512_srli_epi32::<10>(x);
    }

    /// Reads the blocks, each the row of a square, with the bytes of its words in the processor's order.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn load(blocks: &[&[u8; 64]; LANES]) -> [__m512i; 16] {
        let (high, low) = (0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let swap = _mm512_set_epi64(high, low, high, low, high, low, high, low);
        let mut rows = [_mm512_setzero_si512(); 16];
        for (row, block) in rows.iter_mut().zip(blocks) {
            // SAFETY: the reference is to 64 bytes, which is what is read, and no alignment is asked for.
            let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
            *row = _mm512_shuffle_epi8(bytes, swap);
        }
        rows
    }

    /// Turns rows, each the words of one message, into columns.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn transpose(rows: [__m512i; 16]) -> [__m512i; 16] {
        let zero = _mm512_setzero_si512();
        let mut quads = [[zero; 4]; 4];
        for (quad, [r0, r1, r2, r3]) in quads.iter_mut().zip(rows.as_chunks::<4>().0) {
            let (low_a, high_a) = (_mm512_unpacklo_epi32(*r0, *r1), _mm512_unpackhi_epi32(*r0, *r1));
            let (low_b, high_b) = (_mm512_unpacklo_epi32(*r2, *r3), _mm512_unpackhi_epi32(*r2, *r3));
            *quad = [
                _mm512_unpacklo_epi64(low_a, low_b),
                _mm512_unpackhi_epi64(low_a, low_b),
                _mm512_unpacklo_epi64(high_a, high_b),
                _mm512_unpackhi_epi64(high_a, high_b),
            ];
        }
        // Vector `j` of quad `g` holds, in its part `l` of 128 bits, word `4l + j` of the four rows from `4g` on.
        const EVEN: i32 = 0b10_00_10_00;
        const ODD: i32 = 0b11_01_11_01;
        let [quad_0, quad_1, quad_2, quad_3] = quads;
        let mut columns = [zero; 16];
        let (by_part, _nothing) = columns.as_chunks_mut::<4>();
        let pairs = quad_0.into_iter().zip(quad_1).zip(quad_2.into_iter().zip(quad_3));
        for (j, ((q0, q1), (q2, q3))) in pairs.enumerate() {
            let (even_a, even_b) = (_mm512_shuffle_i32x4::<EVEN>(q0, q1), _mm512_shuffle_i32x4::<EVEN>(q2, q3));
            let (odd_a, odd_b) = (_mm512_shuffle_i32x4::<ODD>(q0, q1), _mm512_shuffle_i32x4::<ODD>(q2, q3));
            let parts = [
                _mm512_shuffle_i32x4::<EVEN>(even_a, even_b),
                _mm512_shuffle_i32x4::<EVEN>(odd_a, odd_b),
                _mm512_shuffle_i32x4::<ODD>(even_a, even_b),
                _mm512_shuffle_i32x4::<ODD>(odd_a, odd_b),
            ];
            for (columns, part) in by_part.iter_mut().zip(parts) {
                if let Some(column) = columns.get_mut(j) {
                    *column = part;
                }
            }
        }
        columns
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn load_row(row: &[u32; LANES]) -> __m512i {
        // SAFETY: the reference is to sixteen words of four bytes, which is what is read.
        unsafe { _mm512_loadu_si512(row.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn store_row(row: &mut [u32; LANES], words: __m512i) {
        // SAFETY: the reference is to sixteen words of four bytes, which is what is written, and it is the only one.
        unsafe { _mm512_storeu_si512(row.as_mut_ptr().cast(), words) }
    }

    /// The constants of the rounds (FIPS 180-4 §4.2.2).
    #[rustfmt::skip]
    const ROUNDS: [[u32; 16]; 4] = [
        [
            0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
            0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        ],
        [
            0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
            0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        ],
        [
            0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
            0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        ],
        [
            0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
            0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
        ],
    ];
}
