//! A fuzzer that needs nothing but the stable toolchain. An input is a function of target, seed and number, so that
//! everything that goes wrong can be made again from these three.
//!
//! The work is done in a child process: one that dies (a stack that ran over, memory that ran out) or hangs costs one
//! input, which is saved, and the next child goes on behind it.

mod corpus;
mod mutate;
mod targets;

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use wait4::Wait4;

use corpus::Corpus;
use targets::Tools;

/// As large as the stack of the threads that read files in the program.
const STACK: usize = 2 * 1024 * 1024;
/// Memory that an input may take beside 300 bytes for each of its own.
const MEMORY: u64 = 256 * 1024 * 1024;
/// Processor time after which an input is taken for a hang, in nanoseconds.
const HANG: u64 = 30_000_000_000;
/// Inputs of one kind of failure that are kept for a target.
const KEPT: usize = 12;

/// Where the panic of this thread was.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

struct Options {
    target: String,
    seconds: u64,
    rounds: u64,
    seed: u64,
    from: u64,
    out: PathBuf,
    file: Option<PathBuf>,
    child: bool,
}

pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let options = read(words)?;
    if options.child {
        return child(&options);
    }
    if let Some(file) = &options.file {
        return replay(&options.target, file);
    }
    let names = targets::names();
    let chosen: Vec<&str> = match options.target.as_str() {
        "list" => {
            println!("{}", names.join("\n"));
            return Ok(());
        }
        "all" => names,
        one if names.contains(&one) => vec![one],
        other => return Err(format!("no target {other}; they are: {}", names.join(" "))),
    };
    fs::create_dir_all(&options.out).map_err(|error| error.to_string())?;
    let mut problems = 0;
    for _ in 0..options.rounds {
        for target in &chosen {
            problems += slice(target, &options)?;
        }
    }
    if problems == 0 {
        Ok(())
    } else {
        Err(format!(
            "{problems} problems; inputs are in {}",
            options.out.display()
        ))
    }
}

fn read(words: &[&str]) -> Result<Options, String> {
    let mut words = words.iter();
    let mut options = Options {
        target: (*words
            .next()
            .ok_or("fuzz: which target? `list` names them, `all` takes them in turn")?)
        .to_owned(),
        seconds: 60,
        rounds: 1,
        seed: 1,
        from: 0,
        out: corpus::project().join("target/fuzz"),
        file: None,
        child: false,
    };
    while let Some(word) = words.next() {
        if *word == "--child" {
            options.child = true;
            continue;
        }
        let value = words.next().ok_or_else(|| format!("{word} wants a value"))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("`{value}` is no number"))
        };
        match *word {
            "--seconds" => options.seconds = number()?,
            "--rounds" => options.rounds = number()?,
            "--seed" => options.seed = number()?,
            "--from" => options.from = number()?,
            "--out" => options.out = PathBuf::from(value),
            "--file" => options.file = Some(PathBuf::from(value)),
            other => return Err(format!("unknown option {other}")),
        }
    }
    Ok(options)
}

/// One target for its seconds, behind where the last run of the same seed ended. Gives back the number of problems.
fn slice(target: &str, options: &Options) -> Result<usize, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = options.out.join(target);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let ledger = folder.join(format!("progress-{}", options.seed));
    let before = saved(&folder);
    let mut next = options.from.max(number_in(&ledger, 0));
    let first = next;
    let began = Instant::now();
    let mut processor = Duration::ZERO;
    while began.elapsed().as_secs() < options.seconds {
        let left = options.seconds - began.elapsed().as_secs();
        let mut running = Command::new(&program)
            .args(["fuzz", target, "--child"])
            .args(["--seed", &options.seed.to_string(), "--from", &next.to_string()])
            .args(["--seconds", &left.to_string()])
            .arg("--out")
            .arg(&options.out)
            .spawn()
            .map_err(|error| error.to_string())?;
        let usage = running.wait4().map_err(|error| error.to_string())?;
        processor += usage.rusage.utime + usage.rusage.stime;
        next = number_in(&ledger, 0);
        if usage.status.success() {
            break;
        }
        if usage.status.code().is_some() {
            return Err(format!("{target}: the child could not work"));
        }
        // It died on this one.
        let corpus = Corpus::load().map_err(|error| error.to_string())?;
        keep(
            &folder,
            "died",
            "",
            options.seed,
            next,
            &targets::input(target, &corpus, options.seed, next),
        );
        next += 1;
        write_number(&ledger, 0, next)?;
    }
    let total = folder.join("processor-milliseconds");
    let spent = number_in(&total, 0) + u64::try_from(processor.as_millis()).unwrap_or_default();
    write_number(&total, 0, spent)?;
    let found = saved(&folder) - before;
    println!(
        "{target:<14} {:>9} inputs {:>7.1} s of processor time, {:>7.1} s in all, {found} problems",
        next - first,
        processor.as_secs_f64(),
        Duration::from_millis(spent).as_secs_f64(),
    );
    Ok(found)
}

