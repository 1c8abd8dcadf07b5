//! The kinds of secrets that are known by what they look like.

use super::Method;

/// A kind of secret that is known by what it looks like, wherever it stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pattern {
    /// Keys and tokens of clouds and services, by the beginnings that their makers gave them: `AKIA…`, `ghp_…`,
    /// `sk_live_…`. In records each is called by its own name: `pattern:github_token`.
    ApiKey,
    /// What follows `Bearer` or `Basic` in a header.
    Authorization,
    /// A JSON Web Token.
    Jwt,
    /// A block of a private key in PEM.
    PrivateKey,
    /// User and password in a URL.
    UrlCredentials,
    /// The number of a payment card: digits that begin as one of the card networks', and their check digit.
    CardNumber,
    /// An international bank account number, with its check digits.
    Iban,
    /// A social security number of the United States, as `078-05-1120`. Off unless asked for: other numbers look like it.
    UsSsn,
}

impl Pattern {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::ApiKey,
        Self::Authorization,
        Self::Jwt,
        Self::PrivateKey,
        Self::UrlCredentials,
        Self::CardNumber,
        Self::Iban,
        Self::UsSsn,
    ];

    /// Returns the name: `card_number`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Authorization => "authorization",
            Self::Jwt => "jwt",
            Self::PrivateKey => "private_key",
            Self::UrlCredentials => "url_credentials",
            Self::CardNumber => "card_number",
            Self::Iban => "iban",
            Self::UsSsn => "us_ssn",
        }
    }

    /// Returns the kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pattern| pattern.as_str() == name)
    }

    /// Tells whether the kind lets in whoever has it, rather than naming someone.
    #[must_use]
    pub const fn is_credential(self) -> bool {
        !matches!(self, Self::CardNumber | Self::Iban | Self::UsSsn)
    }

    /// Returns what is done by default.
    pub(crate) const fn default_method(self) -> Option<Method> {
        match self {
            Self::UsSsn => None,
            _ => Some(Method::Drop),
        }
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::ApiKey => 0,
            Self::Authorization => 1,
            Self::Jwt => 2,
            Self::PrivateKey => 3,
            Self::UrlCredentials => 4,
            Self::CardNumber => 5,
            Self::Iban => 6,
            Self::UsSsn => 7,
        }
    }
}
