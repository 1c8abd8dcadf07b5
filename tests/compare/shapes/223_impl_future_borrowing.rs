//! `-> impl Future + Send + 'a` of a method
//! call: {"arguments": {"name": "abc"}, "summary": 4}
//! captures: name
use probe::{body, pause, send};

#[derive(Debug)]
struct Counter(usize);

impl Counter {
    #[shape]
    fn subject<'a>(&'a mut self, name: &'a str) -> impl Future<Output = usize> + Send + 'a {
        async move {
            pause().await;
            body();
            self.0 += name.len();
            self.0
        }
    }
}

pub async fn run() {
    assert_eq!(send(Counter(1).subject("abc")).await, 4);
}
