//! Laravel's schedule: commands, jobs and closures with the words that say when they run.

use crate::detect::ecosystem::{Code, entry, group, job, pattern, start};
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

/// Words that stand for one expression.
const WORDS: &[(&str, &str)] = &[
    ("everyMinute", "* * * * *"),
    ("everyTwoMinutes", "*/2 * * * *"),
    ("everyThreeMinutes", "*/3 * * * *"),
    ("everyFourMinutes", "*/4 * * * *"),
    ("everyFiveMinutes", "*/5 * * * *"),
    ("everyTenMinutes", "*/10 * * * *"),
    ("everyFifteenMinutes", "*/15 * * * *"),
    ("everyThirtyMinutes", "*/30 * * * *"),
    ("hourly", "0 * * * *"),
    ("everyOddHour", "0 1-23/2 * * *"),
    ("everyTwoHours", "0 */2 * * *"),
    ("everyThreeHours", "0 */3 * * *"),
    ("everyFourHours", "0 */4 * * *"),
    ("everySixHours", "0 */6 * * *"),
    ("daily", "0 0 * * *"),
    ("weekly", "0 0 * * 0"),
    ("monthly", "0 0 1 * *"),
    ("quarterly", "0 0 1 1-12/3 *"),
    ("yearly", "0 0 1 1 *"),
];

/// Words that narrow the days of the week.
const DAYS: &[(&str, &str)] = &[
    ("weekdays", "1-5"),
    ("weekends", "6,0"),
    ("sundays", "0"),
    ("mondays", "1"),
    ("tuesdays", "2"),
    ("wednesdays", "3"),
    ("thursdays", "4"),
    ("fridays", "5"),
    ("saturdays", "6"),
];

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
        if let Some((_, days)) = DAYS.iter().find(|(name, _)| *name == word) {
            restricted = Some((*days).to_owned());
        } else if word == "days" {
            let days: Vec<&str> = arguments
                .iter()
                .map(|day| day.trim_matches(['[', ']', ' ', '"', '\'']))
                .collect();
            if days.iter().all(|day| day.parse::<u8>().is_ok_and(|day| day < 8)) {
                restricted = Some(days.join(","));
            }
        } else if let Some((_, cron)) = WORDS.iter().find(|(name, _)| *name == word) {
            expression = Expression::of(cron);
            // `everyTwoHours(15)`: the minute.
            if let (Some(known), Some(minute)) = (&mut expression, argument(0))
                && word.starts_with("every")
                && word.contains("Hour")
                && minute.parse::<u8>().is_ok()
            {
                minute.clone_into(&mut known.minute);
            }
        } else {
            let pattern = match word {
                "dailyAt" | "at" => "0 0 * * *",
                "hourlyAt" => "0 * * * *",
                "twiceDaily" | "twiceDailyAt" => "0 1,13 * * *",
                "weeklyOn" => "0 0 * * 0",
                "monthlyOn" => "0 0 1 * *",
                "twiceMonthly" => "0 0 1,16 * *",
                "lastDayOfMonth" => "0 0 L * *",
                "yearlyOn" => "0 0 1 1 *",
                _ => continue,
            };
            let mut known = match (word, expression.take()) {
                ("at", Some(known)) => known,
                _ => match Expression::of(pattern) {
                    Some(known) => known,
                    None => continue,
                },
            };
            match (word, argument(0), argument(1)) {
                ("dailyAt" | "at" | "lastDayOfMonth", Some(time), _) => known.at(time),
                ("hourlyAt", Some(minute), _) => minute.clone_into(&mut known.minute),
                ("twiceDaily", Some(first), Some(second)) => known.hour = format!("{first},{second}"),
                ("twiceDailyAt", Some(first), Some(second)) => {
                    known.hour = format!("{first},{second}");
                    argument(2).unwrap_or("0").clone_into(&mut known.minute);
                }
                ("weeklyOn", Some(day), time) => {
                    day.clone_into(&mut known.weekday);
                    known.at(time.unwrap_or("0:0"));
                }
                ("monthlyOn", Some(day), time) => {
                    day.clone_into(&mut known.day);
                    known.at(time.unwrap_or("0:0"));
                }
                ("twiceMonthly", Some(first), Some(second)) => {
                    known.day = format!("{first},{second}");
                    known.at(argument(2).unwrap_or("0:0"));
                }
                ("yearlyOn", Some(month), Some(day)) => {
                    month.clone_into(&mut known.month);
                    day.clone_into(&mut known.day);
                    known.at(argument(2).unwrap_or("0:0"));
                }
                _ => {}
            }
            expression = Some(known);
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
        _ => WORDS
            .iter()
            .find(|(name, _)| *name == word)
            .map_or_else(String::new, |(_, cron)| (*cron).to_owned()),
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
