//! A panic tells where, never what: its message may hold text of the repository.

use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, PoisonError};

static LOCATION: Mutex<Option<String>> = Mutex::new(None);

/// Keeps the place of the last panic and prints nothing. The scanner catches a detector's panic itself and reports the
/// file; only what reaches `main` is told.
pub(crate) fn install_hook() {
    panic::set_hook(Box::new(remember));
}

fn remember(info: &PanicHookInfo<'_>) {
    let place = info
        .location()
        .map(|at| format!("{}:{}", short(at.file()), at.line()));
    *LOCATION.lock().unwrap_or_else(PoisonError::into_inner) = place;
}

/// Where the last panic happened.
pub(crate) fn location() -> String {
    LOCATION
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
        .unwrap_or_else(|| "an unknown place".to_owned())
}

/// The path of a source file without the folders of the machine it was built on.
fn short(file: &str) -> &str {
    match file.rfind("crates/").or_else(|| file.rfind("/src/")) {
        Some(at) => file.get(at..).unwrap_or(file).trim_start_matches('/'),
        None => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_name_no_folder_of_the_machine() {
        assert_eq!(
            short("/home/me/playbook/crates/scanner/src/walk.rs"),
            "crates/scanner/src/walk.rs"
        );
        assert_eq!(
            short("/root/.cargo/registry/src/x/tera-2.4.0/src/vm.rs"),
            "src/vm.rs"
        );
        assert_eq!(
            short("crates/playbook/src/main.rs"),
            "crates/playbook/src/main.rs"
        );
    }
}
