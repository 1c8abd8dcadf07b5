//! The command `audited`: see the library `audit_cli`.

use std::io::{stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    audit_cli::run(std::env::args_os(), &mut stdout().lock(), &mut stderr().lock()).into()
}
