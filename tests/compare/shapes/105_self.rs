//! `self`
//! call: {"arguments": {"add": 2}, "summary": "ab2"}
//! captures: add
use probe::body;

#[derive(Debug)]
struct Name(String);

impl Name {
    #[shape]
    fn subject(self, add: u32) -> String {
        body();
        self.0 + &add.to_string()
    }
}

pub fn run() {
    assert_eq!(Name("ab".to_owned()).subject(2), "ab2");
}
