//! BIND's `named.conf`: `zone "NAME" { type …; primaries { …; }; };`, with lists of primaries that are named elsewhere.

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::Chars;

use super::{DEPTH_MAX, Gathered, ListLine, Otherwise, included, is_local, listed, wrong};

/// A word or a sign, and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    End,
}

/// `words { inner };`
#[derive(Clone, Debug, Default)]
struct Statement {
    line: u64,
    words: Vec<String>,
    inner: Vec<Statement>,
}

impl Statement {
    fn word(&self, place: usize) -> &str {
        self.words.get(place).map_or("", String::as_str)
    }

    /// The first statement in it that begins with one of these.
    fn inner_of(&self, names: &[&str]) -> Option<&Self> {
        self.inner.iter().find(|statement| names.contains(&statement.word(0)))
    }
}

type Lists = HashMap<String, Vec<Statement>>;

/// Primaries are these since BIND 9.16.12, and were masters before.
const PRIMARIES: [&str; 3] = ["primaries", "masters", "remote-servers"];

pub(super) fn read(text: &str, otherwise: &Otherwise) -> Vec<ListLine> {
    let statements = statements(&mut Tokens::of(text), 0);
    let mut lists = Lists::new();
    for list in
        statements.iter().filter(|statement| PRIMARIES.contains(&statement.word(0)) && statement.words.len() > 1)
    {
        lists.insert(list.word(1).to_owned(), list.inner.clone());
    }
    let mut found = Vec::new();
    collect(&statements, &lists, otherwise, 0, &mut found);
    found
}

fn collect(statements: &[Statement], lists: &Lists, otherwise: &Otherwise, depth: usize, found: &mut Vec<ListLine>) {
    for statement in statements {
        match statement.word(0) {
            "zone" if !statement.inner.is_empty() => found.extend(zone(statement, lists, otherwise)),
            "include" => found.push(included(statement.line, statement.word(1))),
            "view" if depth < DEPTH_MAX => collect(&statement.inner, lists, otherwise, depth + 1, found),
            _ => {}
        }
    }
}

fn zone(statement: &Statement, lists: &Lists, otherwise: &Otherwise) -> Option<ListLine> {
    let name = statement.word(1);
    let written = match statement.inner_of(&["type"])?.word(1) {
        "slave" | "secondary" | "mirror" => {
            let mut gathered = Gathered::default();
            if let Some(primaries) = statement.inner_of(&PRIMARIES) {
                let port = option(&primaries.words, "port");
                if let Err(detail) = resolve(&primaries.inner, lists, port, 0, &mut gathered) {
                    return Some(wrong(statement.line, format!("the zone {name}: {detail}")));
                }
            }
            gathered.written
        }
        "master" | "primary" if !is_local(name) => Vec::new(),
        // Nothing is copied of the others: hint, forward, stub, redirect.
        _ => return None,
    };
    Some((statement.line, listed(name, &written, otherwise)))
}

/// The primaries of a list, and of the lists that it names.
fn resolve(
    list: &[Statement],
    lists: &Lists,
    port: Option<&str>,
    depth: usize,
    gathered: &mut Gathered,
) -> Result<(), String> {
    for entry in list {
        gathered.look()?;
        let word = entry.word(0);
        if word.parse::<std::net::IpAddr>().is_ok() {
            let address = match option(&entry.words, "port").or(port) {
                Some(port) if word.contains(':') => format!("[{word}]:{port}"),
                Some(port) => format!("{word}:{port}"),
                None => word.to_owned(),
            };
            if option(&entry.words, "tls").is_some_and(|tls| tls != "none") {
                return Err(format!("{word} is asked over TLS, which a list does not say in full: add it by itself"));
            }
            gathered.push(address, option(&entry.words, "key"));
        } else if let Some(other) = lists.get(word).filter(|_| depth < DEPTH_MAX) {
            let before = gathered.written.len();
            resolve(other, lists, port, depth + 1, gathered)?;
            if let Some(key) = option(&entry.words, "key") {
                let without = gathered.written[before..].iter_mut().filter(|one| one.key.is_none());
                without.for_each(|one| one.key = Some(key.to_owned()));
            }
        } else {
            return Err(format!("there is no list of primaries {word:?} here: is it in a file that is included?"));
        }
    }
    Ok(())
}

fn option<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    let place = words.iter().position(|word| word == name)?;
    words.get(place + 1).map(String::as_str)
}

