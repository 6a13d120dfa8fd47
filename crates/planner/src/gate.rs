//! The last look at finished text before it is printed: no withheld value, no credential, nothing that acts on a terminal
//! or on the log of a CI run.
//!
//! The inventory was scrubbed before ([`playbook_core::scrub`]), so a refusal is a mistake of ours: it says what was
//! found and in which field or section, never the text.

mod place;

use std::fmt;

pub use place::Place;

use playbook_core::secret::{self, Search, Withheld};

/// What the gate found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A withheld value, or a form of it.
    WithheldValue,
    /// Text in the shape of a known credential.
    Credential,
    /// A control character other than the end of a line or a tabulator.
    ControlCharacter,
    /// A character that can't be seen or that turns the direction of text.
    InvisibleCharacter,
    /// A command to the log of a CI run.
    LogCommand,
}

/// Why text may not be printed. It does not hold the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was found.
    pub what: What,
    /// The line, from 1.
    pub line: u32,
    /// The field or section of the finished text.
    pub place: Place,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::WithheldValue => "a value that may not be printed",
            What::Credential => "text in the shape of a credential",
            What::ControlCharacter => "a control character",
            What::InvisibleCharacter => "an invisible character",
            What::LogCommand => "a command to a CI log",
        };
        write!(
            f,
            "line {} of the finished text{} holds {what}",
            self.line, self.place
        )
    }
}

impl std::error::Error for Refusal {}

/// Refuses text that holds a withheld value in any usual form, a known credential, or structure that acts on a terminal or
/// a CI log. `vocabulary` says whether a text belongs to our own words (templates, the catalogue) or to the names that
/// [`playbook_core::scrub::scrub`] left in the inventory: such a text is honest, even if somebody uses it as a password.
pub fn gate(text: &str, withheld: &Withheld, vocabulary: &dyn Fn(&str) -> bool) -> Result<(), Refusal> {
    for (line, number) in text.split('\n').zip(1_u32..) {
        if let Some(what) = structure(line) {
            let place = Place::of_line(text, number, &|word| vocabulary(word));
            return Err(Refusal {
                what,
                line: number,
                place,
            });
        }
    }
    let search = Search::new(withheld);
    for hit in search.find(text) {
        if !vocabulary(hit.form.peek()) {
            return Err(refusal(What::WithheldValue, text, hit.at, vocabulary));
        }
    }
    for shape in secret::token_shapes()
        .iter()
        .filter(|shape| !shape.loose && shape.may_be_in(text))
    {
        for found in shape.find(text) {
            let inner = found
                .trim_start_matches(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '$' | '{'));
            if !vocabulary(inner) {
                let at = text.find(found).unwrap_or_default();
                return Err(refusal(What::Credential, text, at, vocabulary));
            }
        }
    }
    Ok(())
}

fn refusal(what: What, text: &str, at: usize, vocabulary: &dyn Fn(&str) -> bool) -> Refusal {
    let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
    let line = u32::try_from(line).unwrap_or(u32::MAX);
    Refusal {
        what,
        line,
        place: Place::of_line(text, line, vocabulary),
    }
}

fn structure(line: &str) -> Option<What> {
    let ascii = line.is_ascii();
    if line.bytes().any(|b| (b < 0x20 && b != b'\t') || b == 0x7f)
        || !ascii && line.chars().any(|c| c.is_control() && c != '\t')
    {
        return Some(What::ControlCharacter);
    }
    if !ascii && line.chars().any(secret::is_invisible) {
        return Some(What::InvisibleCharacter);
    }
    // A runner takes commands from the first word of a line, and `##[…]` from anywhere.
    let command = line
        .trim_start()
        .strip_prefix("::")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    (command || line.contains("##[")).then_some(What::LogCommand)
}

#[cfg(test)]
mod tests {
    use super::*;
    use playbook_core::raw::Raw;

    fn withheld(values: &[&str]) -> Withheld {
        let mut withheld = Withheld::new();
        for value in values {
            withheld.add(Raw::new(value));
        }
        withheld
    }

    fn what(text: &str, values: &[&str]) -> Option<What> {
        gate(text, &withheld(values), &|_| false)
            .err()
            .map(|refusal| refusal.what)
    }

