use audit_core::audit_policy::{About, Extent, Way, Written};
use audit_core::vocabulary::{Effect, Level, Stages, Status};
use expect_test::{Expect, expect};

use super::*;

const EXAMPLE: &str = r#"
[redaction]
redact = ["customer.ssn?"]
names = { token = ["email"], mask = "phone" }
patterns = { mask_last_four = ["card_number"] }

[default]
level = "request"
retention = "standard"

[[rule]]
name = "reads"
action = ["order.*", "product.*"]
effect = "read"
level = "none"

[[rule]]
name = "failures"
effect = ["write", "destructive"]
outcome = ["failure", "unknown"]
level = "request_response"

[[rule]]
tool = "refund"
tenant = "acme"
level = "request_response"
stages = "started_completed"
durability = "disk"
mask = "card"
token = ["email", "customer.phone?"]
seal = [{ paths = ["customer.name", "return.name"], subject = "customer.id" }, "address"]
subject = ["user_id", "return.user_id", "context.user"]
retention = "7y"
arguments_bytes_max = 4096
oversize = "summary"
"#;

#[test]
fn a_policy_is_read() {
    let policy = parse(EXAMPLE).unwrap();
    let names: Vec<&str> = policy.rules().iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["reads", "failures", "rule-3", "default"]);
    let about = |action, effect| About { action, tool: Some("refund"), effect: Some(effect), ..About::default() };
    let ruling = policy.ruling(&about("order.find", Effect::Read), Written::default());
    assert_eq!((ruling.rule.name.as_str(), ruling.extent), ("reads", Extent::Nothing));
    let at_end = About { outcome: Some(Status::Failure), ..about("order.refund", Effect::Write) };
    assert_eq!(policy.ruling(&at_end, Written::default()).rule.name, "failures");
    let acme = About { tenant: Some("acme"), ..about("order.refund", Effect::Write) };
    let ruling = policy.ruling(&acme, Written::default());
    assert_eq!((ruling.extent, ruling.stages), (Extent::At(Level::RequestResponse), Stages::StartedCompleted));
    let removal = &ruling.rule.decision.removal;
    let paths: Vec<(&str, &str)> =
        removal.paths.iter().map(|removed| (removed.way.as_str(), removed.path.as_str())).collect();
    assert_eq!(
        paths,
        [
            ("mask", "card"),
            ("token", "email"),
            ("token", "customer.phone?"),
            ("seal", "customer.name"),
            ("seal", "return.name"),
            ("seal", "address"),
        ]
    );
    assert_eq!(removal.paths.last().map(|removed| &removed.way), Some(&Way::Seal(None)));
    assert_eq!(removal.subjects, ["user_id", "return.user_id", "context.user"]);
    assert_eq!(ruling.rule.decision.limits.arguments_bytes_max, Some(4096));
    assert_eq!(policy.redaction().names.len(), 2);
    assert_eq!(policy.hash(), Some(Hash::of(EXAMPLE.as_bytes())));
}

#[test]
fn an_empty_policy_leaves_everything_as_it_is() {
    let policy = parse("").unwrap();
    let ruling = policy.ruling(&About { action: "a", ..About::default() }, Written::default());
    assert_eq!((ruling.rule.name.as_str(), ruling.extent), ("default", Extent::At(Level::Request)));
}

fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&parse(text).unwrap_err().to_string());
}

#[test]
fn what_is_not_known_is_refused_with_its_place() {
    check(
        "[[rule]]\nefect = \"read\"",
        &expect!["line 2, column 1: expected a key of a rule, found `efect`: is `effect` meant?"],
    );
    check(
        "[[rule]]\nname = \"a\"\nlevle = \"none\"",
        &expect!["line 3, column 1: expected a key of a rule, found `levle`: is `level` meant?"],
    );
    check(
        "[[rules]]\nname = \"a\"",
        &expect!["line 1, column 3: expected a key of a policy, found `rules`: is `rule` meant?"],
    );
    check(
        "[[rule]]\nlevel = \"full\"",
        &expect![
            "line 2, column 9: expected one of none, metadata, request, request_response as `level`, found `full`"
        ],
    );
    check(
        "[[rule]]\neffect = [\"read\", \"wirte\"]",
        &expect![
            "line 2, column 19: expected one of read, write, destructive as `effect`, found `wirte`: is `write` meant?"
        ],
    );
    check(
        "[[rule]]\nwhatever = 1",
        &expect![
            "line 2, column 1: expected a key of a rule, found `whatever`; there are name, action, tool, effect, tenant, outcome, level, stages, durability, retention, arguments_bytes_max, result_bytes_max, oversize, redact, mask, mask_last_four, token, seal, subject, names, patterns"
        ],
    );
    check("[[rule]]\nlevel = 1", &expect!["line 2, column 9: expected a text as `level`, found a number"]);
    check(
        "[[rule]]\nlevel = \"none\nx",
        &expect!["line 3, column 2: expected TOML, found an error in it: key with no value, expected `=`"],
    );
    check(
        "[default]\naction = \"a\"",
        &expect![
            "line 2, column 1: expected a key of the table `default`, found `action`; there are level, stages, durability, retention, arguments_bytes_max, result_bytes_max, oversize, redact, mask, mask_last_four, token, seal, subject, names, patterns"
        ],
    );
    check("rule = 3", &expect!["line 1, column 8: expected a table as `rule`, found a number"]);
    check(
        "[[rule]]\narguments_bytes_max = -1",
        &expect!["line 2, column 23: expected a number that is not negative as `arguments_bytes_max`, found a number"],
    );
    check(
        "[[rule]]\nseal = { path = [\"a\"] }",
        &expect!["line 2, column 10: expected a key of the table `seal`, found `path`: is `paths` meant?"],
    );
}

#[test]
fn sampling_is_refused_with_the_reason() {
    check(
        "[[rule]]\nsample = 0.1",
        &expect![[
            r#"line 2, column 1: expected no sampling, found `sample`: a record that is left out by chance may be the one that is asked for; `level = "none"` leaves out and counts"#
        ]],
    );
}

#[test]
fn what_no_policy_may_say_is_refused_with_its_place() {
    check(
        "[[rule]]\nname = \"a\"\neffect = \"destructive\"\nlevel = \"none\"",
        &expect![
            "line 4, column 9: expected `metadata` or more for a rule about destructive calls alone, which are always recorded, found `none`"
        ],
    );
    check(
        "[[rule]]\nname = \"a\"\n[[rule]]\nname = \"b\"",
        &expect!["line 4, column 8: is never reached: the rule `a` before it matches everything"],
    );
    check(
        "[[rule]]\nname = \"ä\"\nredact = [\"a\",\n  \"b..c\"]",
        &expect![
            "line 4, column 3: expected a path such as `card`, `customer.ssn?`, `items[].token`, `*.email`, `return.iban` or `error`, found `b..c`"
        ],
    );
    check(
        "[redaction]\nseal = \"name\"",
        &expect!["line 2, column 8: expected `subject`, the path to whose value it is that is sealed, found none"],
    );
    check("[default]\narguments_bytes_max = 10", &expect!["line 2, column 23: expected at least 256 bytes, found 10"]);
    check(
        "[[rule]]\nname = \"default\"",
        &expect!["line 2, column 8: expected another name, found `default`, which is that of a table"],
    );
}
