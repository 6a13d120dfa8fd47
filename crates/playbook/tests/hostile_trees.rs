//! Trees that mean harm: whatever lies in the folder, the run ends soon, in little memory, with a plan of what is sound
//! and a report of what was left out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use hostile::{texts, trees};
use wait4::Wait4;

use crate::support::{command, empty_folder};

/// The most that any run may take: memory by the promise, time for a build without optimisation on a busy machine.
const MEMORY: u64 = 512 * 1024 * 1024;
const TIME: Duration = Duration::from_secs(180);

/// What a run printed and what it cost.
struct Measured {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    memory: u64,
    took: Duration,
}

/// Runs `analyze`, with its output in files: a pipe that nobody reads would stop it.
fn analyze(folder: &Path, more: &[&str]) -> Measured {
    let name = folder
        .file_name()
        .expect("the folder has a name")
        .to_string_lossy()
        .into_owned();
    let outputs = empty_folder(&format!("{name}-output"));
    let file = |name: &str| fs::File::create(outputs.join(name)).expect("a file can be made");
    let mut command = command(["analyze", "--date", "2026-11-20", "-v"]);
    command
        .args(more)
        .arg(folder)
        .stdout(Stdio::from(file("stdout")))
        .stderr(Stdio::from(file("stderr")));
    let began = Instant::now();
    let mut running = command.spawn().expect("the program starts");
    let usage = running.wait4().expect("the program ends");
    let read = |name: &str| fs::read_to_string(outputs.join(name)).expect("output is UTF-8");
    Measured {
        code: usage.status.code(),
        stdout: read("stdout"),
        stderr: read("stderr"),
        memory: usage.rusage.maxrss,
        took: began.elapsed(),
    }
}

/// Runs both formats and holds what every run must hold; gives back the JSON.
fn survives(folder: &Path) -> serde_json::Value {
    let run_as = |format: &str| {
        let run = analyze(folder, &["--format", format]);
        let what = format!("{} as {format}", folder.display());
        assert!(
            matches!(run.code, Some(0 | 3)),
            "{what}: {:?} {}",
            run.code,
            run.stderr
        );
        assert!(run.took < TIME, "{what}: {:?}", run.took);
        assert!(run.memory < MEMORY, "{what}: {} MB", run.memory >> 20);
        for text in [&run.stdout, &run.stderr] {
            assert!(
                !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'),
                "{what}: a control character was printed"
            );
        }
        run
    };
    let _ = run_as("markdown");
    let json: serde_json::Value = serde_json::from_str(&run_as("json").stdout).expect("the output is JSON");
    assert!(
        !kinds(&json).contains(&"detector-failed".to_owned()),
        "{}",
        folder.display()
    );
    json
}

/// The kinds of all diagnostics.
fn kinds(json: &serde_json::Value) -> Vec<String> {
    let list = json["diagnostics"].as_array().expect("diagnostics are a list");
    list.iter()
        .map(|diagnostic| diagnostic["kind"].as_str().expect("a kind is a word").to_owned())
        .collect()
}

/// The kinds of diagnostics for paths that begin like this.
fn told(json: &serde_json::Value, path: &str) -> Vec<String> {
    let list = json["diagnostics"].as_array().expect("diagnostics are a list");
    list.iter()
        .filter(|diagnostic| {
            diagnostic["path"]
                .as_str()
                .is_some_and(|known| known.starts_with(path))
        })
        .map(|diagnostic| diagnostic["kind"].as_str().expect("a kind is a word").to_owned())
        .collect()
}

/// A folder with a sound service in it.
fn with_a_service(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    trees::remove(&folder).expect("what the last run left can be removed");
    put(&folder.join("sound/Procfile"), b"web: node server.js\n");
    put(
        &folder.join("sound/package.json"),
        b"{\"name\": \"sound\", \"dependencies\": {\"express\": \"5.0.0\"}}\n",
    );
    folder
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("the folder can be made");
    fs::write(path, bytes).expect("the file can be written");
}

