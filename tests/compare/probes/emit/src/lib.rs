//! Observes `#[emit::span]` through an emitter.

use core::ops::ControlFlow;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use emit::{Ctxt as _, Props as _};
pub use probe_common::*;
use serde_json::{Value, json};

#[derive(Debug, Default)]
struct Seen {
    calls: usize,
    keys: BTreeSet<String>,
}

/// Called by each body: it is inside if there is a span in the ambient context.
pub fn body() {
    bodies::note(emit::ctxt().with_current(|props| props.get("span_id").is_some()));
}

/// The documented way to put a block into a span.
#[macro_export]
macro_rules! call_block {
    ($($block:tt)*) => {{
        use $crate::__private::emit;
        let (mut span, guard) = emit::span_guard!("subject");
        guard.call(move || {
            span.start();
            let _span = span;
            $($block)*
        })
    }};
}

#[doc(hidden)]
pub mod __private {
    pub use emit;
}

/// Runs a shape and tells what was seen of it.
pub fn observe(run: impl FnOnce()) -> Value {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let emitted = Arc::clone(&seen);
    let _setup = emit::setup()
        .emit_to(emit::emitter::from_fn(move |event| {
            let mut seen = emitted.lock().unwrap_or_else(PoisonError::into_inner);
            if event.props().get("evt_kind").is_some_and(|kind| kind.to_string() == "span") {
                seen.calls += 1;
                let _ = event.props().for_each(|key, _| {
                    seen.keys.insert(key.to_string().trim_start_matches("r#").to_owned());
                    ControlFlow::Continue(())
                });
            }
        }))
        .init();
    run();
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    json!({
        "calls": seen.calls, "bodies": bodies::ran(), "inside": bodies::inside(), "arguments": seen.keys,
        "result": false,
    })
}
