//! What anchors gave, in files: `anchors/<name>/<20 digits of the size>.<form>`.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use audit_core::anchor::{AnchorName, Form, Kept};
use audit_core::note::Note;
use audit_core::timestamp::Stamp;

use crate::disk::{self, Disk};
use crate::layout::{Layout, SmallFile, read_small};

/// How many files of an anchor are kept whatever their days: of about an hour.
const NEWEST_KEPT: usize = 64;
/// The forms by their extensions.
const FORMS: [Form; 3] = [Form::Note, Form::Timestamp, Form::Place];

/// The directory of what one anchor gave.
#[derive(Debug)]
pub(super) struct Receipts {
    parent: PathBuf,
    directory: PathBuf,
}

impl Receipts {
    pub(super) fn new(layout: &Layout, name: &AnchorName) -> Self {
        let parent = layout.anchors();
        let directory = parent.join(name.as_str());
        Self { parent, directory }
    }

    /// Returns the greatest size of which something is kept.
    pub(super) fn newest(&self) -> io::Result<Option<u64>> {
        Ok(entries(&self.directory)?.iter().filter_map(parse).map(|(size, _form)| size).max())
    }

    /// Keeps what the anchor gave: the file is there as a whole, on the disk, or not at all.
    pub(super) fn keep(&self, disk: &dyn Disk, size: u64, kept: &Kept) -> io::Result<()> {
        for (directory, above) in [(&self.parent, self.parent.parent()), (&self.directory, Some(&*self.parent))] {
            match disk.create_directory(directory) {
                Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => {}
                created => {
                    created?;
                    above.map_or(Ok(()), |above| disk.sync_directory(above))?;
                }
            }
        }
        let name = format!("{size:020}.{}", kept.form().extension());
        disk::replace(disk, &self.directory, &name, kept.bytes()).map_err(|fault| fault.source)?;
        match kept.form() {
            Form::Place => self.remove_places_below(disk, size),
            form => self.thin(disk, form),
        }
        Ok(())
    }

    /// Removes the file that is not among the newest any more, if the one before it is of the same day: what is left tells of
    /// each day when it was first anchored. One of a size that is the newest of another anchor stays: together they may be a
    /// quorum.
    fn thin(&self, disk: &dyn Disk, form: Form) {
        let files = entries(&self.directory).unwrap_or_default();
        let of_form = |entry: &DirEntry| parse(entry).filter(|(_size, found)| *found == form).map(|(size, _)| size);
        let mut files: Vec<(u64, PathBuf)> =
            files.iter().filter_map(|entry| Some((of_form(entry)?, entry.path()))).collect();
        files.sort_unstable_by(|one, other| other.cmp(one));
        let mut older = files.into_iter().skip(NEWEST_KEPT);
        let (Some((size, path)), Some((_size, before))) = (older.next(), older.next()) else { return };
        let is_of_same_day = day(&path, form).is_some_and(|day_of| Some(day_of) == day(&before, form));
        if is_of_same_day && !self.is_newest_elsewhere(size) {
            let _left_there = disk.remove(&path);
        }
    }

    fn is_newest_elsewhere(&self, size: u64) -> bool {
        let others = entries(&self.parent).unwrap_or_default().into_iter().map(|entry| entry.path());
        let newest = |directory: PathBuf| {
            entries(&directory).unwrap_or_default().iter().filter_map(parse).map(|(size, _form)| size).max()
        };
        others.filter(|directory| *directory != self.directory).any(|directory| newest(directory) == Some(size))
    }

    /// Removes what tells where older copies are: the newest one leads to where all of them are.
    fn remove_places_below(&self, disk: &dyn Disk, size: u64) {
        for entry in entries(&self.directory).unwrap_or_default() {
            if parse(&entry).is_some_and(|(other, form)| form == Form::Place && other < size) {
                let _left_there = disk.remove(&entry.path());
            }
        }
    }
}

/// Returns the day, counted from 1970, on which an anchor had the checkpoint, as far as a file says.
fn day(path: &Path, form: Form) -> Option<u64> {
    let SmallFile::Bytes(bytes) = read_small(path).ok()? else { return None };
    let seconds = match form {
        Form::Timestamp => Stamp::read(&bytes).ok()?.time?.since_unix().as_secs(),
        Form::Note => {
            let note = Note::parse(core::str::from_utf8(&bytes).ok()?).ok()?;
            // A cosignature has its time before the 64 bytes of Ed25519.
            let cosignature = note.signatures().iter().rev().find(|signature| signature.bytes.len() == 72)?;
            u64::from_be_bytes(*cosignature.bytes.first_chunk()?)
        }
        _ => return None,
    };
    Some(seconds / 86_400)
}

