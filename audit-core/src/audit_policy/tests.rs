use super::*;

fn rule(name: &str, matches: Match, decision: Decision) -> Rule {
    Rule { name: name.to_owned(), matches, decision }
}

fn at(level: Level) -> Decision {
    Decision { level: Some(Extent::At(level)), ..Decision::default() }
}

fn none() -> Decision {
    Decision { level: Some(Extent::Nothing), ..Decision::default() }
}

fn effects(effects: &[Effect]) -> Match {
    Match { effects: effects.to_vec(), ..Match::default() }
}

fn policy(rules: Vec<Rule>) -> AuditPolicy {
    AuditPolicy::new(Parts { rules, ..Parts::default() }).unwrap()
}

fn refused(rules: Vec<Rule>) -> String {
    AuditPolicy::new(Parts { rules, ..Parts::default() }).unwrap_err().to_string()
}

fn call(action: &str, effect: Effect) -> About<'_> {
    About { action, tool: Some("tool"), effect: Some(effect), ..About::default() }
}

#[test]
fn the_first_rule_that_matches_decides_alone() {
    let orders = Match { actions: vec![Glob::new("order.*")], ..Match::default() };
    let policy = policy(vec![
        rule("reads", effects(&[Effect::Read]), at(Level::Metadata)),
        rule("orders", orders, Decision { durability: Some(Durability::Disk), ..at(Level::RequestResponse) }),
    ]);
    let check = |about: About<'_>, expected: (&str, &str, Option<Durability>)| {
        let ruling = policy.ruling(&about, Written::default());
        assert_eq!((ruling.rule.name.as_str(), ruling.extent.as_str(), ruling.durability), expected, "{about:?}");
    };
    check(call("order.find", Effect::Read), ("reads", "metadata", None));
    check(call("order.refund", Effect::Write), ("orders", "request_response", Some(Durability::Disk)));
    check(call("user.rename", Effect::Write), ("default", "request", None));
    // An event has no effect, so that a rule about effects is not about it.
    check(About { action: "order.find", ..About::default() }, ("orders", "request_response", Some(Durability::Disk)));
}

#[test]
fn the_rule_decides_level_and_stages_and_the_stronger_durability_counts() {
    let decision =
        Decision { stages: Some(Stages::Completed), durability: Some(Durability::Os), ..at(Level::Metadata) };
    let policy = policy(vec![rule("all", Match::default(), decision)]);
    let written = Written { level: Level::RequestResponse, durability: Some(Durability::Disk), ..Written::default() };
    let ruling = policy.ruling(&call("a", Effect::Write), written);
    assert_eq!(ruling.extent, Extent::At(Level::Metadata));
    assert_eq!((ruling.stages, ruling.durability), (Stages::Completed, Some(Durability::Disk)));
}

#[test]
fn a_destructive_call_is_never_unrecorded_and_its_intent_always_is() {
    let decision = Decision { stages: Some(Stages::Completed), ..none() };
    let policy = policy(vec![rule("all", Match::default(), decision)]);
    let ruling = policy.ruling(&call("a", Effect::Destructive), Written::default());
    assert_eq!((ruling.extent, ruling.stages), (Extent::At(Level::Metadata), Stages::StartedCompleted));
    let ruling = policy.ruling(&call("a", Effect::Write), Written::default());
    assert_eq!((ruling.extent, ruling.stages), (Extent::Nothing, Stages::Completed));
}

#[test]
fn a_rule_about_outcomes_is_about_ends_alone() {
    let failures = Match { outcomes: vec![Status::Failure], ..Match::default() };
    let policy = policy(vec![rule("failures", failures, at(Level::RequestResponse))]);
    let name = |outcome| {
        let about = About { outcome, ..call("a", Effect::Read) };
        policy.ruling(&about, Written::default()).rule.name.clone()
    };
    assert_eq!(name(None), "default");
    assert_eq!(name(Some(Status::Success)), "default");
    assert_eq!(name(Some(Status::Failure)), "failures");
    assert!(policy.asks_for_outcome() && !policy.asks_for_tenant());
}

#[test]
fn unrecorded_calls_are_counted_by_rule() {
    let policy = policy(vec![rule("reads", effects(&[Effect::Read]), none())]);
    policy.note_unrecorded(0);
    policy.note_unrecorded(0);
    assert_eq!(policy.unrecorded(), [("reads".to_owned(), 2)]);
    let taken = policy.take_unrecorded();
    assert_eq!(policy.unrecorded(), []);
    policy.put_back_unrecorded(&taken);
    assert_eq!(policy.unrecorded(), taken);
}

#[test]
fn what_cannot_be_is_refused() {
    let check = |rules, expected: expect_test::Expect| expected.assert_eq(&refused(rules));
    check(
        vec![rule("all", effects(&[Effect::Destructive]), none())],
        expect_test::expect![
            "expected `metadata` or more for a rule about destructive calls alone, which are always recorded, found `none`"
        ],
    );
    check(
        vec![rule("a", Match::default(), none()), rule("b", effects(&[Effect::Read]), none())],
        expect_test::expect!["is never reached: the rule `a` before it matches everything"],
    );
    check(
        vec![rule("a", effects(&[Effect::Read]), none()), rule("a", effects(&[Effect::Write]), none())],
        expect_test::expect!["expected a name that no other rule has, found `a` again"],
    );
    let failures = Match { outcomes: vec![Status::Failure], ..Match::default() };
    check(
        vec![rule("a", failures, Decision { stages: Some(Stages::Completed), ..none() })],
        expect_test::expect![
            "expected no `stages` in a rule with `outcome`, which is about the record of the end alone, found it"
        ],
    );
    let removed = |path: &str, way| Decision {
        removal: Removal { paths: vec![Removed { path: path.to_owned(), way }], ..Removal::default() },
        ..Decision::default()
    };
    check(
        vec![rule("a", Match::default(), removed("a..b", Way::Drop))],
        expect_test::expect![
            "expected a path such as `card`, `customer.ssn?`, `items[].token`, `*.email`, `return.iban` or `error`, found `a..b`"
        ],
    );
    check(
        vec![rule("a", Match::default(), removed("card", Way::Seal(None)))],
        expect_test::expect!["expected `subject`, the path to whose value it is that is sealed, found none"],
    );
}
