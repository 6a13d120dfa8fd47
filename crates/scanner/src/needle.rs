//! Plain texts that are looked for before anything costly is done with a file: one pass over it, whatever their number.

use aho_corasick::{AhoCorasick, AhoCorasickKind, packed};
use memchr::memmem;

/// Several texts, of which a file has one or none.
///
/// Most files hold nothing that a detector would tell. A search with vector instructions finds that out in a small part
/// of the time that taking the file apart needs.
#[derive(Debug)]
pub(crate) struct Needles(Kind);

#[derive(Debug)]
enum Kind {
    /// Vector instructions: searchers for many texts at once, and one for each text that is too short for them.
    Packed(Vec<packed::Searcher>, Vec<memmem::Finder<'static>>),
    /// Byte by byte: for more texts, and where the machine has no such instructions.
    Automaton(AhoCorasick),
    /// Every file has it: an empty text is among them, or there is no automaton for them.
    Always,
    /// No texts.
    Never,
}

/// Texts that vector instructions look for at once.
const PACKED: usize = 64;
/// More passes than this cost as much as one byte by byte.
const PASSES: usize = 6;
/// Shorter texts than this make a search for many stop at every second line.
const SHORTEST_PACKED: usize = 3;
/// A search for many looks at so many bytes of each text at first, or fewer if one of them is shorter: the more, the
/// seldomer it stops.
const FIRST_LOOK: usize = 4;

impl Needles {
    /// Prepares a search for any of these texts.
    pub(crate) fn new<'n>(texts: impl IntoIterator<Item = &'n str>) -> Self {
        let mut texts: Vec<&str> = texts.into_iter().collect();
        texts.sort_unstable();
        texts.dedup();
        // A text with another one in it adds nothing.
        let all = texts.clone();
        texts.retain(|text| !all.iter().any(|other| other != text && text.contains(other)));
        if all.is_empty() {
            return Self(Kind::Never);
        }
        if texts.iter().any(|text| text.is_empty()) {
            return Self(Kind::Always);
        }
        let (packed, short): (Vec<&str>, Vec<&str>) =
            texts.iter().partition(|text| text.len() >= SHORTEST_PACKED);
        let (long, middle): (Vec<&str>, Vec<&str>) = packed.iter().partition(|text| text.len() >= FIRST_LOOK);
        let groups = || middle.chunks(PACKED).chain(long.chunks(PACKED));
        let packed: Option<Vec<packed::Searcher>> = (short.len() + groups().count() <= PASSES)
            .then(|| groups().map(packed::Searcher::new).collect())
            .flatten();
        let finders = short
            .iter()
            .map(|text| memmem::Finder::new(*text).into_owned())
            .collect();
        Self(match packed {
            Some(searchers) => Kind::Packed(searchers, finders),
            None => AhoCorasick::builder()
                .kind(Some(AhoCorasickKind::DFA))
                .build(&texts)
                .map_or(Kind::Always, Kind::Automaton),
        })
    }

    /// Does a text have any of them?
    pub(crate) fn any_in(&self, text: &str) -> bool {
        match &self.0 {
            Kind::Packed(searchers, finders) => {
                searchers.iter().any(|searcher| searcher.find(text).is_some())
                    || finders
                        .iter()
                        .any(|finder| finder.find(text.as_bytes()).is_some())
            }
            Kind::Automaton(automaton) => automaton.is_match(text),
            Kind::Always => true,
            Kind::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_any_of_them_and_nothing_else() {
        let few = Needles::new(["process.env", "env(", "process.env.X"]);
        assert!(few.any_in(&format!("{}const a = process.env.PORT", "x ".repeat(500))));
        assert!(few.any_in("env("));
        assert!(!few.any_in("environment"));
        let short = Needles::new(["a", "bb"]);
        assert!(short.any_in("xbb") && !short.any_in("xb"));
        let of_all_lengths = Needles::new(["{", "=>", "env", "listen(", "createServer"]);
        for text in ["a {", "a =>", "environment", "x.listen(1)", "http.createServer"] {
            assert!(of_all_lengths.any_in(text), "{text}");
        }
        assert!(!of_all_lengths.any_in("en = createserver; listen"));
        let texts: Vec<String> = (0..500).map(|number| format!("needle{number};")).collect();
        let many = Needles::new(texts.iter().map(String::as_str));
        assert!(many.any_in("a needle499; in it") && !many.any_in("needle500;"));
        assert!(!Needles::new([]).any_in("x"));
        assert!(Needles::new(["", "y"]).any_in("x"));
    }
}
