//! Keys and tokens that are known by how they begin.
//!
//! The beginnings, alphabets and lengths are facts of their makers, as gitleaks lists them (`config/gitleaks.toml`, read
//! 2026-11). Lengths here are lower bounds: a longer or a shortened key is still one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::privacy::Pattern;

/// What may follow a beginning.
#[derive(Clone, Copy)]
enum Alphabet {
    /// Letters and digits.
    Alnum,
    /// Capital letters and digits.
    Upper,
    /// Hexadecimal digits.
    Hex,
    /// Letters, digits, `_` and `-`.
    Word,
    /// What base64 and tokens of HTTP are made of.
    Token,
}

impl Alphabet {
    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Word => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Token => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~' | b'+' | b'/' | b'=')
            }
        }
    }
}

/// How what follows a beginning is recognised.
#[derive(Clone, Copy)]
enum Body {
    /// At least so many of the alphabet.
    Run(Alphabet, usize),
    /// The same, with a digit among them: words might begin so, too.
    Numbered(Alphabet, usize),
    /// The rest of a JSON Web Token.
    Jwt,
    /// A block in PEM, if it is that of a private key.
    Pem,
    /// What follows `Bearer`.
    Bearer,
    /// What follows `Basic`: user and password in base64.
    Basic,
}

/// How a secret begins.
struct Anchor {
    start: &'static str,
    pattern: Pattern,
    name: &'static str,
    body: Body,
}

const fn key(start: &'static str, name: &'static str, alphabet: Alphabet, length: usize) -> Anchor {
    Anchor { start, pattern: Pattern::ApiKey, name, body: Body::Run(alphabet, length) }
}

const fn numbered(start: &'static str, name: &'static str, alphabet: Alphabet, length: usize) -> Anchor {
    Anchor { start, pattern: Pattern::ApiKey, name, body: Body::Numbered(alphabet, length) }
}

const fn header(start: &'static str, body: Body) -> Anchor {
    Anchor { start, pattern: Pattern::Authorization, name: "authorization", body }
}

use Alphabet::{Alnum, Hex, Token, Upper, Word};