fn statements(tokens: &mut Tokens<'_>, depth: usize) -> Vec<Statement> {
    let (mut statements, mut current) = (Vec::new(), Statement::default());
    while let Some((line, token)) = tokens.next() {
        match token {
            Token::Word(word) => {
                if current.words.is_empty() {
                    current.line = line;
                }
                current.words.push(word);
            }
            Token::Open if depth < DEPTH_MAX => current.inner.extend(self::statements(tokens, depth + 1)),
            Token::Open => {}
            Token::End => end(&mut statements, &mut current),
            Token::Close if depth > 0 => break,
            Token::Close => {}
        }
    }
    end(&mut statements, &mut current);
    statements
}

fn end(statements: &mut Vec<Statement>, current: &mut Statement) {
    let ended = std::mem::take(current);
    if !ended.words.is_empty() {
        statements.push(ended);
    }
}

/// The words and signs of a text, each with its line.
struct Tokens<'a> {
    characters: Peekable<Chars<'a>>,
    line: u64,
}

impl<'a> Tokens<'a> {
    fn of(text: &'a str) -> Self {
        Self { characters: text.chars().peekable(), line: 1 }
    }

    fn skip_line(&mut self) {
        while self.characters.next_if(|next| *next != '\n').is_some() {}
    }

    fn skip_comment(&mut self) {
        let mut before = ' ';
        for next in self.characters.by_ref() {
            self.line += u64::from(next == '\n');
            if before == '*' && next == '/' {
                break;
            }
            before = next;
        }
    }

    /// What stands behind a quote, to the next one.
    fn quoted(&mut self) -> String {
        let mut word = String::new();
        while let Some(next) = self.characters.next() {
            self.line += u64::from(next == '\n');
            match next {
                '"' => break,
                '\\' => word.extend(self.characters.next()),
                next => word.push(next),
            }
        }
        word
    }
}

impl Iterator for Tokens<'_> {
    type Item = (u64, Token);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let character = self.characters.next()?;
            let line = self.line;
            let token = match character {
                '\n' => {
                    self.line += 1;
                    continue;
                }
                '{' => Token::Open,
                '}' => Token::Close,
                ';' => Token::End,
                '#' => {
                    self.skip_line();
                    continue;
                }
                '/' if self.characters.next_if_eq(&'/').is_some() => {
                    self.skip_line();
                    continue;
                }
                '/' if self.characters.next_if_eq(&'*').is_some() => {
                    self.skip_comment();
                    continue;
                }
                '"' => Token::Word(self.quoted()),
                character if character.is_whitespace() => continue,
                character => {
                    let mut word = String::from(character);
                    let is_of_word = |next: &char| !next.is_whitespace() && !"{};\"".contains(*next);
                    while let Some(next) = self.characters.next_if(is_of_word) {
                        word.push(next);
                    }
                    Token::Word(word)
                }
            };
            return Some((line, token));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ListFormat::Named;
    use super::super::tests::found;

    #[test]
    fn secondary_zones_are_copied_from_where_they_were_and_primary_ones_from_that_server() {
        let text = r#"
// BIND
options { directory "/var/cache/bind"; recursion no; };
key "k.test" { algorithm hmac-sha256; secret "c2VjcmV0"; };
primaries "ours" port 5353 { 192.0.2.1; 2001:db8::1 port 53 key k.test; };
zone "." { type hint; file "root"; };
zone "localhost" { type master; file "db.local"; };
zone "one.test" IN { type slave; masters { 192.0.2.9 key "k.test"; }; file "one"; };
zone "two.test" { type secondary; primaries { ours; }; }; /* zone "not.test" { type slave; }; */
# zone "neither.test" { type slave; masters { 192.0.2.9; }; };
zone "three.test" { type primary; file "three"; allow-transfer { any; }; };
view "inside" { zone "four.test" { type secondary; primaries port 54 { 192.0.2.4; }; }; };
include "/etc/bind/more.conf";
zone "five.test" { type secondary; primaries { elsewhere; }; };
zone "six.test" { type forward; forwarders { 192.0.2.6; }; };
"#;
        assert_eq!(
            found(text, Named, Some("192.0.2.100")),
            [
                "8 one.test. 192.0.2.9:53/k.test.",
                "9 two.test. 192.0.2.1:53,[2001:db8::1]:53/k.test.",
                "11 three.test. 192.0.2.100:53",
                "12 four.test. 192.0.2.4:54",
                "13 ? list_invalid",
                "14 ? list_invalid",
            ]
        );
        assert_eq!(found(text, Named, None)[2], "11 three.test. primary_invalid");
    }
}
