//! The statements about a log: its checkpoints, their signatures, the seal over them, and copies kept elsewhere.

use audit_core::checkpoint::Checkpoint;
use audit_core::note::VerificationKey;
use audit_core::policy::Policy;
use audit_core::seal::{Seal, SealKey};
use audit_core::timestamp::Authority;
use audit_core::verify::{Declared, Fault, Head, Heads, Signatures, Summary};

use crate::Error;
use crate::checkpoints::{self, List, Stated, may_be_unfinished};
use crate::layout::{CHECKPOINT, CHECKPOINTS, Layout, SEAL};
use crate::verify::timestamps::Stamps;
use crate::verify::witnessed::Cosignatures;
use crate::verify::{Assurance, Finding, Sealed, Signed};

/// What a verification is told beside the log.
#[derive(Clone, Debug, Default)]
pub(super) struct Demands<'a> {
    /// Keys that were pinned; those of other logs' names are passed over.
    pub(super) keys: Vec<VerificationKey>,
    pub(super) seal: Option<SealKey>,
    /// Notes of checkpoints that were kept elsewhere.
    pub(super) copies: Vec<String>,
    /// Whose cosignatures are asked for.
    pub(super) policy: Option<Policy>,
    /// Whose timestamps are asked for.
    pub(super) authority: Option<&'a dyn Authority>,
}

/// The checkpoints of a log, as its files state them.
#[derive(Debug, Default)]
pub(super) struct Statements {
    pub(super) newest: Option<Checkpoint>,
    /// The heads of all of them, those of copies included.
    pub(super) heads: Heads,
    /// How many are listed, and how long the list is up to the end of the last one.
    count: u64,
    bytes: u64,
    is_listed: bool,
    /// What follows the last one: its beginning, and how many bytes there are.
    rest: (Vec<u8>, u64),
    copies: usize,
    /// What witnesses vouch for.
    cosignatures: Cosignatures,
    /// What timestamp authorities stated.
    stamps: Stamps,
}

impl Statements {
    /// Reads them, the newest first: what it covers is then in the list, and in the segments. Before it those are read that
    /// are of listed ones.
    pub(super) fn read(layout: &Layout, demands: &Demands<'_>) -> Result<Self, Error> {
        let mut statements = Self { stamps: Stamps::read(layout)?, ..Self::default() };
        let newest = checkpoints::newest(layout)?;
        let mut heads: Vec<Head> = newest.iter().map(|stated| stated.checkpoint.head()).collect();
        newest.iter().for_each(|stated| statements.stamps.know(&stated.checkpoint));
        if let Some(list) = List::open(layout, 0)? {
            statements.read_list(layout, list, newest.as_ref(), &mut heads)?;
        }
        for copy in &demands.copies {
            let stated = Stated::parse(copy).map_err(|reason| {
                Error::finding(
                    &layout.directory,
                    finding(None, Fault::unverifiable(format!("a copy of a checkpoint: {reason}"))),
                )
            })?;
            // One of another log says nothing of this one.
            if newest.as_ref().is_some_and(|newest| newest.checkpoint.origin == stated.checkpoint.origin) {
                heads.push(stated.checkpoint.head());
                statements.stamps.know(&stated.checkpoint);
                statements.copies += 1;
            }
        }
        if let Some(policy) = &demands.policy {
            let origin = newest.as_ref().map(|newest| newest.checkpoint.origin.as_str());
            statements.cosignatures = Cosignatures::read(layout, policy, origin, &demands.copies)?;
            heads.extend(statements.cosignatures.heads());
        }
        Ok(Self { heads: heads.into_iter().collect(), newest: newest.map(|stated| stated.checkpoint), ..statements })
    }

