//! What attackers do to a log, and what each level of assurance makes of it.

use serde_json::Value;

use super::anchored::{self, Authority, OTHER, TRUSTED, WITNESSES, cosigned, place};
use super::story::{Files, Story, joined, key, put_notes, seal, segment};
use super::{ANCHORED, COUNT};
use audit_core::seal::SealKey;

/// The seed of a key that the attacker made.
const OWN: u8 = 9;

/// One row of the matrix.
pub struct Attack {
    pub group: &'static str,
    pub name: &'static str,
    /// True if the log has one key that is never replaced, where it is signed.
    pub constant: bool,
    /// Makes the files that are verified out of the honest log; none where the attack has no meaning.
    pub make: fn(&Story) -> Files,
    /// What is expected at each level, in the words of `Cell::parse`.
    pub cells: [&'static str; COUNT],
}

const fn row(
    group: &'static str,
    name: &'static str,
    make: fn(&Story) -> Files,
    cells: [&'static str; COUNT],
) -> Attack {
    Attack { group, name, constant: false, make, cells }
}

const EDIT: &str = "Without rewriting what depends on it";
const REWRITE: &str = "With everything after it written anew";
const CUT: &str = "Cut, rolled back, forked";
const REPLACE: &str = "Replaced";
const KEYS: &str = "With the key of now";
const BESIDE: &str = "The files beside the entries";
const ANCHORS: &str = "What anchors gave";

pub const ATTACKS: &[Attack] = &[
    row(EDIT, "edit a field of entry 6", |honest| edited(honest, 6), ["T6"; COUNT]),
    row(EDIT, "edit a field of entry 0", |honest| edited(honest, 0), ["T0"; COUNT]),
    row(EDIT, "edit the hash that entry 6 states", edit_previous_hash, ["T6"; COUNT]),
    row(EDIT, "edit the last entry that a checkpoint covers (11)", |honest| edited(honest, 11), ["T11"; COUNT]),
    row(EDIT, "edit the last entry, beyond all checkpoints (13)", |honest| edited(honest, 13), ["no"; COUNT]),
    row(EDIT, "delete entry 6", |honest| relined(honest, |lines| drop(lines.remove(6))), ["T6"; COUNT]),
    row(EDIT, "insert an entry before entry 6, numbered 6", |honest| relined(honest, insert), ["T7"; COUNT]),
    row(EDIT, "swap entries 6 and 7", |honest| relined(honest, |lines| lines.swap(6, 7)), ["T6"; COUNT]),
    row(EDIT, "double entry 6", |honest| relined(honest, |lines| lines.insert(7, lines[6].clone())), ["T7"; COUNT]),
    row(EDIT, "put the segment of entries 5 to 9 of another log in its place", splice, ["T5"; COUNT]),
    row(
        EDIT,
        "append an entry that nobody recorded, beyond all checkpoints",
        |honest| changed(honest, |story| story.records.push(story.records[13].clone())).files_with(&honest.notes()),
        ["no"; COUNT],
    ),
    row(
        REWRITE,
        "write entries 2 to 7 anew, and no others; the checkpoints as they were",
        |honest| relined(honest, |lines| lines[2..8].clone_from_slice(&second(honest).lines()[2..8])),
        ["T3"; COUNT],
    ),
    row(
        REWRITE,
        "edit entry 6; the checkpoints as they were",
        |honest| with_seal(honest, edit_6(honest).files_with(&honest.notes())),
        ["T8", "T8", "T8", "T8", "T8", "T8", "T8", "T8"],
    ),
    row(
        REWRITE,
        "edit entry 6; the checkpoints anew, unsigned",
        |honest| rewritten(honest, edit_6(honest), None),
        ["no", "T", "T", "T", "T", "T11", "T11", "T"],
    ),
    row(
        REWRITE,
        "edit entry 6; the checkpoints anew, signed by a key of the attacker",
        |honest| rewritten(honest, edit_6(honest), Some(OWN)),
        ["-", "T", "T", "T", "T", "T11", "T11", "T"],
    ),
    row(
        REWRITE,
        "edit entry 6; all checkpoints over it left out",
        |honest| rewritten(honest, changed(&edit_6(honest), |story| story.sizes.truncate(3)), None),
        ["no", "no", "no", "T", "no", "T11", "T11", "U"],
    ),
    row(
        REWRITE,
        "delete entry 6; the checkpoints anew, unsigned",
        |honest| rewritten(honest, changed(honest, |story| drop(story.records.remove(6))), None),
        ["no", "T", "T", "T", "T", "T11", "T11", "T"],
    ),
    row(
        REWRITE,
        "set all times forward; the checkpoints anew, unsigned",
        |honest| rewritten(honest, changed(honest, |story| story.records.iter_mut().for_each(forward)), None),
        ["no", "T", "T", "T", "T5", "T11", "T5", "T"],
    ),
    row(
        REWRITE,
        "put a `key.rotated` that names a key of the attacker at 6, and sign with that key",
        |honest| rewritten(honest, changed(honest, |story| rotate(story, 6)), Some(OWN)),
        ["-", "T", "T", "T", "T", "T11", "T11", "T"],
    ),
    row(CUT, "cut after entry 6, the checkpoints as they were", |honest| cut(honest, 7, 0), ["T7"; COUNT]),
    row(CUT, "cut inside of entry 7, the checkpoints as they were", |honest| cut(honest, 7, 20), ["T7"; COUNT]),
    row(CUT, "cut after entry 12, beyond all checkpoints", |honest| cut(honest, 13, 0), ["no"; COUNT]),
    row(CUT, "cut inside of entry 13, beyond all checkpoints", |honest| cut(honest, 13, 20), ["no"; COUNT]),
    row(
        CUT,
        "cut to the checkpoint of 6 entries, `checkpoint` and the list too",
        |honest| with_seal(honest, honest.until(6).files()),
        ["no", "no", "no", "T", "no", "T6", "T6", "U"],
    ),
    row(
        CUT,
        "the same, and the seal, or what anchors gave for later ones, removed",
        |honest| without(honest.until(6).files(), &["seal"]),
        ["-", "-", "-", "U", "-", "-", "no", "no"],
    ),
    row(
        CUT,
        "roll back to what it was with 7 entries, but for the seal and what anchors gave",
        |honest| with_seal(honest, honest.until(7).files()),
        ["no", "no", "no", "T", "no", "T7", "T7", "U"],
    ),
    row(
        CUT,
        "roll back to what it was with 7 entries, the seal and what anchors gave, too",
        |honest| honest.until(7).files(),
        ["-", "-", "-", "no", "-", "-", "no", "no"],
    ),
    row(
        CUT,
        "fork: go on twice from a copy of the whole machine with 7 entries",
        |honest| {
            let anchors = honest.until(7).anchors;
            changed(honest, |story| {
                story.records[7..].iter_mut().for_each(edit);
                story.anchors = anchors;
            })
            .files()
        },
        ["no", "no", "no", "no", "no", "T11", "no", "no"],
    ),
    row(
        REPLACE,
        "by a log of the same origin, unsigned",
        |_| another(&[]).files(),
        ["no", "no", "U", "U", "T5", "T11", "U", "U"],
    ),
    row(
        REPLACE,
        "by a log of the same origin, signed by a key of the attacker",
        |_| another(&[OWN]).files(),
        ["-", "no", "T0", "T0", "T5", "T11", "T0", "T0"],
    ),
    row(
        REPLACE,
        "by a log of another origin, signed by a key of the attacker",
        |_| renamed().files(),
        ["no", "no", "U", "U", "U", "U", "U", "U"],
    ),
    row(
        KEYS,
        "rewrite from an earlier epoch on (entry 2)",
        |honest| rewritten(honest, second(honest), honest.ring.last().copied().flatten()),
        ["-", "T", "T", "T", "T5", "T11", "T5", "T"],
    ),
    row(
        KEYS,
        "rewrite what the epoch of now has signed (from entry 9 on)",
        |honest| {
            rewritten(
                honest,
                changed(honest, |story| edit(&mut story.records[9])),
                honest.ring.last().copied().flatten(),
            )
        },
        ["-", "no", "no", "T", "no", "T11", "T11", "U"],
    ),
    Attack {
        constant: true,
        ..row(
            KEYS,
            "rewrite from entry 2 on, where the key is never replaced",
            |honest| rewritten(honest, second(honest), honest.ring[0]),
            ["-", "no", "no", "T", "T5", "T11", "T5", "U"],
        )
    },
    row(
        KEYS,
        "let the clock of the log's own writer run ten years ahead, from now on",
        |honest| changed(&go_on(honest), |story| story.records[14..].iter_mut().for_each(forward)).files(),
        ["no"; COUNT],
    ),
    row(
        KEYS,
        "sign entries that were not recorded, from now on",
        |honest| go_on(honest).files(),
        ["-", "no", "no", "no", "no", "no", "no", "no"],
    ),
    row(
        BESIDE,
        "remove the first checkpoint over a `key.rotated` from the list",
        |honest| relisted(honest, |notes| drop(notes.remove(1))),
        ["no", "T", "T", "T", "T", "T", "T", "T"],
    ),
    row(
        BESIDE,
        "remove another checkpoint from the middle of the list",
        |honest| relisted(honest, |notes| drop(notes.remove(2))),
        ["no", "no", "no", "T", "no", "no", "no", "U"],
    ),
    row(
        BESIDE,
        "list a checkpoint without a signature and with another root after the last one",
        list_unsigned,
        ["T13", "ok", "ok", "ok", "ok", "ok", "ok", "ok"],
    ),
    row(
        BESIDE,
        "remove the list of checkpoints",
        |honest| without(honest.files(), &["checkpoints.log"]),
        ["no", "U", "U", "T", "U", "U", "U", "U"],
    ),
    row(BESIDE, "remove `checkpoint`", |honest| without(honest.files(), &["checkpoint"]), ["U"; COUNT]),
    row(
        BESIDE,
        "remove `checkpoint` and the list",
        |honest| without(honest.files(), &["checkpoint", "checkpoints.log"]),
        ["U", "U", "U", "T", "U", "U", "U", "U"],
    ),
    row(BESIDE, "put the seal of 3 checkpoints back", older_seal, ["-", "-", "-", "tail2", "-", "-", "-", "-"]),
    row(BESIDE, "make a seal that begins with another key", own_seal, ["-", "-", "-", "T", "-", "-", "-", "-"]),
    row(BESIDE, "alter a blob", |honest| appended(honest, "blobs/"), ["T"; COUNT]),
    row(BESIDE, "alter `log.json`", |honest| appended(honest, "log.json"), ["T"; COUNT]),
    row(BESIDE, "write into `lock`", |honest| appended(honest, "lock"), ["T"; COUNT]),
    row(BESIDE, "swap and alter tiles, and the states in `index`", swap_tiles, ["ok"; COUNT]),
    row(ANCHORS, "remove all of it", |honest| changed(honest, |story| story.anchors.clear()).files(), at("U", "U")),
    row(
        ANCHORS,
        "remove what was given for the newest checkpoint",
        |honest| older_anchors(honest).files(),
        at("no", "no"),
    ),
    row(
        ANCHORS,
        "remove what one witness gave",
        |honest| changed(honest, |story| story.anchors.retain(|name, _| !name.contains("west"))).files(),
        at("U", "-"),
    ),
    row(
        ANCHORS,
        "rewrite what the epoch of now has signed with its key, and remove what was given for it",
        |honest| from_9(honest, &[], None),
        at("no", "no"),
    ),
    row(
        ANCHORS,
        "the same, and have it anchored again: by both witnesses, which thereby sign two trees, or with a new timestamp",
        |honest| {
            let witnesses = if is_witnessed(honest) { &WITNESSES[..] } else { &[] };
            from_9(honest, witnesses, (!is_witnessed(honest)).then_some(&*TRUSTED))
        },
        at("no", "no"),
    ),
    row(
        ANCHORS,
        "the same, by one witness only, beside what the other one gave for the log as it was",
        |honest| {
            let mut files = from_9(honest, &["east"], None);
            let newest = place(&honest.notes()[ANCHORED[1]], "west", "note");
            files.extend(honest.anchors.get_key_value(&newest).map(|(name, bytes)| (name.clone(), bytes.clone())));
            files
        },
        at("T11", "-"),
    ),
    row(ANCHORS, "forge a cosignature of a witness", forge, at("T", "-")),
    row(
        ANCHORS,
        "put the cosignatures of an unknown witness in the place of one's",
        |honest| reanchored(honest, |files, note| anchored::witness_as(files, note, "north", "west")),
        at("U", "-"),
    ),
    row(
        ANCHORS,
        "put a witness' cosignature over another tree of the log's name there",
        |honest| {
            let other = changed(&edit_6(honest), |story| story.ring = vec![None]).notes();
            let note = anchored::signed_as(&other[ANCHORED[1]]);
            changed(honest, |story| anchored::witness(&mut story.anchors, &note, "west")).files()
        },
        at("T11", "-"),
    ),
    row(
        ANCHORS,
        "put the cosigned note of another log there",
        |honest| {
            let note = renamed().notes()[ANCHORED[1]].clone();
            let cosigned = cosigned(&note, "west").into_bytes();
            changed(honest, |story| drop(story.anchors.insert(place(&note, "other", "note"), cosigned))).files()
        },
        at("ok", "-"),
    ),
    row(ANCHORS, "alter the signature of a timestamp", alter_stamp, at("-", "U")),
    row(
        ANCHORS,
        "put timestamps of another authority in their place",
        |honest| reanchored(honest, |files, note| anchored::stamp(files, note, &OTHER)),
        at("-", "U"),
    ),
    row(
        ANCHORS,
        "put the timestamp of another log's checkpoint in the place of one",
        |honest| {
            let other = renamed().notes()[ANCHORED[1]].clone();
            changed(honest, |story| anchored::stamp(&mut story.anchors, &other, &TRUSTED)).files()
        },
        at("-", "U"),
    ),
    row(
        ANCHORS,
        "put the timestamp of the newest checkpoint in the place of the older one's",
        |honest| {
            changed(honest, |story| {
                let newest = story.anchors.values().next_back().unwrap().clone();
                *story.anchors.values_mut().next().unwrap() = newest;
            })
            .files()
        },
        at("-", "U"),
    ),
    row(
        ANCHORS,
        "put a file that is nothing of the kind there",
        |honest| changed(honest, |story| *story.anchors.values_mut().next().unwrap() = b"nothing".to_vec()).files(),
        at("T", "U"),
    ),
];

/// The cells of an attack on what anchors gave, which only two levels look at.
const fn at(witnesses: &'static str, timestamps: &'static str) -> [&'static str; COUNT] {
    ["-", "-", "-", "-", "-", "-", witnesses, timestamps]
}

fn is_witnessed(honest: &Story) -> bool {
    honest.anchors.keys().any(|name| name.contains("west"))
}

/// What the log holds, with what anchors gave for the older checkpoint only.
fn older_anchors(honest: &Story) -> Story {
    let kept = honest.until(11).anchors;
    changed(honest, |story| story.anchors = kept)
}

/// Entry 9 and what follows it rewritten with the key of now, and the newest checkpoint anchored again by whoever does.
fn from_9(honest: &Story, witnesses: &[&str], authority: Option<&Authority>) -> Files {
    let mut altered = changed(&older_anchors(honest), |story| edit(&mut story.records[9]));
    altered.ring = vec![honest.ring.last().copied().flatten()];
    let notes = altered.notes_over(honest);
    let newest = &notes[ANCHORED[1]];
    witnesses.iter().for_each(|witness| anchored::witness(&mut altered.anchors, newest, witness));
    authority.iter().for_each(|authority| anchored::stamp(&mut altered.anchors, newest, authority));
    altered.files_with(&notes)
}

/// The files of anchors made anew for each of the checkpoints.
fn reanchored(honest: &Story, anchor: impl Fn(&mut Files, &str)) -> Files {
    let notes = honest.notes();
    changed(honest, |story| ANCHORED.iter().for_each(|index| anchor(&mut story.anchors, &notes[*index]))).files()
}

fn forge(honest: &Story) -> Files {
    let newest = &honest.notes()[ANCHORED[1]];
    let mut note = audit_core::note::Note::parse(newest).unwrap();
    let mut signature = audit_core::note::Note::parse(&cosigned(newest, "west")).unwrap().signatures()[1].clone();
    signature.bytes[70] ^= 1;
    note.push(signature);
    let place = place(newest, "west", "note");
    changed(honest, |story| drop(story.anchors.insert(place, note.to_string().into_bytes()))).files()
}

fn alter_stamp(honest: &Story) -> Files {
    changed(honest, |story| *story.anchors.values_mut().next_back().unwrap().last_mut().unwrap() ^= 1).files()
}

fn edit(record: &mut Value) {
    record["action"] = format!("{}0", record["action"].as_str().unwrap()).into();
}

fn forward(record: &mut Value) {
    record["time"] = record["time"].as_str().unwrap().replace("2026", "2036").into();
}

fn changed(honest: &Story, change: impl FnOnce(&mut Story)) -> Story {
    let mut story = honest.clone();
    change(&mut story);
    story
}

fn second(honest: &Story) -> Story {
    changed(honest, |story| edit(&mut story.records[2]))
}

fn edit_6(honest: &Story) -> Story {
    changed(honest, |story| edit(&mut story.records[6]))
}

/// An altered log whose checkpoints are those of the honest log where they state the same, and else signed by that key.
fn rewritten(honest: &Story, mut altered: Story, seed: Option<u8>) -> Files {
    altered.ring = vec![if honest.ring.is_empty() { None } else { seed }];
    with_seal(honest, altered.files_with(&altered.notes_over(honest)))
}

/// The seal of the honest log, and what anchors gave for it: the attacker has no older state of it.
fn with_seal(honest: &Story, mut files: Files) -> Files {
    if let Some(seal) = honest.files().remove("seal") {
        files.insert("seal".into(), seal);
    }
    files.extend(honest.anchors.clone());
    files
}

/// The lines changed in their places, everything else as it was.
fn relined(honest: &Story, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Files {
    let mut files = honest.files();
    let mut lines = honest.lines();
    change(&mut lines);
    for first in [0, 5, 10] {
        let end = if first == 10 { lines.len() } else { first + 5 };
        files.insert(segment(first), joined(&lines[first..end]));
    }
    // Deleted and inserted lines move the borders of no segment but the one that they stand in.
    files
}

fn edited(honest: &Story, entry: usize) -> Files {
    relined(honest, |lines| {
        lines[entry] = String::from_utf8(lines[entry].clone()).unwrap().replacen("42:", "43:", 1).into();
    })
}

fn edit_previous_hash(honest: &Story) -> Files {
    relined(honest, |lines| {
        let at = String::from_utf8(lines[6].clone()).unwrap().find("previous_hash\":\"").unwrap() + 16;
        lines[6][at] = if lines[6][at] == b'0' { b'1' } else { b'0' };
    })
}

fn insert(lines: &mut Vec<Vec<u8>>) {
    let line = String::from_utf8(lines[6].clone()).unwrap().replace("order.note.6", "order.note.x");
    lines.insert(6, line.into());
}

fn splice(honest: &Story) -> Files {
    let mut files = honest.files();
    files.insert(segment(5), another(&[1, 2, 3]).files()[&segment(5)].clone());
    files
}

/// A log of the same length and origin of which nothing else is the same.
fn another(ring: &[u8]) -> Story {
    let mut story = Story::new(ring);
    story.stream = "02b27cbc-f240-7dca-883e-717b1f64eb15".parse().unwrap();
    story.records.iter_mut().skip(1).for_each(edit);
    story
}

fn renamed() -> Story {
    changed(&another(&[OWN]), |story| story.name("example.com/others"))
}

fn rotate(story: &mut Story, entry: usize) {
    story.records[entry]["event_name"] = "key.rotated".into();
    story.records[entry]["log"] = serde_json::json!({"verification_key": key(&story.origin, OWN).to_string()});
}

fn cut(honest: &Story, entries: usize, bytes: usize) -> Files {
    let lines = honest.lines();
    let mut files = honest.until(entries).files_with(&honest.notes());
    if bytes > 0 {
        let last = segment(if entries < 10 { 5 } else { 10 });
        files.get_mut(&last).unwrap().extend_from_slice(&lines[entries][..bytes]);
    }
    with_seal(honest, files)
}

/// Two more entries, and a checkpoint over them by the key of now.
fn go_on(honest: &Story) -> Story {
    changed(honest, |story| {
        let more = story.records[13].clone();
        story.records.extend([more.clone(), more]);
        story.sizes.push(16);
    })
}

fn relisted(honest: &Story, change: impl FnOnce(&mut Vec<String>)) -> Files {
    let mut files = honest.files();
    let mut notes = honest.notes();
    change(&mut notes);
    put_notes(&mut files, &notes);
    files
}

fn list_unsigned(honest: &Story) -> Files {
    let mut files = honest.files();
    let note = format!("{}\n14\n{}\n", honest.origin, honest.notes()[0].lines().nth(2).unwrap());
    files.get_mut("checkpoints.log").unwrap().extend_from_slice(note.as_bytes());
    files
}

fn older_seal(honest: &Story) -> Files {
    let mut files = honest.files();
    if let Some(key) = &honest.seal {
        files.insert("seal".into(), seal(key, &honest.notes()[..3]).to_text().as_bytes().to_vec());
    }
    files
}

fn own_seal(honest: &Story) -> Files {
    let mut files = honest.files();
    files.insert("seal".into(), seal(&SealKey::from_bytes([OWN; 32]), &honest.notes()).to_text().as_bytes().to_vec());
    files
}

fn without(mut files: Files, names: &[&str]) -> Files {
    for name in names {
        files.remove(*name);
    }
    files
}

fn appended(honest: &Story, name: &str) -> Files {
    let mut files = honest.files();
    let (_name, bytes) = files.iter_mut().find(|(found, _)| found.starts_with(name)).unwrap();
    bytes.push(b' ');
    files
}

fn swap_tiles(honest: &Story) -> Files {
    let mut files = honest.files();
    files.insert("tile/0/000.p/14".into(), vec![7; 14 * 32]);
    files.insert("index/00000000000000000005.json".into(), b"{}".to_vec());
    files
}