/// In the order of their first bytes; of two that begin alike, the longer one first.
static ANCHORS: &[Anchor] = &[
    Anchor { start: "-----BEGIN", pattern: Pattern::PrivateKey, name: "private_key", body: Body::Pem },
    key("ABIA", "aws_key", Upper, 16),
    key("ACCA", "aws_key", Upper, 16),
    key("ABSK", "aws_key", Token, 100),
    key("AGE-SECRET-KEY-1", "age_key", Upper, 40),
    key("AIza", "google_key", Word, 30),
    key("AKCp", "artifactory_key", Alnum, 60),
    key("AKIA", "aws_key", Upper, 16),
    key("ASIA", "aws_key", Upper, 16),
    key("API-", "octopus_key", Upper, 25),
    header("BASIC ", Body::Basic),
    header("BEARER ", Body::Bearer),
    header("Basic ", Body::Basic),
    header("Bearer ", Body::Bearer),
    key("EAAA", "square_token", Word, 50),
    key("EZAK", "easypost_key", Alnum, 50),
    key("EZTK", "easypost_key", Alnum, 50),
    key("GOCSPX-", "google_key", Word, 20),
    key("GR1348941", "gitlab_token", Word, 20),
    key("HRKU-", "heroku_key", Word, 30),
    key("LTAI", "alibaba_key", Alnum, 16),
    key("PMAK-", "postman_key", Word, 50),
    key("SG.", "sendgrid_key", Token, 50),
    key("SK", "twilio_key", Hex, 32),
    key("api_org_", "huggingface_token", Alnum, 30),
    header("basic ", Body::Basic),
    header("bearer ", Body::Bearer),
    key("dapi", "databricks_token", Hex, 32),
    key("doo_v1_", "digitalocean_token", Hex, 40),
    key("dop_v1_", "digitalocean_token", Hex, 40),
    key("dor_v1_", "digitalocean_token", Hex, 40),
    key("dp.pt.", "doppler_token", Alnum, 40),
    key("dt0c01.", "dynatrace_token", Token, 60),
    key("duffel_live_", "duffel_token", Word, 40),
    key("duffel_test_", "duffel_token", Word, 40),
    Anchor { start: "eyJ", pattern: Pattern::Jwt, name: "jwt", body: Body::Jwt },
    key("fm1a_", "fly_token", Token, 40),
    key("fm1r_", "fly_token", Token, 40),
    key("fm2_", "fly_token", Token, 40),
    key("fo1_", "fly_token", Word, 40),
    key("gho_", "github_token", Alnum, 20),
    key("ghp_", "github_token", Alnum, 20),
    key("ghr_", "github_token", Alnum, 20),
    key("ghs_", "github_token", Alnum, 20),
    key("ghu_", "github_token", Alnum, 20),
    key("github_pat_", "github_token", Word, 30),
    key("glagent-", "gitlab_token", Word, 20),
    key("glcbt-", "gitlab_token", Word, 20),
    key("glc_", "grafana_token", Token, 32),
    key("gldt-", "gitlab_token", Word, 20),
    key("glft-", "gitlab_token", Word, 20),
    key("glimt-", "gitlab_token", Word, 20),
    key("gloas-", "gitlab_token", Word, 20),
    key("glpat-", "gitlab_token", Token, 20),
    key("glptt-", "gitlab_token", Word, 20),
    key("glrt-", "gitlab_token", Token, 20),
    key("glsa_", "grafana_token", Word, 32),
    key("glsoat-", "gitlab_token", Word, 20),
    key("hf_", "huggingface_token", Alnum, 30),
    key("hvb.", "vault_token", Word, 80),
    key("hvs.", "vault_token", Word, 24),
    key("lin_api_", "linear_key", Alnum, 40),
    key("npm_", "npm_token", Alnum, 30),
    key("ntn_", "notion_token", Alnum, 40),
    key("ops_eyJ", "onepassword_token", Token, 100),
    key("pnu_", "prefect_token", Alnum, 30),
    key("pplx-", "perplexity_key", Alnum, 40),
    key("pscale_oauth_", "planetscale_token", Token, 30),
    key("pscale_pw_", "planetscale_token", Token, 30),
    key("pscale_tkn_", "planetscale_token", Token, 30),
    key("pul-", "pulumi_token", Hex, 40),
    key("pypi-", "pypi_token", Word, 50),
    key("rdme_", "readme_key", Alnum, 60),
    key("rk_live_", "stripe_key", Alnum, 10),
    key("rk_prod_", "stripe_key", Alnum, 10),
    key("rk_test_", "stripe_key", Alnum, 10),
    key("rubygems_", "rubygems_key", Hex, 40),
    key("sha256~", "openshift_token", Word, 40),
    key("shippo_live_", "shippo_token", Hex, 30),
    key("shippo_test_", "shippo_token", Hex, 30),
    key("shpat_", "shopify_token", Hex, 30),
    key("shpca_", "shopify_token", Hex, 30),
    key("shppa_", "shopify_token", Hex, 30),
    key("shpss_", "shopify_token", Hex, 30),
    numbered("sk-ant-", "anthropic_key", Word, 20),
    numbered("sk-", "openai_key", Word, 20),
    key("sk_live_", "stripe_key", Alnum, 10),
    key("sk_prod_", "stripe_key", Alnum, 10),
    key("sk_test_", "stripe_key", Alnum, 10),
    key("sntrys_", "sentry_token", Token, 40),
    key("sntryu_", "sentry_token", Hex, 40),
    key("sq0atp-", "square_token", Word, 20),
    key("sq0csp-", "square_token", Word, 20),
    key("tk-us-", "scalingo_token", Word, 40),
    key("whsec_", "stripe_key", Token, 20),
    key("xapp-", "slack_token", Word, 20),
    key("xkeysib-", "brevo_key", Word, 60),
    numbered("xoxa-", "slack_token", Word, 8),
    numbered("xoxb-", "slack_token", Word, 8),
    numbered("xoxc-", "slack_token", Word, 8),
    numbered("xoxd-", "slack_token", Token, 8),
    numbered("xoxe-", "slack_token", Word, 8),
    numbered("xoxe.", "slack_token", Token, 8),
    numbered("xoxo-", "slack_token", Word, 8),
    numbered("xoxp-", "slack_token", Word, 8),
    numbered("xoxr-", "slack_token", Word, 8),
    numbered("xoxs-", "slack_token", Word, 8),
];

/// Where the anchors of each first byte stand.
static BUCKETS: [(u8, u8); 128] = buckets();

#[allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler; a test holds the number of anchors below 256"
)]
const fn buckets() -> [(u8, u8); 128] {
    let mut buckets = [(0, 0); 128];
    let mut at = 0;
    while at < ANCHORS.len() {
        let first = ANCHORS[at].start.as_bytes()[0] as usize;
        if buckets[first].1 == 0 {
            buckets[first].0 = at as u8;
        }
        buckets[first].1 = at as u8 + 1;
        at += 1;
    }
    buckets
}

/// Tells whether a key may begin with this byte.
pub(super) fn may_begin(byte: u8) -> bool {
    BUCKETS.get(usize::from(byte)).is_some_and(|&(_, end)| end > 0)
}

