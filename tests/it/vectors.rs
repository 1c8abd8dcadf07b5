//! Test vectors that others made.

use testkit::outside_data;

#[test]
fn canonical_json_agrees_with_the_vectors_of_rfc_8785() {
    let Some(vectors) = outside_data("AUDITED_VECTORS", "vectors") else { return };
    let mut checked = 0;
    for entry in std::fs::read_dir(vectors.join("jcs/testdata/input")).unwrap() {
        let input = entry.unwrap().path();
        let output = vectors.join("jcs/testdata/output").join(input.file_name().unwrap());
        let value: serde_json::Value = serde_json::from_slice(&std::fs::read(&input).unwrap()).unwrap();
        let found = String::from_utf8(audit_core::canonical::to_vec(&value).unwrap()).unwrap();
        let expected = std::fs::read_to_string(output).unwrap();
        assert_eq!(found, expected.trim_end(), "{}", input.display());
        checked += 1;
    }
    assert_eq!(checked, 6);
}

#[test]
fn numbers_are_written_as_ecmascript_writes_them() {
    let Some(vectors) = outside_data("AUDITED_VECTORS", "vectors") else { return };
    let lines = std::fs::read_to_string(vectors.join("jcs/es6-numbers-20000.txt")).unwrap();
    let mut checked = 0;
    for line in lines.lines() {
        let (bits, expected) = line.split_once(',').unwrap();
        let number = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        let found = String::from_utf8(audit_core::canonical::to_vec(&number).unwrap()).unwrap();
        assert_eq!(found, expected, "{bits}");
        checked += 1;
    }
    assert_eq!(checked, 20_000);
}
