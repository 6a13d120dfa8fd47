//! The templates' folder inside the program. A test compares this list with the folder.

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../../playbook-templates/", $path)))),*]
    };
}

/// Path inside the folder, content.
pub(super) const FILES: &[(&str, &str)] = files![
    "assumptions.toml",
    "components.md",
    "dockerfiles/beam.md",
    "dockerfiles/bun.md",
    "dockerfiles/choose.md",
    "dockerfiles/deno.md",
    "dockerfiles/dotnet.md",
    "dockerfiles/go.md",
    "dockerfiles/jvm.md",
    "dockerfiles/node.md",
    "dockerfiles/php.md",
    "dockerfiles/python.md",
    "dockerfiles/ruby.md",
    "dockerfiles/rust.md",
    "edge.toml",
    "engines/clickhouse.toml",
    "engines/elasticsearch.toml",
    "engines/kafka.toml",
    "engines/mariadb.toml",
    "engines/memcached.toml",
    "engines/minio.toml",
    "engines/mongodb.toml",
    "engines/mssql.toml",
    "engines/mysql.toml",
    "engines/nats.toml",
    "engines/opensearch.toml",
    "engines/postgresql.toml",
    "engines/qdrant.toml",
    "engines/rabbitmq.toml",
    "engines/redis.toml",
    "engines/sqlite.toml",
    "engines/valkey.toml",
    "operations.toml",
    "parameters.toml",
    "plan.md",
    "platforms.toml",
    "questions.toml",
    "sections/00-head.md",
    "sections/00-overview.md",
    "sections/00-summary.md",
    "sections/01-access.md",
    "sections/01-environments.md",
    "sections/01-parameters.md",
    "sections/01-preflight.md",
    "sections/01-prerequisites.md",
    "sections/01-tools.md",
    "sections/01-versions.md",
    "sections/02-external.md",
    "sections/02-infrastructure.md",
    "sections/03-check-image.md",
    "sections/03-images.md",
    "sections/03-pull.md",
    "sections/03-review.md",
    "sections/03-scan.md",
    "sections/03-write-dockerfile.md",
    "sections/04-rotation.md",
    "sections/04-secrets.md",
    "sections/05-connections.md",
    "sections/05-data.md",
    "sections/05-revisions.md",
    "sections/06-other-pipeline.md",
    "sections/06-pipeline.md",
    "sections/06-services.md",
    "sections/07-ingress.md",
    "sections/08-release.md",
    "sections/08-rollout.md",
    "sections/08-schema.md",
    "sections/08-smoke.md",
    "sections/09-observability.md",
    "sections/10-jobs.md",
    "sections/10-readiness.md",
    "sections/10-runbook.md",
    "sections/10-scaling.md",
    "sections/11-docker.md",
    "sections/11-harden-image.md",
    "sections/20-checklist.md",
    "sections/21-timeline.md",
    "sections/22-risks.md",
    "sections/23-open.md",
    "sizing.toml",
    "steps.toml",
    "targets/compose/01-preflight-checks.md",
    "targets/compose/02-components.md",
    "targets/compose/02-dns.md",
    "targets/compose/02-docker.md",
    "targets/compose/02-host.md",
    "targets/compose/02-infrastructure.md",
    "targets/compose/02-network.md",
    "targets/compose/02-sum.md",
    "targets/compose/03-build.md",
    "targets/compose/03-copy.md",
    "targets/compose/03-images.md",
    "targets/compose/04-overlay.md",
    "targets/compose/04-store-variables.md",
    "targets/compose/05-backup.md",
    "targets/compose/05-count.md",
    "targets/compose/05-migrate.md",
    "targets/compose/05-restore.md",
    "targets/compose/05-rollback.md",
    "targets/compose/05-seed.md",
    "targets/compose/05-start.md",
    "targets/compose/06-clock.md",
    "targets/compose/06-pipeline.md",
    "targets/compose/06-services.md",
    "targets/compose/06-start.md",
    "targets/compose/07-ingress.md",
    "targets/compose/07-verify.md",
    "targets/compose/08-cleanup.md",
    "targets/compose/08-gapless.md",
    "targets/compose/08-rollback.md",
    "targets/compose/08-strategy.md",
    "targets/compose/08-triggers.md",
    "targets/compose/09-alerts.md",
    "targets/compose/09-observability.md",
    "targets/compose/10-backup-daily.md",
    "targets/compose/10-first-commands.md",
    "targets/compose/10-maintenance.md",
    "targets/compose/10-restore-drill.md",
    "targets/compose/11-decision.md",
    "targets/compose/11-docker.md",
    "targets/compose/11-harden-runtime.md",
    "targets/compose/11-review.md",
    "targets/compose/target.toml",
    "targets/kubernetes/01-preflight-checks.md",
    "targets/kubernetes/02-components.md",
    "targets/kubernetes/02-infrastructure.md",
    "targets/kubernetes/02-namespace.md",
    "targets/kubernetes/02-stores.md",
    "targets/kubernetes/03-build.md",
    "targets/kubernetes/03-push.md",
    "targets/kubernetes/04-store-variables.md",
    "targets/kubernetes/05-backup.md",
    "targets/kubernetes/05-migrate.md",
    "targets/kubernetes/05-restore.md",
    "targets/kubernetes/05-rollback.md",
    "targets/kubernetes/05-seed.md",
    "targets/kubernetes/05-start.md",
    "targets/kubernetes/06-clock.md",
    "targets/kubernetes/06-pipeline.md",
    "targets/kubernetes/06-services.md",
    "targets/kubernetes/06-start.md",
    "targets/kubernetes/07-edge.md",
    "targets/kubernetes/07-ingress.md",
    "targets/kubernetes/07-verify.md",
    "targets/kubernetes/08-rollback.md",
    "targets/kubernetes/08-strategy.md",
    "targets/kubernetes/08-triggers.md",
    "targets/kubernetes/09-alerts.md",
    "targets/kubernetes/09-observability.md",
    "targets/kubernetes/10-backup-daily.md",
    "targets/kubernetes/10-first-commands.md",
    "targets/kubernetes/10-maintenance.md",
    "targets/kubernetes/10-restore-drill.md",
    "targets/kubernetes/11-docker.md",
    "targets/kubernetes/11-harden-runtime.md",
    "targets/kubernetes/target.toml",
    "targets/render/01-preflight-checks.md",
    "targets/render/02-blueprint.md",
    "targets/render/02-components.md",
    "targets/render/02-create.md",
    "targets/render/02-infrastructure.md",
    "targets/render/03-build.md",
    "targets/render/03-images.md",
    "targets/render/04-store-variables.md",
    "targets/render/05-backup.md",
    "targets/render/05-check.md",
    "targets/render/05-migrate.md",
    "targets/render/05-restore.md",
    "targets/render/05-rollback.md",
    "targets/render/05-seed.md",
    "targets/render/06-clock.md",
    "targets/render/06-pipeline.md",
    "targets/render/06-services.md",
    "targets/render/06-start.md",
    "targets/render/07-ingress.md",
    "targets/render/07-verify.md",
    "targets/render/08-rollback.md",
    "targets/render/08-strategy.md",
    "targets/render/08-triggers.md",
    "targets/render/09-alerts.md",
    "targets/render/09-observability.md",
    "targets/render/10-backup-daily.md",
    "targets/render/10-first-commands.md",
    "targets/render/10-maintenance.md",
    "targets/render/10-restore-drill.md",
    "targets/render/11-docker.md",
    "targets/render/target.toml",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    #[expect(
        clippy::disallowed_methods,
        reason = "the test compares the list with the folder"
    )]
    fn walk(folder: &Path, prefix: &str, into: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let entry = entry.expect("a readable entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{path}/"), into);
            } else if entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "md" || extension == "toml")
            {
                into.insert(path);
            }
        }
    }

    #[test]
    fn the_list_is_the_folder() {
        let mut found = BTreeSet::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../playbook-templates");
        walk(&folder, "", &mut found);
        let listed: BTreeSet<String> = super::FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(found, listed);
    }
}