    fn read_list(
        &mut self,
        layout: &Layout,
        mut list: List,
        newest: Option<&Stated>,
        heads: &mut Vec<Head>,
    ) -> Result<(), Error> {
        let bad = |reason: String| {
            Error::finding(&layout.directory, finding(Some(CHECKPOINTS), Fault::tampered(None, reason)))
        };
        let mut last: Option<Stated> = None;
        // The place in the list of the newest one.
        let mut met: Option<u64> = None;
        while let Some(stated) = list.next()? {
            if let Some(Stated { checkpoint: last, .. }) = &last
                && (last.size > stated.checkpoint.size || last.origin != stated.checkpoint.origin)
            {
                let expected = format!("a checkpoint of {:?} over at least {} entries", last.origin, last.size);
                let Checkpoint { origin, size, .. } = stated.checkpoint;
                return Err(bad(format!("expected {expected}, found {origin:?} over {size}")));
            }
            if newest.is_some_and(|newest| newest.note == stated.note) {
                met.get_or_insert(self.count);
            }
            heads.push(stated.checkpoint.head());
            if let Some(last) = last.replace(stated) {
                self.stamps.know(&last.checkpoint);
            }
            self.count += 1;
        }
        let (rest, bytes) = list.rest();
        self.rest = (rest.to_vec(), bytes);
        self.bytes = list.position();
        if let (None, Some(_)) = (met, newest) {
            return Err(bad(format!("expected the checkpoint in `{CHECKPOINT}`, found none that is equal")));
        }
        let mut is_unsigned = false;
        if let (Some(met), Some(last), Some(newest)) = (met, &last, newest)
            && met + 1 < self.count
            && last.lines() < newest.lines()
        {
            is_unsigned = bytes == 0;
            // It is being written, or was when the machine stopped: what it says is vouched for by nobody yet.
            heads.pop();
            self.count -= 1;
            self.bytes -= last.note.len() as u64;
            self.rest = ([last.note.as_bytes(), rest].concat(), last.note.len() as u64 + bytes);
        } else {
            last.iter().for_each(|last| self.stamps.know(&last.checkpoint));
        }
        self.is_listed = self.count > 0;
        let (rest, bytes) = &self.rest;
        let origin = last.as_ref().or(newest).map_or("", |stated| &stated.checkpoint.origin);
        if *bytes > 0 && !is_unsigned && !may_be_unfinished(rest, *bytes, origin) {
            return Err(bad(format!("expected a checkpoint at byte {}, found {bytes} other bytes", self.bytes)));
        }
        Ok(())
    }

    /// Checks what the checkpoints rest on, once the entries are known to fit them.
    pub(super) fn check(
        &self,
        layout: &Layout,
        entry_0: &[u8],
        summary: &Summary,
        demands: &Demands<'_>,
    ) -> Result<(Assurance, Vec<Finding>), Error> {
        let mut findings = Vec::new();
        let mut assurance = Assurance { copies: self.copies, unfinished_bytes: self.rest.1, ..Assurance::default() };
        match Declared::of_entry_0(entry_0) {
            Err(fault) => findings.push(finding(None, fault)),
            Ok(declared) => {
                match self.check_signatures(layout, &declared, summary)? {
                    Ok(signed) => assurance.signed = signed,
                    Err(found) => findings.push(found),
                }
                findings.extend(pin(&declared, demands, self.origin(), &mut assurance.signed));
            }
        }
        if let Some(policy) = &demands.policy {
            assurance.witnessed = self.cosignatures.witnessed(policy);
            findings.extend(self.cosignatures.missing(policy));
        }
        let (timestamps, found) = self.stamps.check(demands.authority);
        assurance.timestamps = timestamps;
        findings.extend(found);
        match self.check_seal(layout, demands.seal.as_ref())? {
            Ok(sealed) => assurance.seal = sealed,
            Err(found) => findings.push(found),
        }
        if self.copies == 0 && !demands.copies.is_empty() {
            let reason = format!("no copy of a checkpoint of the log's origin {:?} was given", self.origin());
            findings.push(finding(None, Fault::unverifiable(reason)));
        }
        Ok((assurance, findings))
    }

    fn origin(&self) -> &str {
        self.newest.as_ref().map_or("", |checkpoint| &checkpoint.origin)
    }

