use super::super::testing::*;
use super::*;

#[test]
fn heads() {
    let id = "multiple-migration-heads";
    let found = fires(
        id,
        &migrated(migration(|m| {
            m.heads = vec!["a1".into(), "b2".into()];
            m.revisions = vec![revision("b2", vec![])];
        })),
        "compose",
    );
    assert_eq!(found.severity, Severity::Blocker);
    assert_eq!(found.evidence[0], place("migrations/versions/b2.py", 1));
    silent(id, &migrated(migration(|_| {})), "compose");
}

#[test]
fn operations() {
    let drop = || operation(OperationKind::DropColumn, "users.name", 21);
    let newest = migration(|m| m.revisions = vec![revision("a1", vec![]), revision("b2", vec![drop()])]);
    let found = fires("migration-destructive", &migrated(newest), "compose");
    assert_eq!(
        (found.severity, &found.evidence[..]),
        (Severity::High, &[place("migrations/versions/b2.py", 21)][..])
    );
    let older = migration(|m| m.revisions = vec![revision("a1", vec![drop()]), revision("b2", vec![])]);
    assert_eq!(
        fires("migration-destructive", &migrated(older), "compose").severity,
        Severity::Medium
    );
    let adds = migration(|m| {
        m.revisions = vec![
            revision("a1", vec![]),
            revision("b2", vec![operation(OperationKind::AddColumn, "users.x", 4)]),
        ];
    });
    silent("migration-destructive", &migrated(adds), "compose");

    let index = |create: bool| {
        let mut operations = vec![operation(OperationKind::CreateIndex, "users.name", 9)];
        if create {
            operations.push(operation(OperationKind::CreateTable, "users", 4));
        }
        migrated(migration(|m| {
            m.revisions = vec![revision("a1", vec![]), revision("b2", operations)];
        }))
    };
    fires("migration-locking", &index(false), "compose");
    silent("migration-locking", &index(true), "compose");

    let extension = migrated(migration(|m| {
        m.revisions = vec![revision(
            "a1",
            vec![operation(OperationKind::CreateExtension, "citext", 5)],
        )];
    }));
    assert_eq!(
        fires("migration-creates-extension", &extension, "compose").detail,
        "The migrations create `citext`."
    );
    silent("migration-creates-extension", &index(true), "compose");

    let one_way = migrated(migration(|m| {
        let mut only = revision("a1", vec![]);
        only.reversible = Some(false);
        m.revisions = vec![only];
    }));
    fires("migration-irreversible", &one_way, "compose");
    silent("migration-irreversible", &index(true), "compose");
}
