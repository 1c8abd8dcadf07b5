//! What the attribute refuses, and in which words.

#[test]
fn mistakes_are_refused_with_reviewed_messages() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
