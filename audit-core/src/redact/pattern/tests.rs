use super::*;

/// Checks what is found in a text, as `name=part`.
fn check(text: &str, expected: &[&str]) {
    let found = scan(text, |_| true);
    let shown: Vec<String> =
        found.iter().map(|found| format!("{}={}", found.name, &text[found.range.clone()])).collect();
    assert_eq!(shown, expected, "{text}");
    if !expected.is_empty() {
        assert!(may_have_any(text.as_bytes()), "{text}");
    }
}

#[test]
fn keys_are_known_by_how_they_begin() {
    check("id AKIAIOSFODNN7EXAMPLE.", &["aws_key=AKIAIOSFODNN7EXAMPLE"]);
    let token = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    check(token, &[&format!("github_token={token}")]);
    check(&format!("GITHUB={token}\n"), &[&format!("github_token={token}")]);
    check(&format!("x_{token}"), &[&format!("github_token={token}")]);
    check("sk_live_4eC39HqLyjWDarjtT1zdp7dc", &["stripe_key=sk_live_4eC39HqLyjWDarjtT1zdp7dc"]);
    check("sk-ant-api03-abcdefghijklmnopqrstuv0", &["anthropic_key=sk-ant-api03-abcdefghijklmnopqrstuv0"]);
    check("sk-proj-abcdefghijklmnopqrstuv0", &["openai_key=sk-proj-abcdefghijklmnopqrstuv0"]);
    check("xoxb-123456789012-abcdef", &["slack_token=xoxb-123456789012-abcdef"]);
    check("AIzaSyA1234567890abcdefghijklmnopqrstuv", &["google_key=AIzaSyA1234567890abcdefghijklmnopqrstuv"]);
    check("glpat-ABCDEFGHIJKLMNOPQRST", &["gitlab_token=glpat-ABCDEFGHIJKLMNOPQRST"]);
    check("npm_abcdefghijklmnopqrstuvwxyz0123456789", &["npm_token=npm_abcdefghijklmnopqrstuvwxyz0123456789"]);
    check("SK0123456789abcdef0123456789abcdef", &["twilio_key=SK0123456789abcdef0123456789abcdef"]);
    for harmless in ["npm_config_registry", "sk-learn-contrib-examples-folder", "AKIA", "eyJ", "xoxb-", "hf_model"] {
        check(harmless, &[]);
    }
}

#[test]
fn headers_tokens_and_key_blocks_are_found() {
    check("Bearer abc.def-123 next", &["authorization=abc.def-123"]);
    check("Basic YW5uOnNlY3JldA==", &["authorization=YW5uOnNlY3JldA=="]);
    check("Basic information about the bearer of this letter", &[]);
    check("bearer authentication required", &[]);
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
    check(&format!("token {jwt}, no more"), &[&format!("jwt={jwt}")]);
    check("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0", &["jwt=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0"]);
    let block = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----";
    check(&format!("a\n{block}\nb"), &[&format!("private_key={block}")]);
    check("-----BEGIN PRIVATE KEY-----\nMIIE", &["private_key=-----BEGIN PRIVATE KEY-----\nMIIE"]);
    check("-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----", &[]);
}

#[test]
fn credentials_in_urls_are_found() {
    check("postgres://ann:hunter2@db/x", &["url_credentials=ann:hunter2"]);
    check("a://b:c@d", &["url_credentials=b:c"]);
    check("redis://:pa55@cache:6379", &["url_credentials=:pa55"]);
    check("mongodb://ann:p/a#s?s@h and more", &["url_credentials=ann:p/a#s?s"]);
    check("see https://example.org:8080/users/@ann", &[]);
    check("ssh://git@example.org/x", &[]);
    check("https://example.org/?mail=a:b@c", &[]);
}

#[test]
fn numbers_of_cards_are_found_in_one_piece_or_in_groups() {
    check("card 4242424242424242.", &["card_number=4242424242424242"]);
    check("4242 4242 4242 4242", &["card_number=4242 4242 4242 4242"]);
    check("3782-822463-10005", &["card_number=3782-822463-10005"]);
    check("card4242424242424242x", &["card_number=4242424242424242"]);
    check("a 4222222222222 6011111111111117 b", &["card_number=4222222222222", "card_number=6011111111111117"]);
    for harmless in [
        "4242424242424241",
        "42424242424242424242",
        "1700000000000000",
        "0123456789abcdef4242424242424242abcdef",
        "2024-05-16 10:00:00",
        "12345678901234567890",
        "4242 4242 4242",
        "0.4242424242424242",
        "4242424242424242.5",
    ] {
        check(harmless, &[]);
    }
}

#[test]
fn accounts_are_found_by_their_check_digits() {
    check("to DE89370400440532013000 now", &["iban=DE89370400440532013000"]);
    check("GB29 NWBK 6016 1331 9268 19 of Ann", &["iban=GB29 NWBK 6016 1331 9268 19"]);
    check("no9386011117947", &["iban=no9386011117947"]);
    check("DE88370400440532013000", &[]);
    check("HAT045 on 2024-05-16", &[]);
}

#[test]
fn social_security_numbers_are_found_where_asked_for() {
    check("ssn 078-05-1120!", &["us_ssn=078-05-1120"]);
    for harmless in ["000-12-3456", "666-12-3456", "900-12-3456", "078-00-1120", "078-05-0000", "078-05-1120-1"] {
        check(harmless, &[]);
    }
    assert!(Patterns::default().find("ssn 078-05-1120").is_empty());
}

#[test]
fn ordinary_texts_are_left_alone() {
    for text in [
        "",
        "mia_li_3668",
        "HAT045",
        "credit_card_7334508",
        "2024-05-16T15:00:00Z",
        "ann@example.org",
        "550e8400-e29b-41d4-a716-446655440000",
        "The quick brown fox: jumps over the lazy dog — 12 times, at 10:30.",
        "https://example.org/a/b?c=d#e",
        "0af7651916cd43dd8448eb211c80319c",
        "9e107d9d372bb6826bd81d3542a419d69e107d9d372bb6826bd81d3542a419d6",
        "+49 30 123456 7890",
    ] {
        check(text, &[]);
    }
}

#[test]
fn a_long_text_is_read_through() {
    let text = "1 2 3 -----BEGIN ey sk- :// a1 ".repeat(1 << 14);
    check(&text, &[]);
    let text = "4242".repeat(1 << 16) + &" 4242".repeat(1 << 14) + &":/".repeat(1 << 16);
    assert!(scan(&text, |_| true).len() <= 1 << 12);
}
