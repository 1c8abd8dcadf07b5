//! The tamper matrix: what attackers do, at every level of assurance, to two verifiers that share no code.
//!
//! `UPDATE_EXPECT=1` writes the table into `docs/threat-model.md`; the cells themselves are written here, by hand.

mod anchored;
mod attacks;
mod lengths;
mod stored;
mod story;
mod verifiers;

use std::path::Path;

use audit_core::seal::SealKey;
use testkit::workspace;

use anchored::{TRUSTED, WITNESSES};
use attacks::{ATTACKS, Attack};
use story::{Files, ORIGIN, Story};
use verifiers::{Demands, Python, Said, ours};

/// One column of the matrix. Another one takes a row here and a cell in each attack.
struct Level {
    name: &'static str,
    is_signed: bool,
    is_pinned: bool,
    is_sealed: bool,
    /// The place, in the list, of the checkpoint of which a copy was kept elsewhere.
    copy: Option<usize>,
    anchored: Anchored,
}

/// Who gave something for the third checkpoint of five and for the last one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Anchored {
    No,
    Witnesses,
    Timestamps,
}

/// The places of these checkpoints in the list.
const ANCHORED: [usize; 2] = [2, 4];
/// How many levels there are.
const COUNT: usize = 8;

const UNSIGNED: Level = Level {
    name: "chain only",
    is_signed: false,
    is_pinned: false,
    is_sealed: false,
    copy: None,
    anchored: Anchored::No,
};
const SIGNED: Level = Level { name: "signed, no key given", is_signed: true, ..UNSIGNED };
const PINNED: Level = Level { name: "key", is_pinned: true, ..SIGNED };
const LEVELS: [Level; COUNT] = [
    UNSIGNED,
    SIGNED,
    PINNED,
    Level { name: "key, seal", is_sealed: true, ..PINNED },
    Level { name: "key, copy of an older checkpoint", copy: Some(2), ..PINNED },
    Level { name: "key, copy of the newest checkpoint", copy: Some(4), ..PINNED },
    Level { name: "key, witnesses", anchored: Anchored::Witnesses, ..PINNED },
    Level { name: "key, timestamps", anchored: Anchored::Timestamps, ..PINNED },
];

impl Level {
    fn anchors(&self, notes: &[String]) -> Files {
        let mut files = Files::new();
        for note in ANCHORED.map(|index| &notes[index]) {
            match self.anchored {
                Anchored::No => {}
                Anchored::Witnesses => {
                    WITNESSES.iter().for_each(|witness| anchored::witness(&mut files, note, witness));
                }
                Anchored::Timestamps => anchored::stamp(&mut files, note, &TRUSTED),
            }
        }
        files
    }
}

/// What is expected of a verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    /// The attack has no meaning at this level, or is that of another row.
    Meaningless,
    Tampered(Option<u64>),
    Unverifiable,
    Undetected,
    /// What was altered is not looked at, and nothing rests on it.
    Untrusted,
    /// Nothing is wrong, but so many checkpoints lie beyond the seal, and that is told.
    Unsealed(u64),
}

impl Cell {
    fn parse(text: &str) -> Self {
        match text {
            "-" => Self::Meaningless,
            "T" => Self::Tampered(None),
            "U" => Self::Unverifiable,
            "no" => Self::Undetected,
            "ok" => Self::Untrusted,
            _ => match text.strip_prefix("tail") {
                Some(count) => Self::Unsealed(count.parse().unwrap()),
                None => Self::Tampered(Some(text.strip_prefix('T').unwrap().parse().unwrap())),
            },
        }
    }

    fn text(self) -> String {
        match self {
            Self::Meaningless => "·".to_owned(),
            Self::Tampered(None) => "tampered".to_owned(),
            Self::Tampered(Some(entry)) => format!("tampered at {entry}"),
            Self::Unverifiable => "unverifiable".to_owned(),
            Self::Undetected => "**not detected**".to_owned(),
            Self::Untrusted => "intact: not trusted".to_owned(),
            Self::Unsealed(count) => format!("intact, {count} checkpoints told to be unsealed"),
        }
    }