fn number_in(path: &Path, otherwise: u64) -> u64 {
    fs::read(path)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(otherwise, u64::from_le_bytes)
}

fn write_number(path: &Path, _at: u64, number: u64) -> Result<(), String> {
    fs::write(path, number.to_le_bytes()).map_err(|error| format!("{}: {error}", path.display()))
}

fn saved(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "input"))
        .count()
}

/// Saves an input with what happened, unless there are enough of the kind.
fn keep(folder: &Path, kind: &str, what: &str, seed: u64, number: u64, input: &[u8]) {
    let alike = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(kind))
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "txt"))
        .filter(|entry| kind == "slow" || fs::read_to_string(entry.path()).is_ok_and(|known| known == what))
        .count();
    if alike >= if kind == "slow" { KEPT } else { 2 } {
        return;
    }
    let name = format!("{kind}-{seed}-{number}");
    // A problem that can't be saved is told all the same.
    let _ = fs::write(folder.join(format!("{name}.txt")), what);
    let _ = fs::write(folder.join(format!("{name}.input")), input);
    println!(
        "{}: {kind} {what} ({} bytes)",
        folder.join(name).display(),
        input.len()
    );
}

/// Works until its seconds are over.
fn child(options: &Options) -> Result<(), String> {
    let corpus = Corpus::load().map_err(|error| error.to_string())?;
    let tools = Tools::new()?;
    let folder = options.out.join(&options.target);
    let ledger = fs::File::create(folder.join(format!("progress-{}", options.seed)))
        .map_err(|error| error.to_string())?;
    remember_panics();
    let current = Arc::new(AtomicU64::new(options.from));
    watch(Arc::clone(&current));
    std::thread::scope(|scope| {
        let work = || {
            let began = Instant::now();
            let mut number = options.from;
            let floor = memory().unwrap_or_default();
            while began.elapsed().as_secs() < options.seconds {
                current.store(number, Ordering::Relaxed);
                let _ = ledger.write_all_at(&number.to_le_bytes(), 0);
                let input = targets::input(&options.target, &corpus, options.seed, number);
                let watched = input.len() > 16 * 1024 || number.is_multiple_of(64);
                let limit = floor
                    .saturating_add(MEMORY)
                    .saturating_add(input.len() as u64 * 300);
                if let Err((kind, what)) = judge(&options.target, &input, &tools, watched.then_some(limit)) {
                    keep(&folder, kind, &what, options.seed, number, &input);
                }
                number += 1;
            }
            let _ = ledger.write_all_at(&number.to_le_bytes(), 0);
        };
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .map(std::thread::ScopedJoinHandle::join)
    })
    .map_err(|error| error.to_string())?
    .map_err(|_| "the fuzzer itself failed".to_owned())
}

/// One input: what went wrong, in a word and in words.
fn judge(
    target: &str,
    input: &[u8],
    tools: &Tools,
    memory_limit: Option<u64>,
) -> Result<(), (&'static str, String)> {
    let before = processor_time();
    let outcome = catch_unwind(AssertUnwindSafe(|| targets::run(target, input, tools)));
    let took = processor_time().saturating_sub(before);
    // A panic that somebody caught is one all the same.
    let panic = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(place) = panic {
        return Err(("panic", place));
    }
    match outcome {
        Err(_) => return Err(("panic", "somewhere".to_owned())),
        Ok(Err(what)) => return Err(("wrong", what)),
        Ok(Ok(())) => {}
    }
    let bound = targets::bound(target);
    let limit = bound.base * 1_000_000 + bound.per_100_bytes * 10 * input.len() as u64;
    if took > limit {
        return Err((
            "slow",
            format!("{} ms for {} bytes", took / 1_000_000, input.len()),
        ));
    }
    if let Some(limit) = memory_limit
        && let Some(peak) = memory().filter(|peak| *peak > limit)
    {
        // The peak counts from here on.
        let _ = fs::write("/proc/self/clear_refs", "5");
        return Err(("memory", format!("{} MB for {} bytes", peak >> 20, input.len())));
    }
    Ok(())
}

