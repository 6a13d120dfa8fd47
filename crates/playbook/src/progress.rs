//! A line on the terminal, when a scan takes longer than people wait without asking themselves what is going on.

use std::sync::mpsc;
use std::time::Duration;

use crate::report::{self, Report};

/// A scan that is done within this time shows no progress.
const PATIENCE: Duration = Duration::from_millis(500);

/// Runs `work`; shows `message` while it takes longer than half a second, on a terminal only.
pub(crate) fn while_working<T: Send>(report: &Report, message: &str, work: impl FnOnce() -> T + Send) -> T {
    if !report::can_show_progress() {
        return work();
    }
    let (done, waiting) = mpsc::channel::<()>();
    let result = std::thread::scope(|scope| {
        scope.spawn(move || {
            if waiting.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                report.progress(message);
            }
        });
        let result = work();
        drop(done);
        result
    });
    report.clear_progress();
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Verbosity;

    #[test]
    fn returns_what_the_work_returns() {
        let report = Report::new(Verbosity::Normal);
        assert_eq!(while_working(&report, "reading", || 42), 42);
    }
}
