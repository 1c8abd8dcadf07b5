//! what async-trait up to 0.1.43 wrote: an inner `async fn`, boxed
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use std::pin::Pin;

use probe::{body, pause, send};

#[derive(Debug)]
struct Counter(u32);

impl Counter {
    #[shape]
    fn subject<'life0, 'async_trait>(
        &'life0 self,
        number: u32,
    ) -> Pin<Box<dyn Future<Output = u32> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        async fn __subject(_self: &Counter, number: u32) -> u32 {
            pause().await;
            body();
            _self.0 + number
        }
        Box::pin(__subject(self, number))
    }
}

pub async fn run() {
    assert_eq!(send(Counter(1).subject(1)).await, 2);
}
