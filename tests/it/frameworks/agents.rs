//! rig and swiftide, in a package of their own: they need a newer compiler and take minutes to compile.

use std::sync::LazyLock;

use crate::fixtures::{Fixture, said};

static AGENTS: LazyLock<Fixture> = LazyLock::new(|| Fixture::copy("agents"));

/// Runs the fixture's tests of this name; at least so many of them have to run.
fn check(name: &str, tests_min: usize) {
    let output = AGENTS.cargo(["test", "--quiet", "--test", name]);
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    let passed = said.lines().find_map(|line| line.strip_prefix("test result: ok. ")?.split(' ').next()?.parse().ok());
    assert!(passed.is_some_and(|passed: usize| passed >= tests_min), "{said}");
}

#[test]
fn tools_of_rig_are_recorded() {
    check("rig", 9);
}

#[test]
fn tools_of_swiftide_are_recorded() {
    check("swiftide", 7);
}

/// Compiles what swiftide has made of the attribute below its own.
fn check_refused(name: &str, expected: &str) {
    let output = AGENTS.cargo(["build", "--quiet", "--features", "refused", "--test", name]);
    let said = said(&output);
    assert!(!output.status.success() && said.contains(expected), "{said}");
}

#[test]
fn the_wrong_order_with_swiftide_does_not_compile_where_a_parameter_says_how_it_is_recorded() {
    check_refused("swiftide_param", "cannot find attribute `audit` in this scope");
}

#[test]
fn the_wrong_order_with_swiftide_leaves_an_unused_import() {
    check_refused("swiftide_import", "unused import: `audited::audited`");
}
