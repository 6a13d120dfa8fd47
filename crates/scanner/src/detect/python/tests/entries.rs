use super::facts;
use crate::fact::EntryKind;

/// Kind, framework, symbol and port of each entry point.
fn entries(files: &str) -> Vec<(EntryKind, String, String, Option<u16>)> {
    facts(files)
        .entry_points
        .iter()
        .map(|entry| {
            let symbol = entry.symbol.as_ref().map(ToString::to_string).unwrap_or_default();
            (entry.kind, entry.framework.to_string(), symbol, entry.port)
        })
        .collect()
}

fn one(
    kind: EntryKind,
    framework: &str,
    symbol: &str,
    port: Option<u16>,
) -> (EntryKind, String, String, Option<u16>) {
    (kind, framework.to_owned(), symbol.to_owned(), port)
}

#[test]
fn application_objects() {
    assert_eq!(
        entries(
            "//- backend/app/main.py\nfrom fastapi import FastAPI\n\napp = FastAPI(\n    title=\"x\",\n)\n"
        ),
        [one(EntryKind::Server, "fastapi", "backend.app.main:app", None)]
    );
    assert_eq!(
        entries("//- web.py\nimport flask as f\napi: f.Flask = f.Flask(__name__)\n"),
        [one(EntryKind::Server, "flask", "web:api", None)]
    );
    assert_eq!(
        entries(
            "//- shop/wsgi.py\nfrom django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
        ),
        [one(EntryKind::Server, "django", "shop.wsgi:application", None)]
    );
}

#[test]
fn factories_and_classes_of_their_own() {
    let files = "//- site/__init__.py\nfrom flask import Flask\n\nclass Site(Flask):\n    pass\n\ndef create_app(config=None):\n    app = Site(__name__)\n    return app\n//- wsgi.py\nfrom site import create_app\napp = create_app()\n";
    assert_eq!(
        entries(files),
        [
            one(EntryKind::Server, "flask", "site:create_app()", None),
            one(EntryKind::Server, "wsgi", "wsgi:app", None)
        ]
    );
}

#[test]
fn comments_strings_and_tests_make_no_application() {
    let files = "//- a.py\n# app = FastAPI()\n\"\"\"\napp = FastAPI()\n\"\"\"\nfrom fastapi import FastAPI\ntext = 'app = FastAPI()'\n\ndef helper():\n    app = FastAPI()\n    print(app)\n//- b.py\nclass FastAPI: pass\napp = FastAPI()\n";
    assert_eq!(entries(files), []);
    let found = facts("//- tests/conftest.py\nfrom fastapi import FastAPI\napp = FastAPI()\n");
    assert!(
        found
            .entry_points
            .iter()
            .all(|entry| entry.scope == playbook_core::evidence::Scope::Development)
    );
}

#[test]
fn listeners_with_their_ports() {
    let guarded = |line: &str| {
        let found = facts(&format!(
            "//- srv/main.py\nimport os\nimport uvicorn\nfrom fastapi import FastAPI\napp = FastAPI()\nPORT = 9000\nif __name__ == '__main__':\n    {line}\n"
        ));
        let entry = found.entry_points.last().expect("a listener").clone();
        (
            entry.symbol.map(|symbol| symbol.to_string()).unwrap_or_default(),
            entry.port,
            entry.port_variable.map(|name| name.to_string()),
            entry.bind.map(|bind| bind.to_string()),
        )
    };
    let owned = |text: &str| Some(text.to_owned());
    let app = || "srv.main:app".to_owned();
    assert_eq!(
        guarded("uvicorn.run(app, host='0.0.0.0', port=8080)"),
        (app(), Some(8080), None, owned("0.0.0.0"))
    );
    assert_eq!(
        guarded("uvicorn.run('main:app', port=int(os.environ.get('PORT', 8001)))"),
        (app(), Some(8001), owned("PORT"), owned("127.0.0.1"))
    );
    assert_eq!(guarded("uvicorn.run(app, port=PORT)").1, Some(9000));
    assert_eq!(
        guarded("uvicorn.run(app, port=int(os.environ['APP_PORT']))").2,
        owned("APP_PORT")
    );
    assert_eq!(guarded("uvicorn.run(app)").1, Some(8000));
    assert_eq!(guarded("uvicorn.run(app, port=settings.PORT)").2, owned("PORT"));
    assert_eq!(
        guarded("uvicorn.run(app, port=int(os.getenv('PORT') or 7000))").1,
        Some(7000)
    );
}

