//! what async-trait since 0.1.44 writes: a boxed `async` block with rebound parameters
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
        Box::pin(async move {
            if let Some(__ret) = None::<u32> {
                return __ret;
            }
            let __self = self;
            let number = number;
            let __ret: u32 = {
                pause().await;
                body();
                __self.0 + number
            };
            __ret
        })
    }
}

pub async fn run() {
    assert_eq!(send(Counter(1).subject(1)).await, 2);
}
