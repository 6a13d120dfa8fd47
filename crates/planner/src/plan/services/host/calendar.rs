//! Schedules of cron as calendar events of systemd.

/// Days of the week as both write them, Sunday first as in cron.
const DAYS: [&str; 8] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The calendar event that elapses when the schedule of five fields does, in UTC. None for what cannot be said in one:
/// cron takes the union of day of the month and day of the week, systemd the intersection.
pub(super) fn event(schedule: &str) -> Option<String> {
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else {
        return None;
    };
    if *day != "*" && *weekday != "*" {
        return None;
    }
    let date = format!("*-{}-{}", numbers(month, 1, 12)?, numbers(day, 1, 31)?);
    let time = format!("{}:{}:00 UTC", numbers(hour, 0, 23)?, numbers(minute, 0, 59)?);
    Some(if *weekday == "*" {
        format!("{date} {time}")
    } else {
        format!("{} {date} {time}", days(weekday)?)
    })
}

/// A field of numbers; `first` is where steps of the whole range begin.
fn numbers(field: &str, first: u8, last: u8) -> Option<String> {
    if field == "*" {
        return Some("*".to_owned());
    }
    let number = |text: &str| -> Option<String> {
        let number: u8 = text.parse().ok()?;
        (first..=last).contains(&number).then(|| format!("{number:02}"))
    };
    let parts: Option<Vec<String>> = field
        .split(',')
        .map(|part| {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(step.parse::<u8>().ok().filter(|step| *step > 0)?)),
                None => (part, None),
            };
            let range = if range == "*" {
                match step {
                    Some(_) => format!("{first:02}"),
                    None => return Some("*".to_owned()),
                }
            } else if let Some((from, to)) = range.split_once('-') {
                format!("{}..{}", number(from)?, number(to)?)
            } else {
                number(range)?
            };
            Some(step.map_or(range.clone(), |step| format!("{range}/{step}")))
        })
        .collect();
    parts.map(|parts| parts.join(","))
}

fn days(field: &str) -> Option<String> {
    let day = |text: &str| -> Option<&'static str> {
        match text.parse::<usize>() {
            Ok(number) => DAYS.get(number).copied(),
            Err(_) => DAYS.iter().find(|day| day.eq_ignore_ascii_case(text)).copied(),
        }
    };
    let parts: Option<Vec<String>> = field
        .split(',')
        .map(|part| match part.split_once('-') {
            Some((from, to)) => Some(format!("{}..{}", day(from)?, day(to)?)),
            None => Some(day(part)?.to_owned()),
        })
        .collect();
    parts.map(|parts| parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::event;

    #[test]
    fn schedules_of_cron_become_calendar_events() {
        for (schedule, wanted) in [
            ("15 3 * * *", "*-*-* 03:15:00 UTC"),
            ("*/5 * * * *", "*-*-* *:00/5:00 UTC"),
            ("0 9-17/2 * * 1-5", "Mon..Fri *-*-* 09..17/2:00:00 UTC"),
            ("30 0 1,15 * *", "*-*-01,15 00:30:00 UTC"),
            ("0 4 * 6 0", "Sun *-06-* 04:00:00 UTC"),
            ("0 4 * * SAT", "Sat *-*-* 04:00:00 UTC"),
        ] {
            assert_eq!(event(schedule).as_deref(), Some(wanted), "{schedule}");
        }
        for schedule in [
            "0 4 1 * 1",
            "@daily",
            "99 * * * *",
            "* * * *",
            "0 4 * * XYZ",
            "*/0 * * * *",
        ] {
            assert_eq!(event(schedule), None, "{schedule}");
        }
    }
}
