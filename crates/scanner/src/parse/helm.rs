//! Helm templates: template actions are masked so that a YAML parser can read what is left.

/// What stands in place of an action inside a value. It starts no YAML construct.
pub(crate) const PLACEHOLDER: &str = "__template__";

/// The text with `{{ … }}` masked: comments vanish, lines that hold only actions become empty, any other action becomes
/// [`PLACEHOLDER`]. Line numbers stay. A text without actions comes back as it is.
pub(crate) fn mask(text: &str) -> String {
    render(text, &|_| None)
}

/// What stands in place of an action.
pub(crate) enum Rendered {
    /// A value inside a line.
    Scalar(String),
    /// A list or object in flow notation, with the depth that its block has.
    Block(String, usize),
}

/// The text with the actions that a function knows in place; what it doesn't know is masked as [`mask`] does. The
/// function gets what stands between the braces, without dashes and spaces.
pub(crate) fn render(text: &str, known: &dyn Fn(&str) -> Option<Rendered>) -> String {
    if !text.contains("{{") {
        return text.to_owned();
    }
    let mut masked = String::with_capacity(text.len());
    // Whether an action is open after the line before.
    let mut open = false;
    for line in text.split_inclusive('\n') {
        let (content, end) = match line.strip_suffix("\r\n") {
            Some(content) => (content, "\r\n"),
            None => line
                .strip_suffix('\n')
                .map_or((line, ""), |content| (content, "\n")),
        };
        masked.push_str(&mask_line(content, &mut open, known));
        masked.push_str(end);
    }
    masked
}

fn mask_line(line: &str, open: &mut bool, known: &dyn Fn(&str) -> Option<Rendered>) -> String {
    let mut kept = String::new();
    let mut literal = false;
    let mut rest = line;
    let mut actions = false;
    loop {
        if *open {
            actions = true;
            match rest.find("}}") {
                Some(at) => {
                    rest = super::tail(rest, at + 2);
                    *open = false;
                }
                None => break,
            }
        }
        let Some(at) = rest.find("{{") else {
            literal |= !rest.trim().is_empty();
            kept.push_str(rest);
            break;
        };
        let before = super::slice(rest, 0, at);
        literal |= !before.trim().is_empty();
        kept.push_str(before);
        rest = super::tail(rest, at + 2);
        let inner = rest.trim_start_matches('-').trim_start();
        if !inner.starts_with("/*") && !is_control(inner) {
            let action = inner
                .split_once("}}")
                .map(|(action, _)| action.trim_end().trim_end_matches('-').trim_end());
            match action.and_then(known) {
                Some(Rendered::Scalar(value)) => kept.push_str(&value),
                // It stands on a line of its own, or after its key.
                Some(Rendered::Block(value, depth)) => {
                    if !literal {
                        kept = " ".repeat(depth.min(200));
                        literal = true;
                    }
                    kept.push_str(&value);
                }
                None => kept.push_str(PLACEHOLDER),
            }
        }
        *open = true;
    }
    if actions && !literal {
        return String::new();
    }
    kept
}

/// Whether an action prints nothing by itself.
fn is_control(action: &str) -> bool {
    let word: &str = action
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '$')
        .next()
        .unwrap_or("");
    match word {
        "if" | "else" | "end" | "range" | "with" | "define" | "block" | "break" | "continue" => true,
        // `$name := value` assigns.
        _ if word.starts_with('$') => action
            .split("}}")
            .next()
            .is_some_and(|action| action.contains(":=")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::yaml;

    #[test]
    fn lines_stay_and_the_rest_parses() {
        let text = "{{- if .Values.x }}\r\napiVersion: v1\r\nkind: {{ .Values.kind }}\r\n{{/* a\r\nb: c */}}\r\nmetadata:\r\n  name: {{ include \"n\" . }}-web\r\n  {{- with .Values.l }}\r\n  labels: {{ toYaml . | nindent 4 }}\r\n  {{- end }}\r\nport: \"{{ .Values.port }}\"\r\n{{- end }}\r\n";
        let masked = mask(text);
        assert_eq!(masked.lines().count(), text.lines().count());
        let (documents, problem) = yaml::documents(&masked);
        assert_eq!(problem, None);
        let name = documents[0].path(&["metadata", "name"]).expect("a name");
        assert_eq!((name.text(), name.line()), (Some("__template__-web"), 7));
        assert_eq!(documents[0].get_entry("port").map(|(line, _)| line), Some(11));
    }

    #[test]
    fn control_inside_a_line_vanishes() {
        assert_eq!(mask("a: {{ if .x }}1{{ else }}2{{ end }}"), "a: 12");
        assert_eq!(mask("a: {{ $x := 1 }}b"), "a: b");
        assert_eq!(mask("a: {{ $x }}"), "a: __template__");
    }

    #[test]
    fn unclosed_actions_end_with_the_text() {
        assert_eq!(mask("a: 1\nb: {{ x\nc: é"), "a: 1\nb: __template__\n");
    }
}
