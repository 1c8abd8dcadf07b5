//! What a return type says of how the call ends: at the return, or only when a future or stream has.

use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut;
use syn::{GenericArgument, PathArguments, PathSegment, ReturnType, Type, TypeImplTrait, TypeParamBound};

/// What a function returns, as far as the tokens tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returned {
    /// No future and no stream: the call ends with the return.
    Plain,
    /// `!`
    Never,
    /// `impl Future`
    Future,
    /// `Pin<Box<impl Future>>`
    BoxedFuture,
    /// `impl Stream`, also in a box or a `Result`.
    Stream,
    /// It may be a boxed future or stream, also under another name: the type decides, not its tokens.
    Unknown,
}

impl Returned {
    pub(crate) fn of(output: &ReturnType) -> Self {
        match output {
            ReturnType::Default => Self::Plain,
            ReturnType::Type(_, written) => match of_type(written) {
                // An opaque type in it leaves it without a name.
                Self::Unknown if holds_opaque(written) => Self::Plain,
                known => known,
            },
        }
    }
}

/// Tells whether a type has an opaque one in it.
fn holds_opaque(written: &Type) -> bool {
    struct Opaque(bool);
    impl VisitMut for Opaque {
        fn visit_type_impl_trait_mut(&mut self, _: &mut TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut opaque = Opaque(false);
    opaque.visit_type_mut(&mut written.clone());
    opaque.0
}

fn of_type(written: &Type) -> Returned {
    match written {
        Type::Never(_) => Returned::Never,
        Type::Paren(inside) => of_type(&inside.elem),
        Type::Group(inside) => of_type(&inside.elem),
        Type::ImplTrait(opaque) => of_bounds(&opaque.bounds),
        Type::Path(path) if path.qself.is_none() => path.path.segments.last().map_or(Returned::Unknown, of_segment),
        Type::Reference(_) | Type::Tuple(_) | Type::Array(_) | Type::Slice(_) | Type::Ptr(_) | Type::FnPtr(_) => {
            Returned::Plain
        }
        _ => Returned::Unknown,
    }
}

fn of_bounds(bounds: &Punctuated<TypeParamBound, syn::Token![+]>) -> Returned {
    let named = |names: &[&str]| {
        bounds.iter().any(|bound| {
            let TypeParamBound::Trait(bound) = bound else { return false };
            bound.path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name))
        })
    };
    if named(FUTURES) {
        Returned::Future
    } else if named(STREAMS) {
        Returned::Stream
    } else {
        Returned::Plain
    }
}

fn of_segment(segment: &PathSegment) -> Returned {
    let name = segment.ident.to_string();
    match (name.as_str(), first_type(&segment.arguments)) {
        (name, None) if PLAIN.contains(&name) => Returned::Plain,
        (name, Some(_)) if COLLECTIONS.contains(&name) => Returned::Plain,
        ("Option", Some(inside)) => of_inside(inside),
        ("Result", Some(inside)) if of_type(inside) == Returned::Stream => Returned::Stream,
        ("Result", Some(inside)) => of_inside(inside),
        ("Pin", Some(Type::Path(boxed))) => boxed.path.segments.last().map_or(Returned::Unknown, of_pinned),
        _ => Returned::Unknown,
    }
}

/// `Option<T>`, `Result<T, E>`: a plain value inside is a plain value, and an opaque one has no name.
fn of_inside(inside: &Type) -> Returned {
    match of_type(inside) {
        Returned::Unknown => Returned::Unknown,
        _ => Returned::Plain,
    }
}

fn of_pinned(pointer: &PathSegment) -> Returned {
    match first_type(&pointer.arguments).map(of_type) {
        Some(Returned::Future) if pointer.ident == "Box" => Returned::BoxedFuture,
        Some(Returned::Stream) if pointer.ident == "Box" => Returned::Stream,
        _ => Returned::Unknown,
    }
}

/// What an opaque future resolves to, or an opaque stream yields, as its bound states it. The compiler infers it from
/// there only after the macros have to know it.
pub(crate) struct Stated {
    /// The function of the runtime that states it, too.
    pub(crate) function: &'static str,
    pub(crate) output: Type,
}

pub(crate) fn stated(output: &ReturnType) -> Option<Stated> {
    let ReturnType::Type(_, written) = output else { return None };
    match opaque(written) {
        Some(found) => stated_by(found, ["resolving", "yielding"]),
        None => stated_by(opaque(result(written)?)?, ["", "yielding_result"]),
    }
}

/// Finds `impl Trait`, also in `Pin<Box<impl Trait>>`.
fn opaque(written: &Type) -> Option<&TypeImplTrait> {
    match written {
        Type::ImplTrait(opaque) => Some(opaque),
        Type::Paren(inside) => opaque(&inside.elem),
        Type::Group(inside) => opaque(&inside.elem),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let inside = first_type(&last.arguments).filter(|_| last.ident == "Pin" || last.ident == "Box");
            opaque(inside?)
        }
        _ => None,
    }
}

fn result(written: &Type) -> Option<&Type> {
    let Type::Path(path) = written else { return None };
    let last = path.path.segments.last()?;
    first_type(&last.arguments).filter(|_| last.ident == "Result")
}

