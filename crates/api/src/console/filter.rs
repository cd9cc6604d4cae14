//! What the address of a page asks for: which part of a list, in which order, how far back.
//!
//! It is read as strictly as the API reads it. A word that is misspelt, or a page that was kept for too long, would otherwise
//! show all of a list to somebody who takes it for a part; it gets a sentence instead, and a way back to the whole.

use std::convert::Infallible;
use std::str::FromStr;

use askama::Template;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::response::Response;
use serde::de::DeserializeOwned;

use super::page::{Frame, again};
use super::words::sentence;
use crate::json::UnknownWord;
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::unread::OF_A_QUERY;

/// What is wrong is shown again in so many characters at the most: it is somebody else's text.
const SHOWN_MAX: usize = 60;

/// The fields of the address, or what is wrong with them.
pub(crate) struct Filter<T>(pub(crate) Result<T, Problem>);

impl<T: DeserializeOwned> FromRequestParts<Served> for Filter<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Infallible> {
        let read = Query::<T>::from_request_parts(parts, served).await.map(|Query(fields)| fields);
        Ok(Self(read.map_err(|rejection| {
            let why = rejection.body_text();
            let why = why.strip_prefix(OF_A_QUERY).unwrap_or(&why);
            Problem::new(Code::QueryInvalid, format!("the address of this page cannot be read: {}", cut(why)))
        })))
    }
}

/// One of some words; none where nothing is said.
///
/// # Errors
/// [`Code::QueryInvalid`] for any other.
pub(crate) fn word<T: FromStr<Err = UnknownWord>>(what: &str, text: &str) -> Result<Option<T>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|unknown: UnknownWord| none_of(what, text, &unknown.known))
}

/// A word that is none of those that are known.
pub(crate) fn none_of(what: &str, text: &str, known: &str) -> Problem {
    let detail = format!("there is no {what} {:?} here, only {known}", cut(text));
    Problem::new(Code::QueryInvalid, detail)
}

/// The number by which a list goes on; none on its first page.
///
/// # Errors
/// [`Code::QueryInvalid`].
pub(crate) fn number(text: &str) -> Result<Option<u64>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let number = text.parse().ok().filter(|number| i64::try_from(*number).is_ok());
    let detail = || format!("{:?} is the number of no page of this list: begin with its first page", cut(text));
    number.map(Some).ok_or_else(|| Problem::new(Code::QueryInvalid, detail()))
}

fn cut(text: &str) -> String {
    if text.chars().count() <= SHOWN_MAX {
        text.to_owned()
    } else {
        text.chars().take(SHOWN_MAX).chain(['…']).collect()
    }
}

#[derive(Template)]
#[template(path = "filter_wrong.html")]
struct Wrong<'a> {
    frame: Frame,
    sentence: String,
    /// Where the whole list is, and what it is called.
    back: &'a str,
    back_to: &'a str,
}

/// The page in the place of a list that cannot be had, with the way back to one that can.
pub(crate) fn wrong(frame: Frame, problem: &Problem, back: &str, back_to: &str) -> Response {
    again(problem, &Wrong { frame, sentence: sentence(problem.detail()), back, back_to })
}

#[cfg(test)]
mod tests {
    use super::{number, word};
    use crate::json::{Severity, State};
    use crate::problem::Code;

    #[test]
    fn nothing_is_everything_and_what_is_not_known_is_nothing_at_all() {
        assert_eq!(word::<State>("state", "").unwrap(), None);
        assert_eq!(word("state", "stale").unwrap(), Some(State::Stale));
        for text in ["Stale", "nonsense", " ", "stale,held"] {
            assert_eq!(word::<State>("state", text).unwrap_err().code(), Code::QueryInvalid, "{text:?}");
        }
        let problem = word::<Severity>("severity", &"x".repeat(9_000)).unwrap_err();
        assert!(
            problem.detail().len() < 200 && problem.detail().ends_with("only info, warning, error"),
            "{problem:?}"
        );
        assert_eq!((number("").unwrap(), number("7").unwrap()), (None, Some(7)));
        for text in ["x", "-1", "9223372036854775808", "1 "] {
            assert_eq!(number(text).unwrap_err().code(), Code::QueryInvalid, "{text:?}");
        }
    }
}
