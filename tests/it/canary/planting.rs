//! Values at random, with secrets in them where rules find them, and neighbours that have to stay.

use std::collections::BTreeMap;
use std::fmt::Debug;

use audited::canary::Canaries;
use audited::{Capture, Secret};
use proptest::prelude::*;
use serde::{Serialize, Serializer};

/// The shape of a value: what is planted in it is made up when it is.
#[derive(Clone, Debug)]
pub enum Shape {
    Neighbour,
    Number,
    Flag(bool),
    Nothing,
    /// A member with the name of a secret; the index is that of the name.
    Named(usize, Box<Held>),
    /// A secret that is known by what it looks like, alone or in a sentence.
    Looking(usize, bool),
    /// A value of a type that says what is removed of it.
    Typed(usize),
    List(Vec<Self>),
    Map(Vec<Self>),
}

/// What a member with the name of a secret holds.
#[derive(Clone, Debug)]
pub enum Held {
    Text,
    OddText,
    Number,
    List(usize),
    Map(usize),
}

/// Shapes at random, some levels deep.
pub fn shapes() -> impl Strategy<Value = Shape> {
    let held = prop_oneof![
        Just(Held::Text),
        Just(Held::OddText),
        Just(Held::Number),
        (1..3_usize).prop_map(Held::List),
        (1..3_usize).prop_map(Held::Map),
    ];
    let leaf = prop_oneof![
        4 => Just(Shape::Neighbour),
        1 => Just(Shape::Number),
        1 => any::<bool>().prop_map(Shape::Flag),
        1 => Just(Shape::Nothing),
        3 => (0..NAMES.len(), held).prop_map(|(name, held)| Shape::Named(name, Box::new(held))),
        2 => (0..LOOKS, any::<bool>()).prop_map(|(kind, alone)| Shape::Looking(kind, alone)),
        2 => (0..TYPES).prop_map(Shape::Typed),
    ];
    leaf.prop_recursive(4, 24, 4, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 0..4).prop_map(Shape::List),
            prop::collection::vec(inside, 0..4).prop_map(Shape::Map),
        ]
    })
}

/// Names that the default rules know, in the spellings of several languages.
const NAMES: [&str; 14] = [
    "password",
    "user_password",
    "apiKey",
    "X-API-Key",
    "Authorization",
    "access_token",
    "clientSecret",
    "Set-Cookie",
    "private_key",
    "cardNumber",
    "card_number",
    "passphrase",
    "userSSN",
    "session cookie",
];
const LOOKS: usize = 5;
const TYPES: usize = 4;

/// A value with everything in its place.
#[derive(Clone, Debug)]
pub enum Node {
    Text(String),
    Number(u64),
    Flag(bool),
    Nothing,
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
    Customer(Box<Customer>),
    Payment(Payment),
    Secret(Secret<String>),
    Iban(Account),
}

/// A type that says how each of its members is removed.
#[derive(Clone, Debug, Serialize, Capture)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    #[audit(seal(subject = user_id))]
    full_name: String,
    user_id: String,
    #[audit(token)]
    electronic_mail: String,
    #[audit(mask(last_four))]
    account: u64,
    #[audit(redact)]
    birth_date: BTreeMap<String, String>,
    #[audit(skip)]
    note: String,
    city: String,
}

#[derive(Clone, Debug, Serialize, Capture)]
pub enum Payment {
    Transfer {
        #[audit(redact)]
        account: String,
        cents: String,
    },
    #[audit(redact)]
    Voucher(String),
}

#[derive(Clone, Debug, Serialize, Capture)]
pub struct Account(#[audit(mask(last_four))] String);

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Nothing => serializer.serialize_none(),
            Self::List(list) => list.serialize(serializer),
            Self::Map(members) => serializer.collect_map(members.iter().map(|(name, value)| (name, value))),
            Self::Customer(customer) => customer.serialize(serializer),
            Self::Payment(payment) => payment.serialize(serializer),
            Self::Secret(secret) => secret.serialize(serializer),
            Self::Iban(account) => account.serialize(serializer),
        }
    }
}