fn has_the_service(json: &serde_json::Value) {
    let services = json["services"].as_array().expect("services are a list");
    assert!(
        services.iter().any(|service| service["path"] == "sound"),
        "the sound service is lost: {services:#?}"
    );
}

#[test]
fn special_files() {
    let folder = with_a_service("special-files");
    fs::create_dir_all(folder.join("odd")).expect("the folder can be made");
    assert!(
        trees::pipe(&folder.join("odd/Dockerfile")).expect("mkfifo starts"),
        "mkfifo works"
    );
    let device = trees::device(&folder.join("odd/Makefile")).expect("mknod starts");
    let socket = std::os::unix::net::UnixListener::bind(folder.join("odd/Procfile"));
    trees::sparse(&folder.join("odd/package.json"), 1 << 40).expect("a sparse file can be made");
    let link = |to: &str, from: &str| {
        std::os::unix::fs::symlink(to, folder.join(from)).expect("a link can be made");
    };
    link("..", "odd/up");
    link("loop", "odd/loop");
    link("/proc/self/environ", "odd/.env");
    link("/", "odd/root");
    link("nowhere", "odd/compose.yaml");
    link("../../../../../../../../etc/passwd", "odd/requirements.txt");
    let json = survives(&folder);
    has_the_service(&json);
    assert_eq!(told(&json, "odd/Dockerfile"), ["special-file"]);
    assert_eq!(told(&json, "odd/package.json"), ["file-too-large"]);
    assert_eq!(told(&json, "odd/root"), ["link"]);
    assert_eq!(told(&json, "odd/loop"), ["link"]);
    if device {
        assert_eq!(told(&json, "odd/Makefile"), ["special-file"]);
    }
    if socket.is_ok() {
        assert_eq!(told(&json, "odd/Procfile"), ["special-file"]);
    }
    let printed = analyze(&folder, &["--format", "json"]).stdout;
    assert!(!printed.contains("root:x:0"));
    trees::remove(&folder).expect("the tree can be removed");
}

/// The rules of ignore files are compiled by a library, which opens what is there and reads it whole.
#[test]
fn ignore_files() {
    let rules = |count: usize| {
        let lines: Vec<String> = (0..count).map(|at| format!("/build{at}/**/*.[oa]\n")).collect();
        lines.concat()
    };
    for kind in ["pipe", "link", "large", "many"] {
        let folder = with_a_service(&format!("ignore-files-{kind}"));
        fs::create_dir_all(folder.join("odd")).expect("the folder can be made");
        let file = folder.join("odd/.gitignore");
        match kind {
            "pipe" => assert!(trees::pipe(&file).expect("mkfifo starts"), "mkfifo works"),
            "link" => std::os::unix::fs::symlink("/dev/zero", &file).expect("a link can be made"),
            "large" => put(&file, rules(100_000).as_bytes()),
            _ => {
                for at in 0..60 {
                    put(
                        &folder.join(format!("odd/d{at}/.gitignore")),
                        rules(2_000).as_bytes(),
                    );
                }
            }
        }
        let json = survives(&folder);
        has_the_service(&json);
        let expected = match kind {
            "pipe" => "special-file",
            "link" => "link",
            "large" => "file-too-large",
            // All of them together, so that no file is named.
            _ => "too-complex",
        };
        assert!(
            kinds(&json).contains(&expected.to_owned()),
            "{kind}: {:?}",
            kinds(&json)
        );
        trees::remove(&folder).expect("the tree can be removed");
    }
}

/// Files of the system report a size of zero, or more than there is.
#[cfg(target_os = "linux")]
#[test]
fn files_of_the_system() {
    for folder in ["/proc/sys/kernel", "/sys/kernel", "/dev/shm"] {
        if Path::new(folder).is_dir() {
            let run = analyze(Path::new(folder), &["--format", "json"]);
            assert_eq!(run.code, Some(3), "{folder}: {}", run.stderr);
        }
    }
}

