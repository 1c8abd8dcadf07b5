//! What one thread sees: order, room, the end, numbers that wrap.

use super::super::FIRST_GENERATION;
use super::super::ring::Refused;
use super::super::slot::{Flags, Meta, RECORD_BYTES_MAX, Role};
use super::{SHORT, drain_all, far, meta, ring, ring_from, soon};

const BEGINS: Meta = Meta { role: Role::Begins, flags: Flags::new(0), call_id: [0; 16] };
const ENDS: Meta = Meta { role: Role::Ends, ..BEGINS };

#[test]
fn what_is_appended_comes_out_as_it_was() {
    let (ring, mut drain) = ring(100_000);
    let mut ends = Vec::new();
    let lengths = [0, 1, 7, 8, 9, 15, 16, 17, 500, RECORD_BYTES_MAX];
    let metas = lengths.map(|length| {
        let call_id = core::array::from_fn(|at| u8::try_from((at * 37 + length) % 256).unwrap());
        let role = [Role::Other, Role::Begins, Role::Ends][length % 3];
        Meta { role, flags: Flags::new(u8::try_from(length % 64).unwrap()), call_id }
    });
    let records = lengths.map(|length| (0..length).map(|at| b'a' + u8::try_from(at % 26).unwrap()).collect::<Vec<_>>());
    for (meta, record) in metas.iter().zip(&records) {
        ends.push(ring.append(*meta, record, None).unwrap().position);
    }
    for ((meta, record), end) in metas.iter().zip(&records).zip(ends) {
        let slot = drain.next().unwrap();
        let mut bytes = b"before ".to_vec();
        slot.copy_to(&mut bytes);
        assert!(bytes == [b"before ", record.as_slice()].concat());
        assert_eq!((slot.meta(), slot.len(), slot.position()), (*meta, record.len(), end));
        assert_eq!(drain.position(), end);
    }
    assert!(drain.next().is_none());
    assert_eq!(drain.backlog_bytes(), 0);
}

#[test]
fn a_record_that_is_too_long_is_refused() {
    let (small, _) = ring(SHORT);
    assert_eq!(small.append(BEGINS, b"123456789", None), Err(Refused::TooLarge));
    let (large, _) = ring(1 << 16);
    assert_eq!(large.append(BEGINS, &[b'x'; RECORD_BYTES_MAX + 1], None), Err(Refused::TooLarge));
}

#[test]
fn positions_rise_through_all_generations() {
    for spare in 0..SHORT {
        let (ring, mut drain) = ring(8 * SHORT + spare);
        let mut last = None;
        for number in 0..100 {
            let end = ring.append(ENDS, format!("{number}").as_bytes(), None).unwrap().position;
            assert!(Some(end) > last);
            last = Some(end);
            assert_eq!(ring.end(), end);
            assert_eq!(drain_all(&mut drain), [number.to_string()], "with {spare} words to spare");
            assert_eq!(drain.position(), end);
            drain.release(number + 1);
        }
    }
}

#[test]
fn full_is_full_until_a_half_is_released() {
    let (ring, mut drain) = ring(8 * SHORT);
    let appended = (0..).take_while(|_| ring.append(ENDS, b"x", None).is_ok()).count();
    assert_eq!(appended, 16);
    assert_eq!(ring.free_bytes(), 0);
    assert_eq!(ring.append(ENDS, b"x", soon()), Err(Refused::Full));

    assert_eq!(drain_all(&mut drain).len(), 16);
    assert_eq!(ring.append(ENDS, b"x", None), Err(Refused::Full), "drained is not released");
    drain.release(16);
    let appended = (0..).take_while(|_| ring.append(ENDS, b"x", None).is_ok()).count();
    assert_eq!(appended, 16);
    assert_eq!(drain_all(&mut drain).len(), 16);
}

#[test]
fn a_half_that_is_not_drained_to_its_end_is_not_used_again() {
    let (ring, mut drain) = ring(8 * SHORT);
    for _ in 0..16 {
        ring.append(ENDS, b"x", None).unwrap();
    }
    for _ in 0..7 {
        drain.next().unwrap();
    }
    drain.release(7);
    assert_eq!(ring.append(ENDS, b"x", None), Err(Refused::Full));
    drain.next().unwrap();
    drain.release(8);
    ring.append(ENDS, b"y", None).unwrap();
}