/// Processor time of this thread in nanoseconds; what other work on the machine takes does not count.
fn processor_time() -> u64 {
    fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| {
            text.split_whitespace()
                .next()
                .and_then(|number| number.parse().ok())
        })
        .unwrap_or_default()
}

/// Peak of the resident memory in bytes.
fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn remember_panics() {
    std::panic::set_hook(Box::new(|information| {
        let place = information.location().map_or_else(
            || "somewhere".to_owned(),
            |at| format!("{}:{}", at.file(), at.line()),
        );
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }));
}

/// Ends the process when one input takes too long.
fn watch(current: Arc<AtomicU64>) {
    std::thread::spawn(move || {
        let mut since = (u64::MAX, 0_u64);
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let number = current.load(Ordering::Relaxed);
            let spent = process_time();
            if since.0 == number {
                if spent.saturating_sub(since.1) > HANG {
                    println!("input {number} hangs");
                    std::process::abort();
                }
            } else {
                since = (number, spent);
            }
        }
    });
}

/// Processor time of all threads in nanoseconds.
fn process_time() -> u64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|text| {
            text.split_whitespace()
                .next()
                .and_then(|number| number.parse::<u64>().ok())
        })
        .sum()
}

/// Runs one saved input again.
fn replay(target: &str, file: &Path) -> Result<(), String> {
    let input = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let tools = Tools::new()?;
    let before = processor_time();
    let outcome = targets::run(target, &input, &tools);
    println!("{} ms", (processor_time() - before) / 1_000_000);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs an input; bounds of time and memory hold for an optimised build only.
    fn holds(target: &str, input: &[u8], tools: &Tools) -> Result<(), String> {
        catch_unwind(AssertUnwindSafe(|| targets::run(target, input, tools)))
            .unwrap_or_else(|_| Err("a panic".to_owned()))
    }

    #[test]
    fn what_was_found_once_stays_mended() {
        let tools = Tools::new().expect("the templates are sound");
        let root = corpus::project().join("crates/xtask/regressions");
        let mut count = 0;
        for folder in fs::read_dir(&root).expect("there are regressions").flatten() {
            let target = folder.file_name().to_string_lossy().into_owned();
            assert!(
                targets::names().contains(&target.as_str()),
                "{target} is no target"
            );
            for file in fs::read_dir(folder.path())
                .expect("the folder can be read")
                .flatten()
            {
                let input = fs::read(file.path()).expect("the input can be read");
                let began = Instant::now();
                let outcome = holds(&target, &input, &tools);
                assert_eq!(outcome, Ok(()), "{}", file.path().display());
                assert!(began.elapsed().as_secs() < 60, "{}", file.path().display());
                count += 1;
            }
        }
        assert!(count > 0, "no regression was run");
    }

    #[test]
    fn fresh_inputs() {
        let tools = Tools::new().expect("the templates are sound");
        let corpus = Corpus::load().expect("the corpus can be read");
        assert!(corpus.seeds.len() > 300 && corpus.words.len() > 3_000);
        for target in targets::names() {
            let inputs = match target {
                "pipeline" | "settings" => 2,
                "files" | "lexer" => 20,
                _ => 60,
            };
            for number in 0..inputs {
                let input = targets::input(target, &corpus, 2_026, number);
                assert_eq!(
                    holds(target, &input, &tools),
                    Ok(()),
                    "{target} --seed 2026 --from {number}"
                );
            }
        }
    }

    /// A fuzzer that finds nothing may be one that sees nothing.
    #[test]
    fn what_is_wrong_is_seen() {
        let tools = Tools::new().expect("the templates are sound");
        let secret = ["ghp_", "abcdefghijklmnopqrstuvwxyz0123456789"].concat();
        assert!(judge("no such target", b"", &tools, None).is_err());
        assert!(judge("yaml", b"a: 1", &tools, Some(1)).is_err_and(|(kind, _)| kind == "memory"));
        assert!(gate_refuses(&secret));
    }

    fn gate_refuses(text: &str) -> bool {
        playbook_planner::gate::gate(text, &playbook_core::secret::Withheld::new(), &|_| false).is_err()
    }
}
