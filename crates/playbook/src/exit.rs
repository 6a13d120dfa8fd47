//! Exit codes: what a script learns without reading the output.

use std::process::ExitCode;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// It could not run.
    Failed,
    /// The arguments are wrong.
    Usage,
    /// Nothing in the folder can be deployed.
    NothingDeployable,
    /// Findings at or above `--fail-on`.
    Findings,
    /// The finished text was held back.
    Refused,
}

impl Exit {
    /// Every way to end, by code.
    pub(crate) const ALL: [Self; 6] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::NothingDeployable,
        Self::Findings,
        Self::Refused,
    ];

    /// The process's status.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NothingDeployable => 3,
            Self::Findings => 10,
            Self::Refused => 20,
        }
    }

    /// What it means, for the help and the documentation.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "could not run: folder missing, configuration invalid, output not writable",
            Self::Usage => "wrong arguments",
            Self::NothingDeployable => "nothing deployable found; the short plan says what was looked at",
            Self::Findings => "findings at or above --fail-on; the plan is printed",
            Self::Refused => "refused to print: a possible secret or a malformed text, a bug in playbook",
        }
    }

    /// The table of all codes that ends the help.
    pub(crate) fn table() -> String {
        use std::fmt::Write as _;

        let mut text = String::from("Exit codes:\n");
        for exit in Self::ALL {
            // Writing to a String can't fail.
            let _ = writeln!(text, "  {:>2}  {}", exit.code(), exit.meaning());
        }
        text.truncate(text.trim_end().len());
        text
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_documented_ones_and_differ() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 10, 20]);
    }

    #[test]
    fn the_table_has_a_line_a_code() {
        let table = Exit::table();
        assert_eq!(table.lines().count(), 1 + Exit::ALL.len());
        assert!(table.contains("\n  20  refused to print"), "{table}");
    }
}
