//! What is known of the arguments of a site before any call of it: worked out once by each thread.

use core::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use super::Site;
use crate::canonical::{Removed, compare_names, write_string};
use crate::privacy::Privacy;
use crate::redact::push_step;

/// Where the arguments stand in a record.
pub(super) const POINTER: &str = "/request/arguments";

/// How many sites a thread keeps the plans of.
const KEPT_MAX: usize = 256;

thread_local! {
    static KEPT: RefCell<Vec<Option<Rc<Plan>>>> = const { RefCell::new(Vec::new()) };
}

/// How the arguments of a site are written.
#[derive(Debug)]
pub(super) struct Plan {
    site: &'static Site,
    /// The rules of the log that it was made for. It does not keep them.
    privacy: Weak<Privacy>,
    parameters: Vec<Parameter>,
    /// The indices of the parameters in canonical order; none where they stand in it already.
    order: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Parameter {
    /// The name as JSON has it, and the colon.
    pub(super) key: Vec<u8>,
    /// Where the argument stands in a record.
    pub(super) pointer: String,
    /// The rule of its name, if that is one of a secret.
    pub(super) secret: Option<Removed>,
}

impl Plan {
    /// Returns the plan of the site, from an earlier call if there was one.
    pub(super) fn of(site: &'static Site, privacy: &Arc<Privacy>) -> Rc<Self> {
        let found = KEPT.try_with(|kept| {
            let mut kept = kept.try_borrow_mut().ok()?;
            if kept.is_empty() {
                kept.resize(KEPT_MAX, None);
            }
            let address = core::ptr::from_ref(site).addr() ^ Arc::as_ptr(privacy).addr();
            let place = kept.get_mut((address >> 4 ^ address >> 10) % KEPT_MAX)?;
            if let Some(same) = place.as_ref().filter(|plan| plan.is_of(site, privacy)) {
                return Some(Rc::clone(same));
            }
            Some(Rc::clone(place.insert(Rc::new(Self::new(site, privacy)))))
        });
        found.ok().flatten().unwrap_or_else(|| Rc::new(Self::new(site, privacy)))
    }

    fn is_of(&self, site: &'static Site, privacy: &Arc<Privacy>) -> bool {
        core::ptr::eq(self.site, site) && core::ptr::eq(self.privacy.as_ptr(), Arc::as_ptr(privacy))
    }

    fn new(site: &'static Site, privacy: &Arc<Privacy>) -> Self {
        let parameters = (0..site.parameters.len()).map(|index| Parameter::new(site, privacy, index)).collect();
        let name = |index: usize| site.parameters.get(index).copied().unwrap_or_default();
        let mut order: Vec<usize> = (0..site.parameters.len()).collect();
        order.sort_by(|a, b| compare_names(name(*a), name(*b)));
        if order.is_sorted() {
            order.clear();
        }
        Self { site, privacy: Arc::downgrade(privacy), parameters, order }
    }

    pub(super) fn parameter(&self, index: usize) -> Option<&Parameter> {
        self.parameters.get(index)
    }

    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }
}

impl Parameter {
    fn new(site: &Site, privacy: &Privacy, index: usize) -> Self {
        let name = site.parameters.get(index).copied().unwrap_or_default();
        let mut key = Vec::new();
        write_string(&mut key, name);
        key.push(b':');
        let mut pointer = POINTER.to_owned();
        push_step(&mut pointer, name);
        // They differ in patterns alone.
        let field = site.fields.get(index).copied().filter(|field| *field != name);
        let names = &privacy.names;
        let secret = names.find(name).or_else(|| names.find(field?)).map(Removed::by_name);
        Self { key, pointer, secret }
    }
}
