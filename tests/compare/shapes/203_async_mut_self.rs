//! `async fn` with `&mut self` and a borrow out
//! call: {"arguments": {"item": "b"}, "summary": "b"}
//! captures: item
use probe::{body, pause, send};

#[derive(Debug)]
struct List(Vec<String>);

impl List {
    #[shape]
    async fn subject(&mut self, item: String) -> &mut String {
        pause().await;
        body();
        self.0.push(item);
        self.0.last_mut().unwrap()
    }
}

pub async fn run() {
    let mut list = List(vec!["a".to_owned()]);
    send(list.subject("b".to_owned())).await.push('c');
    assert_eq!(list.0, ["a", "bc"]);
}
