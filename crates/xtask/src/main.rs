//! Work on the project that is no part of the program: `cargo run --release -p xtask -- bench` measures a scan of
//! generated repositories of growing size. The results belong in `docs/performance.md`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::exit,
    reason = "a tool for the terminal of a developer, which writes files and starts programs"
)]

mod bench;
mod fuzz;
mod tree;
mod worst;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["bench", options @ ..] => bench::run(options),
        ["fuzz", options @ ..] => fuzz::run(options),
        ["hostile", options @ ..] => worst::run(options),
        ["tree", folder, files] => match files.parse() {
            Ok(files) => tree::write(std::path::Path::new(folder), files)
                .map(|made| println!("{made} files in {folder}"))
                .map_err(|error| format!("{folder}: {error}")),
            Err(_) => Err(format!("`{files}` is no number of files")),
        },
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

const USAGE: &str = "\
usage: cargo run --release -p xtask -- bench [--files N,N,…] [--runs N] [--folder DIR] [--program PATH]
       cargo run --release -p xtask -- tree DIR FILES
       cargo run --release -p xtask -- fuzz TARGET|all|list [--seconds N] [--rounds N] [--seed N] [--from N] [--out DIR]
       cargo run --release -p xtask -- fuzz TARGET --file INPUT
       cargo run --release -p xtask -- hostile [--bytes N] [--files N] [--only NAME,…] [--folder DIR] [--program PATH] [--plan]

bench   generates a repository of each size, scans it several times and compares with `rg -c ''` over the same tree
tree    generates one repository
fuzz    runs mutated inputs through a parser, or through everything; what goes wrong is saved in target/fuzz
hostile runs the program over the worst files of each format";