#[test]
fn room_is_kept_for_records_that_end_calls() {
    let (ring, mut drain) = ring(16 * SHORT);
    let mut begun = 0;
    while ring.append(BEGINS, b"x", None).is_ok() {
        begun += 1;
    }
    assert_eq!(begun, 16 + 14, "an eighth of the last half is left");
    assert_eq!(ring.append(meta(Role::Other), b"x", None), Err(Refused::Full));
    ring.append(ENDS, b"x", None).unwrap();
    ring.append(ENDS, b"x", None).unwrap();
    assert_eq!(ring.append(ENDS, b"x", None), Err(Refused::Full));
    assert_eq!(drain_all(&mut drain).len(), 32);
}

#[test]
fn a_record_that_does_not_fit_takes_no_room_from_shorter_ones() {
    let (ring, mut drain) = ring(8 * SHORT);
    for _ in 0..8 + 6 {
        ring.append(ENDS, b"x", None).unwrap();
    }
    let long = [b'l'; 16 * SHORT];
    assert_eq!(ring.append(ENDS, &long, None), Err(Refused::Full));
    ring.append(ENDS, b"x", None).unwrap();
    ring.append(ENDS, b"x", None).unwrap();
    assert_eq!(drain_all(&mut drain).len(), 16);
}

#[test]
fn closing_refuses_and_lets_what_came_before_be_taken() {
    let (ring, mut drain) = ring(8 * SHORT);
    ring.append(BEGINS, b"x", None).unwrap();
    assert!(!drain.is_finished());
    ring.close();
    ring.close();
    assert_eq!(ring.append(ENDS, b"x", None), Err(Refused::Closed));
    assert_eq!(ring.append(ENDS, b"x", far()), Err(Refused::Closed));
    assert!(!drain.is_finished());
    assert_eq!(drain_all(&mut drain), ["x"]);
    assert!(drain.is_finished());
}

#[test]
fn a_journal_closed_at_the_end_of_a_half_is_finished_too() {
    let (ring, mut drain) = ring(8 * SHORT);
    for _ in 0..8 {
        ring.append(ENDS, b"x", None).unwrap();
    }
    ring.close();
    assert_eq!(drain_all(&mut drain).len(), 8);
    assert!(drain.is_finished());
    assert_eq!(drain.backlog_bytes(), 0);
    drain.release(8);
    assert!(drain.is_finished());
}

#[test]
fn a_wake_is_asked_for_several_times_in_a_half_and_not_always() {
    let (ring, mut drain) = ring(64 * SHORT);
    let mut wakes = Vec::new();
    for number in 0..64 * 4 {
        wakes.push(ring.append(ENDS, b"x", None).unwrap().wake);
        drain_all(&mut drain);
        drain.release(number);
    }
    for half in wakes.chunks(64) {
        let count = half.iter().filter(|wake| **wake).count();
        assert!((4..=8).contains(&count), "{count} times");
    }
}

#[test]
fn generations_go_on_where_their_low_bits_wrap() {
    for first in [(1 << 32) - 4, (1 << 32) - 3, u64::from(u32::MAX) * 2] {
        let (ring, mut drain) = ring_from(first, 8 * SHORT + 3);
        for number in 0..100_u64 {
            ring.append(ENDS, number.to_string().as_bytes(), None).unwrap();
            assert_eq!(drain_all(&mut drain), [number.to_string()]);
            drain.release(number + 1);
        }
        assert!(ring.end().generation() > first + 10);
    }
}

#[test]
fn an_empty_record_in_a_generation_whose_low_bits_are_zero_is_one() {
    let (ring, mut drain) = ring_from(1 << 32, 8 * SHORT);
    ring.append(ENDS, b"", None).unwrap();
    assert_eq!(drain_all(&mut drain), [""]);
}

#[test]
fn after_the_last_generation_the_journal_is_full() {
    let last = (1 << 39) - 1;
    let (ring, mut drain) = ring_from(last - 1, 8 * SHORT);
    for number in 0..16 {
        ring.append(ENDS, b"x", None).unwrap();
        assert_eq!(drain_all(&mut drain).len(), 1);
        drain.release(number + 1);
    }
    assert_eq!(ring.append(ENDS, b"x", None), Err(Refused::Full));
}

#[test]
fn the_backlog_counts_what_was_not_taken() {
    let (ring, mut drain) = ring(8 * SHORT + 2);
    assert_eq!(ring.free_bytes(), 2 * (8 * SHORT as u64 + 2) * 8);
    for _ in 0..9 {
        ring.append(ENDS, b"x", None).unwrap();
    }
    assert_eq!(drain.backlog_bytes(), (9 * SHORT as u64 + 2) * 8);
    for _ in 0..9 {
        drain.next().unwrap();
    }
    assert_eq!(drain.backlog_bytes(), 0);
    assert_eq!(drain.position().generation(), FIRST_GENERATION + 1);
}
