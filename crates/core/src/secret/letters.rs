//! Is a text made of words, or did a generator make it?
//!
//! A name, even of words that nobody has seen before, is put together of letters that usually follow each other; a random
//! text is not. How much more likely a text is as the work of a generator than as a name is counted letter by letter
//! (`letters.txt` holds what is usual in names), in tenths of the natural logarithm: the logarithm of the likelihood
//! ratio. The most suspicious stretch of the text counts, so that a token is found behind a prefix, too.

use std::sync::LazyLock;

use super::is_known_hash;

/// Letters and the start of a word.
const CONTEXTS: usize = 27;
const LETTERS: usize = 26;
/// `letters.txt` counts in steps of 0.8.
const STEP: i32 = 8;
/// Between the parts of a token may stand signs; each speaks a little for names.
const SIGN: i32 = -10;
/// The logarithm of 10: a digit, if it is one.
const DIGIT: i32 = 23;
/// Stretches shorter than this prove nothing.
const SHORTEST: usize = 12;

/// Digits in separate places, letters and digits needed, and the evidence that is asked for then. Names have a number
/// at most, or a version; the thresholds are where one of ten thousand names of real repositories is met.
const THRESHOLDS: [(usize, usize, i32); 3] = [(0, SHORTEST, 140), (2, SHORTEST, 90), (3, 14, 70)];

/// Costs of `letters.txt`, by the two letters before and the letter itself.
static COSTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    include_str!("letters.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.bytes().map(|digit| digit.saturating_sub(b'0')))
        .collect()
});

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
}

fn class(byte: u8) -> Option<Class> {
    match byte {
        b'a'..=b'z' => Some(Class::Lower),
        b'A'..=b'Z' => Some(Class::Upper),
        b'0'..=b'9' => Some(Class::Digit),
        _ => None,
    }
}

/// What a generator may draw from.
struct Alphabet {
    lower: bool,
    upper: bool,
    digits: bool,
    /// The logarithm of its size.
    size: i32,
}

const ALPHABETS: [Alphabet; 5] = [
    Alphabet {
        lower: true,
        upper: true,
        digits: true,
        size: 41,
    },
    Alphabet {
        lower: true,
        upper: false,
        digits: true,
        size: 36,
    },
    Alphabet {
        lower: false,
        upper: true,
        digits: true,
        size: 36,
    },
    Alphabet {
        lower: true,
        upper: false,
        digits: false,
        size: 33,
    },
    Alphabet {
        lower: false,
        upper: true,
        digits: false,
        size: 33,
    },
];

impl Alphabet {
    const fn has(&self, class: Class) -> bool {
        match class {
            Class::Lower => self.lower,
            Class::Upper => self.upper,
            Class::Digit => self.digits,
        }
    }

    /// How unusual it is in names that a character of one class is followed by one of another.
    const fn change(&self, from: Class, to: Class) -> i32 {
        use Class::{Digit, Lower, Upper};
        if !self.digits {
            return 0;
        }
        let cases = self.lower && self.upper;
        match (from, to) {
            (Lower | Upper, Digit) => 46,
            (Digit, Digit) => 3,
            (Digit, Lower) | (Upper, Upper) if cases => 16,
            (Digit, Upper) if cases => 28,
            (Digit, _) => 13,
            (Lower, Upper) => 27,
            (Lower, Lower) if cases => 1,
            (Upper, Lower) => 2,
            _ => 0,
        }
    }
}

/// The two letters before, 0 for the start of a word.
#[derive(Clone, Copy, Default)]
struct Context(usize, usize);

impl Context {
    /// What it costs in names that this letter comes next, and the context behind it.
    fn letter(self, byte: u8) -> (i32, Self) {
        let letter = usize::from(byte.to_ascii_lowercase().saturating_sub(b'a'));
        let at = (self.0 * CONTEXTS + self.1) * LETTERS + letter;
        let steps = COSTS.get(at).copied().unwrap_or_default();
        (i32::from(steps) * STEP, Self(self.1, letter + 1))
    }
}

/// A stretch of a text that gets more and more suspicious.
#[derive(Clone, Copy, Default)]
struct Stretch {
    evidence: i32,
    characters: usize,
    numbers: usize,
}

impl Stretch {
    fn is_random(self) -> bool {
        THRESHOLDS.iter().any(|(numbers, characters, evidence)| {
            self.numbers >= *numbers && self.characters >= *characters && self.evidence >= *evidence
        })
    }
}

