//! The state of version control, read from `.git` without running a program. A `.git` file that points out of the
//! analysed folder is not followed: another repository's branch and remote are not this one's.

use playbook_core::harmless::{CommitId, HttpUrl, Name};
use playbook_core::inventory::Vcs;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::index::FileIndex;
use crate::parse::ini;

/// Commit, branch and remote of the analysed folder.
pub(crate) fn vcs(index: &FileIndex) -> Vcs {
    let read = |path: &RelPath| index.read(path).ok();
    let Some(folder) = git_folder(&read) else {
        return Vcs::default();
    };
    let at = |name: &str| folder.join(name).and_then(|path| read(&path));
    let Some(head) = at("HEAD") else {
        return Vcs::default();
    };
    let head = head.trim();
    let reference = head.strip_prefix("ref:").map(str::trim);
    let commit = match reference {
        None => commit_id(head),
        Some(reference) => at(reference)
            .and_then(|text| commit_id(text.trim()))
            .or_else(|| at("packed-refs").and_then(|text| packed(&text, reference))),
    };
    let branch = reference
        .and_then(|reference| reference.strip_prefix("refs/heads/"))
        .and_then(|branch| Name::parse(Raw::new(branch)))
        .map(Shown::from);
    let remote = at("config").and_then(|text| {
        let config = ini::parse(&text);
        let section = config
            .sections
            .iter()
            .find(|section| section.name.replace(' ', "") == "remote\"origin\"")?;
        HttpUrl::parse(Raw::new(section.get("url")?.value.trim())).map(Shown::from)
    });
    Vcs {
        commit,
        branch,
        remote,
    }
}

/// `.git`, or the folder inside the analysed one that a `.git` file names.
fn git_folder(read: &dyn Fn(&RelPath) -> Option<String>) -> Option<RelPath> {
    let usual = RelPath::new(".git")?;
    match read(&usual) {
        None => Some(usual),
        Some(text) => RelPath::new(text.trim().strip_prefix("gitdir:")?.trim()).filter(|path| {
            // `RelPath` refuses what leads out; an absolute path is another place as well.
            !path.is_root() && !text.contains("gitdir: /")
        }),
    }
}

fn commit_id(text: &str) -> Option<Shown> {
    CommitId::parse(Raw::new(text)).map(Shown::from)
}

fn packed(text: &str, reference: &str) -> Option<Shown> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, name)| *name == reference)
        .and_then(|(id, _)| commit_id(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn of(files: &[(&str, &str)]) -> (Option<String>, Option<String>, Option<String>) {
        let vcs = vcs(&FileIndex::of_texts(files.iter().copied()));
        let text = |shown: Option<Shown>| shown.map(|shown| shown.to_string());
        (text(vcs.commit), text(vcs.branch), text(vcs.remote))
    }

    #[test]
    fn branch_commit_and_remote_without_credentials() {
        let found = of(&[
            (".git/HEAD", "ref: refs/heads/main\n"),
            (".git/refs/heads/main", &format!("{ID}\n")),
            (
                ".git/config",
                "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = https://user:hunter22@git.example.com/a/b.git\n",
            ),
        ]);
        assert_eq!(found.0.as_deref(), Some(ID));
        assert_eq!(found.1.as_deref(), Some("main"));
        assert_eq!(found.2.as_deref(), Some("https://git.example.com/a/b.git"));
    }

    #[test]
    fn packed_and_detached() {
        let packed = format!("# pack-refs\n{ID} refs/heads/x\n");
        let found = of(&[(".git/HEAD", "ref: refs/heads/x"), (".git/packed-refs", &packed)]);
        assert_eq!(found.0.as_deref(), Some(ID));
        assert_eq!(of(&[(".git/HEAD", ID)]), (Some(ID.to_owned()), None, None));
    }

    #[test]
    fn a_link_out_of_the_folder_is_not_followed() {
        for link in ["gitdir: ../other/.git\n", "gitdir: /srv/other/.git\n"] {
            let found = of(&[
                (".git", link),
                ("srv/other/.git/HEAD", "ref: refs/heads/secret"),
                ("other/.git/HEAD", "ref: refs/heads/secret"),
            ]);
            assert_eq!(found, (None, None, None));
        }
    }
}
