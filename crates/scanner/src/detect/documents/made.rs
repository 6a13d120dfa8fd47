//! Files that a document tells its reader to make: they are not in the repository, and commands that name them are right.

use std::collections::BTreeSet;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::{TABLE, is_shell, language_of};

/// Their names, sorted.
pub(super) fn names(text: &str) -> Vec<String> {
    let mut made = Made::default();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        made.see(&event);
    }
    made.names.into_iter().collect()
}

/// Gathers their names while a document is read.
#[derive(Default)]
struct Made {
    /// The text of the paragraph, item or cell that is open, else of the last one.
    passage: String,
    /// Inside a code block: is it one that shows a file, and was its first line seen?
    block: Option<(bool, bool)>,
    names: BTreeSet<String>,
}

impl Made {
    /// Takes in the next event of the document.
    fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(Tag::Paragraph | Tag::Item | Tag::Heading { .. } | Tag::TableRow) => {
                self.passage.clear();
            }
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::Heading(_) | TagEnd::TableRow)
                if announces(&self.passage) =>
            {
                self.take_passage();
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.as_ref(),
                    CodeBlockKind::Indented => "",
                };
                let shows_file = !is_shell(&language_of(info));
                if shows_file {
                    self.take_passage();
                }
                take(info, &mut self.names);
                self.block = Some((shows_file, false));
            }
            Event::End(TagEnd::CodeBlock) => self.block = None,
            Event::Text(text) | Event::Code(text) => match &mut self.block {
                None => {
                    self.passage.push_str(text);
                    self.passage.push(' ');
                }
                Some((true, first @ false)) => {
                    *first = true;
                    // `# values-prod.yaml` or `// server.js` at the head of a block names the file that it shows.
                    let line = text.lines().next().unwrap_or_default().trim();
                    if line.starts_with(['#', '/', ';', '<', '-']) {
                        take(line, &mut self.names);
                    }
                }
                Some(_) => {}
            },
            Event::SoftBreak | Event::HardBreak => self.passage.push(' '),
            _ => {}
        }
    }

    fn take_passage(&mut self) {
        take(&self.passage, &mut self.names);
    }
}

/// Does a passage speak of making something?
fn announces(passage: &str) -> bool {
    let lower = passage.to_ascii_lowercase();
    TABLE.as_ref().is_some_and(|table| {
        table
            .making_words
            .iter()
            .any(|word| lower.contains(word.as_str()))
    })
}

/// The names of files in a text, without their folders.
fn take(text: &str, names: &mut BTreeSet<String>) {
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-' | '_'))) {
        let name = word.rsplit('/').next().unwrap_or(word).trim_end_matches('.');
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let is_file = (1..=12).contains(&ending.len()) && ending.chars().any(|c| c.is_ascii_alphabetic())
            || name.ends_with("file") && name.len() > 4;
        if is_file && names.len() < crate::limits::FACTS_PER_FILE {
            names.insert(name.to_ascii_lowercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::documents::DETECTOR;
    use crate::testing::facts;

    #[test]
    fn names_of_files_that_the_reader_makes() {
        let told = facts(
            &DETECTOR,
            "
//- README.md
Run `tool.sh` to see the result of `other.py`.

Create `values-prod.yaml` first:

- Then save it as `deploy/.env.live`.

The file `shown.yml`:

```yaml
a: 1
```

```js
// server.js
x();
```

```sh
# not.txt
npm start
```
",
        );
        let names: Vec<&str> = told
            .made_files
            .iter()
            .flat_map(|fact| fact.names.iter().map(String::as_str))
            .collect();
        assert_eq!(names, [".env.live", "server.js", "shown.yml", "values-prod.yaml"]);
    }
}
