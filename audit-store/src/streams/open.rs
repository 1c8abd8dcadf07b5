//! Opening the log that is free.

use std::io;
use std::path::Path;

use super::{SIBLINGS_MAX, find};
use crate::{Error, Log, Options};

impl Options {
    /// Opens the log at `path` or, while another process or handle holds it, the lowest free one of its siblings
    /// `<path>.1`, `<path>.2` and so on; creates what is not there. [`Log::path`] tells which it is.
    ///
    /// Processes may do this at the same time: each log is held by a lock, and who does not get it goes on to the next one.
    /// A process that begins again opens the lowest log that is free by then, and so recovers what an earlier one left.
    /// An [`origin`](Self::origin) gets the end of the sibling's name too, `example.com/orders.1`: two trees of one origin
    /// would look like a forgery.
    ///
    /// # Errors
    /// As [`Log::open`], for the first log that is not held: what does not verify or is no log is not passed over. All
    /// siblings, [`SIBLINGS_MAX`] of them, are held.
    pub fn open_or_sibling(self, path: impl AsRef<Path>) -> Result<Log, Error> {
        lowest_free(path.as_ref(), SIBLINGS_MAX, |path, number| {
            let mut options = self.clone();
            if let (Some(origin), Some(number)) = (&mut options.origin, number) {
                *origin = format!("{origin}.{number}");
            }
            if let Some(number) = number {
                options.keys = options.keys.of_sibling(number);
            }
            options.open(path)
        })
    }
}

/// Opens the first that is not held: the path itself, without a number, or a sibling.
fn lowest_free<T>(
    path: &Path,
    siblings_max: u16,
    mut open: impl FnMut(&Path, Option<u16>) -> Result<T, Error>,
) -> Result<T, Error> {
    match open(path, None) {
        Err(error) if error.is_held() => {}
        opened => return opened,
    }
    let failed = |source| Error::io(path, "open a log beside it", source);
    let base = find::base(path).map_err(failed)?;
    for number in 1..=siblings_max {
        match open(&find::sibling(&base, number), Some(number)) {
            Err(error) if error.is_held() => {}
            opened => return opened,
        }
    }
    let reason = format!("expected a free one of the {siblings_max} siblings of this log, found all of them held");
    Err(failed(io::Error::new(io::ErrorKind::ResourceBusy, reason)))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Opens `orders` where the first `held` logs are held, at most `siblings_max` siblings allowed.
    fn check(held: usize, siblings_max: u16, expect: Result<&str, &str>) {
        let mut tried: Vec<PathBuf> = Vec::new();
        let opened = lowest_free(Path::new("a/orders"), siblings_max, |path, number| {
            assert_eq!(number, u16::try_from(tried.len()).ok().filter(|tried| *tried > 0));
            tried.push(path.to_owned());
            if tried.len() > held { Ok(path.display().to_string()) } else { Err(Error::held(path)) }
        });
        assert_eq!(opened.as_deref().map_err(ToString::to_string), expect.map_err(str::to_owned));
    }

    #[test]
    fn the_lowest_that_is_not_held_is_opened() {
        check(0, 2, Ok("a/orders"));
        check(1, 2, Ok("a/orders.1"));
        check(2, 2, Ok("a/orders.2"));
        check(
            3,
            2,
            Err(
                "a/orders: could not open a log beside it: expected a free one of the 2 siblings of this log, found all \
                 of them held",
            ),
        );
    }

    #[test]
    fn what_is_not_held_is_not_passed_over() {
        let error = lowest_free(Path::new("orders"), 9, |path, number| match number {
            None => Err::<(), _>(Error::held(path)),
            Some(_) => Err(Error::not_a_log(path, "a file")),
        });
        let error = error.unwrap_err();
        assert!(error.is_not_a_log() && error.path() == Path::new("orders.1"), "{error}");
    }
}
