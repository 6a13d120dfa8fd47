//! INI files: `alembic.ini`, `supervisord.conf`, `setup.cfg`, systemd units, `php.ini`, git configuration.

use super::{line_number, without_byte_order_mark};

/// A file: what stands before the first section is in a section without a name.
#[derive(Debug, Default)]
pub(crate) struct Ini {
    /// The sections in order; a name may come twice.
    pub(crate) sections: Vec<Section>,
}

/// `[name]` and what follows.
pub(crate) struct Section {
    /// The line of the header; the first entry's for the nameless section.
    pub(crate) line: u32,
    /// The name as written between the brackets.
    pub(crate) name: String,
    /// The entries in order; systemd repeats keys.
    pub(crate) entries: Vec<Entry>,
}

/// A key and its value.
pub(crate) struct Entry {
    /// The line of the key.
    pub(crate) line: u32,
    /// The key.
    pub(crate) key: String,
    /// The value; continued lines are joined by a line break (by a blank after a backslash).
    pub(crate) value: String,
}

opaque_debug!(Section, Entry);

impl Ini {
    /// The first section of a name.
    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// An entry by section and key.
    pub(crate) fn get(&self, section: &str, key: &str) -> Option<&Entry> {
        self.sections
            .iter()
            .filter(|candidate| candidate.name == section)
            .find_map(|section| section.get(key))
    }
}

impl Section {
    /// The last entry of a key, which is the one that counts.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.key == key)
    }

    /// All entries of a key.
    pub(crate) fn all<'tree>(&'tree self, key: &'tree str) -> impl Iterator<Item = &'tree Entry> {
        self.entries.iter().filter(move |entry| entry.key == key)
    }
}

/// Reads a text; what is neither section, entry, comment nor continuation is passed over.
pub(crate) fn parse(text: &str) -> Ini {
    let text = without_byte_order_mark(text);
    // Units separate commands by ` ; ` and end lines in a backslash; the others open a comment by ` ;`.
    let unit = text
        .lines()
        .any(|line| matches!(line.trim(), "[Unit]" | "[Service]" | "[Install]"));
    let mut ini = Ini::default();
    let mut indent_of_key: Option<usize> = None;
    let mut joined = false;
    for (index, line) in text.lines().enumerate() {
        let number = line_number(index + 1);
        let content = line.trim();
        let indent = line.len() - line.trim_start().len();
        if content.is_empty() {
            joined = false;
            continue;
        }
        if content.starts_with(['#', ';']) {
            continue;
        }
        if joined {
            joined = unit && content.ends_with('\\');
            let part = if joined {
                content.trim_end_matches('\\').trim_end()
            } else {
                content
            };
            extend(&mut ini, ' ', part);
            continue;
        }
        let header = content.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        if let Some((name, _)) = header.filter(|_| indent == 0 || indent_of_key.is_none()) {
            ini.sections.push(Section {
                line: number,
                name: name.trim().to_owned(),
                entries: Vec::new(),
            });
            indent_of_key = None;
            continue;
        }
        if !unit && indent_of_key.is_some_and(|key| indent > key) {
            extend(&mut ini, '\n', without_comment(content));
            continue;
        }
        let (key, value) = match content.find(['=', ':']) {
            Some(at) => (
                super::slice(content, 0, at).trim_end(),
                super::tail(content, at + 1).trim_start(),
            ),
            None => (content, ""),
        };
        if key.is_empty() {
            continue;
        }
        indent_of_key = Some(indent);
        joined = unit && value.ends_with('\\');
        let value = match (unit, joined) {
            (true, true) => value.trim_end_matches('\\').trim_end(),
            (true, false) => value,
            (false, _) => without_comment(value),
        };
        if ini.sections.is_empty() {
            ini.sections.push(Section {
                line: number,
                name: String::new(),
                entries: Vec::new(),
            });
        }
        if let Some(section) = ini.sections.last_mut() {
            section.entries.push(Entry {
                line: number,
                key: key.to_owned(),
                value: value.to_owned(),
            });
        }
    }
    ini
}

fn extend(ini: &mut Ini, separator: char, part: &str) {
    if let Some(entry) = ini
        .sections
        .last_mut()
        .and_then(|section| section.entries.last_mut())
    {
        if !entry.value.is_empty() || separator == '\n' {
            entry.value.push(separator);
        }
        entry.value.push_str(part);
    }
}

/// Supervisor and PHP open a comment by a semicolon after a blank, unless it is quoted.
fn without_comment(value: &str) -> &str {
    let mut quote = None;
    let mut blank = true;
    for (at, letter) in value.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if matches!(letter, '"' | '\'') => quote = Some(letter),
            None if letter == ';' && blank => return super::slice(value, 0, at).trim_end(),
            _ => {}
        }
        blank = letter.is_whitespace();
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_entries_and_continuations() {
        let text = "\u{feff}top = 1\r\n[alembic]\r\n# c\r\nscript_location = x\r\nurl: driver://%(u)s\r\n[options]\r\ninstall_requires =\r\n    a>=1\r\n    b\r\nzip = no ; why\r\n";
        let ini = parse(text);
        assert_eq!(ini.get("", "top").map(|entry| entry.value.as_str()), Some("1"));
        assert_eq!(
            ini.get("alembic", "url")
                .map(|entry| (entry.line, entry.value.as_str())),
            Some((5, "driver://%(u)s"))
        );
        assert_eq!(
            ini.get("options", "install_requires")
                .map(|entry| entry.value.as_str()),
            Some("\na>=1\nb")
        );
        assert_eq!(
            ini.get("options", "zip").map(|entry| entry.value.as_str()),
            Some("no")
        );
        assert_eq!(ini.section("alembic").map(|section| section.line), Some(2));
    }

    #[test]
    fn units_continue_by_backslash_and_keep_semicolons() {
        let text =
            "[Service]\nEnvironment=A=1\nEnvironment=B=2\nExecStart=/bin/a \\\n  --b ; /bin/c\nUser=x\n";
        let ini = parse(text);
        let section = ini.section("Service").expect("a section");
        assert_eq!(
            section
                .all("Environment")
                .map(|entry| entry.value.as_str())
                .collect::<Vec<_>>(),
            ["A=1", "B=2"]
        );
        assert_eq!(
            section.get("ExecStart").map(|entry| entry.value.as_str()),
            Some("/bin/a --b ; /bin/c")
        );
        assert_eq!(section.get("User").map(|entry| entry.line), Some(6));
    }

    #[test]
    fn indented_entries_of_git() {
        let ini = parse(
            "[remote \"origin\"]\n\turl = https://x\n\tfetch = +a:b\n[branch \"main\"]\n\tremote = origin\n",
        );
        assert_eq!(
            ini.get("remote \"origin\"", "fetch")
                .map(|entry| entry.value.as_str()),
            Some("+a:b")
        );
        assert_eq!(
            ini.get("branch \"main\"", "remote").map(|entry| entry.line),
            Some(5)
        );
    }
}
