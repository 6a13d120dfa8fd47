//! What the program asks of the system, seen from outside: every system call of a run over all fixtures and over a
//! hostile tree stands on a list of calls that read, and every name that is opened lies below the analysed folder or on
//! a list of the loader's and the runtime's own files.
//!
//! Needs `strace`. Where it is missing the test says so; on a CI machine (`CI` is set, as `.ci/run` does) it fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hostile::trees;

use crate::support::{DATE, cases, empty_folder, folder_of};

/// Calls that change nothing outside of the process, whatever their arguments are.
const HARMLESS: [&str; 54] = [
    "access",
    "arch_prctl",
    "brk",
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "close",
    "exit",
    "exit_group",
    "faccessat",
    "faccessat2",
    "fstat",
    "futex",
    "getcwd",
    "getdents64",
    "getegid",
    "geteuid",
    "getgid",
    "getpid",
    "getrandom",
    "gettid",
    "getuid",
    "lseek",
    "lstat",
    "madvise",
    "membarrier",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "nanosleep",
    "newfstatat",
    "poll",
    "pread64",
    "prlimit64",
    "read",
    "readlink",
    "readlinkat",
    "readv",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "set_tid_address",
    "sigaltstack",
    "stat",
    "statx",
    "sysinfo",
    "uname",
    "getrlimit",
];

/// Calls that are judged by their arguments.
const JUDGED: [&str; 10] = [
    "clone", "clone3", "dup", "execve", "fcntl", "ioctl", "open", "openat", "prctl", "write",
];

/// Those of the harmless calls that take a name.
const NAMING: [&str; 9] = [
    "access",
    "faccessat",
    "faccessat2",
    "lstat",
    "newfstatat",
    "readlink",
    "readlinkat",
    "stat",
    "statx",
];

/// What the loader, the allocator and the standard library read for themselves: libraries, the number of processors that
/// the machine and its control group grant.
const OWN_FILES: [&str; 13] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/lib/",
    "/lib64/",
    "/usr/lib/",
    "/usr/lib64/",
    "/usr/local/lib/",
    "/proc/self/",
    "/proc/stat",
    "/proc/cpuinfo",
    "/sys/fs/cgroup/",
    "/sys/devices/system/cpu",
    "/proc/sys/vm/overcommit_memory",
];

/// Is `strace` there and allowed to work? A machine without it is no place for this test, unless it is CI's.
fn strace_works() -> bool {
    let trial = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let works = trial.is_ok_and(|status| status.success());
    assert!(
        works || std::env::var_os("CI").is_none(),
        "strace is missing or may not trace: .ci/run installs it with apt-get"
    );
    works
}

/// Runs `analyze` under `strace`; gives back the lines of the trace.
fn trace(folder: &Path, format: &str) -> Vec<String> {
    let outputs = empty_folder(&format!("trace-{format}"));
    let log = outputs.join("trace");
    let output = |name: &str| Stdio::from(fs::File::create(outputs.join(name)).expect("a file can be made"));
    let status = Command::new("strace")
        .args(["-f", "-qq", "-s", "4096", "-o"])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_playbook"))
        .args(["analyze", "--date", DATE, "--format", format])
        .arg(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null())
        .stdout(output("stdout"))
        .stderr(output("stderr"))
        .status()
        .expect("strace starts");
    assert!(
        matches!(status.code(), Some(0 | 3)),
        "{:?}",
        fs::read_to_string(outputs.join("stderr"))
    );
    fs::read_to_string(log)
        .expect("the trace is text")
        .lines()
        .map(str::to_owned)
        .collect()
}