    /// Checks each listed note against the key of its epoch.
    fn check_signatures(
        &self,
        layout: &Layout,
        declared: &Declared,
        summary: &Summary,
    ) -> Result<Result<Signed, Finding>, Error> {
        let Some(mut signatures) = Signatures::new(declared, &summary.rotations) else { return Ok(Ok(Signed::No)) };
        if self.newest.is_none() {
            // An interrupted creation leaves the beginning of a list. Without `checkpoint` the log is unverifiable anyway.
            return Ok(Ok(Signed::No));
        }
        let list = if self.is_listed { List::open(layout, 0)? } else { None };
        let Some(mut list) = list else {
            let reason = "missing: which key signed which checkpoint cannot be told";
            return Ok(Err(finding(Some(CHECKPOINTS), Fault::unverifiable(reason))));
        };
        while list.position() < self.bytes
            && let Some(stated) = list.next()?
        {
            if let Err(fault) = signatures.check(&stated.note) {
                return Ok(Err(finding(Some(CHECKPOINTS), fault)));
            }
        }
        Ok(Ok(Signed::BySelf { checkpoints: signatures.count(), epochs: signatures.epoch() as u64 + 1 }))
    }

    /// Recomputes the seal from its first key, or only counts what it covers where that key was not given.
    fn check_seal(&self, layout: &Layout, key: Option<&SealKey>) -> Result<Result<Option<Sealed>, Finding>, Error> {
        let bad = |reason: String| Ok(Err(finding(Some(SEAL), Fault::tampered(None, reason))));
        let seal = match checkpoints::seal(layout) {
            Ok(seal) => seal,
            Err(fault) => return Ok(Err(fault.into_finding()?)),
        };
        let Some(seal) = seal else {
            let missing = || finding(Some(SEAL), Fault::unverifiable("missing: a key of a seal was given"));
            return Ok(if key.is_some() { Err(missing()) } else { Ok(None) });
        };
        if seal.count() > self.count || seal.bytes() > self.bytes {
            let found = self.count;
            return bad(format!(
                "truncated: the seal covers {} checkpoints, `{CHECKPOINTS}` lists {found}",
                seal.count()
            ));
        }
        let Some(key) = key else { return Ok(Ok(None)) };
        let mut again = Seal::new(key);
        let Some(mut list) = List::open(layout, 0)? else { return bad("found no list of checkpoints".to_owned()) };
        let mut at = 0;
        while again.count() < seal.count()
            && let Some(stated) = list.next()?
        {
            again.absorb(stated.checkpoint.head(), list.position() - at);
            at = list.position();
        }
        if (again.count(), again.value(), again.bytes()) != (seal.count(), seal.value(), seal.bytes()) {
            return bad("the seal is not that of the listed checkpoints under the key that was given".to_owned());
        }
        Ok(Ok(Some(Sealed { checkpoints: seal.count(), beyond: self.count - seal.count() })))
    }
}

/// Compares the keys that the log states with those that were pinned.
fn pin(declared: &Declared, demands: &Demands<'_>, origin: &str, signed: &mut Signed) -> Option<Finding> {
    if demands.keys.is_empty() {
        return None;
    }
    let pinned: Vec<&VerificationKey> = demands.keys.iter().filter(|key| key.name() == origin).collect();
    let Some(wanted) = pinned.first() else {
        let reason = format!("no key of the log's origin {origin:?} was pinned");
        return Some(finding(None, Fault::unverifiable(reason)));
    };
    let Some(first) = &declared.first else {
        return Some(finding(None, Fault::unverifiable(format!("not signed: the key {wanted} was pinned"))));
    };
    let stated = [Some(first), declared.identity.as_ref()];
    match pinned.iter().find(|key| stated.contains(&Some(**key))) {
        Some(key) => {
            if let Signed::BySelf { checkpoints, epochs } = *signed {
                *signed = Signed::Pinned { key: (*key).clone(), checkpoints, epochs };
            }
            None
        }
        None => Some(finding(None, Fault::tampered(0, format!("expected the pinned key {wanted}, found {first}")))),
    }
}

fn finding(file: Option<&str>, fault: Fault) -> Finding {
    Finding { file: file.map(str::to_owned), fault }
}