fn stated_by(opaque: &TypeImplTrait, [future, stream]: [&'static str; 2]) -> Option<Stated> {
    let (function, member) = match of_bounds(&opaque.bounds) {
        Returned::Future if !future.is_empty() => (future, "Output"),
        Returned::Stream => (stream, "Item"),
        _ => return None,
    };
    let output = opaque.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let PathArguments::AngleBracketed(arguments) = &bound.path.segments.last()?.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(stated) if stated.ident == member => Some(stated.ty.clone()),
            _ => None,
        })
    });
    output.map(|output| Stated { function, output })
}

fn first_type(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    arguments
        .args
        .iter()
        .find_map(|argument| if let GenericArgument::Type(inside) = argument { Some(inside) } else { None })
}

const FUTURES: &[&str] = &["Future", "TryFuture", "FusedFuture"];
const STREAMS: &[&str] = &["Stream", "TryStream", "FusedStream"];
const COLLECTIONS: &[&str] = &["Vec", "HashMap", "BTreeMap", "HashSet", "BTreeSet"];
const PLAIN: &[&str] = &[
    "bool", "char", "str", "String", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f32", "f64",
];

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;

    use super::*;

    #[test]
    fn the_tokens_of_a_type_tell_what_they_can() {
        for (written, expected) in [
            ("", Returned::Plain),
            ("-> ()", Returned::Plain),
            ("-> !", Returned::Never),
            ("-> &'a mut T", Returned::Plain),
            ("-> (impl Display, Receipt)", Returned::Plain),
            ("-> [u8; 4]", Returned::Plain),
            ("-> (f64)", Returned::Plain),
            ("-> std::string::String", Returned::Plain),
            ("-> Vec<Receipt>", Returned::Plain),
            ("-> std::collections::HashMap<K, V>", Returned::Plain),
            ("-> Option<u8>", Returned::Plain),
            ("-> Option<Receipt>", Returned::Unknown),
            ("-> anyhow::Result<()>", Returned::Plain),
            ("-> Result<Option<Vec<Receipt>>, Error>", Returned::Plain),
            ("-> Result<impl Iterator<Item = u8>, Error>", Returned::Plain),
            ("-> Result<Receipt, Error>", Returned::Unknown),
            ("-> fmt::Result", Returned::Unknown),
            ("-> Self", Returned::Unknown),
            ("-> T", Returned::Unknown),
            ("-> Self::Future", Returned::Unknown),
            ("-> <T as Service>::Future", Returned::Unknown),
            ("-> alias!()", Returned::Unknown),
            ("-> BoxFuture<'_, ()>", Returned::Unknown),
            ("-> Pin<Box<dyn Future<Output = ()> + Send + '_>>", Returned::Unknown),
            ("-> impl Iterator<Item = u8>", Returned::Plain),
            ("-> impl IntoFuture<Output = u8>", Returned::Plain),
            ("-> impl Future<Output = ()> + Send", Returned::Future),
            ("-> (impl Send + ::core::future::Future<Output = ()>)", Returned::Future),
            ("-> ::core::pin::Pin<::std::boxed::Box<impl Future<Output = ()>>>", Returned::BoxedFuture),
            ("-> impl futures::Stream<Item = u8> + use<'_>", Returned::Stream),
            ("-> Result<impl Stream<Item = u8>, Error>", Returned::Stream),
            ("-> Pin<Box<impl Stream<Item = u8>>>", Returned::Stream),
            ("-> Result<Pin<Box<impl Stream<Item = u8>>>, Error>", Returned::Stream),
            ("-> Pin<Box<impl Iterator<Item = u8>>>", Returned::Plain),
            ("-> Sse<impl Stream<Item = u8>>", Returned::Plain),
            ("-> Option<impl Stream<Item = u8>>", Returned::Plain),
            ("-> Json<impl Serialize>", Returned::Plain),
        ] {
            let output: ReturnType = syn::parse_str(written).unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!(Returned::of(&output), expected, "{written}");
        }
    }

    #[test]
    fn what_comes_out_of_an_opaque_type_is_stated() {
        for (written, expected) in [
            ("-> impl Future<Output = Result<u8, Error>> + Send", Some(("resolving", "Result < u8 , Error >"))),
            ("-> Pin<Box<impl Future<Output = ()>>>", Some(("resolving", "()"))),
            ("-> (impl Send + Stream<Item = u8>)", Some(("yielding", "u8"))),
            ("-> Pin<Box<impl Stream<Item = u8>>>", Some(("yielding", "u8"))),
            ("-> Result<Pin<Box<impl Stream<Item = u8>>>, Error>", Some(("yielding_result", "u8"))),
            ("-> Result<impl Future<Output = ()>, Error>", None),
            ("-> impl TryFuture<Ok = (), Error = ()>", None),
            ("-> impl Iterator<Item = u8>", None),
            ("-> BoxFuture<'_, u8>", None),
            ("", None),
        ] {
            let output: ReturnType = syn::parse_str(written).unwrap_or_else(|error| panic!("{written}: {error}"));
            let found = stated(&output).map(|stated| (stated.function, stated.output.to_token_stream().to_string()));
            assert_eq!(found, expected.map(|(function, output)| (function, output.to_owned())), "{written}");
        }
    }
}