/// What is wrong with a trace. `root` is the analysed folder.
fn breaches(lines: &[String], root: &Path) -> Vec<String> {
    let root = root.canonicalize().expect("the folder is there");
    let mut found = Vec::new();
    let mut started = 0;
    for line in lines {
        // `1234  openat(AT_FDCWD, "…", O_RDONLY) = 3`; the end of an interrupted call comes on a line of its own.
        let Some((_, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        if call.starts_with("<...") || call.starts_with("---") || call.starts_with("+++") {
            continue;
        }
        let Some((name, arguments)) = call.split_once('(') else {
            continue;
        };
        if !HARMLESS.contains(&name) && !JUDGED.contains(&name) {
            found.push(format!("{name} is no call that reads: {call}"));
            continue;
        }
        let fine = match name {
            "execve" => {
                started += 1;
                started == 1
            }
            // A thread of this process, no process of its own.
            "clone" | "clone3" => arguments.contains("CLONE_THREAD"),
            "write" => arguments.starts_with("1,") || arguments.starts_with("2,"),
            "dup" => true,
            "fcntl" => ["F_GETFD", "F_GETFL", "F_DUPFD_CLOEXEC", "F_SETFD"]
                .iter()
                .any(|what| arguments.contains(what)),
            // Is this a terminal, and how wide is it?
            "ioctl" => arguments.contains("TCGETS") || arguments.contains("TIOCGWINSZ"),
            "prctl" => arguments.contains("PR_SET_NAME") || arguments.contains("PR_SET_VMA"),
            "open" | "openat" => only_reads(arguments) && may_open(arguments, &root),
            _ if NAMING.contains(&name) => looks_inside(arguments, &root),
            _ => true,
        };
        if !fine {
            found.push(call.to_owned());
        }
    }
    if started == 0 {
        found.push("the trace does not show the start of the program".to_owned());
    }
    found
}

fn only_reads(arguments: &str) -> bool {
    arguments.contains("O_RDONLY")
        && ![
            "O_WRONLY",
            "O_RDWR",
            "O_CREAT",
            "O_TRUNC",
            "O_APPEND",
            "O_TMPFILE",
            "O_PATH",
        ]
        .iter()
        .any(|flag| arguments.contains(flag))
}

/// The name in quotes among the arguments of a call.
fn named(arguments: &str) -> Option<&str> {
    let (_, rest) = arguments.split_once('"')?;
    rest.split_once('"').map(|(name, _)| name)
}

fn may_open(arguments: &str, root: &Path) -> bool {
    let Some(name) = named(arguments) else {
        return false;
    };
    let path = PathBuf::from(name);
    let climbs = path
        .components()
        .any(|part| part == std::path::Component::ParentDir);
    !climbs && (path.starts_with(root) || is_own(name))
}

/// Looking at a name is allowed for the folders above the analysed one too: that is how a path is made absolute.
fn looks_inside(arguments: &str, root: &Path) -> bool {
    let Some(name) = named(arguments).filter(|name| name.starts_with('/')) else {
        return true;
    };
    let path = Path::new(name);
    path.starts_with(root) || root.starts_with(path) || is_own(name)
}

fn is_own(name: &str) -> bool {
    // The program itself, for the messages of its panics.
    OWN_FILES.iter().any(|own| name.starts_with(own))
        || Path::new(name) == Path::new(env!("CARGO_BIN_EXE_playbook"))
}

#[test]
fn the_fixtures_are_only_read() {
    if !strace_works() {
        return;
    }
    let checkouts = cases()
        .first()
        .and_then(|case| case.checkout.parent())
        .expect("there are fixtures");
    for format in ["markdown", "json"] {
        let lines = trace(checkouts, format);
        let opened = lines.iter().filter(|line| line.contains("openat(")).count();
        assert!(
            opened > 300,
            "{opened} files were opened: the trace is not that of a scan"
        );
        let wrong = breaches(&lines, checkouts);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// Links out, special files, settings and git files that name other places and programs.
#[test]
fn a_hostile_tree_is_only_read() {
    if !strace_works() {
        return;
    }
    let elsewhere = folder_of(
        "read-only-elsewhere",
        &[("Dockerfile", "FROM a\n"), ("HEAD", "ref: refs/heads/x\n")],
    );
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("read-only");
    trees::remove(&folder).expect("what the last run left can be removed");
    let folder = folder_of(
        "read-only",
        &[
            ("Procfile", "web: $(touch /tmp/x) ../../bin/serve\n"),
            (".git/HEAD", "ref: refs/heads/../../../../../etc/passwd\n"),
            (
                ".git/config",
                "[core]\n\tfsmonitor = \"touch /tmp/x\"\n\tworktree = /\n[include]\n\tpath = /etc/passwd\n[remote \"origin\"]\n\turl = ext::sh -c touch\n",
            ),
            (".git/commondir", "/etc\n"),
            (
                ".gitmodules",
                "[submodule \"x\"]\n\tpath = ../../..\n\turl = file:///etc\n",
            ),
            ("sub/.git", &format!("gitdir: {}\n", elsewhere.display())),
            (
                "compose.yaml",
                "include: [/etc/passwd, ../elsewhere/compose.yaml]\nservices:\n  a:\n    extends: {file: /etc/passwd, service: a}\n    env_file: [/proc/self/environ, ../../.env]\n    build: {context: ../../.., dockerfile: /etc/passwd}\n",
            ),
            (
                "requirements.txt",
                "-r /etc/passwd\n-r ../../../etc/passwd\n-e file:///etc\n",
            ),
            (
                "package.json",
                "{\"workspaces\": [\"/\", \"../../*\"], \"scripts\": {\"preinstall\": \"touch /tmp/x\"}}",
            ),
            (
                "main.tf",
                "module \"a\" {\n  source = \"/etc\"\n}\nlocals {\n  a = file(\"/etc/passwd\")\n}\n",
            ),
            (
                "nginx.conf",
                "include /etc/nginx/*.conf;\nserver { listen 80; }\n",
            ),
            ("Makefile", "include /etc/passwd\nX := $(shell touch /tmp/x)\n"),
            (
                "kustomization.yaml",
                "resources: [/etc, ../.., \"https://example.com/x\"]\n",
            ),
            (
                "chart/Chart.yaml",
                "apiVersion: v2\nname: a\ndependencies: [{name: b, repository: \"file:///etc\"}]\n",
            ),
            (
                "tsconfig.json",
                "{\"extends\": \"/etc/passwd\", \"references\": [{\"path\": \"../../..\"}]}",
            ),
            (".gitignore", "!/etc\n../*\n"),
            (
                "pom.xml",
                "<project><parent><relativePath>../../../etc</relativePath></parent><modules><module>/etc</module></modules></project>",
            ),
        ],
    );
    for (to, from) in [
        ("/etc/passwd", "Dockerfile"),
        ("/", "everything"),
        ("..", "up"),
        ("me", "me"),
        ("/etc/passwd", ".ignore"),
    ] {
        std::os::unix::fs::symlink(to, folder.join(from)).expect("a link can be made");
    }
    assert!(
        trees::pipe(&folder.join(".env")).expect("mkfifo starts"),
        "mkfifo works"
    );
    for format in ["markdown", "json"] {
        let wrong = breaches(&trace(&folder, format), &folder);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// A program that does what ours must not is caught: without this, a trace that is read wrongly would pass for ever.
#[test]
fn a_breach_would_be_seen() {
    let root = folder_of("breaches", &[("a", "b")]);
    let inside = root.canonicalize().expect("the folder is there").join("a");
    let fine = format!(
        "1  execve(\"/x/playbook\", [\"playbook\"], 0x7 /* 1 var */) = 0\n1  openat(AT_FDCWD, \"{}\", O_RDONLY|O_CLOEXEC) = 3\n1  write(1, \"# Plan\", 6) = 6\n1  +++ exited with 0 +++",
        inside.display()
    );
    let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    assert_eq!(breaches(&lines(&fine), &root), Vec::<String>::new());
    for breach in [
        "1  socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3".to_owned(),
        "1  connect(3, {sa_family=AF_INET}, 16) = 0".to_owned(),
        "1  execve(\"/usr/bin/git\", [\"git\"], 0x7 /* 1 var */) = 0".to_owned(),
        "1  clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 2".to_owned(),
        "1  vfork() = 2".to_owned(),
        "1  openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3".to_owned(),
        format!(
            "1  openat(AT_FDCWD, \"{}\", O_WRONLY|O_CREAT, 0666) = 3",
            inside.display()
        ),
        format!(
            "1  openat(AT_FDCWD, \"{}/../../x\", O_RDONLY) = 3",
            root.display()
        ),
        format!("1  unlink(\"{}\") = 0", inside.display()),
        "1  statx(AT_FDCWD, \"/home/somebody/.netrc\", AT_STATX_SYNC_AS_STAT, STATX_ALL, 0x7) = 0".to_owned(),
        "1  write(3, \"x\", 1) = 1".to_owned(),
    ] {
        let wrong = breaches(&lines(&format!("{fine}\n{breach}")), &root);
        assert_eq!(wrong.len(), 1, "{breach}: {wrong:?}");
    }
}
