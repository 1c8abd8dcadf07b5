//! `-> impl Future` of a hand-written future
//! call: {"arguments": {"number": 1}, "summary": 1}
//! captures: number
use std::pin::Pin;
use std::task::{Context, Poll};

use probe::{body, send};

struct Twice(u32, bool);

impl Future for Twice {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        body();
        if self.1 {
            return Poll::Ready(self.0);
        }
        self.1 = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[shape]
fn subject(number: u32) -> impl Future<Output = u32> + Send {
    Twice(number, false)
}

pub async fn run() {
    assert_eq!(send(subject(1)).await, 1);
}
