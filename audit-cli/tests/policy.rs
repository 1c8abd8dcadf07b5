//! `audited policy` on files that are policies and files that are none, and on the samples of the specification.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "what other commands need")]
mod common;

use std::fs;

use audit_cli::run;
use common::Log;
use expect_test::{Expect, expect};

/// Runs a command and returns everything that it does. `LOG` stands for the samples and `POLICY` for a file of the text.
fn session(text: &str, arguments: &str) -> String {
    let log = Log::samples();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("policy.toml");
    fs::write(&file, text).unwrap();
    let (log, file) = (log.path().to_str().unwrap().to_owned(), file.to_str().unwrap().to_owned());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let command = arguments.split(' ').map(|argument| argument.replace("LOG", &log).replace("POLICY", &file));
    let exit = run(std::iter::once("audited".to_owned()).chain(command), &mut stdout, &mut stderr);
    let text = |bytes| String::from_utf8(bytes).unwrap().replace(&log, "LOG").replace(&file, "POLICY");
    let (stdout, stderr) = (text(stdout), text(stderr));
    let stderr = if stderr.is_empty() { stderr } else { format!("-- stderr\n{stderr}") };
    format!("$ audited {arguments}\n{stdout}{stderr}-- exit {}\n", exit.code())
}

fn check(text: &str, arguments: &str, expected: &Expect) {
    expected.assert_eq(&session(text, arguments));
}

const POLICY: &str = r#"
[redaction]
redact = ["return.address?"]
names.token = "email"

[default]
retention = "standard"

[[rule]]
name = "lookups"
action = "*.lookup"
effect = "read"
level = "none"

[[rule]]
name = "failures"
outcome = "failure"
level = "request_response"

[[rule]]
name = "orders"
action = "order.*"
level = "metadata"
retention = "7y"
"#;

#[test]
fn a_policy_is_described_as_it_was_understood() {
    check(
        POLICY,
        "policy check POLICY",
        &expect![[r#"
        $ audited policy check POLICY
        policy           sha-256:4b24a3f5b1c5de4cea1476ed70aecb7fb7daae87fc646a3dbbdd2f36b393fb61
        lookups          action *.lookup, effect read: level none
        failures         outcome failure: level request_response
        orders           action order.*: level metadata, retention 7y
        default          all: retention standard
        redaction        drop return.address?, token name email
        -- exit 0
    "#]],
    );
    check(
        POLICY,
        "policy check POLICY --json",
        &expect![[r#"
        $ audited policy check POLICY --json
        {"file":"POLICY","valid":true,"hash":"sha-256:4b24a3f5b1c5de4cea1476ed70aecb7fb7daae87fc646a3dbbdd2f36b393fb61","rules":["lookups","failures","orders","default"],"error":null}
        -- exit 0
    "#]],
    );
}

#[test]
fn a_file_that_is_no_policy_is_refused_with_its_line() {
    let wrong = "[[rule]]\nname = \"a\"\nlevle = \"none\"";
    check(
        wrong,
        "policy check POLICY",
        &expect![[r#"
        $ audited policy check POLICY
        -- stderr
        audited: POLICY:3:1: expected a key of a rule, found `levle`: is `level` meant?
        -- exit 1
    "#]],
    );
    check(
        wrong,
        "policy check POLICY --json",
        &expect![[r#"
        $ audited policy check POLICY --json
        {"file":"POLICY","valid":false,"hash":null,"rules":[],"error":{"line":3,"column":1,"reason":"expected a key of a rule, found `levle`: is `level` meant?"}}
        -- exit 1
    "#]],
    );
    check(
        wrong,
        "policy check LOG",
        &expect![[r#"
        $ audited policy check LOG
        -- stderr
        audited: LOG: could not read the policy: Is a directory (os error 21)
        -- exit 2
    "#]],
    );
}

#[test]
fn a_log_is_compared_with_what_it_would_have_held() {
    check(
        POLICY,
        "policy diff POLICY LOG",
        &expect![[r#"
            $ audited policy diff POLICY LOG
            records          17: 0 the same, 0 not in the log
            rule failures    2 records
                   2  level metadata -> request_response
                      rule `failures`: level = "request_response"; entries 11, 16
            rule orders      11 records
                  11  retention.class none -> 7y
                      rule `orders`; entries 4, 5, 6
                   2  level request -> metadata
                      rule `orders`: level = "metadata"; entries 8, 9
                   1  - request
                      rule `orders`: level = "metadata"; entries 8
                   1  - response
                      rule `orders`: level = "metadata"; entries 9
            rule default     4 records
                   4  retention.class none -> standard
                      rule `default`; entries 2, 3, 14
            unknown          what the log cannot tell
                   5  the effect
                      no record of the call states what its tool does; rules with `effect` are taken not to match; entries 11, 12, 15
            -- exit 0
        "#]],
    );
    check(
        "",
        "policy diff POLICY LOG",
        &expect![[r#"
        $ audited policy diff POLICY LOG
        records          17: 17 the same, 0 not in the log
        rule default     17 records
        -- exit 0
    "#]],
    );
    check(
        POLICY,
        "policy diff POLICY LOG --json",
        &expect![[r#"
            $ audited policy diff POLICY LOG --json
            {"log":"LOG","policy":"sha-256:4b24a3f5b1c5de4cea1476ed70aecb7fb7daae87fc646a3dbbdd2f36b393fb61","unreadable":0,"records":17,"unchanged":0,"gone":0,"rules":[{"rule":"failures","records":2,"differences":[{"what":"level metadata -> request_response","why":"rule `failures`: level = \"request_response\"","count":2,"examples":[11,16]}]},{"rule":"orders","records":11,"differences":[{"what":"retention.class none -> 7y","why":"rule `orders`","count":11,"examples":[4,5,6]},{"what":"level request -> metadata","why":"rule `orders`: level = \"metadata\"","count":2,"examples":[8,9]},{"what":"- request","why":"rule `orders`: level = \"metadata\"","count":1,"examples":[8]},{"what":"- response","why":"rule `orders`: level = \"metadata\"","count":1,"examples":[9]}]},{"rule":"default","records":4,"differences":[{"what":"retention.class none -> standard","why":"rule `default`","count":4,"examples":[2,3,14]}]}],"unknown":[{"what":"the effect","why":"no record of the call states what its tool does; rules with `effect` are taken not to match","count":5,"examples":[11,12,15]}]}
            -- exit 0
        "#]],
    );
    check(
        POLICY,
        "policy diff POLICY POLICY",
        &expect![[r#"
        $ audited policy diff POLICY POLICY
        -- stderr
        audited: POLICY: expected a log or an empty directory, found a file
        -- exit 2
    "#]],
    );
}

#[test]
fn what_would_have_been_removed_is_told_by_path_and_rule() {
    let policy = r#"
        [[rule]]
        name = "orders"
        action = "order.*"
        redact = ["reason"]
        token = ["order_id?", "return.id?"]
        names.mask = "currency"
    "#;
    check(
        policy,
        "policy diff POLICY LOG",
        &expect![[r#"
        $ audited policy diff POLICY LOG
        records          17: 16 the same, 0 not in the log
        rule orders      13 records
               1  - request.arguments.order_id (token)
                  policy:orders/order_id?; entries 8
        rule default     4 records
        -- exit 0
    "#]],
    );
}
