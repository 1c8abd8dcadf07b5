//! arguments and results that are not `Send`
//! call: {"arguments": {"shared": "RefCell { value: 1 }"}, "summary": "RefCell { value: 2 }"}
//! captures: shared
use std::cell::RefCell;
use std::rc::Rc;

use probe::body;

#[shape]
fn subject(shared: Rc<RefCell<u32>>) -> Rc<RefCell<u32>> {
    body();
    *shared.borrow_mut() += 1;
    shared
}

pub fn run() {
    assert_eq!(*subject(Rc::new(RefCell::new(1))).borrow(), 2);
}
