//! Which settings other settings bring in: `import_config "prod.secret.exs"`.

use crate::detect::ecosystem::{Code, group, pattern};
use crate::fact::Facts;

/// Environments that `config_env()` stands for.
const ENVIRONMENTS: [&str; 3] = ["dev", "prod", "test"];

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    let folder = code.source.path.parent();
    for found in code.all(&pattern!(r#"\bimport_config[ (]+"(?P<path>[^"\n]+)""#)) {
        let written = group(&found, "path");
        let hole = pattern!(r"#\{[^}]*\}");
        let paths: Vec<String> = if hole.is(written) {
            ENVIRONMENTS
                .iter()
                .map(|name| {
                    let (before, rest) = written.split_once("#{").unwrap_or((written, ""));
                    let after = rest.split_once('}').map_or("", |(_, after)| after);
                    format!("{before}{name}{after}")
                })
                .collect()
        } else {
            vec![written.to_owned()]
        };
        facts
            .settings_imports
            .extend(paths.iter().filter_map(|path| folder.join(path)));
    }
}
