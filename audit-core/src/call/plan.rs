//! What is known of the arguments of a site before any call of it: worked out once by each thread.

use core::cell::RefCell;
use std::rc::Rc;

use super::Site;
use crate::canonical::{compare_names, write_string};
use crate::redact::{Root, names, push_step};

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
    /// The name of a secret under which the parameter falls.
    pub(super) secret: Option<&'static str>,
    /// True if a path removes the whole of it.
    pub(super) is_addressed: bool,
}

impl Plan {
    /// Returns the plan of the site, from an earlier call if there was one.
    pub(super) fn of(site: &'static Site) -> Rc<Self> {
        let found = KEPT.try_with(|kept| {
            let mut kept = kept.try_borrow_mut().ok()?;
            if kept.is_empty() {
                kept.resize(KEPT_MAX, None);
            }
            let address = core::ptr::from_ref(site).addr();
            let place = kept.get_mut((address >> 4 ^ address >> 10) % KEPT_MAX)?;
            if let Some(same) = place.as_ref().filter(|plan| core::ptr::eq(plan.site, site)) {
                return Some(Rc::clone(same));
            }
            Some(Rc::clone(place.insert(Rc::new(Self::new(site)))))
        });
        found.ok().flatten().unwrap_or_else(|| Rc::new(Self::new(site)))
    }

    fn new(site: &'static Site) -> Self {
        let parameters = (0..site.parameters.len()).map(|index| Parameter::new(site, index)).collect();
        let name = |index: usize| site.parameters.get(index).copied().unwrap_or_default();
        let mut order: Vec<usize> = (0..site.parameters.len()).collect();
        order.sort_by(|a, b| compare_names(name(*a), name(*b)));
        if order.is_sorted() {
            order.clear();
        }
        Self { site, parameters, order }
    }

    pub(super) fn parameter(&self, index: usize) -> Option<&Parameter> {
        self.parameters.get(index)
    }

    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }
}

impl Parameter {
    fn new(site: &Site, index: usize) -> Self {
        let name = site.parameters.get(index).copied().unwrap_or_default();
        let mut key = Vec::new();
        write_string(&mut key, name);
        key.push(b':');
        let mut pointer = POINTER.to_owned();
        push_step(&mut pointer, name);
        // They differ in patterns alone.
        let field = site.fields.get(index).copied().filter(|field| *field != name);
        let secret = names::secret(name).or_else(|| names::secret(field?));
        let is_addressed =
            site.redact.iter().any(|path| path.root == Root::Parameter(index) && path.segments.is_empty());
        Self { key, pointer, secret, is_addressed }
    }
}
