//! Procfiles: a process type and its command a line.

use super::numbered_lines;

/// `name: command`.
pub(crate) struct Entry {
    /// Its line.
    pub(crate) line: u32,
    /// The process type, such as `web`.
    pub(crate) name: String,
    /// The command as written.
    pub(crate) command: String,
}

opaque_debug!(Entry);

/// The entries in order.
pub(crate) fn entries(text: &str) -> Vec<Entry> {
    let entry = |(line, content): (u32, &str)| {
        let (name, command) = content.trim().split_once(':')?;
        let name = name.trim_end();
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        let command = command.trim();
        (plain && !name.is_empty() && !command.is_empty()).then(|| Entry {
            line,
            name: name.to_owned(),
            command: command.to_owned(),
        })
    };
    numbered_lines(text).filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_types_and_commands() {
        let text = "\u{feff}# comment: no\r\nweb: gunicorn app:app --bind :$PORT\r\n\r\nrelease:python manage.py migrate\nempty:\nnot a process\n";
        let found: Vec<_> = entries(text)
            .into_iter()
            .map(|entry| (entry.line, entry.name, entry.command))
            .collect();
        let expected = [
            (2, "web", "gunicorn app:app --bind :$PORT"),
            (4, "release", "python manage.py migrate"),
        ];
        assert_eq!(
            found,
            expected.map(|(line, name, command)| (line, name.into(), command.into()))
        );
    }
}
