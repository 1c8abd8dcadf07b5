//! The frameworks that agents' tools are written for: the attribute above and below theirs, and what each of them does
//! with calls that never reach a tool.

mod agents;
mod handlers;
mod traits;

use std::fs;

use testkit::workspace;

#[test]
fn the_functions_in_the_document_are_those_that_are_tested() {
    let read = |path: &str| fs::read_to_string(workspace().join(path)).unwrap();
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let sources =
        ["tests/it/frameworks/handlers.rs", "tests/fixtures/agents/tests/rig.rs"].map(read).map(|text| squeezed(&text));
    let document = read("docs/frameworks.md");
    let blocks = document.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("rust,ignore\n"));
    let functions: Vec<&str> = blocks.filter(|block| block.starts_with("async fn ")).collect();
    assert_eq!(functions.len(), 3, "an adapter for rig, two middlewares for axum");
    for function in functions {
        assert!(sources.iter().any(|source| source.contains(&squeezed(function))), "not tested: {function}");
    }
}