    fn is_met_by(self, said: &Said) -> bool {
        let found = (said.verdict.as_str(), said.entry);
        match self {
            Self::Meaningless => true,
            Self::Tampered(entry) => found == ("tampered", entry),
            Self::Unverifiable => found == ("unverifiable", None),
            Self::Undetected | Self::Untrusted => found == ("intact", None),
            Self::Unsealed(count) => found == ("intact", None) && said.beyond_seal == Some(count),
        }
    }
}

/// The log at a level before anything is done to it, and what its verifiers are told.
struct Scene {
    honest: Story,
    demands: Demands,
}

impl Scene {
    fn new(level: &Level, is_constant: bool, directory: &Path) -> Self {
        let ring: &[u8] = match (level.is_signed, is_constant) {
            (false, _) => &[],
            (true, true) => &[1],
            (true, false) => &[1, 2, 3],
        };
        let seal = level.is_sealed.then(|| SealKey::from_bytes([5; 32]));
        let mut honest = Story { seal: seal.clone(), ..Story::new(ring) };
        honest.anchors = level.anchors(&honest.notes());
        let copy = level.copy.map(|index| {
            let path = directory.join(format!("copy-{index}-{is_constant}"));
            std::fs::write(&path, &honest.notes()[index]).unwrap();
            path
        });
        let key = level.is_pinned.then(|| story::key(ORIGIN, 1));
        let witnesses = level.anchored == Anchored::Witnesses;
        let authority = (level.anchored == Anchored::Timestamps).then(|| TRUSTED.certificate());
        Self { honest, demands: Demands { key, seal, copy, witnesses, authority } }
    }
}

/// Writes the files, lets both verifiers look at them, and compares what they say with the cell.
fn check(python: &mut Python, files: &Files, demands: &Demands, cell: Cell) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    story::write(files, directory.path());
    let both = [ours(directory.path(), demands), python.verify(directory.path(), demands)];
    if both.iter().all(|said| cell.is_met_by(said)) {
        return Ok(());
    }
    Err(format!("expected {cell:?}, found {both:#?}"))
}

#[test]
fn every_cell_of_the_matrix_is_as_stated() {
    let directory = tempfile::tempdir().unwrap();
    let mut python = Python::start();
    let mut faults = Vec::new();
    for (index, level) in LEVELS.iter().enumerate() {
        let scenes = [false, true].map(|is_constant| Scene::new(level, is_constant, directory.path()));
        for scene in &scenes {
            check(&mut python, &scene.honest.files(), &scene.demands, Cell::Undetected).unwrap();
        }
        for attack in ATTACKS {
            let cell = Cell::parse(attack.cells[index]);
            if cell == Cell::Meaningless {
                continue;
            }
            let scene = &scenes[usize::from(attack.constant)];
            let files = (attack.make)(&scene.honest);
            if let Err(fault) = check(&mut python, &files, &scene.demands, cell) {
                faults.push(format!("{} at {}: {fault}", attack.name, level.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

const BEGIN: &str = "<!-- The table is written by tests/it/matrix.rs. -->\n";
const END: &str = "<!-- The end of the table. -->\n";

#[test]
fn the_table_of_the_threat_model_is_the_matrix() {
    let path = workspace().join("docs/threat-model.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_table, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}{}{END}{after}", table());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &expected).unwrap();
        return;
    }
    assert!(page == expected, "docs/threat-model.md is not up to date: UPDATE_EXPECT=1 writes it");
}

fn table() -> String {
    let mut groups: Vec<&str> = ATTACKS.iter().map(|attack| attack.group).collect();
    groups.dedup();
    groups.iter().map(|group| group_table(group)).collect()
}

fn group_table(group: &str) -> String {
    let names: Vec<&str> = LEVELS.iter().map(|level| level.name).collect();
    let head =
        format!("**{group}**\n\n| what is done | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    let row = |attack: &Attack| {
        let cells = attack.cells.map(|cell| Cell::parse(cell).text());
        format!("| {} | {} |\n", attack.name, cells.join(" | "))
    };
    head + &ATTACKS.iter().filter(|attack| attack.group == group).map(row).collect::<String>() + "\n"
}