/// Fills shapes with secrets and neighbours, and knows both.
#[derive(Debug)]
pub struct Planter {
    pub canaries: Canaries,
    /// Values that no rule removes: each has to be found again.
    pub neighbours: Vec<String>,
    /// The secrets that the call's own texts may quote: those that stand in its arguments.
    pub quotable: Vec<String>,
    /// False where types that say what is removed of them are to be left out.
    pub has_types: bool,
}

impl Planter {
    pub fn new(seed: u64, has_types: bool) -> Self {
        Self { canaries: Canaries::seeded(seed), neighbours: Vec::new(), quotable: Vec::new(), has_types }
    }

    pub fn fill(&mut self, shape: &Shape) -> Node {
        match shape {
            Shape::Neighbour => Node::Text(self.neighbour()),
            Shape::Number => Node::Number(41),
            Shape::Flag(flag) => Node::Flag(*flag),
            Shape::Nothing => Node::Nothing,
            Shape::Named(name, held) => {
                let held = self.held(held);
                let kept = (format!("kept_{}", self.neighbours.len()), Node::Text(self.neighbour()));
                Node::Map(vec![kept, (NAMES[*name].to_owned(), held)])
            }
            Shape::Looking(kind, alone) => {
                let secret = self.looking(*kind);
                let text = if *alone { secret } else { format!("{} was {secret} before", self.neighbour()) };
                Node::Text(text)
            }
            Shape::Typed(_) if !self.has_types => Node::Text(self.neighbour()),
            Shape::Typed(kind) => self.typed(*kind),
            Shape::List(list) => Node::List(list.iter().map(|shape| self.fill(shape)).collect()),
            Shape::Map(list) => {
                let member = |(index, shape)| (format!("m{index}"), self.fill(shape));
                Node::Map(list.iter().enumerate().map(member).collect())
            }
        }
    }

    /// A text that stays.
    pub fn neighbour(&mut self) -> String {
        // Of letters, and unlike each other: none is a part of another one or of a secret.
        let text = format!("kept{}x", letters(self.neighbours.len() as u64));
        self.neighbours.push(text.clone());
        text
    }

    pub fn secret(&mut self) -> String {
        let secret = self.canaries.text();
        self.quotable.push(secret.clone());
        secret
    }

    fn held(&mut self, held: &Held) -> Node {
        match held {
            Held::Text => Node::Text(self.secret()),
            Held::OddText => {
                let secret = self.canaries.odd_text();
                self.quotable.push(secret.clone());
                Node::Text(secret)
            }
            Held::Number => {
                let number = self.canaries.number();
                self.quotable.push(number.to_string());
                Node::Number(number)
            }
            Held::List(count) => Node::List((0..*count).map(|_| Node::Text(self.secret())).collect()),
            Held::Map(count) => {
                Node::Map((0..*count).map(|index| (format!("inner{index}"), Node::Text(self.secret()))).collect())
            }
        }
    }

    pub fn looking(&mut self, kind: usize) -> String {
        match kind {
            0 => self.canaries.card_number(),
            1 => self.canaries.iban(),
            2 => self.canaries.api_key(),
            3 => self.canaries.web_token(),
            _ => self.canaries.url_with_password(),
        }
    }

    fn typed(&mut self, kind: usize) -> Node {
        match kind {
            0 => Node::Customer(Box::new(Customer {
                full_name: self.secret(),
                user_id: format!("user-{}", letters(self.neighbours.len() as u64)),
                electronic_mail: self.canaries.email(),
                account: self.canaries.number(),
                birth_date: BTreeMap::from([("day".to_owned(), self.secret())]),
                note: self.canaries.text(),
                city: self.neighbour(),
            })),
            1 => Node::Payment(Payment::Transfer { account: self.secret(), cents: self.neighbour() }),
            2 => Node::Payment(Payment::Voucher(self.secret())),
            _ if self.neighbours.len().is_multiple_of(2) => Node::Secret(Secret::new(self.secret())),
            _ => Node::Iban(Account(self.secret())),
        }
    }
}

fn letters(mut number: u64) -> String {
    let mut text = String::new();
    loop {
        text.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
        number /= 26;
        if number == 0 {
            return text;
        }
    }
}
