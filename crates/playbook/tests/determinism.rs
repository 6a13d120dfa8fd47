//! The same tree gives the same bytes, whatever the order of reading, the number of threads, or the run.

use playbook_scanner::{Options, scan};

use crate::support::cases;

fn inventory(folder: &std::path::Path, options: &Options) -> String {
    let scan = scan(folder, options).expect("the checkout is there");
    serde_json::to_string_pretty(&scan.inventory).expect("an inventory can be written")
}

#[test]
fn order_and_threads_do_not_matter() {
    for case in cases() {
        let plain = inventory(&case.checkout, &Options::default());
        for threads in [1, 8] {
            for seed in [None, Some(1), Some(0xfeed), Some(u64::MAX)] {
                let options = Options {
                    threads: Some(threads),
                    shuffle_seed: seed,
                    ..Options::default()
                };
                assert!(
                    inventory(&case.checkout, &options) == plain,
                    "{} differs with {threads} threads and seed {seed:?}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn two_runs_print_the_same_bytes() {
    for case in cases() {
        for format in ["markdown", "json"] {
            let (first, second) = (
                case.analyzed(&["--format", format]),
                case.analyze(&["--format", format]),
            );
            assert!(first.stdout == second.stdout, "{} differs as {format}", case.name);
            assert!(
                !first.stdout.is_empty(),
                "{} prints nothing as {format}",
                case.name
            );
        }
    }
}
