use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const CHECKPOINT: &str =
    "example.com/orders\n21\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n— example.com/orders hI2DJw==\n";

fn evidence(extra: Option<&[u8]>, hashes: u8) -> Evidence {
    Evidence {
        extra: extra.map(<[u8]>::to_vec),
        index: 12,
        proof: (0..hashes).map(|number| Hash::of(&[number])).collect(),
        checkpoint: CHECKPOINT.to_owned(),
    }
}

fn refused(text: impl AsRef<[u8]>, line: usize) {
    let text = text.as_ref();
    let found = Evidence::parse(text).map_err(|error| error.line());
    assert_eq!(found, Err(line), "{}", String::from_utf8_lossy(text));
}

#[test]
fn the_file_is_written_and_read_in_one_form() {
    let check = |evidence: Evidence| assert_eq!(Evidence::parse(evidence.to_string().as_bytes()), Ok(evidence));
    check(evidence(None, 0));
    check(evidence(Some(b"\0"), 1));
    check(evidence(Some(b"{}\n"), 63));
    check(Evidence { index: 0, ..evidence(None, 1) });
    check(Evidence { index: u64::MAX, ..evidence(None, 1) });
    expect_test::expect![[r#"
        c2sp.org/tlog-proof@v1
        extra e30K
        index 12
        bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=
        S/USLzRFVMU73i67jNK349FgCtYxw4Wl18ziPHeFRZo=

        example.com/orders
        21
        sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

        — example.com/orders hI2DJw==
    "#]]
    .assert_eq(&evidence(Some(b"{}\n"), 2).to_string());
    // Nothing is no extra data.
    assert_eq!(evidence(Some(b""), 0).to_string(), evidence(None, 0).to_string());
}

#[test]
fn another_form_of_the_file_is_refused() {
    let text = evidence(Some(b"{}\n"), 2).to_string();
    refused("", 1);
    refused(text.replace("@v1", "@v2"), 1);
    refused(text.replace("@v1", "@v1 "), 1);
    refused(format!("\u{feff}{text}"), 1);
    refused(format!("\n{text}"), 1);
    refused(text.replace("extra ", "extra  "), 2);
    refused(text.replace("extra e30K", "extra "), 2);
    refused(text.replace("extra e30K", "extra e30KCg"), 2);
    refused(text.replace("extra e30K", "extra e30KCh=="), 2);
    refused(text.replace("extra e30K", "extra -_-_"), 2);
    refused(text.replace("extra e30K", "extra e30K\nextra e30K"), 3);
    for index in ["", "012", "+12", "-1", "12 ", " 12", "1_2", "0x0", "18446744073709551616", "１"] {
        refused(text.replace("index 12", &format!("index {index}")), 3);
    }
    refused(text.replace("index 12", "Index 12"), 3);
    refused(text.replace("index 12\n", "index 12\n "), 4);
    refused(text.replace("index 12\n", "index 12\nAAAA\n"), 4);
    refused(text.replacen("=\n", "\n", 1), 4);
    refused(text.replacen("=\n\n", "=\n", 1), 6);
    refused(text.replacen("\n\n", "\n\n\n", 1), 7);
    refused(text.replace('\n', "\r\n"), 1);
    refused(text.replace("\n21\n", "\n21\r\n"), 8);
    refused(text.replace("\n21\n", "\n2\t1\n"), 8);
    refused(text.replace(CHECKPOINT, ""), 7);
    refused(text.trim_end(), 11);
    refused([text.as_bytes(), b"\xff\n"].concat(), 12);
    refused(evidence(None, 64).to_string(), 66);
    let long =
        |bytes: usize| Evidence { checkpoint: format!("{}\n", "a".repeat(bytes)), ..evidence(None, 0) }.to_string();
    let room = BYTES_MAX - long(0).len();
    assert!(Evidence::parse(long(room).as_bytes()).is_ok());
    refused(long(room + 1), 1);
}

#[test]
fn every_cut_of_the_file_before_its_checkpoint_is_refused() {
    let text = evidence(Some(b"{}\n"), 2).to_string();
    for end in 0..text.find("example.com").unwrap() {
        assert!(Evidence::parse(&text.as_bytes()[..end]).is_err(), "{end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_is_written_as_it_was(changes in vec((0..400_usize, any::<u8>()), 1..3)) {
        let mut text = evidence(Some(b"{}\n"), 2).to_string().into_bytes();
        for (place, byte) in changes {
            let place = place % text.len();
            text[place] = byte;
        }
        if let Ok(evidence) = Evidence::parse(&text) {
            prop_assert_eq!(evidence.to_string(), String::from_utf8_lossy(&text));
        }
        if let Ok(extra) = Extra::parse(&text) {
            prop_assert_eq!(extra.to_bytes(), text);
        }
    }
}

#[test]
fn errors_name_the_line_and_what_was_expected() {
    let text = evidence(None, 1).to_string();
    let error = Evidence::parse(text.replace("index 12", "index 012").as_bytes()).unwrap_err();
    expect_test::expect![
        "not a .tlog-proof file: expected `index` and a number below 2^64 in plain decimal digits on line 2"
    ]
    .assert_eq(&error.to_string());
}

#[test]
fn inclusion_is_checked_at_the_index() {
    let leaves = [0_u8, 1].map(|number| Hash::leaf(&[number]));
    let root = Hash::node(leaves[0], leaves[1]);
    let evidence = Evidence { index: 1, proof: vec![leaves[0]], ..evidence(None, 0) };
    assert_eq!(evidence.check_inclusion(leaves[1], 2, root), Ok(()));
    assert!(evidence.check_inclusion(leaves[0], 2, root).is_err());
    assert!(evidence.check_inclusion(leaves[1], 3, root).is_err());
    assert!(Evidence { index: 0, ..evidence }.check_inclusion(leaves[1], 2, root).is_err());
}

mod extra {
    use super::*;

    fn extra(rotations: usize) -> Extra {
        let rotation = |number: usize| evidence(Some(format!("{{\"rotation\":{number}}}\n").as_bytes()), 2);
        Extra { rotations: (0..rotations).map(rotation).collect(), ..Extra::of(b"{\"record\":{}}".to_vec()) }
    }

    fn refused(bytes: impl AsRef<[u8]>, line: usize) {
        let bytes = bytes.as_ref();
        let found = Extra::parse(bytes).map_err(|error| error.line());
        assert_eq!(found, Err(line), "{}", String::from_utf8_lossy(bytes));
    }

    #[test]
    fn the_entry_and_its_rotations_are_written_and_read_in_one_form() {
        for rotations in [0, 1, 3, ROTATIONS_MAX] {
            let extra = extra(rotations);
            assert_eq!(Extra::parse(&extra.to_bytes()), Ok(extra));
        }
        let longest = Extra::of(vec![b' '; LINE]);
        assert_eq!(Extra::parse(&longest.to_bytes()), Ok(longest));
        assert_eq!(extra(0).to_bytes(), b"{\"record\":{}}\n");
        let within = evidence(Some(&extra(2).to_bytes()), 2);
        assert_eq!(within.parse_extra(), Ok(Some(extra(2))));
        assert_eq!(evidence(None, 2).parse_extra(), Ok(None));
    }

    #[test]
    fn another_form_is_refused() {
        let bytes = String::from_utf8(extra(2).to_bytes()).unwrap();
        refused("", 1);
        refused("\n", 1);
        refused("{}", 1);
        refused(bytes.trim_end(), 3);
        refused(format!("{bytes}\n"), 4);
        refused(format!("{bytes}{{}}\n"), 4);
        refused(bytes.replacen("rotation ", "Rotation ", 1), 2);
        refused(bytes.replacen("rotation ", "rotation  ", 1), 2);
        refused(bytes.replacen('\n', "\r\n", 2), 2);
        refused(bytes.replacen('\n', "\n\n", 1), 2);
        refused("{}\nrotation \n", 2);
        refused("{}\nrotation AAAA\n", 2);
        refused(extra(ROTATIONS_MAX + 1).to_bytes(), 2 + ROTATIONS_MAX);
        refused([vec![b' '; LINE + 1], b"\n".to_vec()].concat(), 1);
    }

    #[test]
    fn a_rotation_carries_its_entry_and_no_rotation() {
        for content in [None, Some(b"{}".as_slice()), Some(b"\n"), Some(b"{}\n{}\n"), Some(&extra(1).to_bytes())] {
            let extra = Extra { rotations: vec![evidence(content, 2)], ..extra(0) };
            refused(extra.to_bytes(), 2);
        }
        let error = Extra::parse(b"{}\nrotation AAAA\n").unwrap_err();
        let source = std::error::Error::source(&error).unwrap();
        expect_test::expect!["not the extra data of an entry: expected the .tlog-proof file of a rotation on line 2: not a .tlog-proof file: expected no control character but the line feed on line 1"].assert_eq(&format!("{error}: {source}"));
    }

    fn disclosed(salt: u8) -> Disclosed {
        let disclosure = crate::privacy::Disclosure::new([salt; 16], "street", "\"Blumenweg 13\"");
        Disclosed { path: "/request/arguments/street".to_owned(), disclosure }
    }

    #[test]
    fn disclosures_stand_between_the_entry_and_the_rotations() {
        for (disclosures, rotations) in [(1, 0), (2, 3), (DISCLOSURES_MAX, 1)] {
            let disclosures = (0..disclosures).map(|_| disclosed(7)).collect();
            let extra = Extra { disclosures, ..extra(rotations) };
            assert_eq!(Extra::parse(&extra.to_bytes()), Ok(extra));
        }
        let one = Extra { disclosures: vec![disclosed(1)], ..extra(1) };
        expect_test::expect![[r#"
            {"record":{}}
            disclosure L3JlcXVlc3QvYXJndW1lbnRzL3N0cmVldA== WyJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRIiwic3RyZWV0IiwiQmx1bWVud2VnIDEzIl0
        "#]]
        .assert_eq(&String::from_utf8(Extra { rotations: vec![], ..one.clone() }.to_bytes()).unwrap());
        let bytes = String::from_utf8(one.to_bytes()).unwrap();
        let mut lines: Vec<&str> = bytes.lines().collect();
        lines.swap(1, 2);
        refused(lines.join("\n") + "\n", 3);
        refused(bytes.replacen("disclosure ", "disclosure  ", 1), 2);
        refused(bytes.replacen("dA== ", "dA ", 1), 2);
        refused(bytes.replacen("dA== ", "dA==", 1), 2);
        refused(bytes.replacen("Il0\n", "Il0=\n", 1), 2);
        refused("{}\ndisclosure Lw== e30\n", 2);
        let disclosures = (0..=DISCLOSURES_MAX).map(|_| disclosed(7)).collect();
        refused(Extra { disclosures, ..extra(0) }.to_bytes(), 2 + DISCLOSURES_MAX);
    }

    #[test]
    fn evidence_is_given_disclosures_after_it_was_made() {
        let mut evidence = evidence(Some(&extra(1).to_bytes()), 2);
        evidence.disclose([disclosed(1)]).unwrap();
        evidence.disclose([disclosed(2)]).unwrap();
        let expect = Extra { disclosures: vec![disclosed(1), disclosed(2)], ..extra(1) };
        assert_eq!(evidence.parse_extra(), Ok(Some(expect)));
        assert!(evidence.disclose((0..DISCLOSURES_MAX).map(|_| disclosed(3))).is_err());
        assert!(Evidence { extra: None, ..evidence }.disclose([disclosed(1)]).is_err());
    }

    const LINE: usize = crate::entry::LINE_BYTES_MAX;
}
