//! `mut self`
//! call: {"arguments": {"add": "c"}, "summary": "abc"}
//! captures: add
use probe::body;

#[derive(Debug)]
struct Name(String);

impl Name {
    #[shape]
    fn subject(mut self, add: &str) -> String {
        body();
        self.0.push_str(add);
        self.0
    }
}

pub fn run() {
    assert_eq!(Name("ab".to_owned()).subject("c"), "abc");
}