/// A key that was found: the kind, its name, and how far it is and goes from where its beginning stands.
pub(super) struct Key {
    pub(super) pattern: Pattern,
    pub(super) name: &'static str,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Returns the key that begins the text.
pub(super) fn at(text: &str) -> Option<Key> {
    let &(start, end) = BUCKETS.get(usize::from(*text.as_bytes().first()?))?;
    let anchors = ANCHORS.get(usize::from(start)..usize::from(end))?;
    anchors.iter().find_map(|anchor| {
        let rest = text.strip_prefix(anchor.start)?;
        let (from, to) = anchor.body.extent(rest)?;
        // The beginning of a header is no secret.
        let start = if anchor.pattern == Pattern::Authorization { anchor.start.len() + from } else { 0 };
        Some(Key { pattern: anchor.pattern, name: anchor.name, start, end: anchor.start.len() + to })
    })
}

impl Body {
    /// Returns where in the rest of the text the body starts and ends.
    fn extent(self, rest: &str) -> Option<(usize, usize)> {
        match self {
            Self::Run(alphabet, length) => run(rest, alphabet, length).map(|end| (0, end)),
            Self::Numbered(alphabet, length) => {
                let mut first = rest.bytes().take(NUMBERED_BYTES_MAX).take_while(|byte| alphabet.has(*byte));
                first
                    .any(|byte| byte.is_ascii_digit())
                    .then(|| run(rest, alphabet, length))
                    .flatten()
                    .map(|end| (0, end))
            }
            Self::Jwt => jwt(rest).map(|end| (0, end)),
            Self::Pem => pem(rest).map(|end| (0, end)),
            Self::Bearer => bearer(rest),
            Self::Basic => basic(rest),
        }
    }
}

/// How far the first digit may be, and how long the first part of a JSON Web Token. What fails is read again from the next
/// place on, so that it must not be long.
const NUMBERED_BYTES_MAX: usize = 64;
const HEADER_BYTES_MAX: usize = 1_024;

fn run(rest: &str, alphabet: Alphabet, length: usize) -> Option<usize> {
    let end = rest.bytes().position(|byte| !alphabet.has(byte)).unwrap_or(rest.len());
    (end >= length).then_some(end)
}

/// Three parts of base64url, of which the first two are objects: `eyJ` begins one, `ey` if it is written with spaces.
fn jwt(rest: &str) -> Option<usize> {
    let header = rest.bytes().take(HEADER_BYTES_MAX).take_while(|byte| Word.has(*byte)).count();
    if header < 8 {
        return None;
    }
    let payload = rest.get(header..)?.strip_prefix(".ey")?;
    let claims = run(payload, Word, 2)?;
    let signature = payload.get(claims..)?.strip_prefix('.');
    let signed = signature.and_then(|signature| run(signature, Word, 0)).map_or(0, |length| length + 1);
    Some(header + 3 + claims + signed)
}

/// How far the kind of a block, `RSA PRIVATE KEY`, may reach.
const PEM_KIND_BYTES_MAX: usize = 100;

/// A block of a private key, to its end or, if that is missing, to the end of the text.
fn pem(rest: &str) -> Option<usize> {
    let kind = rest.get(..rest.find("-----")?)?;
    if kind.len() > PEM_KIND_BYTES_MAX || !kind.contains("PRIVATE KEY") {
        return None;
    }
    let end = rest.match_indices("-----END").next().map(|(at, end)| at + end.len());
    let closed = end.and_then(|end| rest.get(end..)?.find("-----").map(|at| end + at + 5));
    Some(closed.unwrap_or(rest.len()))
}

/// How long what follows `Bearer` is at least, and how long if it might be a word.
const BEARER_BYTES_MIN: usize = 8;
const BEARER_LETTERS_MIN: usize = 20;

fn bearer(rest: &str) -> Option<(usize, usize)> {
    let (from, token) = unspaced(rest);
    let end = run(token, Token, BEARER_BYTES_MIN)?;
    let is_word = token.bytes().take(end).all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'-'));
    (!is_word || end >= BEARER_LETTERS_MIN).then_some((from, from + end))
}

fn basic(rest: &str) -> Option<(usize, usize)> {
    let (from, token) = unspaced(rest);
    let end = run(token, Token, 4)?;
    let decoded = STANDARD_NO_PAD.decode(token.get(..end)?.trim_end_matches('=')).ok()?;
    decoded.contains(&b':').then_some((from, from + end))
}

fn unspaced(rest: &str) -> (usize, &str) {
    let token = rest.trim_start_matches(' ');
    (rest.len() - token.len(), token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_anchors_stand_together_by_their_first_bytes() {
        assert!(ANCHORS.len() < 256);
        for (at, anchor) in ANCHORS.iter().enumerate() {
            let (start, end) = BUCKETS[usize::from(anchor.start.as_bytes()[0])];
            let bucket = &ANCHORS[usize::from(start)..usize::from(end)];
            assert!((usize::from(start)..usize::from(end)).contains(&at));
            assert!(bucket.iter().all(|other| other.start.as_bytes()[0] == anchor.start.as_bytes()[0]));
        }
    }
}