/// Did a generator make a part of the text?
pub(super) fn is_generated(text: &str) -> bool {
    text.len() >= SHORTEST && ALPHABETS.iter().any(|alphabet| is_drawn_from(alphabet, text))
}

fn is_drawn_from(alphabet: &Alphabet, text: &str) -> bool {
    let mut stretch = Stretch::default();
    let mut before: Option<Class> = None;
    let mut context = Context::default();
    let mut next = 0;
    for (at, byte) in text.bytes().enumerate() {
        let Some(class) = class(byte) else {
            before = None;
            stretch.evidence += SIGN;
            if stretch.evidence <= 0 {
                stretch = Stretch::default();
            }
            continue;
        };
        if at < next {
            continue;
        }
        let starts = at == 0
            || text
                .as_bytes()
                .get(at - 1)
                .copied()
                .and_then(self::class)
                .is_none();
        // A revision between signs is no secret.
        if starts && let Some(end) = revision(text, at) {
            next = end;
            continue;
        }
        if !alphabet.has(class) {
            before = None;
            stretch = Stretch::default();
            continue;
        }
        let new_word = match before {
            None | Some(Class::Digit) => true,
            Some(previous) => previous == Class::Lower && class == Class::Upper,
        };
        if new_word {
            context = Context::default();
        }
        let cost = if class == Class::Digit {
            DIGIT
        } else {
            let (cost, behind) = context.letter(byte);
            context = behind;
            cost
        };
        if let Some(previous) = before {
            stretch.evidence += alphabet.change(previous, class) + cost - alphabet.size;
        }
        if class == Class::Digit && before != Some(Class::Digit) {
            stretch.numbers += 1;
        }
        stretch.characters += 1;
        before = Some(class);
        if stretch.evidence <= 0 {
            stretch = Stretch {
                characters: 1,
                numbers: usize::from(class == Class::Digit),
                evidence: 0,
            };
        }
        if stretch.is_random() {
            return true;
        }
    }
    false
}

/// The end of the revision or digest that begins here, if one does.
fn revision(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let length = rest
        .bytes()
        .take(65)
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    let run = rest.get(..length)?;
    (is_known_hash(run) && run.bytes().any(|byte| byte.is_ascii_digit())).then(|| at + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert_eq!(COSTS.len(), CONTEXTS * CONTEXTS * LETTERS);
        assert!(COSTS.iter().all(|cost| *cost <= 9));
    }

    #[test]
    fn what_a_generator_made() {
        for text in [
            "KWQJZVXNBTRPLMHGFDSC",
            "qzkvjxwplmtrbnsdfghcyuvx",
            "gate-zfyluxkmwxhodrevqyhsognd",
            "iAAXXSrUnAgapksS5rSG",
            "1hrn27.i8brzic7zm95w9an",
            "CW2H5-UH0CL-0XEYX-IEGPL-G09KI",
            "63FXBCEWE6KIVGYHMEMLLCWRCJJD22HD",
            "/hooks/uDNZ8ey9BCBNAUUz",
            "svc_9tq3k8zv2mxw7rpb.internal",
        ] {
            assert!(is_generated(text), "{text}");
        }
    }

    #[test]
    fn names_of_software() {
        for text in [
            "ConvertDocxToPdfViaGotenbergOptions",
            "SENDORDERCONFIRMATIONREQUEST",
            "org.springframework.boot.autoconfigure.jdbc",
            "NEXT_PRIVATE_SIGNING_GCLOUD_HSM_CERT_CHAIN_FILE_PATH",
            "20130526164230_change_tables_to_utf8mb4.rb",
            "fe56fa70289e_add_created_at_to_user_and_item.py",
            "ghcr.io/astral-sh/uv:0.4.15-python3.12-bookworm-slim",
            "mysql-5.7.44-linux-glibc2.12-x86_64.tar.gz",
            "ASPNETCORE_ENVIRONMENT",
            "PYTHONDONTWRITEBYTECODE",
            "postgresql-contrib-9.6.24-1.pgdg18.04+1",
            "targetCPUUtilizationPercentage",
            "us-central1-docker.pkg.dev",
            "v0.0.0-20230524184225-eabc099b10ab",
            "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683",
            "RECOMMENDATIONSERVICE",
            "Kundenauftragsverwaltung",
            "2026-11-21T04:05:36.123Z",
            "192.168.178.24/28:8080-8090",
            "io.quarkus.hibernate.orm.panache.kotlin",
            "x-amz-server-side-encryption-aws-kms-key-id",
        ] {
            assert!(!is_generated(text), "{text}");
        }
    }
}
