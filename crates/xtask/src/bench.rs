//! Wall time, processor time and peak memory of a scan, beside `rg -c ''` over the same tree with as many threads.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

use crate::tree;

/// What a run cost.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Duration,
    /// Peak of the resident memory in bytes.
    memory: u64,
}

struct Options {
    files: Vec<usize>,
    runs: usize,
    folder: PathBuf,
    program: PathBuf,
}

pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    let options = read(options)?;
    println!(
        "| files | scan, wall | scan, processor | peak memory | µs a file | rg, wall | rg, processor | scan / rg |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    for files in &options.files {
        let folder = options.folder.join(files.to_string());
        if !folder.is_dir() {
            tree::write(&folder, *files).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        // Both read every file once before anything is measured, so that the disk has no part in it.
        let scan = |folder: &Path| {
            let mut command = Command::new(&options.program);
            command.arg("analyze").arg(folder).args(["--format", "json"]);
            command
        };
        let count = |folder: &Path| {
            let mut command = Command::new("rg");
            command.args(["-j2", "-c", ""]).arg(folder);
            command
        };
        let searched = best(options.runs, || cost(&mut count(&folder)))?;
        let scanned = best(options.runs, || cost(&mut scan(&folder)))?;
        let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
        let per_file = scanned.wall.as_secs_f64() * 1e6 / (*files).max(1) as f64;
        println!(
            "| {files} | {} | {} | {} MB | {per_file:.0} | {} | {} | {:.2} |",
            seconds(scanned.wall),
            seconds(scanned.cpu),
            scanned.memory / 1_000_000,
            seconds(searched.wall),
            seconds(searched.cpu),
            scanned.wall.as_secs_f64() / searched.wall.as_secs_f64().max(1e-9),
        );
    }
    Ok(())
}

fn read(words: &[&str]) -> Result<Options, String> {
    let mut options = Options {
        files: vec![1_000, 10_000, 100_000],
        runs: 5,
        folder: std::env::temp_dir().join("playbook-bench"),
        program: PathBuf::from("target/release/playbook"),
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} wants a value"))?;
        match *word {
            "--files" => {
                options.files = value
                    .split(',')
                    .map(|number| number.parse().map_err(|_| format!("`{number}` is no number")))
                    .collect::<Result<_, _>>()?;
            }
            "--runs" => options.runs = value.parse().map_err(|_| format!("`{value}` is no number"))?,
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

/// The run with the shortest wall time, after one that is not counted.
fn best(runs: usize, mut measure: impl FnMut() -> Result<Cost, String>) -> Result<Cost, String> {
    measure()?;
    let mut best = measure()?;
    for _ in 1..runs {
        let other = measure()?;
        if other.wall < best.wall {
            best = other;
        }
    }
    Ok(best)
}

fn cost(command: &mut Command) -> Result<Cost, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let started = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{name}: {error}"))?;
    let usage = child.wait4().map_err(|error| format!("{name}: {error}"))?;
    Ok(Cost {
        wall: started.elapsed(),
        cpu: usage.rusage.utime + usage.rusage.stime,
        memory: usage.rusage.maxrss,
    })
}
