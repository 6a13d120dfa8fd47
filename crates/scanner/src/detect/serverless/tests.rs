use playbook_core::harmless::{CommandLine, Schedule};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use super::DETECTOR;
use crate::testing::facts;

#[test]
fn functions_of_a_template() {
    let facts = facts(
        &DETECTOR,
        "//- orders/template.yaml
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.12
    Handler: main.handler
    Environment:
      Variables:
        TABLE_NAME: !Ref Table
        LOG_LEVEL: info
Resources:
  Table:
    Type: AWS::Serverless::SimpleTable
  GetOrder:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/get_order/
      Environment:
        Variables:
          LOG_LEVEL: debug
      Events:
        Request:
          Type: Api
          Properties: {Path: '/orders/{id}', Method: get}
  Nightly:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/nightly/
      Handler: job.run
      Events:
        Clock:
          Type: Schedule
          Properties: {Schedule: 'rate(5 minutes)'}
        Work:
          Type: SQS
          Properties: {Queue: !GetAtt Queue.Arn}
",
    );
    let units: Vec<_> = facts.stacks[0]
        .units
        .iter()
        .map(|unit| {
            (
                unit.name.as_str(),
                unit.root.as_ref().map(RelPath::as_str),
                unit.command.as_ref().map(CommandLine::as_str),
                unit.evidence[0].line,
                unit.variables.len(),
            )
        })
        .collect();
    assert_eq!(
        units,
        [
            (
                "GetOrder",
                Some("orders/src/get_order"),
                Some("main.handler"),
                Some(13),
                2
            ),
            (
                "Nightly",
                Some("orders/src/nightly"),
                Some("job.run"),
                Some(24),
                2
            )
        ]
    );
    let routes: Vec<_> = facts
        .routes
        .iter()
        .map(|route| (route.method, route.path.as_str(), route.evidence.line))
        .collect();
    assert_eq!(routes, [("GET", "/orders/{id}", Some(21))]);
    let jobs: Vec<_> = facts
        .jobs
        .iter()
        .map(|job| (job.name.as_str(), job.schedule.as_ref().map(Schedule::as_str)))
        .collect();
    assert_eq!(jobs, [("Clock", Some("rate(5 minutes)"))]);
    let stores: Vec<_> = facts.stores.iter().map(|store| store.kind.as_str()).collect();
    assert_eq!(stores, ["dynamodb", "sqs"]);
    let pins: Vec<_> = facts
        .version_pins
        .iter()
        .map(|pin| (pin.tool.as_str(), pin.version.as_str(), pin.path.as_str()))
        .collect();
    assert_eq!(
        pins,
        [
            ("python", "3.12", "orders/src/get_order"),
            ("python", "3.12", "orders/src/nightly")
        ]
    );
}

#[test]
fn functions_of_the_framework() {
    let facts = facts(
        &DETECTOR,
        "//- serverless.yml
service: shop
provider:
  name: aws
  runtime: nodejs20.x
  region: eu-central-1
  environment:
    STAGE: ${sls:stage}
functions:
  create:
    handler: src/orders.create
    events:
      - httpApi: 'POST /orders'
  report:
    handler: src/report.run
    memorySize: 512
    events:
      - schedule:
          rate: cron(0 3 * * ? *)
      - stream: arn:aws:dynamodb:region:0:table/orders
resources:
  Resources:
    Orders:
      Type: AWS::DynamoDB::Table
",
    );
    let units: Vec<_> = facts.stacks[0]
        .units
        .iter()
        .map(|unit| {
            (
                unit.name.as_str(),
                unit.runtime.as_ref().map(Shown::as_str),
                unit.schedule.is_some(),
            )
        })
        .collect();
    assert_eq!(
        units,
        [
            ("create", Some("nodejs20.x"), false),
            ("report", Some("nodejs20.x"), true)
        ]
    );
    assert_eq!(facts.routes[0].path.as_str(), "/orders");
    assert_eq!(facts.version_pins[0].version, "20");
    assert_eq!(facts.stores.len(), 1);
    assert_eq!(facts.jobs[0].name.as_str(), "report");
}

#[test]
fn other_templates() {
    let facts = facts(
        &DETECTOR,
        "//- template.yaml\nResources:\n  Vpc:\n    Type: AWS::EC2::VPC\n//- values.yaml\nfunctions: {a: {handler: b}}\n",
    );
    assert!(facts.stacks.is_empty());
}