#[test]
fn deep_folders_and_names_of_any_bytes() {
    use std::os::unix::ffi::OsStrExt as _;

    let folder = with_a_service("deep-and-odd");
    trees::deep(&folder, 1_000).expect("the folders can be made");
    let names: [&[u8]; 12] = [
        b"\xff\xfe.py",
        b"new\nline.py",
        b"\x1b[31mred.py",
        b"-rf.py",
        b"::error::x.py",
        b"back\\slash.py",
        "right\u{202e}left.py".as_bytes(),
        "wide\u{200b}.py".as_bytes(),
        b"`$(reboot)`.py",
        b"<script>.py",
        b"a|b.py",
        b"\x01.py",
    ];
    for name in names {
        put(
            &folder.join("odd").join(std::ffi::OsStr::from_bytes(name)),
            b"import os\nos.environ[\"ODD_NAME\"]\n",
        );
    }
    put(
        &folder
            .join("long")
            .join("n".repeat(250))
            .join("m".repeat(250))
            .join("Procfile"),
        b"web: node a.js\n",
    );
    let json = survives(&folder);
    has_the_service(&json);
    let kinds = kinds(&json);
    assert!(kinds.contains(&"too-deep".to_owned()), "{kinds:?}");
    assert!(kinds.contains(&"odd-name".to_owned()), "{kinds:?}");
    trees::remove(&folder).expect("the tree can be removed");
}

