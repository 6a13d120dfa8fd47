//! Procfiles: a stack of process types.

use playbook_core::evidence::Scope;
use playbook_core::harmless::{EnvName, Name};
use playbook_core::inventory::{Infrastructure, Stack, Unit, VariableOrigin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::Detector;
use super::judge::interpolation::{self, Missing};
use super::judge::{self, development};
use crate::fact::{Facts, VariableFact};
use crate::parse::procfile;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    let name = path.name();
    name == "Procfile"
        || name.starts_with("Procfile.")
        || name.starts_with("Procfile-")
        || name.ends_with(".Procfile")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let entries = procfile::entries(source.text);
    if entries.is_empty() {
        return;
    }
    let serves_developers = entries
        .iter()
        .any(|entry| entry.name == "web" && development::is_command(&entry.command));
    let scope = if serves_developers {
        Scope::Development
    } else {
        source.scope
    };
    let mut units = Vec::new();
    for entry in &entries {
        let Some(name) = Name::parse(Raw::new(&entry.name)) else {
            continue;
        };
        judge::withhold_in_command(facts, &entry.command);
        let kind = match entry.name.as_str() {
            "web" => "web",
            "release" => "release",
            "clock" | "scheduler" | "beat" | "cron" => "scheduler",
            _ => "worker",
        };
        let mut unit = Unit::new(name.into(), Shown::from(kind));
        unit.command = judge::command(&entry.command);
        if kind == "release" {
            unit.pre_deploy.clone_from(&unit.command);
        }
        unit.root = Some(source.path.parent());
        unit.evidence = vec![source.at(entry.line)];
        units.push(unit);
        for read in interpolation::references(&entry.command) {
            if let Some(name) = EnvName::parse(Raw::new(read.name)) {
                let mut fact = VariableFact::new(name, VariableOrigin::Script, scope, source.at(entry.line));
                fact.required = read.missing == Missing::Error;
                fact.has_default = read.missing == Missing::Default;
                fact.default = (read.missing == Missing::Default)
                    .then(|| playbook_core::harmless::Setting::judge(read.name, Raw::new(read.argument)))
                    .flatten();
                facts.variables.push(fact);
            }
        }
    }
    facts.infrastructure.push(Infrastructure {
        kind: Shown::from("procfile"),
        path: source.path.clone(),
        scope,
        evidence: vec![source.file()],
    });
    facts.stacks.push(Stack {
        scope,
        ..source.stack("procfile", units)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    #[test]
    fn process_types() {
        let facts = facts(
            &DETECTOR,
            "//- api/Procfile\n# types\nrelease: python manage.py migrate\nweb: gunicorn app:app --bind 0.0.0.0:$PORT -w ${WORKERS:-2}\nemails: celery -A app worker\n",
        );
        let units: Vec<_> = facts.stacks[0]
            .units
            .iter()
            .map(|unit| (unit.name.as_str(), unit.kind.as_str(), unit.evidence[0].line))
            .collect();
        assert_eq!(
            units,
            [
                ("release", "release", Some(2)),
                ("web", "web", Some(3)),
                ("emails", "worker", Some(4))
            ]
        );
        assert!(facts.stacks[0].units[0].pre_deploy.is_some());
        let names: Vec<_> = facts
            .variables
            .iter()
            .map(|fact| (fact.name.as_str(), fact.has_default))
            .collect();
        assert_eq!(names, [("PORT", false), ("WORKERS", true)]);
        assert_eq!(facts.infrastructure[0].kind, "procfile");
    }

    #[test]
    fn development() {
        for text in [
            "//- Procfile.dev\nweb: bin/rails server\n",
            "//- Procfile\nweb: npm run dev\n",
        ] {
            assert_eq!(
                facts(&DETECTOR, text).stacks[0].scope,
                Scope::Development,
                "{text}"
            );
        }
    }
}
