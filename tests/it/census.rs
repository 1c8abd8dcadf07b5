//! The census: every audited function of a program, at run time and in its binary.

use audited::audited;

const ACTION: &str = "census.constant";

#[audited(action = "census.read", effect = "read", name = "read it", redact = [card, customer.ssn, return.email?])]
fn read(card: &str, customer: &str) -> usize {
    card.len() + customer.len()
}

#[audited(action = ACTION)]
fn constant<T: Copy>(value: T) -> T {
    value
}

#[audited(exempt("only reads the clock"))]
fn clock() -> std::time::Instant {
    std::time::Instant::now()
}

struct Orders;

#[audited(prefix = "census.orders", effect = "destructive", on_unavailable = "count")]
impl Orders {
    fn cancel(&self) {}

    #[audited(exempt("pure"))]
    fn count(&self) -> u8 {
        1
    }
}

fn linked() {
    let _now = clock();
    assert_eq!((read("a", "b"), constant(7_u8)), (2, 7));
    Orders.cancel();
    assert_eq!(Orders.count(), 1);
}

fn check(census: &audited::Census) {
    let site = |action: &str| census.sites.iter().find(|site| site.action == action).unwrap();
    let read = site("census.read");
    assert_eq!((read.tool.as_str(), read.effect.as_str()), ("read it", "read"));
    assert_eq!(read.redact, ["card", "customer.ssn", "return.email"]);
    assert_eq!(read.module, "it::census");
    assert!(read.file.ends_with("it/census.rs"), "{}", read.file);
    let line = |place: &str| {
        u32::try_from(include_str!("census.rs").lines().position(|line| line.starts_with(place)).unwrap()).unwrap() + 1
    };
    assert_eq!(read.line, line("#[audited(action = \"census.read\""));
    assert_eq!(site("census.constant").tool, "constant");
    let cancel = site("census.orders.cancel");
    assert_eq!((cancel.effect.as_str(), cancel.line), ("destructive", line("    fn cancel")));
    let exempt = |tool: &str| census.exemptions.iter().find(|exempt| exempt.tool == tool).unwrap();
    assert_eq!(exempt("clock").reason, "only reads the clock");
    assert_eq!(exempt("count").reason, "pure");
    assert_eq!(census.missing(["read it", "clock", "forgotten"]), ["forgotten"]);
}

#[test]
fn the_linker_gathers_every_audited_function() {
    linked();
    check(&audited::sites());
}

#[test]
fn the_census_of_a_binary_is_that_of_the_running_program() {
    linked();
    let binary = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let found = audit_core::sites::find(&binary);
    check(&found);
    // A binary may hold what the linker's list left out, never less.
    let running = audited::sites();
    let missing: Vec<_> = running.sites.iter().filter(|site| !found.sites.contains(site)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_command_line_prints_the_census_of_a_binary() {
    linked();
    let binary = std::env::current_exe().unwrap();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let arguments = ["audited", "sites", binary.to_str().unwrap()];
    let exit = audit_cli::run(arguments, &mut stdout, &mut stderr);
    assert_eq!(exit, audit_cli::Exit::Success, "{}", String::from_utf8_lossy(&stderr));
    let text = String::from_utf8(stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("census.read ")).unwrap();
    assert!(line.contains("read it") && line.contains("card, customer.ssn, return.email"), "{line}");
    assert!(text.lines().any(|line| line.contains("(only reads the clock)")), "{text}");
}
