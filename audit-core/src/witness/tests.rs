use super::*;

/// The example of C2SP `tlog-witness`.
const EXAMPLE: &str = "\
old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
";

fn refused(body: &str, line: usize) {
    assert_eq!(AddCheckpoint::parse(body.as_bytes()).map_err(|error| error.line()), Err(line), "{body}");
}

#[test]
fn the_example_of_the_specification_is_read_and_written() {
    let request = AddCheckpoint::parse(EXAMPLE.as_bytes()).unwrap();
    assert_eq!((request.old_size, request.proof.len()), (20_852_014, 4));
    assert!(request.checkpoint.starts_with("example.com/behind-the-sofa\n20852163\n"));
    assert_eq!(request.to_string(), EXAMPLE);
    let first = AddCheckpoint { old_size: 0, proof: Vec::new(), ..request };
    assert!(first.to_string().starts_with("old 0\n\nexample.com/"));
    assert_eq!(AddCheckpoint::parse(first.to_string().as_bytes()), Ok(first));
}

#[test]
fn another_form_is_refused() {
    for size in ["", "00", "020852014", "+1", "-1", " 1", "1 ", "18446744073709551616"] {
        refused(&EXAMPLE.replace("20852014", size), 1);
    }
    refused(&EXAMPLE.replace("old ", "Old "), 1);
    refused(&EXAMPLE.replace("/6WV", "_6WV"), 5);
    refused(&EXAMPLE.replace("/0=\n", "/0=\n\n"), 7);
    refused(&EXAMPLE.replace("/0=\n\n", "/0=\n"), 6);
    refused(&EXAMPLE.replace('\n', "\r\n"), 1);
    refused(EXAMPLE.trim_end(), 12);
    refused(&EXAMPLE[..EXAMPLE.find("example").unwrap()], 7);
    let hash = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";
    assert!(AddCheckpoint::parse(EXAMPLE.replace("/0=\n", &format!("/0=\n{}", hash.repeat(59))).as_bytes()).is_ok());
    refused(&EXAMPLE.replace("/0=\n", &format!("/0=\n{}", hash.repeat(60))), 65);
    let error = AddCheckpoint::parse(b"old 01\n\na\n").unwrap_err();
    expect_test::expect![
        "not the body of add-checkpoint: expected `old` and a tree size below 2^64 in plain decimal digits on line 1"
    ]
    .assert_eq(&error.to_string());
}

#[test]
fn a_tree_that_does_not_continue_the_old_one_is_refused() {
    let leaves = [0_u8, 1].map(|number| Hash::leaf(&[number]));
    let root = Hash::node(leaves[0], leaves[1]);
    let request =
        |old_size, proof: &[Hash]| AddCheckpoint { old_size, proof: proof.to_vec(), checkpoint: String::new() };
    assert_eq!(request(1, &leaves[1..]).check(leaves[0], 2, root), Ok(()));
    assert_eq!(request(2, &[]).check(root, 2, root), Ok(()));
    assert_eq!(request(0, &[]).check(root, 2, root), Ok(()));
    assert_eq!(request(0, &[]).check(root, 0, Hash::of(b"")), Ok(()));
    assert!(request(1, &leaves[1..]).check(leaves[1], 2, root).is_err());
    assert!(request(1, &[]).check(leaves[0], 2, root).is_err());
    assert!(request(2, &[]).check(leaves[0], 2, root).is_err());
    assert!(request(2, &[]).check(root, 1, leaves[0]).is_err());
    assert!(request(0, &leaves[1..]).check(root, 2, root).is_err());
    assert!(request(0, &[]).check(root, 0, root).is_err());
}
