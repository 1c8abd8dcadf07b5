//! The issuing of checkpoints: signed, listed in `checkpoints.log`, written to `checkpoint`, sealed.
//!
//! In this order, so that every step can be the last one: a note that is listed and not yet the newest, or not yet sealed,
//! is taken up by the next opening.

use std::fs::File;
use std::sync::Arc;

use audit_core::checkpoint::Checkpoint;
use audit_core::note::{Note, Signature};
use audit_core::seal::Seal;
use audit_core::sink::{AppendError, AppendErrorKind};
use audit_core::tree::Frontier;
use audit_core::verify::Fault;

use crate::Error;
use crate::checkpoints::{self, List, Stated};
use crate::disk::{self, Disk, Mode, ReplaceError};
use crate::layout::{CHECKPOINT, CHECKPOINTS, Layout, SEAL};
use crate::log::signing::Signing;
use crate::log::writer::{poisoned, refusal};
use crate::verify::Finding;

/// Issues the checkpoints of one log. The committer has it, and the opening before there is one.
pub(super) struct Issuer {
    disk: Arc<dyn Disk>,
    layout: Layout,
    origin: String,
    list: File,
    /// How long the whole notes of the list are; what a failed write left behind them is cut.
    list_bytes: u64,
    pub(super) signing: Option<Signing>,
    seal: Option<Seal>,
}

/// The end of the list of checkpoints, as an opening finds it.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// The newest checkpoint; that of the list where it is newer than the file `checkpoint`.
    pub(super) newest: Option<Stated>,
    /// How long the list is up to its end.
    bytes: u64,
    /// False for a log that was written before there was a list.
    is_listed: bool,
}

impl Listed {
    /// Reads the newest checkpoint and what the list holds after it.
    pub(super) fn read(layout: &Layout) -> Result<Self, Error> {
        let Some(newest) = checkpoints::newest(layout)? else { return Ok(Self::default()) };
        let Some(mut list) = List::open_at(layout, &newest.note)? else {
            if is_no_list(layout, &newest.note)? && !newest.note.contains("\n\n") {
                return Ok(Self { newest: Some(newest), bytes: 0, is_listed: false });
            }
            return Err(bad_list(
                layout,
                "expected the newest checkpoint at the end, found none that is equal".to_owned(),
            ));
        };
        let lines = newest.lines();
        let mut last = newest;
        let mut bytes = list.position();
        while let Some(stated) = list.next()? {
            // Of a note that was being written when the machine stopped the last signatures may be missing.
            if stated.lines() < lines {
                if list.next()?.is_some() {
                    return Err(bad_list(
                        layout,
                        format!("expected a signed checkpoint at byte {bytes}, found part of one"),
                    ));
                }
                break;
            }
            bytes = list.position();
            last = stated;
        }
        let (rest, rest_bytes) = list.rest();
        if bytes == list.position() && !checkpoints::may_be_unfinished(rest, rest_bytes, &last.checkpoint.origin) {
            return Err(bad_list(
                layout,
                format!("expected a checkpoint at byte {bytes}, found {rest_bytes} other bytes"),
            ));
        }
        Ok(Self { newest: Some(last), bytes, is_listed: true })
    }
}

/// Tells whether there is no list, or only the beginning of its first note, as an opening that made one may leave it.
fn is_no_list(layout: &Layout, newest: &str) -> Result<bool, Error> {
    let path = layout.checkpoints();
    let failed = |source| Error::io(&path, "read the list of checkpoints", source);
    match std::fs::metadata(&path) {
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(fault) => Err(failed(fault)),
        Ok(metadata) if metadata.len() >= newest.len() as u64 => Ok(false),
        Ok(_) => Ok(newest.as_bytes().starts_with(&std::fs::read(&path).map_err(failed)?)),
    }
}

fn bad_list(layout: &Layout, reason: String) -> Error {
    Error::finding(&layout.directory, Finding::in_file(CHECKPOINTS, Fault::tampered(None, reason)))
}

