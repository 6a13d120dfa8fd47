//! What the worst files of each format cost: the program runs over a tree of each kind.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hostile::texts::{self, Worst};
use hostile::trees;
use wait4::Wait4;

struct Options {
    bytes: usize,
    files: usize,
    only: Vec<String>,
    folder: PathBuf,
    program: PathBuf,
    plan: bool,
}

struct Cost {
    name: &'static str,
    wall: Duration,
    processor: Duration,
    memory: u64,
    code: Option<i32>,
}

pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let options = read(words)?;
    let mut costs = Vec::new();
    for worst in texts::ALL {
        if options.only.is_empty()
            || options
                .only
                .iter()
                .any(|name| worst.name.starts_with(name.as_str()))
        {
            costs.push(measure(worst, &options)?);
        }
    }
    costs.sort_by_key(|cost| std::cmp::Reverse(cost.processor));
    println!("{} files of {} bytes of each kind", options.files, options.bytes);
    println!("| kind | wall | processor | peak memory | exit |\n|---|---:|---:|---:|---:|");
    for cost in &costs {
        let code = cost
            .code
            .map_or_else(|| "killed".to_owned(), |code| code.to_string());
        println!(
            "| {} | {:.2} s | {:.2} s | {} MB | {code} |",
            cost.name,
            cost.wall.as_secs_f64(),
            cost.processor.as_secs_f64(),
            cost.memory / 1_000_000,
        );
    }
    Ok(())
}

fn read(words: &[&str]) -> Result<Options, String> {
    let mut options = Options {
        bytes: 700_000,
        files: 1,
        only: Vec::new(),
        folder: std::env::temp_dir().join("playbook-hostile"),
        program: PathBuf::from("target/release/playbook"),
        plan: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == "--plan" {
            options.plan = true;
            continue;
        }
        let value = words.next().ok_or_else(|| format!("{word} wants a value"))?;
        let number = || value.parse().map_err(|_| format!("`{value}` is no number"));
        match *word {
            "--bytes" => options.bytes = number()?,
            "--files" => options.files = number()?,
            "--only" => options.only = value.split(',').map(str::to_owned).collect(),
            "--folder" => options.folder = PathBuf::from(value),
            "--program" => options.program = PathBuf::from(value),
            other => return Err(format!("unknown option {other}")),
        }
    }
    if options.program.is_file() {
        Ok(options)
    } else {
        Err(format!(
            "{}: no such program; build it with `cargo build --release`",
            options.program.display()
        ))
    }
}

fn measure(worst: &Worst, options: &Options) -> Result<Cost, String> {
    let root = options.folder.join(worst.name);
    let problem = |error: std::io::Error| format!("{}: {error}", root.display());
    fs::create_dir_all(&root).map_err(problem)?;
    trees::of_worst(&root, worst, options.files, options.bytes).map_err(problem)?;
    let mut command = Command::new(&options.program);
    command
        .arg("analyze")
        .arg(&root)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !options.plan {
        command.args(["--format", "json"]);
    }
    let started = Instant::now();
    let mut running = command.spawn().map_err(problem)?;
    let usage = running.wait4().map_err(problem)?;
    let wall = started.elapsed();
    trees::remove(&root).map_err(problem)?;
    Ok(Cost {
        name: worst.name,
        wall,
        processor: usage.rusage.utime + usage.rusage.stime,
        memory: usage.rusage.maxrss,
        code: usage.status.code(),
    })
}
