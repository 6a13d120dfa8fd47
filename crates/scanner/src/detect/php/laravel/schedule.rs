//! Laravel's schedule: commands, jobs and closures with the words that say when they run.

use crate::detect::ecosystem::{Code, entry, group, job, pattern, start};
use crate::detect::php::known::{Part, TABLE, With};
use crate::fact::{EntryKind, Facts};

/// `$schedule->command('clean')->dailyAt('03:00')`, `Schedule::job(new Clean)->hourly()`.
pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    if !code.has("chedule") {
        return;
    }
    let mut first = None;
    for found in code.all(&pattern!(
        r"(?:\$schedule\s*->|\bSchedule::)\s*(?:command|job|call|exec)\s*\((?P<what>[^;]*);"
    )) {
        let rest = group(&found, "what");
        let line = code.line(start(&found));
        let what = pattern!(
            r#"^\s*(?:new\s+\\?(?P<class>[\w\\]+)|['"](?P<text>[^'"\n]+)['"]|\\?(?P<name>[\w\\]+)::class)"#
        )
        .first(rest);
        let name = what.map_or("schedule", |what| {
            [group(&what, "class"), group(&what, "text"), group(&what, "name")]
                .into_iter()
                .find(|text| !text.is_empty())
                .and_then(|text| text.split(" -").next())
                .unwrap_or("schedule")
        });
        job(code.source, facts, name, &frequency(rest), "laravel", line);
        first = first.or(Some(line));
    }
    if let Some(line) = first {
        facts.entry_points.push(entry(
            code.source,
            EntryKind::Scheduler,
            "laravel-scheduler",
            "artisan",
            line,
        ));
    }
}

/// What is known of an expression while the words are read.
struct Expression {
    minute: String,
    hour: String,
    day: String,
    month: String,
    weekday: String,
}

impl Expression {
    fn of(text: &str) -> Option<Self> {
        let mut fields = text.split(' ').map(str::to_owned);
        Some(Self {
            minute: fields.next()?,
            hour: fields.next()?,
            day: fields.next()?,
            month: fields.next()?,
            weekday: fields.next()?,
        })
    }

    fn at(&mut self, time: &str) {
        let (hour, minute) = time.split_once(':').unwrap_or((time, "0"));
        let number = |text: &str| text.trim().parse::<u32>().unwrap_or_default().to_string();
        self.hour = number(hour);
        self.minute = number(minute);
    }

    /// Applies the arguments of a word; one of two hours or days counts only beside the other.
    fn set(&mut self, with: &With, arguments: &[&str]) {
        let pair = |part: Part| {
            let given: Vec<&str> = with
                .sets
                .iter()
                .zip(arguments)
                .filter(|(sets, _)| **sets == part)
                .map(|(_, argument)| *argument)
                .collect();
            (given.len() == 2).then(|| given.join(","))
        };
        if let Some(hours) = pair(Part::Hours) {
            self.hour = hours;
        }
        if let Some(days) = pair(Part::Days) {
            self.day = days;
        }
        for (part, argument) in with.sets.iter().zip(arguments) {
            match part {
                Part::Minute => (*argument).clone_into(&mut self.minute),
                Part::Hour => (*argument).clone_into(&mut self.hour),
                Part::Day => (*argument).clone_into(&mut self.day),
                Part::Month => (*argument).clone_into(&mut self.month),
                Part::Weekday => (*argument).clone_into(&mut self.weekday),
                Part::Time => self.at(argument),
                Part::Hours | Part::Days => {}
            }
        }
    }

    fn text(&self) -> String {
        format!(
            "{} {} {} {} {}",
            self.minute, self.hour, self.day, self.month, self.weekday
        )
    }
}

