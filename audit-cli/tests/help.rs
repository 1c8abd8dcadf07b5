//! What the program says of itself.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use audit_cli::run;
use expect_test::expect;

/// Runs the program with one argument and returns everything that it does: output, messages, exit code.
fn session(argument: &str) -> String {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = run(["audited", argument], &mut stdout, &mut stderr);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(stdout), text(stderr));
    let stderr = if stderr.is_empty() { stderr } else { format!("-- stderr\n{stderr}") };
    format!("$ audited {argument}\n{stdout}{stderr}-- exit {}\n", exit.code())
}

#[test]
fn help_and_version_go_to_the_standard_output() {
    expect![[r#"
        $ audited --version
        audited 0.1.0
        -- exit 0
    "#]]
    .assert_eq(&session("--version"));
    expect![[r#"
        $ audited --help
        Reads tamper-evident audit logs of AI agents

        Usage: audited <COMMAND>

        Commands:
          verify    Check that the log is what was written, and name the first bad entry
          show      Show the records that match, one per line
          timeline  Show what a run or conversation did, one line per call
          stats     Show how the calls went: counts, rates and durations
          sites     Show which functions of a program are audited, and which are exempt
          compact   Compress the full segments of a log that no process writes
          key       Make, show and replace the keys that sign checkpoints
          key-ring  Make, show and rotate the keys by which values stay linkable, and can be read until they are erased
          lookup    Find the records that hold the token of a value
          reveal    Show sealed values of a record to who holds the key, and record that
          erase     Destroy the keys of a subject, so that nothing that was sealed for it can be read again
          prove     Make the evidence of one entry, that others check without the log
          check     Check evidence of one entry, without the log
          export    Write a log in the forms that the tools of others read
          anchor    Give the newest checkpoint of a log to witnesses and timestamp authorities, and keep what they give
          policy    Check audit policies, and tell what a log would have held under one
          recover   Finish a log whose process died, so that it holds all that was recorded
          help      Print this message or the help of the given subcommand(s)

        Options:
          -h, --help
                  Print help (see a summary with '-h')

          -V, --version
                  Print version

        Examples:
          audited verify /var/lib/orders/audit
          audited show /var/lib/orders/audit --tool refund --outcome failure
          audited show /var/lib/orders/audit --action 'order.*' --json | jq .record.request.arguments
          audited timeline /var/lib/orders/audit --conversation conv_abc123
          audited stats /var/lib/orders/audit --by tool
          audited sites target/release/orders
          audited compact /var/lib/orders/audit
          audited recover /var/lib/orders/audit
          audited key new orders.key --name example.com/orders
          audited key show /var/lib/orders/audit
          audited policy diff audit.toml /var/lib/orders/audit
          audited export otlp /var/lib/orders/audit --endpoint http://localhost:4318
          audited prove /var/lib/orders/audit 01a17cbd-e826-77ed-86a8-0e9a0a0ad21c

        Processes that write at the same time have a log each: LOG, LOG.1, LOG.2 and so on. verify, show, timeline and stats
        take those beside LOG along, LOG.operator too, or read all logs in a directory: together, by time. Of their verdicts the
        worst counts, and one that cannot be read is an error.

        Exit codes:
          verify                 0 intact, 1 tampered, 2 unverifiable or an error
          show, timeline, stats  0 found, 1 nothing found or some lines cannot be read, 2 an error
          sites                  0 found, 1 nothing found, 2 an error
          compact                0 all full segments are compressed, 2 an error
          recover                0 the log is closed, 2 an error
          key, export            0 done, 1 the log to be sent was altered or is shorter than before, 2 an error
          lookup                 0 found, 1 nothing found or some lines cannot be read, 2 an error
          reveal                 0 all values are shown, 1 one of them cannot be, 2 an error
          erase                  0 erased, 1 there was nothing to erase, 2 an error
          prove                  0 proved, 1 there is no such entry, 2 an error
          anchor                 0 anchored, 1 an anchor refuses or has seen another log, 2 an error
          policy check           0 a policy, 1 none, 2 an error
          policy diff            0 compared, 1 some lines cannot be read, 2 an error
          check                  0 it holds, 1 it is refused, 2 an error
        -- exit 0
    "#]]
    .assert_eq(&session("--help"));
}
