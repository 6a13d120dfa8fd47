use playbook_core::inventory::{Stack, VariableSource};

use crate::testing::inventory;

fn stacks(files: &str) -> Vec<Stack> {
    inventory(files)
        .stacks
        .into_iter()
        .filter(|stack| stack.kind == "terraform")
        .collect()
}

#[test]
fn managed_stores_with_engine_version_and_size() {
    let found = inventory(
        "//- infra/main.tf\nresource \"aws_db_instance\" \"orders\" {\n  engine            = \"postgres\"\n  engine_version    = var.engine_version\n  instance_class    = \"db.t4g.small\"\n  allocated_storage = 40\n  password          = var.password\n}\n\nresource \"aws_dynamodb_table\" \"terraform_locks\" {\n  name = \"locks\"\n}\n\nresource \"google_sql_database_instance\" \"legacy\" {\n  database_version = \"MYSQL_8_0\"\n  settings {\n    tier = \"db-f1-micro\"\n  }\n}\n\nresource \"aws_elasticache_cluster\" \"off\" {\n  count  = var.cache ? 1 : 0\n  engine = \"redis\"\n}\n//- infra/variables.tf\nvariable \"engine_version\" {\n  default = \"16.4\"\n}\nvariable \"cache\" {\n  default = false\n}\nvariable \"password\" {}\n",
    );
    let stores: Vec<(&str, Option<&str>, Option<&str>)> = found
        .datastores
        .iter()
        .map(|store| {
            (
                store.kind.as_str(),
                store.version.as_ref().map(playbook_core::shown::Shown::as_str),
                store.managed.as_ref().map(playbook_core::shown::Shown::as_str),
            )
        })
        .collect();
    assert_eq!(
        stores,
        [
            ("mysql", Some("8.0"), Some("google-cloud")),
            ("postgresql", Some("16.4"), Some("aws"))
        ]
    );
    let units = &found.stacks[0].units;
    let plans: Vec<Option<&str>> = units
        .iter()
        .map(|unit| unit.plan.as_ref().map(playbook_core::shown::Shown::as_str))
        .collect();
    assert_eq!(plans, [Some("db.t4g.small"), Some("db-f1-micro")]);
    assert_eq!(units[0].mounts[0].size_gb, Some(40));
}

/// Name, image and variables of a unit.
type Told<'a> = (&'a str, Option<&'a str>, Vec<(&'a str, VariableSource)>);

#[test]
fn local_modules_take_their_arguments() {
    let found = stacks(
        "//- infra/main.tf\nmodule \"api\" {\n  source = \"./service\"\n  name   = \"api\"\n  envs = [\n    {\n      name  = \"LOG_LEVEL\"\n      value = \"info\"\n    }\n  ]\n}\n\nmodule \"worker\" {\n  source = \"./service\"\n  name   = \"worker\"\n}\n//- infra/service/main.tf\nlocals {\n  common = [\n    {\n      name  = \"REGION\"\n      value = var.region\n    }\n  ]\n}\nvariable \"name\" {}\nvariable \"region\" {}\nvariable \"envs\" {\n  default = []\n}\nresource \"google_cloud_run_service\" \"this\" {\n  name = \"${var.project}-${var.name}\"\n  template {\n    spec {\n      containers {\n        image = \"registry.example.com/shop/${var.name}:1.4\"\n        dynamic \"env\" {\n          for_each = concat(local.common, var.envs)\n          content {\n            name  = env.value.name\n            value = env.value.value\n          }\n        }\n      }\n    }\n  }\n}\n",
    );
    assert_eq!(found.len(), 1);
    let units: Vec<Told<'_>> = found[0]
        .units
        .iter()
        .map(|unit| {
            (
                unit.name.as_str(),
                unit.image.as_ref().map(playbook_core::shown::Shown::as_str),
                unit.variables
                    .iter()
                    .map(|variable| (variable.name.as_str(), variable.source))
                    .collect(),
            )
        })
        .collect();
    assert_eq!(
        units,
        [
            (
                "api",
                Some("registry.example.com/shop/api:1.4"),
                vec![
                    ("REGION", VariableSource::Interpolated),
                    ("LOG_LEVEL", VariableSource::Literal)
                ]
            ),
            (
                "worker",
                Some("registry.example.com/shop/worker:1.4"),
                vec![("REGION", VariableSource::Interpolated)]
            )
        ]
    );
    // The folder that others call is no deployment of its own.
    assert_eq!(found[0].files.len(), 1);
}

#[test]
fn task_definitions_and_schedules() {
    let found = inventory(
        "//- main.tf\nlocals {\n  web = {\n    name         = \"web\"\n    image        = \"${var.registry}/web:${var.tag}\"\n    portMappings = [{ containerPort = 8000 }]\n    environment  = [{ name = \"MODE\", value = \"live\" }]\n    secrets      = [{ name = \"API_TOKEN\", valueFrom = aws_secretsmanager_secret.t.arn }]\n  }\n}\nresource \"aws_ecs_task_definition\" \"web\" {\n  family                = \"${var.environment}-shop\"\n  container_definitions = jsonencode([local.web])\n}\nresource \"aws_cloudwatch_event_rule\" \"nightly\" {\n  name                = \"nightly\"\n  schedule_expression = \"cron(0 3 * * ? *)\"\n}\nresource \"aws_cloudwatch_event_rule\" \"events\" {\n  name          = \"events\"\n  event_pattern = \"{}\"\n}\n",
    );
    let unit = &found.stacks[0].units[0];
    assert_eq!(unit.name.as_str(), "shop");
    assert_eq!(unit.ports[0].container, 8000);
    let variables: Vec<(&str, VariableSource)> = unit
        .variables
        .iter()
        .map(|variable| (variable.name.as_str(), variable.source))
        .collect();
    assert_eq!(
        variables,
        [
            ("MODE", VariableSource::Literal),
            ("API_TOKEN", VariableSource::Secret)
        ]
    );
    let jobs: Vec<(&str, Option<&str>)> = found
        .scheduled_jobs
        .iter()
        .map(|job| {
            (
                job.name.as_str(),
                job.schedule.as_ref().map(playbook_core::shown::Shown::as_str),
            )
        })
        .collect();
    assert_eq!(jobs, [("nightly", Some("cron(0 3 * * ? *)"))]);
}

#[test]
fn modules_of_a_registry_stand_for_what_they_make() {
    let found = stacks(
        "//- db.tf\nmodule \"orders_db\" {\n  source         = \"terraform-aws-modules/rds-aurora/aws\"\n  version        = \"9.9.0\"\n  engine         = \"aurora-postgresql\"\n  engine_version = \"15.10\"\n}\nmodule \"vpc\" {\n  source = \"terraform-aws-modules/vpc/aws\"\n}\n",
    );
    let units: Vec<(&str, Option<&str>, Option<&str>)> = found[0]
        .units
        .iter()
        .map(|unit| {
            (
                unit.name.as_str(),
                unit.datastore.as_ref().map(playbook_core::shown::Shown::as_str),
                unit.version.as_ref().map(playbook_core::shown::Shown::as_str),
            )
        })
        .collect();
    assert_eq!(units, [("orders_db", Some("postgresql"), Some("15.10"))]);
}

#[test]
fn modules_that_call_each_other_end() {
    assert!(
        stacks(
            "//- a/main.tf\nmodule \"b\" {\n  source = \"../b\"\n}\n//- b/main.tf\nmodule \"a\" {\n  source = \"../a\"\n}\n//- c/main.tf\nmodule \"a\" {\n  source = \"../a\"\n}\n",
        )
        .is_empty()
    );
}