#[test]
fn listeners_of_other_libraries() {
    let grpc = "//- a.py\nimport os\nimport grpc\nport = os.getenv('PORT', '50051')\nserver = grpc.server(pool)\nserver.add_insecure_port(f'[::]:{port}')\n";
    assert_eq!(entries(grpc), [one(EntryKind::Server, "grpc", "a", Some(50051))]);
    let http =
        "//- b.py\nfrom http.server import HTTPServer\nHTTPServer(('', 8099), Handler).serve_forever()\n";
    assert_eq!(
        entries(http),
        [one(EntryKind::Server, "http-server", "b", Some(8099))]
    );
    let options = "//- c.py\nimport argparse\nfrom aiohttp import web\nparser = argparse.ArgumentParser()\nparser.add_argument('--port', type=int, default=8085)\nargs = parser.parse_args()\nweb.run_app(make(), port=args.port)\n";
    assert_eq!(
        entries(options),
        [one(EntryKind::Server, "aiohttp", "c", Some(8085))]
    );
}

#[test]
fn a_development_server_is_told() {
    use playbook_core::inventory::SignalKind;
    let found = facts(
        "//- app.py\nfrom flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run(debug=True)\n",
    );
    let kinds: Vec<SignalKind> = found.signals.iter().map(|signal| signal.kind).collect();
    assert_eq!(
        kinds,
        [
            SignalKind::BindsLoopback,
            SignalKind::DevelopmentServer,
            SignalKind::DebugEnabled
        ]
    );
    assert_eq!(found.entry_points.last().and_then(|entry| entry.port), Some(5000));
}

#[test]
fn workers_and_schedulers() {
    assert_eq!(
        entries("//- jobs/app.py\nfrom celery import Celery\ncelery_app = Celery('jobs', broker=URL)\n"),
        [one(EntryKind::Worker, "celery", "jobs.app:celery_app", None)]
    );
    assert_eq!(
        entries(
            "//- cli/rq.py\nfrom rq import Worker\n@manager.command()\ndef worker(queues):\n    w = Worker(queues)\n    w.work()\n"
        ),
        [one(EntryKind::Worker, "rq", "cli.rq:worker", None)]
    );
    assert_eq!(
        entries("//- w.py\nfrom arq import cron\nclass WorkerSettings:\n    functions = [send]\n"),
        [one(EntryKind::Worker, "arq", "w:WorkerSettings", None)]
    );
    assert_eq!(
        entries(
            "//- tick.py\nimport schedule, time\nwhile True:\n    schedule.run_pending()\n    time.sleep(1)\n"
        ),
        [one(EntryKind::Scheduler, "schedule", "tick", None)]
    );
    assert_eq!(
        entries("//- consume.py\nimport pika\ndef main():\n    channel.start_consuming()\n"),
        [one(EntryKind::Worker, "pika", "consume", None)]
    );
    assert_eq!(
        entries("//- views.py\nimport pika\ndef publish():\n    channel.basic_publish('x')\n"),
        []
    );
    assert_eq!(
        entries(
            "//- shop/management/commands/pump.py\nclass Command(BaseCommand):\n    def handle(self):\n        while True:\n            step()\n"
        ),
        [one(
            EntryKind::Worker,
            "django",
            "shop.management.commands.pump:Command",
            None
        )]
    );
}

#[test]
fn functions_and_programs() {
    assert_eq!(
        entries("//- f.py\ndef lambda_handler(event, context):\n    return {}\n"),
        [one(EntryKind::Function, "aws-lambda", "f:lambda_handler", None)]
    );
    assert_eq!(
        entries("//- tool.py\ndef main(): pass\nif __name__ == '__main__':\n    main()\n"),
        [one(EntryKind::Program, "python", "tool", None)]
    );
}

#[test]
fn hostile_files_cost_little() {
    for text in [
        "(".repeat(100_000),
        "a(".repeat(50_000),
        "'".repeat(99_999),
        "a=b\n".repeat(50_000),
        "\\\n".repeat(50_000),
        "@app.get('/x')\ndef f(a): return 1\n"
            .repeat(4_000)
            .replace("app", "x"),
        "x = os.environ.get('A', 'b')\n".repeat(10_000),
    ] {
        let found = facts(&format!("//- x.py\n{text}"));
        assert!(found.entry_points.is_empty());
    }
}
