use super::*;

fn told(sql: &str) -> Vec<(String, String, u32)> {
    let path = RelPath::new("m.sql").expect("a plain path");
    operations(sql, &path, 1)
        .into_iter()
        .map(|operation| {
            (
                operation.kind.to_string(),
                operation
                    .object
                    .map(|object| object.to_string())
                    .unwrap_or_default(),
                operation
                    .evidence
                    .first()
                    .and_then(|evidence| evidence.line)
                    .unwrap_or_default(),
            )
        })
        .collect()
}

fn one(sql: &str) -> Vec<(String, String)> {
    told(sql)
        .into_iter()
        .map(|(kind, object, _)| (kind, object))
        .collect()
}

#[test]
fn statements() {
    for (sql, kind, object) in [
        (
            "CREATE TABLE IF NOT EXISTS public.\"User\" (id int);",
            "create-table",
            "User",
        ),
        (
            "create unlogged table app.events (id int)",
            "create-table",
            "app.events",
        ),
        (
            "CREATE UNIQUE INDEX idx ON \"users\" (email);",
            "create-index",
            "users",
        ),
        (
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users (a);",
            "create-index-concurrently",
            "users",
        ),
        (
            "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\";",
            "create-extension",
            "uuid-ossp",
        ),
        ("ALTER TABLE users ADD COLUMN age int;", "add-column", "users.age"),
        (
            "ALTER TABLE users ADD age int NOT NULL DEFAULT 0;",
            "add-column",
            "users.age",
        ),
        (
            "ALTER TABLE `users` ADD COLUMN `age` INT NOT NULL;",
            "add-column-not-null",
            "users.age",
        ),
        (
            "ALTER TABLE users ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES b(id);",
            "add-constraint",
            "users",
        ),
        (
            "ALTER TABLE users ALTER COLUMN age TYPE bigint;",
            "alter-column",
            "users.age",
        ),
        (
            "ALTER TABLE users MODIFY COLUMN age BIGINT;",
            "alter-column",
            "users.age",
        ),
        (
            "ALTER TABLE users DROP COLUMN IF EXISTS age;",
            "drop-column",
            "users.age",
        ),
        ("ALTER TABLE users RENAME COLUMN a TO b;", "rename", "users.a"),
        ("ALTER TABLE users RENAME TO people;", "rename", "users"),
        ("DROP TABLE IF EXISTS users;", "drop-table", "users"),
        ("DELETE FROM users WHERE id = 1;", "delete-rows", "users"),
        ("TRUNCATE TABLE users;", "delete-rows", "users"),
        (
            "UPDATE users SET a = 'x; DROP TABLE y' WHERE b;",
            "update-rows",
            "users",
        ),
    ] {
        assert_eq!(one(sql), [(kind.to_owned(), object.to_owned())], "{sql}");
    }
}

#[test]
fn what_does_nothing_to_data_is_no_step() {
    for sql in [
        "-- DROP TABLE users;",
        "/* DROP TABLE users; */ SELECT 1;",
        "INSERT INTO log VALUES ('DROP TABLE users;');",
        "ALTER TABLE users ALTER COLUMN a SET DEFAULT 1;",
        "ALTER TABLE users DROP CONSTRAINT fk;",
        "CREATE TEMPORARY TABLE t (id int);",
        "CREATE FUNCTION f() RETURNS void AS $body$ BEGIN DELETE FROM users; END $body$ LANGUAGE plpgsql;",
        "DROP INDEX i;",
        "",
        "$",
        "\"",
        "'",
        "[",
    ] {
        assert_eq!(one(sql), [], "{sql}");
    }
}

#[test]
fn lines_blocks_and_lists() {
    assert_eq!(
        told("-- one\nALTER TABLE a\n  ADD COLUMN b int,\n  DROP COLUMN c;\n\nDROP TABLE d, e;\n"),
        [
            ("add-column".to_owned(), "a.b".to_owned(), 3),
            ("drop-column".to_owned(), "a.c".to_owned(), 4),
            ("drop-table".to_owned(), "d".to_owned(), 6),
            ("drop-table".to_owned(), "e".to_owned(), 6),
        ]
    );
    assert_eq!(
        told("DO $$\nBEGIN\n  IF EXISTS (SELECT 1) THEN\n    DELETE FROM users;\n  END IF;\nEND $$;"),
        [("delete-rows".to_owned(), "users".to_owned(), 4)]
    );
}

#[test]
fn a_table_that_is_rebuilt_is_not_dropped() {
    assert_eq!(
        one(
            "CREATE TABLE \"new_User\" (id int);\nINSERT INTO \"new_User\" SELECT * FROM \"User\";\nDROP TABLE \"User\";\nALTER TABLE \"new_User\" RENAME TO \"User\";"
        ),
        [("alter-column".to_owned(), "User".to_owned())]
    );
}
