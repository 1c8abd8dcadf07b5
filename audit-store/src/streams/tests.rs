use std::fs;

use super::*;

/// Makes directories, logs where the name ends with `/`, and files where it ends with `!`.
fn make(members: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for member in members {
        let path = root.path().join(member.trim_end_matches(['/', '!']));
        match member.chars().last() {
            Some('/') => fs::create_dir_all(path.join("segments")).unwrap(),
            Some('!') => fs::write(path, "").unwrap(),
            _ => fs::create_dir_all(path).unwrap(),
        }
    }
    root
}

fn names(streams: &Streams) -> Vec<&str> {
    streams.as_slice().iter().map(Stream::name).collect()
}

/// Finds the logs at a path below the directory.
fn check(root: &tempfile::TempDir, path: &str, expect: Result<&[&str], &str>) {
    let found = Streams::find(root.path().join(path));
    let root = format!("{}/", root.path().display());
    let told = found.as_ref().map(names).map_err(|error| error.to_string().replace(&root, ""));
    assert_eq!(told, expect.map(<[&str]>::to_vec).map_err(str::to_owned), "{path}");
}

#[test]
fn a_log_takes_those_beside_it_along() {
    let root =
        make(&["a/", "a.2/", "a.10/", "a.1/", "a.1.1/", "a.operator/", "a.bak/", "a.01/", "a.2000/", "ab/", "b/"]);
    let numbers = (1..=10).map(|number| format!("a.{number}")).collect::<Vec<_>>();
    let mut expect = vec!["a"];
    expect.extend(numbers.iter().map(String::as_str));
    expect.push("a.operator");
    check(&root, "a", Ok(&expect));
    check(&root, "a/", Ok(&expect));
    check(&root, "a.1", Ok(&["a.1", "a.1.1"]));
    check(&root, "b", Ok(&["b"]));
    assert_eq!(Streams::find(root.path().join("a")).unwrap().as_slice()[0].path(), root.path().join("a"));
    assert!(Streams::find(root.path().join("b")).unwrap().single().is_some());
}

#[test]
fn what_stands_under_a_siblings_name_counts_whatever_it_is() {
    check(&make(&["a/", "a.1!", "a.2"]), "a", Ok(&["a", "a.1", "a.2"]));
    check(&make(&["a/", "a.1!", "a.2"]), "", Ok(&["a", "a.1", "a.2"]));
    // Those that a higher number tells of count too, and so does the log itself.
    check(&make(&["a/", "a.2/"]), "a", Ok(&["a", "a.1", "a.2"]));
    check(&make(&["a/", "a.2/"]), "", Ok(&["a", "a.1", "a.2"]));
    check(&make(&["a.1/"]), "a", Ok(&["a", "a.1"]));
    check(&make(&["a/other", "a.operator/"]), "a", Ok(&["a", "a.operator"]));
}

#[test]
fn a_directory_of_logs_is_read_by_its_members() {
    let root = make(&["x.2/", "x/", "x.1/", "b/", "x-y/", "letters", "note!", "empty", "v.3/", "deep/c/"]);
    check(&root, "", Ok(&["b", "v.3", "x", "x.1", "x.2", "x-y"]));
    check(&root, "deep", Ok(&["c"]));
}

#[test]
fn what_leads_to_no_log_is_an_error() {
    let root = make(&["letters/one", "note!", "empty"]);
    check(&root, "none", Err("none: expected a log or an empty directory, found nothing"));
    check(&root, "note", Err("note: expected a log or an empty directory, found a file"));
    check(
        &root,
        "letters",
        Err(
            "letters: expected a log or an empty directory, found a directory without `segments` that holds `one`, and \
             no log below it",
        ),
    );
    check(&root, "empty", Ok(&["empty"]));
}

#[test]
#[cfg(unix)]
fn a_log_that_has_several_names_counts_once() {
    let root = make(&["log/", "a", "host/"]);
    let link = |from: &str, to: &str| std::os::unix::fs::symlink(root.path().join(from), root.path().join(to)).unwrap();
    link("log", "current");
    link("host", "a/first");
    link("host", "a/second");
    check(&root, "", Ok(&["host", "log"]));
    check(&root, "a", Ok(&["first"]));
    check(&root, "current", Ok(&["current"]));
}

#[test]
#[cfg(unix)]
fn what_cannot_be_looked_at_may_be_a_log_and_hides_none() {
    let root = make(&["a.1/", "b/"]);
    let link = |from: &str, to: &str| std::os::unix::fs::symlink(root.path().join(from), root.path().join(to)).unwrap();
    link("a", "a");
    link("nowhere", "c");
    check(&root, "a", Ok(&["a", "a.1"]));
    check(&root, "", Ok(&["a", "a.1", "b"]));
    assert!(Streams::find(root.path().join("a.1/../a")).unwrap().as_slice()[1].path().ends_with("a.1"));
    link("d", "d");
    assert!(Streams::find(root.path().join("d")).unwrap_err().is_io());
}

#[test]
fn a_log_whose_siblings_could_not_be_named_has_none() {
    let name = "a".repeat(255);
    let root = make(&[&format!("{name}/")]);
    check(&root, &name, Ok(&[&name]));
}

#[test]
fn the_path_may_have_no_name_of_its_own() {
    let root = make(&["a/", "a.1/"]);
    check(&root, "a/segments/..", Ok(&["a", "a.1"]));
}

#[test]
fn each_log_has_a_verdict_and_the_worst_counts() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    let open = || crate::Log::options().origin("example.com/log").open_or_sibling(&path).unwrap();
    let logs = [open(), open(), open()];
    let told = logs.each_ref().map(|log| (log.path().file_name().unwrap().to_str().unwrap(), log.origin()));
    let expect = [("log", "example.com/log"), ("log.1", "example.com/log.1"), ("log.2", "example.com/log.2")];
    assert_eq!(told, expect);
    for log in &logs {
        log.close().unwrap();
    }

    let verdicts = || -> Vec<Verdict> { verify_streams(&path).unwrap().iter().map(StreamReport::verdict).collect() };
    assert_eq!(verdicts(), [Verdict::Intact; 3]);
    fs::remove_file(root.path().join("log/checkpoint")).unwrap();
    assert_eq!(Verdict::worst(verdicts()), Verdict::Unverifiable);
    fs::write(root.path().join("log.2/lock"), "x").unwrap();
    assert_eq!(verdicts(), [Verdict::Unverifiable, Verdict::Intact, Verdict::Tampered]);
    assert_eq!(Verdict::worst(verdicts()), Verdict::Tampered);
    fs::remove_dir_all(root.path().join("log.1")).unwrap();
    assert_eq!(verdicts(), [Verdict::Unverifiable, Verdict::Unverifiable, Verdict::Tampered]);
}