/// One file that an anchor gave.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) path: PathBuf,
    /// Its path below the log's directory.
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) form: Form,
}

/// Lists what all anchors of a log gave, by the names of the anchors and then by size. Other files are passed over.
pub(crate) fn list(layout: &Layout) -> io::Result<Vec<Receipt>> {
    let mut receipts = Vec::new();
    for directory in entries(&layout.anchors())? {
        let name = directory.file_name();
        let Some(name) = name.to_str().filter(|name| name.parse::<AnchorName>().is_ok()) else { continue };
        if !directory.file_type()?.is_dir() {
            continue;
        }
        for entry in entries(&directory.path())? {
            let Some((size, form)) = parse(&entry) else { continue };
            let path = entry.path();
            let name = format!("anchors/{name}/{size:020}.{}", form.extension());
            receipts.push(Receipt { path, name, size, form });
        }
    }
    receipts.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(receipts)
}

/// Returns what a directory holds; nothing if there is none.
fn entries(directory: &Path) -> io::Result<Vec<DirEntry>> {
    match fs::read_dir(directory) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(fault) => Err(fault),
        Ok(entries) => entries.collect(),
    }
}

fn parse(entry: &DirEntry) -> Option<(u64, Form)> {
    let name = entry.file_name();
    let (digits, extension) = name.to_str()?.split_once('.')?;
    let is_size = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let form = FORMS.into_iter().find(|form| form.extension() == extension)?;
    if is_size { Some((digits.parse().ok()?, form)) } else { None }
}

#[cfg(test)]
mod tests {
    use audit_core::note::{Algorithm, SecretKey, Signature, VerificationKey};

    use super::*;
    use crate::disk::SystemDisk;

    const DAY: u64 = 86_400;

    fn cosigned(time: u64) -> Kept {
        let secret = SecretKey::from_bytes("witness.example/w", &[1; 32]).unwrap();
        let public = secret.verification_key().unwrap().public_key();
        let key = VerificationKey::new("witness.example/w", Algorithm::Cosignature, public).unwrap();
        let mut note = Note::new("text\n").unwrap();
        note.push(Signature::cosign(note.text(), time, &key, &secret).unwrap());
        Kept::note(&note)
    }

    /// What a timestamp is around its time, with nothing else.
    fn stamped(time: &str) -> Kept {
        let value = |tag: u8, parts: &[&[u8]]| {
            let bytes = parts.concat();
            [&[tag, u8::try_from(bytes.len()).unwrap()][..], &bytes].concat()
        };
        let oid: &[u8] = &[6, 1, 42];
        let imprint = value(0x30, &[oid, &value(4, &[&[7; 32]])]);
        let info = value(0x30, &[oid, oid, &imprint, oid, &value(0x18, &[time.as_bytes()])]);
        let content = value(0x30, &[oid, &value(0xa0, &[&value(4, &[&info])])]);
        let token = value(0x30, &[oid, &value(0xa0, &[&value(0x30, &[oid, oid, &content])])]);
        Kept::new(Form::Timestamp, value(0x30, &[oid, &token]))
    }

    fn sizes(receipts: &Receipts) -> Vec<u64> {
        let mut sizes: Vec<u64> =
            entries(&receipts.directory).unwrap().iter().filter_map(parse).map(|(size, _)| size).collect();
        sizes.sort_unstable();
        sizes
    }

    /// Keeps the first sizes of two anchors, of which the first one goes on after the other one has ended.
    fn kept(last: u64, kept: impl Fn(u64) -> Kept) -> Vec<u64> {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        let [one, other] = ["one", "other"].map(|name| Receipts::new(&layout, &name.parse().unwrap()));
        for size in 1..=last {
            if size <= 13 {
                other.keep(&SystemDisk, size, &kept(size)).unwrap();
            }
            one.keep(&SystemDisk, size, &kept(size)).unwrap();
        }
        sizes(&one)
    }

    #[test]
    fn of_older_files_the_first_of_each_day_is_left_and_what_another_anchor_has_as_its_newest() {
        let expected: Vec<u64> = [1, 11, 13, 21].into_iter().chain(31..=94).collect();
        assert_eq!(kept(94, |size| cosigned((size - 1) / 10 * DAY + size)), expected);
        assert_eq!(kept(94, |size| stamped(&format!("202610{:02}094200Z", (size - 1) / 10 + 1))), expected);
    }

    #[test]
    fn files_that_tell_no_day_and_the_newest_ones_are_left() {
        assert_eq!(kept(64, |_size| cosigned(DAY)), (1..=64).collect::<Vec<_>>());
        assert_eq!(kept(94, |_size| Kept::new(Form::Note, "nothing")), (1..=94).collect::<Vec<_>>());
    }
}
