//! Runs the program in a clean environment, and lays fixtures out as checkouts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The day on which every plan of the tests is judged.
pub(crate) const DATE: &str = "2026-11-20";

/// What a run printed and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The project's folder.
pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .and_then(Path::parent)
        .expect("the crate lies in the workspace")
        .to_owned()
}

/// A command with nothing of the caller's environment but the search path, so that `NO_COLOR`, `CI` and the like
/// can't change a result.
pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_playbook"));
    command
        .args(arguments)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn finish(mut command: Command) -> Run {
    let output = command.output().expect("the program starts");
    Run {
        code: output.status.code().expect("the program was not killed"),
        stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
    }
}

/// Runs the program.
pub(crate) fn playbook<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    finish(command(arguments))
}

/// An empty folder of this name; what an earlier run left there is gone.
pub(crate) fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the folder of the last run can be removed");
    }
    fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

/// A folder with these files.
pub(crate) fn folder_of(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = empty_folder(name);
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }
    folder
}

/// Every file below a folder, relative to it, sorted.
pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let relative = path.strip_prefix(folder).expect("it lies below");
                found.push(relative.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// Compares a text with a file of the project, or writes it with `UPDATE=1`.
pub(crate) fn snapshot(path: &Path, text: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(());
    }
    let known = fs::read_to_string(path).unwrap_or_default();
    if known == text {
        return Ok(());
    }
    let mut lines = known.lines().zip(text.lines()).enumerate();
    let (line, before, now) = lines.find(|(_, (before, now))| before != now).map_or(
        (known.lines().count().min(text.lines().count()), "(end)", "(end)"),
        |(at, (a, b))| (at, a, b),
    );
    Err(format!(
        "{}:{} differs (UPDATE=1 writes it)\n  - {before}\n  + {now}",
        path.display(),
        line + 1
    ))
}

/// A fixture: a small repository with what must and must not be found in it.
#[derive(Debug)]
pub(crate) struct Case {
    /// The folder's name.
    pub(crate) name: String,
    /// Arguments of `analyze` beside the folder and the date.
    pub(crate) arguments: Vec<String>,
    /// The exit code.
    pub(crate) exit: i32,
    /// The ids of all services: these and no other.
    pub(crate) services: Vec<String>,
    /// The kinds of all datastores of production: these and no other.
    pub(crate) datastores: Vec<String>,
    /// Paths into the inventory with the value that must stand there: `services.id=api`.
    pub(crate) must_find: Vec<String>,
    /// The same for what must not stand there.
    pub(crate) must_not_find: Vec<String>,
    /// Secrets that are planted into the checkout, by name.
    pub(crate) canaries: BTreeMap<String, String>,
    /// The checkout.
    pub(crate) checkout: PathBuf,
}

impl Case {
    /// The folder with the case's description and snapshots.
    pub(crate) fn folder(&self) -> PathBuf {
        project().join("fixtures").join(&self.name)
    }

    /// Runs `analyze` on the checkout with the case's own arguments and more.
    pub(crate) fn analyze(&self, more: &[&str]) -> Run {
        let own = self.arguments.iter().map(String::as_str);
        self.run(own.chain(more.iter().copied()))
    }

    /// The same as `analyze`, run once for all tests that ask for it.
    pub(crate) fn analyzed(&self, more: &[&str]) -> Arc<Run> {
        let own = self.arguments.iter().map(String::as_str);
        self.once(own.chain(more.iter().copied()))
    }

    /// Runs `analyze` on the checkout, once, for a target, whatever the case's own arguments say.
    pub(crate) fn analyzed_for(&self, target: &str) -> Arc<Run> {
        self.once(["--target", target].into_iter())
    }

    /// A checkout of its own, for a test that changes it.
    pub(crate) fn own_checkout(&self, root: &Path) -> PathBuf {
        let checkout = root.join(&self.name);
        lay_out(&self.folder().join("repo"), &checkout, &self.canaries);
        checkout
    }

    fn once<'a>(&self, arguments: impl Iterator<Item = &'a str> + Clone) -> Arc<Run> {
        static KNOWN: Mutex<BTreeMap<Vec<String>, Arc<Run>>> = Mutex::new(BTreeMap::new());
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = vec![self.name.clone()];
        key.extend(arguments.clone().map(str::to_owned));
        let found = known().get(&key).cloned();
        found.unwrap_or_else(|| {
            let run = Arc::new(self.run(arguments));
            known().entry(key).or_insert(run).clone()
        })
    }

    fn run<'a>(&self, arguments: impl Iterator<Item = &'a str>) -> Run {
        let mut command = command(["analyze", "--date", DATE]);
        command.args(arguments).arg(&self.checkout);
        finish(command)
    }
}

/// Every fixture, laid out as a checkout.
pub(crate) fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        let root = empty_folder("checkouts");
        let mut names: Vec<String> = fs::read_dir(project().join("fixtures"))
            .expect("there are fixtures")
            .map(|entry| {
                entry
                    .expect("the entry can be read")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names.iter().map(|name| load(name, &root)).collect()
    })
}

fn load(name: &str, root: &Path) -> Case {
    let folder = project().join("fixtures").join(name);
    let text = fs::read_to_string(folder.join("case.toml")).expect("every fixture has a case.toml");
    let table: toml::Table = text.parse().expect("case.toml is TOML");
    for key in table.keys() {
        assert!(
            KEYS.contains(&key.as_str()),
            "{name}/case.toml: unknown key {key}"
        );
    }
    let list = |key: &str| -> Vec<String> {
        table
            .get(key)
            .and_then(toml::Value::as_array)
            .unwrap_or_else(|| panic!("{name}/case.toml: `{key}` is a list"))
            .iter()
            .map(|item| item.as_str().expect("a list of strings").to_owned())
            .collect()
    };
    let canaries: BTreeMap<String, String> = table
        .get("canaries")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten()
        .map(|(name, parts)| {
            let parts = parts.as_array().expect("a canary is a list of parts");
            (
                name.clone(),
                parts.iter().filter_map(toml::Value::as_str).collect(),
            )
        })
        .collect();
    let checkout = root.join(name);
    lay_out(&folder.join("repo"), &checkout, &canaries);
    Case {
        name: name.to_owned(),
        arguments: list("arguments"),
        exit: table
            .get("exit")
            .and_then(toml::Value::as_integer)
            .and_then(|code| i32::try_from(code).ok())
            .expect("case.toml names the exit code"),
        services: list("services"),
        datastores: list("datastores"),
        must_find: list("must_find"),
        must_not_find: list("must_not_find"),
        canaries,
        checkout,
    }
}

/// Copies a fixture's repository: `dot-git` becomes `.git`, `@@name@@` becomes the canary of that name.
fn lay_out(from: &Path, to: &Path, canaries: &BTreeMap<String, String>) {
    for file in files_below(from) {
        let target = to.join(file.replace("dot-git/", ".git/"));
        fs::create_dir_all(target.parent().expect("a file lies in a folder"))
            .expect("the folder can be made");
        let mut text = fs::read_to_string(from.join(&file)).expect("fixtures are text");
        for (name, value) in canaries {
            text = text.replace(&format!("@@{name}@@"), value);
        }
        fs::write(target, text).expect("the file can be written");
    }
}

/// The keys of a case.toml.
const KEYS: [&str; 8] = [
    "description",
    "arguments",
    "exit",
    "services",
    "datastores",
    "must_find",
    "must_not_find",
    "canaries",
];

/// The ids of all targets.
pub(crate) fn targets() -> Vec<String> {
    let run = playbook(["targets"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}