#[test]
fn encodings() {
    let folder = with_a_service("encodings");
    let manifest =
        |name: &str| format!("{{\"name\": \"{name}\", \"dependencies\": {{\"express\": \"5.0.0\"}}}}");
    let wide = |text: &str, swap: bool| -> Vec<u8> {
        std::iter::once(0xfeff_u16)
            .chain(text.encode_utf16())
            .flat_map(|unit| {
                if swap {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    put(
        &folder.join("little/package.json"),
        &wide(&manifest("little"), false),
    );
    put(&folder.join("big/package.json"), &wide(&manifest("big"), true));
    put(
        &folder.join("marked/package.json"),
        format!("\u{feff}{}", manifest("marked")).as_bytes(),
    );
    put(&folder.join("nul/package.json"), b"{\"name\": \"nul\0\"}");
    put(
        &folder.join("broken/package.json"),
        b"{\"name\": \"bro\xff\xc3ken\", \"dependencies\": {\"express\": \"5\"}}",
    );
    put(&folder.join("half/package.json"), b"\xff\xfe{");
    put(&folder.join("empty/package.json"), b"");
    let json = survives(&folder);
    has_the_service(&json);
    let found: Vec<&str> = json["manifests"]
        .as_array()
        .expect("manifests are a list")
        .iter()
        .filter_map(|manifest| manifest["path"].as_str())
        .collect();
    for name in ["little", "big", "marked", "broken"] {
        assert!(
            found.contains(&format!("{name}/package.json").as_str()),
            "{name}: {found:?}"
        );
    }
    assert_eq!(told(&json, "nul/"), ["not-text"]);
}

/// Folders and files that can't be read. The superuser reads everything, so nothing is asserted of those.
#[test]
fn unreadable_and_vanishing_files() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = with_a_service("unreadable");
    for path in ["shut/Procfile", "locked/Dockerfile"] {
        put(&folder.join(path), b"FROM a\n");
    }
    let close = |path: &str| {
        fs::set_permissions(folder.join(path), fs::Permissions::from_mode(0o0)).expect("the mode can be set");
    };
    close("shut/Procfile");
    close("locked");
    let readable = fs::read(folder.join("shut/Procfile")).is_ok();
    let json = survives(&folder);
    has_the_service(&json);
    if !readable {
        assert_eq!(told(&json, "shut/Procfile"), ["unreadable"]);
        assert!(kinds(&json).iter().filter(|kind| *kind == "unreadable").count() >= 2);
    }
    fs::set_permissions(folder.join("locked"), fs::Permissions::from_mode(0o755))
        .expect("the mode can be set");

    // Somebody else works in the tree at the same time: files become pipes, links and nothing.
    let busy = folder.join("busy");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0_usize;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                turn += 1;
                let at = busy.join(format!("d{}", turn % 40)).join("Dockerfile");
                let _ = fs::create_dir_all(at.parent().expect("a file lies in a folder"));
                let _ = fs::remove_file(&at);
                let _ = match turn % 3 {
                    0 => fs::write(&at, b"FROM a\nCMD [\"b\"]\n"),
                    1 => std::os::unix::fs::symlink("/etc/passwd", &at),
                    _ => fs::remove_dir_all(at.parent().expect("a file lies in a folder")),
                };
            }
        });
        for _ in 0..4 {
            let run = analyze(&folder, &["--format", "json"]);
            assert_eq!(run.code, Some(0), "{}", run.stderr);
            assert!(!run.stdout.contains("root:x:0"));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// A line of 50 MB, a million lines, ten thousand services, a hundred thousand variables: what is too much is reported,
/// and everything else is there.
#[test]
fn large_files() {
    let folder = with_a_service("large-files");
    for name in ["line", "lines", "services", "variables", "json"] {
        fs::create_dir_all(folder.join(name)).expect("the folder can be made");
    }
    trees::large(
        &folder.join("line/app.py"),
        "import os; os.environ['A'];",
        50_000_000,
    )
    .expect("written");
    trees::large(&folder.join("lines/Dockerfile"), "RUN a\n", 6_000_000).expect("written");
    trees::large(&folder.join("json/package.json"), "[", 1_900_000).expect("written");
    let services: String = std::iter::once("services:\n".to_owned())
        .chain((0..10_000).map(|at| format!("  s{at}:\n    image: registry.example.com/s{at}:1\n")))
        .collect();
    put(&folder.join("services/compose.yaml"), services.as_bytes());
    let variables: Vec<String> = (0..100_000).map(|at| format!("VARIABLE_{at}=v\n")).collect();
    let variables = variables.concat();
    put(&folder.join("variables/.env.example"), variables.as_bytes());
    let json = survives(&folder);
    has_the_service(&json);
    assert_eq!(told(&json, "line/"), ["file-too-large"]);
    assert_eq!(told(&json, "lines/"), ["file-too-large"]);
    assert_eq!(told(&json, "services/"), ["too-many-facts"]);
    assert_eq!(told(&json, "variables/"), ["too-many-facts"]);
    assert!(!told(&json, "json/").is_empty());
}

/// Everything that takes in something else takes in itself.
#[test]
fn files_that_take_in_themselves() {
    let folder = with_a_service("circles");
    for (path, text) in [
        (
            "a/compose.yaml",
            "include: [compose.yaml, ../b/compose.yaml]\nservices:\n  x: { extends: { file: compose.yaml, service: x }, image: a }\n  y: { extends: { service: z } }\n  z: { extends: { service: y }, image: b }\n",
        ),
        (
            "b/compose.yaml",
            "include: [../a/compose.yaml]\nservices:\n  x: { extends: { file: ../a/compose.yaml, service: x } }\n",
        ),
        (
            "a/requirements.txt",
            "-r requirements.txt\n-r ../b/requirements.txt\nflask\n",
        ),
        (
            "b/requirements.txt",
            "-r ../a/requirements.txt\n-c requirements.txt\n",
        ),
        (
            "a/main.tf",
            "module \"a\" {\n  source = \"./\"\n}\nmodule \"b\" {\n  source = \"../b\"\n}\n",
        ),
        (
            "b/main.tf",
            "module \"a\" {\n  source = \"../a\"\n}\nlocals {\n  x = local.y\n  y = local.x\n}\n",
        ),
        (
            "a/kustomization.yaml",
            "resources: [., ../b, kustomization.yaml]\n",
        ),
        ("b/kustomization.yaml", "resources: [../a]\nbases: [.]\n"),
        (
            "a/Makefile",
            "include Makefile ../b/Makefile\nX = $(X)$(Y)\nY = $(X)\nrun: run\n\t$(MAKE) run && $(X)\n",
        ),
        ("b/Makefile", "include ../a/Makefile\n"),
        ("a/start.sh", "#!/bin/sh\n. ./start.sh\nexec ./start.sh \"$@\"\n"),
        ("a/Procfile", "web: ./start.sh\nworker: npm run web\n"),
        (
            "a/package.json",
            "{\"name\": \"a\", \"scripts\": {\"start\": \"npm run web\", \"web\": \"npm start\", \"prestart\": \"npm start\"}, \"workspaces\": [\".\", \"../b\", \"**\"]}",
        ),
        (
            "a/nginx.conf",
            "include nginx.conf;\ninclude *.conf;\nserver { include nginx.conf; location / { proxy_pass http://u; } }\nupstream u { server u; }\n",
        ),
        (
            "a/pom.xml",
            "<project><parent><relativePath>pom.xml</relativePath></parent><artifactId>a</artifactId><modules><module>.</module><module>../b</module></modules><properties><x>${y}</x><y>${x}</y></properties></project>",
        ),
        (
            "b/pom.xml",
            "<project><parent><relativePath>../a</relativePath></parent><artifactId>b</artifactId></project>",
        ),
        (
            "a/Dockerfile",
            "ARG A=$B\nARG B=$A\nFROM x AS x\nFROM x AS y\nCOPY --from=y . .\nENV C=$C$C D=${C:-${D}}\nRUN ./start.sh\nCMD [\"./start.sh\"]\n",
        ),
        (
            "a/app.py",
            "from app import *\nfrom fastapi import FastAPI, APIRouter\na = b\nb = a\nrouter = APIRouter(prefix=a)\nrouter.include_router(router)\napp = FastAPI()\napp.include_router(router)\n",
        ),
        (
            "a/urls.py",
            "from django.urls import include, path\nurlpatterns = [path('x/', include('a.urls')), path('', include('urls'))]\n",
        ),
        (
            "a/app.ts",
            "import express from 'express';\nconst a = b + c, b = a + c, c = a + b;\nconst r = express.Router();\nr.use('/x', r);\nconst app = express();\napp.use(a, r);\napp.listen(a);\n",
        ),
        (
            "a/chart/Chart.yaml",
            "apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies: [{ name: a, repository: \"file://.\" }]\n",
        ),
        ("a/chart/values.yaml", "x: \"{{ .Values.x }}\"\n"),
        (
            "a/chart/templates/x.yaml",
            "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: '{{ include \"x\" . }}'}\n",
        ),
    ] {
        put(&folder.join(path), text.as_bytes());
    }
    has_the_service(&survives(&folder));
}

/// The worst file of each format, all in one tree, in the sizes that a test has time for. `xtask worst` measures them
/// as large as they may be.
#[test]
fn the_worst_file_of_each_format() {
    let folder = with_a_service("worst-files");
    for worst in texts::ALL {
        trees::of_worst(&folder, worst, 1, 6_000).expect("the files can be written");
    }
    has_the_service(&survives(&folder));
}

/// More files than are listed would take long to write here; thousands of each kind show that nothing looks at each pair.
#[test]
fn many_small_files() {
    let folder = with_a_service("many-files");
    for (name, text) in [
        (
            "Dockerfile",
            "FROM node:22\nENV A#=b\nCMD [\"node\", \"a#.js\"]\n",
        ),
        (
            "package.json",
            "{\"name\": \"p#\", \"dependencies\": {\"express\": \"5\"}}",
        ),
        (
            "compose.yaml",
            "services:\n  s#:\n    build: .\n    environment: {A#: b}\n",
        ),
        (".env.example", "VARIABLE_#=x\n"),
        ("main.py", "import os\nos.environ[\"P_#\"]\n"),
    ] {
        trees::many(&folder, 1_200, name, text).expect("the files can be written");
    }
    let json = survives(&folder);
    assert!(json["services"].as_array().expect("services are a list").len() <= 500);
    trees::remove(&folder).expect("the tree can be removed");
}
