//! The example of docs/privacy.md: what it prints, and what a person finds afterwards.

use testkit::workspace;

use crate::airline::{all_bytes, run_example};

#[test]
fn the_example_prints_what_the_documentation_says_and_leaves_no_name_in_its_log() {
    let printed = run_example("private_agent", &[]);
    let text = std::fs::read_to_string(workspace().join("docs/privacy.md")).unwrap();
    let shown = text.split("$ cargo run --example private_agent\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(printed, shown);

    let directory = workspace().join("target/private-agent");
    for (name, secrets) in [
        (
            "audit",
            ["Ann Example", "ann@example.org", "Blumenweg", "4711", "ring twice", "GB82WEST12345698765432", "555-0199"],
        ),
        ("ring", ["Ann Example", "ann@example.org", "Blumenweg", "4711", "ring twice", "account-17", "account-18"]),
    ] {
        let bytes = all_bytes(&directory.join(name));
        for secret in secrets {
            assert!(!bytes.contains(secret), "{secret} in {name}");
        }
    }

    // The commands of the documentation.
    let keys = directory.to_str().unwrap().to_owned();
    let run = |arguments: &str| {
        let arguments =
            format!("audited {arguments} --key-ring DIR/ring --tenant-key-file DIR/tenant.key").replace("DIR", &keys);
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let exit = audit_cli::run(arguments.split(' '), &mut stdout, &mut stderr);
        stdout.extend(stderr);
        (String::from_utf8(stdout).unwrap(), exit.code())
    };
    let record_of = |email: &str| {
        let (found, code) = run(&format!("lookup DIR/audit --value {email}"));
        assert_eq!((code, found.lines().count()), (0, 1), "{found}");
        found.split_whitespace().nth(3).unwrap().to_owned()
    };
    let street = "--path /request/arguments/street";
    let (text, code) = run(&format!("reveal DIR/audit {} {street}", record_of("ann@example.org")));
    assert!(code == 1 && text.contains("was erased"), "{text}");
    let (text, code) = run(&format!("reveal DIR/audit {} {street}", record_of("bob@example.org")));
    assert!(code == 0 && text.contains("\"Gartenstr. 2\""), "{text}");
    let (text, code) = run("erase DIR/audit --subject account-17 --reason again");
    assert_eq!((text.as_str(), code), ("audited: the subject was erased before\n", 1));
}
