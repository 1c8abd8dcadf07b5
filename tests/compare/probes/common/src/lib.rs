//! What the functions under comparison use, whatever their attribute.

use core::pin::Pin;
use core::task::{Context, Poll};

/// Runs a future to its end on this thread.
///
/// # Panics
/// Where no runtime can be built.
pub fn block_on<F: Future>(future: F) -> F::Output {
    #[expect(clippy::expect_used, reason = "a comparison that cannot run fails")]
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be built");
    runtime.block_on(future)
}

/// Is pending once, so that a future is polled more than once.
pub fn pause() -> impl Future<Output = ()> + Send {
    Pause(false)
}

struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Demands that a value can go to another thread.
pub fn send<T: Send>(value: T) -> T {
    value
}

/// A value with all the usual derives.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Order {
    /// A number.
    pub id: u32,
    /// A text.
    pub name: String,
}

impl Order {
    /// Makes one.
    #[must_use]
    pub fn new(id: u32, name: &str) -> Self {
        Self { id, name: name.to_owned() }
    }
}

/// An error with all that is expected of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// There was nothing.
    Empty,
    /// There was too much.
    TooLong(usize),
}

impl core::fmt::Display for Failure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Empty => f.write_str("empty"),
            Self::TooLong(length) => write!(f, "too long: {length}"),
        }
    }
}

impl core::error::Error for Failure {}

/// A value that no macro can show: neither `Debug` nor `Serialize` nor `Display`.
#[derive(Clone)]
pub struct Opaque(pub u32);

/// What a probe has seen of the bodies that ran.
pub mod bodies {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static RAN: AtomicUsize = AtomicUsize::new(0);
    static INSIDE: AtomicUsize = AtomicUsize::new(0);

    /// Notes that a body runs, and whether the macro has it inside of its span.
    pub fn note(inside: bool) {
        RAN.fetch_add(1, Ordering::Relaxed);
        INSIDE.fetch_add(usize::from(inside), Ordering::Relaxed);
    }

    /// How many bodies ran so far.
    #[must_use]
    pub fn ran() -> usize {
        RAN.load(Ordering::Relaxed)
    }

    /// How many of them were inside of the macro's span.
    #[must_use]
    pub fn inside() -> usize {
        INSIDE.load(Ordering::Relaxed)
    }
}