    #[test]
    fn every_form_is_found() {
        let value = "Blue&Horse\"Lamp'9";
        for form in [
            "Blue&Horse\"Lamp'9",
            "Blue%26Horse%22Lamp%279",
            "Blue&amp;Horse&quot;Lamp&#39;9",
            "Blue&Horse\\\"Lamp'9",
            "Blue&Horse\"Lamp'\\''9",
            "426c756526486f727365224c616d702739",
            "426C756526486F727365224C616D702739",
            "9'pmaL\"esroH&eulB",
            "Qmx1ZSZIb3JzZSJMYW1wJzk=",
            "eEJsdWUmSG9yc2UiTGFtcCc5eA==",
            "eHhCbHVlJkhvcnNlIkxhbXAnOXg=",
            // Without padding, in the alphabet of addresses, in small letters, with a sign for each other sign.
            "Qmx1ZSZIb3JzZSJMYW1wJzk",
            "Blue%26horse%22lamp%279"
                .replace("horse", "Horse")
                .replace("lamp", "Lamp")
                .as_str(),
            "  Blue&Horse\"Lamp'9  ",
            "Blue&amp;Horse&quot;Lamp&#x27;9",
            "Blue\\&Horse\\\"Lamp\\'9",
        ] {
            let text = format!("one\ntwo {form} three\n");
            let refused = gate(&text, &withheld(&[value]), &|_| false);
            let refused = refused.expect_err(form);
            assert_eq!((refused.what, refused.line), (What::WithheldValue, 2), "{form}");
        }
        assert_eq!(what("Blue and Horse", &[value]), None);
    }

    #[test]
    fn fragments_of_random_values() {
        let value = "k7Q2zR5m9Xw3Tb8Hp4cJ6n";
        assert_eq!(what("see zR5m9Xw3 here", &[value]), Some(What::WithheldValue));
        assert_eq!(what("see zR5m9X here", &[value]), None);
        // Words of a withheld address stand in honest text.
        assert_eq!(
            what(
                "uses postgresql on localhost",
                &["postgresql://app:Tr0ub4dor@localhost:5432/production"]
            ),
            None
        );
    }

    #[test]
    fn credentials_and_our_own_examples() {
        let token = ["gh", "p_k7Q2zR5m9Xw3Tb8Hp4cJ6nk7Q2zR5m9Xw3Tb"].concat();
        let text = format!("a\nb\ntoken: {token}\n");
        let refused = gate(&text, &Withheld::new(), &|_| false);
        let refused = refused.expect_err("a token");
        assert_eq!((refused.what, refused.line), (What::Credential, 3));
        assert_eq!(gate(&text, &Withheld::new(), &|own| own == token), Ok(()));
    }

    #[test]
    fn vocabulary_is_honest() {
        let text = "service Bookings-Platform-24";
        assert_eq!(what(text, &["Bookings-Platform-24"]), Some(What::WithheldValue));
        assert_eq!(
            gate(text, &withheld(&["Bookings-Platform-24"]), &|own| own
                .starts_with("Bookings")),
            Ok(())
        );
    }

    #[test]
    fn structure_that_acts() {
        for (text, expected) in [
            ("a\u{1b}[31m", What::ControlCharacter),
            ("a\rb", What::ControlCharacter),
            ("a\u{85}b", What::ControlCharacter),
            ("a\u{202e}b", What::InvisibleCharacter),
            ("a\u{200b}b", What::InvisibleCharacter),
            ("x\n  ::set-output name=a::b", What::LogCommand),
            ("x ##[error]y", What::LogCommand),
        ] {
            assert_eq!(what(text, &[]), Some(expected));
        }
        assert_eq!(
            what("# Title\n\n| a | b |\n\tcode `a::b` and ::1, é\n", &[]),
            None
        );
    }

    #[test]
    fn a_long_plan_against_many_values() {
        let values: Vec<String> = (0..500_u32)
            .map(|at| {
                format!(
                    "v{:08x}Q{:06x}zR",
                    at.wrapping_mul(2_654_435_761),
                    at.wrapping_mul(40_503)
                )
            })
            .collect();
        let mut withheld = Withheld::new();
        for value in &values {
            withheld.add(Raw::new(value));
        }
        let text = "The service `api` listens on port 8000 and reads DATABASE_URL (app/config.py:12).\n"
            .repeat(1_250);
        assert_eq!(gate(&text, &withheld, &|_| false), Ok(()));
        let last = values.last().expect("500 values");
        assert!(gate(&format!("{text}{last}"), &withheld, &|_| false).is_err());
    }
}
