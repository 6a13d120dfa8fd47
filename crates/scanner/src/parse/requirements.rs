//! Python requirements: `requirements.txt` lines and PEP 508 dependency strings.

use super::{line_number, without_byte_order_mark};

/// A requirements file.
#[derive(Debug, Default)]
pub(crate) struct Requirements {
    /// The packages in order.
    pub(crate) packages: Vec<Requirement>,
    /// Whether it leads to other files: `-r other.txt`, `-c constraints.txt`.
    pub(crate) includes: bool,
}

/// A required package.
pub(crate) struct Requirement {
    /// Its line; one for a string that stands alone.
    pub(crate) line: u32,
    /// The name in its normal form (PEP 503): lower case, runs of `-_.` become `-`.
    pub(crate) name: String,
    /// Extras in normal form, sorted.
    pub(crate) extras: Vec<String>,
    /// The version specifier without blanks, such as `>=1.0,<2`; empty if there is none.
    pub(crate) specifier: String,
    /// The environment marker behind `;`.
    pub(crate) marker: String,
    /// The address of `name @ url`; empty if there is none.
    pub(crate) url: String,
}

opaque_debug!(Requirement);

/// The name of a Python package in its normal form (PEP 503).
pub(crate) fn normalise(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !normal.is_empty() {
            normal.push('-');
        }
        normal.push_str(&part.to_ascii_lowercase());
    }
    normal
}

/// Reads a requirements file.
pub(crate) fn parse(text: &str) -> Requirements {
    let mut found = Requirements::default();
    let mut lines = without_byte_order_mark(text).lines().enumerate();
    while let Some((index, first)) = lines.next() {
        let line = line_number(index + 1);
        let mut logical = first.to_owned();
        while logical.ends_with('\\') {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next);
        }
        let content = without_comment(&logical).trim();
        if includes(content) {
            found.includes = true;
            continue;
        }
        let content = option(content, &["-e", "--editable"]).unwrap_or(content);
        if let Some(mut requirement) = requirement(content) {
            requirement.line = line;
            found.packages.push(requirement);
        }
    }
    found
}

/// A comment starts at the beginning or after a blank; `#egg=` belongs to an address.
fn without_comment(line: &str) -> &str {
    let at = line
        .match_indices('#')
        .map(|(at, _)| at)
        .find(|at| *at == 0 || super::slice(line, 0, *at).ends_with(char::is_whitespace));
    at.map_or(line, |at| super::slice(line, 0, at))
}

fn includes(content: &str) -> bool {
    option(content, &["-r", "--requirement"])
        .or_else(|| option(content, &["-c", "--constraint"]))
        .is_some_and(|path| !path.is_empty())
}

/// The value of a short or long option at the start of the line.
fn option<'text>(content: &'text str, names: &[&str; 2]) -> Option<&'text str> {
    let [short, long] = names;
    if let Some(rest) = content
        .strip_prefix(long)
        .filter(|rest| rest.starts_with([' ', '\t', '=']))
    {
        return Some(rest.trim_start_matches([' ', '\t', '=']).trim_end());
    }
    content
        .strip_prefix(short)
        .filter(|rest| !rest.starts_with('-'))
        .map(str::trim)
}

/// A dependency as PEP 508 writes it: `name[extra]>=1,<2; marker`, `name @ url`, or an address with `#egg=name`.
pub(crate) fn requirement(text: &str) -> Option<Requirement> {
    let text = text.trim();
    // Options of a line (`--hash=…`) are none of the package.
    let text = text
        .find(" --")
        .map_or(text, |at| super::slice(text, 0, at))
        .trim_end();
    if text.starts_with('-') || text.is_empty() {
        return None;
    }
    let mut found = Requirement {
        line: 1,
        name: String::new(),
        extras: Vec::new(),
        specifier: String::new(),
        marker: String::new(),
        url: String::new(),
    };
    let name_end = text
        .find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(name_end)?;
    if text.contains("://") && !rest.trim_start().starts_with(['@', '[']) {
        let egg = text.split_once("#egg=").or_else(|| text.split_once("&egg="))?.1;
        found.name = normalise(egg.split(['&', '[', ' ']).next().unwrap_or(""));
        text.clone_into(&mut found.url);
        return (!found.name.is_empty()).then_some(found);
    }
    // A path (`./package`, `package.whl`) names no package of an index.
    let archive = [".whl", ".gz", ".zip"]
        .iter()
        .any(|end| name.to_ascii_lowercase().ends_with(end));
    if rest.starts_with(['/', '\\']) || name.starts_with('.') || archive {
        return None;
    }
    found.name = normalise(name);
    let mut rest = rest.trim_start();
    if let Some((extras, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        found.extras = extras
            .split(',')
            .map(|extra| normalise(extra.trim()))
            .filter(|extra| !extra.is_empty())
            .collect();
        found.extras.sort();
        rest = after.trim_start();
    }
    if let Some(url) = rest.strip_prefix('@') {
        let (url, marker) = url.split_once(" ;").unwrap_or((url, ""));
        url.trim().clone_into(&mut found.url);
        marker.trim().clone_into(&mut found.marker);
        return (!found.name.is_empty()).then_some(found);
    }
    let (specifier, marker) = rest.split_once(';').unwrap_or((rest, ""));
    marker.trim().clone_into(&mut found.marker);
    let specifier = specifier.trim().trim_start_matches('(').trim_end_matches(')');
    found.specifier = specifier
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    let plausible = found.specifier.is_empty() || found.specifier.starts_with(['=', '<', '>', '!', '~']);
    (plausible && !found.name.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_file() {
        let text = "\u{feff}# c\r\n-r base.txt\r\n--constraint=c.txt\r\nFlask_SQLAlchemy [async] >= 3.0, < 4 ; python_version > '3.8'  # why\r\nuvicorn[standard]==0.30.1 \\\r\n    --hash=sha256:abc\r\n-e git+https://example.com/x.git@v1#egg=My.Package\r\nname @ https://example.com/y.whl\r\n./local\r\n--index-url https://example.com\r\nplain\r\n-e .\r\n";
        let found = parse(text);
        let packages: Vec<_> = found
            .packages
            .iter()
            .map(|package| (package.line, package.name.as_str(), package.specifier.as_str()))
            .collect();
        assert_eq!(
            packages,
            [
                (4, "flask-sqlalchemy", ">=3.0,<4"),
                (5, "uvicorn", "==0.30.1"),
                (7, "my-package", ""),
                (8, "name", ""),
                (11, "plain", "")
            ]
        );
        assert_eq!(found.packages[0].extras, ["async"]);
        assert_eq!(found.packages[0].marker, "python_version > '3.8'");
        assert!(found.includes);
        assert!(!parse("flask\n").includes);
    }

    #[test]
    fn names_have_one_normal_form() {
        assert_eq!(normalise("Zope.Interface__X"), "zope-interface-x");
        assert!(requirement("this is prose").is_none());
        assert!(requirement("é>=1").is_none());
    }
}
