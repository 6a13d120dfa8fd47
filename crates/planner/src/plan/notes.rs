//! Assumptions and open questions: known by id, numbered when a template cites them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::render::Templates;
use crate::target::TemplateError;

/// The words of an assumption (what is assumed, because of what) or a question (what is asked, which default is taken).
/// Markdown with template expressions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct NoteText {
    /// What is assumed, or the question.
    #[serde(alias = "question")]
    pub(crate) sentence: String,
    /// Why, or the default that is taken until there is an answer.
    #[serde(alias = "default")]
    pub(crate) because: String,
    /// The flag, parameter or measurement that settles it.
    pub(crate) settled_by: String,
}

/// The notes of a file of the folder with those of the target over them.
pub(super) fn collect(
    templates: &Templates,
    file: &str,
    own: &BTreeMap<String, NoteText>,
) -> Result<BTreeMap<String, NoteText>, TemplateError> {
    let mut notes: BTreeMap<String, NoteText> = templates.parse_file(file)?;
    notes.extend(own.iter().map(|(id, note)| (id.clone(), note.clone())));
    Ok(notes)
}