/// The cron expression of Laravel's words, or the interval where they have none.
fn frequency(text: &str) -> String {
    let words = pattern!(r"->\s*(?P<word>\w+)\s*\(\s*(?P<arguments>[^()]*)\)").all(text);
    let mut expression: Option<Expression> = None;
    let mut restricted = None;
    for found in &words {
        let (word, written) = (group(found, "word"), group(found, "arguments"));
        let arguments: Vec<&str> = written
            .split(',')
            .map(|argument| argument.trim().trim_matches(['"', '\'']))
            .filter(|argument| !argument.is_empty())
            .collect();
        let argument = |at: usize| arguments.get(at).copied();
        if word == "cron" {
            return written.trim().trim_matches(['"', '\'']).to_owned();
        }
        if let Some(seconds) = word
            .strip_prefix("every")
            .and_then(|rest| rest.strip_suffix("Seconds"))
        {
            return format!("every {} seconds", seconds.to_ascii_lowercase());
        }
        if word == "everySecond" {
            return "every second".to_owned();
        }
        if let Some(days) = TABLE.weekdays.get(word) {
            restricted = Some((*days).to_owned());
        } else if word == "days" {
            let days: Vec<&str> = arguments
                .iter()
                .map(|day| day.trim_matches(['[', ']', ' ', '"', '\'']))
                .collect();
            if days.iter().all(|day| day.parse::<u8>().is_ok_and(|day| day < 8)) {
                restricted = Some(days.join(","));
            }
        } else if let Some(cron) = TABLE.schedule.get(word) {
            expression = Expression::of(cron);
            // `everyTwoHours(15)`: the minute.
            if let (Some(known), Some(minute)) = (&mut expression, argument(0))
                && word.starts_with("every")
                && word.contains("Hour")
                && minute.parse::<u8>().is_ok()
            {
                minute.clone_into(&mut known.minute);
            }
        } else if word == "at" {
            // `->weekly()->at('8:15')` keeps what was said before.
            let mut known = expression.take().or_else(|| Expression::of("0 0 * * *"));
            if let (Some(known), Some(time)) = (&mut known, argument(0)) {
                known.at(time);
            }
            expression = known;
        } else if let Some(with) = TABLE.schedule_with.get(word) {
            expression = Expression::of(with.cron).map(|mut known| {
                known.set(with, &arguments);
                known
            });
        }
    }
    match (expression, restricted) {
        (Some(mut known), Some(days)) => {
            known.weekday = days;
            known.text()
        }
        (Some(known), None) => known.text(),
        (None, Some(days)) => format!("* * * * {days}"),
        (None, None) => of_argument(text),
    }
}

/// A helper of the application takes the word as its second argument: `Schedule::command('clean', 'daily')`.
fn of_argument(text: &str) -> String {
    let found = pattern!(r#",\s*['"](?P<word>\w+)['"]\s*(?:,\s*(?P<number>\d+)\s*)?\)\s*$"#).first(text);
    let Some(found) = found else { return String::new() };
    let (word, number) = (group(&found, "word"), group(&found, "number"));
    match (word, number) {
        ("minutes", "" | "1") => "* * * * *".to_owned(),
        ("minutes", number) => format!("*/{number} * * * *"),
        ("hours", number) if !matches!(number, "" | "1") => format!("0 */{number} * * *"),
        _ => TABLE
            .schedule
            .get(word)
            .map_or_else(String::new, |cron| (*cron).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_expressions() {
        for (text, expected) in [
            ("'a')->everyFiveMinutes()", "*/5 * * * *"),
            ("'a')->dailyAt('03:30')->onOneServer()", "30 3 * * *"),
            ("'a')->daily()->at('13:00')", "0 13 * * *"),
            ("'a')->weekly()->mondays()->at('8:15')", "15 8 * * 1"),
            ("'a')->weeklyOn(1, '8:00')", "0 8 * * 1"),
            ("'a')->monthlyOn(4, '15:00')", "0 15 4 * *"),
            ("'a')->twiceDaily(1, 13)", "0 1,13 * * *"),
            ("'a')->hourlyAt(17)", "17 * * * *"),
            ("'a')->weekdays()->hourly()", "0 * * * 1-5"),
            ("'a')->yearlyOn(6, 1, '17:00')", "0 17 1 6 *"),
            ("'a')->twiceMonthly(1, 15, '13:00')", "0 13 1,15 * *"),
            ("'a')->twiceDailyAt(2, 14, 30)", "30 2,14 * * *"),
            ("'a')->lastDayOfMonth('15:00')", "0 15 L * *"),
            ("'a')->everyThirtySeconds()", "every thirty seconds"),
            ("'a')->cron('5 4 * * 2')", "5 4 * * 2"),
            ("'a', 'daily')", "0 0 * * *"),
            ("Clean::class, 'minutes', 10)", "*/10 * * * *"),
            ("'a', ['--force'])", ""),
        ] {
            assert_eq!(frequency(text), expected, "{text}");
        }
    }
}
