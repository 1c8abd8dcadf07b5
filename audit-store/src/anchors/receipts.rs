//! What anchors gave, in files: `anchors/<name>/<20 digits of the size>.<form>`.

use std::fs::{self, DirEntry};
use std::io;
use std::path::PathBuf;

use audit_core::anchor::{AnchorName, Form, Kept};

use crate::disk::{self, Disk};
use crate::layout::Layout;

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
        if kept.form() == Form::Place {
            self.remove_places_below(disk, size);
        }
        Ok(())
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
fn entries(directory: &std::path::Path) -> io::Result<Vec<DirEntry>> {
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