impl Issuer {
    /// Opens the list, cut to its whole notes, and brings the seal up to it.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        layout: Layout,
        origin: String,
        listed: &Listed,
        signing: Option<Signing>,
    ) -> Result<Self, Error> {
        let path = layout.checkpoints();
        let failed = |doing: &'static str| {
            let path = path.clone();
            move |source| Error::io(&path, doing, source)
        };
        let list = disk.open(&path, Mode::Any).map_err(failed("open the list of checkpoints"))?;
        let length = list.metadata().map_err(failed("look at the list of checkpoints"))?.len();
        if length > listed.bytes {
            disk.truncate(&list, listed.bytes).map_err(failed("cut the list of checkpoints"))?;
        }
        let mut issuer = Self { disk, layout, origin, list, list_bytes: listed.bytes, signing, seal: None };
        if let Some(newest) = listed.newest.as_ref().filter(|_| !listed.is_listed) {
            issuer.list(&newest.note).map_err(|fault| Error::append(&issuer.layout.directory, fault))?;
        }
        issuer.seal = issuer.caught_up_seal()?;
        Ok(issuer)
    }

    /// Reads the seal and adds what was listed after it.
    fn caught_up_seal(&self) -> Result<Option<Seal>, Error> {
        let Some(mut seal) = checkpoints::seal(&self.layout)? else { return Ok(None) };
        let missing = || {
            let reason = format!(
                "expected {} checkpoints of {} bytes, as the seal covers, found {} bytes",
                seal.count(),
                seal.bytes(),
                self.list_bytes
            );
            bad_list(&self.layout, reason)
        };
        if seal.bytes() > self.list_bytes {
            return Err(missing());
        }
        let mut list = List::open(&self.layout, seal.bytes())?.ok_or_else(missing)?;
        let mut at = list.position();
        while let Some(stated) = list.next()? {
            seal.absorb(stated.checkpoint.head(), list.position() - at);
            at = list.position();
        }
        Ok(Some(seal))
    }

    /// Issues the checkpoint over entries that are on the disk.
    pub(super) fn issue(&mut self, tree: &Frontier) -> Result<(), AppendError> {
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: tree.size(), root: tree.root() };
        let note = self.sign(&checkpoint)?;
        self.list(&note)?;
        let replaced = |file: &'static str| {
            move |fault: ReplaceError| match fault.sync_failed {
                true => poisoned("a checkpoint could not be brought to the disk", fault.source),
                // The entries are on the disk; the next commit writes a checkpoint over them.
                false => refusal(file, fault.source),
            }
        };
        if let Some(seal) = &mut self.seal {
            seal.absorb(checkpoint.head(), note.len() as u64);
        }
        disk::replace(&*self.disk, &self.layout.directory, CHECKPOINT, note.as_bytes())
            .map_err(replaced("write the checkpoint"))?;
        if let Some(seal) = &self.seal {
            let text = seal.to_text();
            disk::replace(&*self.disk, &self.layout.directory, SEAL, text.as_bytes())
                .map_err(replaced("write the seal"))?;
        }
        if let Some(signing) = &mut self.signing {
            signing.issued(&*self.disk, checkpoint.size);
        }
        Ok(())
    }

    fn sign(&self, checkpoint: &Checkpoint) -> Result<String, AppendError> {
        let text = checkpoint.to_string();
        let Some(signing) = &self.signing else { return Ok(text) };
        let unsigned = |fault: &dyn core::fmt::Display| AppendError::new(AppendErrorKind::Io, fault.to_string());
        let mut note = Note::new(text).map_err(|fault| unsigned(&fault))?;
        for (key, signer) in signing.signers() {
            note.push(Signature::make(note.text(), key, signer).map_err(|fault| unsigned(&fault))?);
        }
        Ok(note.to_string())
    }

    /// Appends a note to the list and brings it to the disk.
    fn list(&mut self, note: &str) -> Result<(), AppendError> {
        if let Err(source) = disk::write_all(&*self.disk, &self.list, note.as_bytes()) {
            if let Err(source) = self.disk.truncate(&self.list, self.list_bytes) {
                return Err(poisoned("a checkpoint was left unfinished that could not be cut", source));
            }
            return Err(refusal("list the checkpoint", source));
        }
        self.list_bytes += note.len() as u64;
        let synced = self.disk.sync(&self.list);
        synced.map_err(|source| poisoned("the list of checkpoints could not be brought to the disk", source))
    }

    /// Makes the next key if the present one has signed enough, or at once, and returns it for the entry that names it.
    pub(super) fn prepare_rotation(&mut self, is_due: bool) -> Option<String> {
        self.signing.as_mut()?.prepare(&*self.disk, is_due)
    }

    /// Notes the entry that names the next key.
    pub(super) fn note_rotation(&mut self, entry: u64) {
        if let Some(signing) = &mut self.signing {
            signing.note_rotation(entry);
        }
    }
}
