//! Which release line a stated version belongs to.

use super::{Cycle, Technology};

/// Numbers of a version: `3.12.1` is `[3, 12, 1]`.
type Numbers = Vec<u32>;

/// What a version text asks for.
struct Request {
    numbers: Numbers,
    /// True for `>=18`, `^18.2`, `~=3.12`: the lowest release that fits is what may run.
    range: bool,
}

impl Technology {
    /// The release line of a version as repositories state it: `16`, `16.4`, `3.12.1`, `v20`, `>=18` (the lowest that
    /// it allows), `^20.19 || >=22` (the lowest), `3.12-slim-trixie`. A version that is shorter than the lines
    /// (`3` for Python) means the newest line it covers, in a range the oldest. `latest`, `lts/*` and the like: none.
    pub fn cycle_for(&self, version: &str) -> Option<&Cycle> {
        let request = request(version)?;
        let mut fitting: Vec<(Numbers, &Cycle)> = self
            .cycles
            .iter()
            .map(|cycle| (numbers(cycle.version), cycle))
            .filter(|(line, _)| {
                line.iter()
                    .zip(&request.numbers)
                    .all(|(left, right)| left == right)
            })
            .collect();
        fitting.sort_by(|left, right| left.0.cmp(&right.0));
        // A line that is spelled out as far as the request goes (`7` beside `7.17`) is the line itself.
        let longest = fitting
            .iter()
            .filter(|(line, _)| line.len() <= request.numbers.len())
            .max_by_key(|(line, _)| line.len());
        if let Some((_, cycle)) = longest {
            return Some(cycle);
        }
        let chosen = if request.range {
            fitting.first()
        } else {
            fitting.last()
        };
        chosen.map(|(_, cycle)| *cycle)
    }
}

/// The lowest version that the text allows, without upper bounds.
fn request(version: &str) -> Option<Request> {
    let mut lowest: Option<Request> = None;
    let mut operator = String::new();
    for word in version
        .split([' ', ',', '|', '"', '\''])
        .filter(|word| !word.is_empty())
    {
        let stripped = word.trim_start_matches(['<', '>', '=', '~', '^', '!']);
        operator.push_str(word.strip_suffix(stripped).unwrap_or_default());
        if stripped.is_empty() {
            continue; // the operator stands alone: `>= 18`
        }
        let sign = std::mem::take(&mut operator);
        let numbers = numbers(stripped);
        if numbers.is_empty() || sign.starts_with('<') || sign.starts_with('!') {
            continue;
        }
        let range = matches!(sign.as_str(), ">" | ">=" | "^" | "~" | "~>" | "~=");
        if lowest.as_ref().is_none_or(|known| numbers < known.numbers) {
            lowest = Some(Request { numbers, range });
        }
    }
    lowest
}

/// The leading numbers of a version; the text may begin with `v` or with the product's name (`ruby-3.3.1`, `go1.22`).
fn numbers(text: &str) -> Numbers {
    let text = text.trim_start_matches(|character: char| {
        character.is_ascii_alphabetic() || character == '-' || character == '_'
    });
    let end = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let (leading, _) = text.split_at_checked(end).unwrap_or_default();
    leading.split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(lines: &[&'static str]) -> Technology {
        let cycles = lines
            .iter()
            .map(|version| Cycle {
                version,
                ..Cycle::default()
            })
            .collect();
        Technology {
            cycles,
            ..Technology::default()
        }
    }

    fn line(product: &Technology, version: &str) -> Option<&'static str> {
        product.cycle_for(version).map(|cycle| cycle.version)
    }

    #[test]
    fn versions_find_their_line() {
        let postgres = product(&["18", "17", "16"]);
        assert_eq!(line(&postgres, "16"), Some("16"));
        assert_eq!(line(&postgres, "16.4"), Some("16"));
        assert_eq!(line(&postgres, "17.2-alpine3.20"), Some("17"));
        assert_eq!(line(&postgres, "9.6"), None);
        assert_eq!(line(&postgres, "latest"), None);
        assert_eq!(line(&postgres, ""), None);

        let python = product(&["3.14", "3.13", "3.12", "3.10", "3.9"]);
        assert_eq!(line(&python, "3.12.1"), Some("3.12"));
        assert_eq!(line(&python, "3.12-slim-trixie"), Some("3.12"));
        assert_eq!(line(&python, ">=3.10,<4.0"), Some("3.10"));
        assert_eq!(line(&python, "<4.0, >= 3.10"), Some("3.10"));
        assert_eq!(line(&python, "~=3.12"), Some("3.12"));
        assert_eq!(line(&python, "python-3.9.2"), Some("3.9"));
        assert_eq!(line(&python, "3"), Some("3.14"));
        assert_eq!(line(&python, ">=3"), Some("3.9"));
        assert_eq!(line(&python, "3.1"), None);

        let node = product(&["24", "22", "20", "18"]);
        assert_eq!(line(&node, "v20"), Some("20"));
        assert_eq!(line(&node, ">=18"), Some("18"));
        assert_eq!(line(&node, "^20.19 || ^22.12 || >=24"), Some("20"));
        assert_eq!(line(&node, "22.x"), Some("22"));
        assert_eq!(line(&node, "lts/*"), None);
        assert_eq!(line(&node, "<20"), None);
        assert_eq!(line(&node, "18 - 22"), Some("18"));
    }

    #[test]
    fn the_line_that_is_spelled_out_wins() {
        let redis = product(&["8.2", "8.0", "7.4", "7.2"]);
        assert_eq!(line(&redis, "7"), Some("7.4"));
        assert_eq!(line(&redis, "7-alpine"), Some("7.4"));
        assert_eq!(line(&redis, "8.0.3"), Some("8.0"));
        let mixed = product(&["7.17", "7"]);
        assert_eq!(line(&mixed, "7"), Some("7"));
        assert_eq!(line(&mixed, "7.17.1"), Some("7.17"));
    }

    #[test]
    fn hostile_versions_find_nothing() {
        let node = product(&["20"]);
        for text in ["99999999999999999999", "é20", "....", "<<<>>>", "^", "||"] {
            assert_eq!(line(&node, text), None, "{text}");
        }
    }
}
