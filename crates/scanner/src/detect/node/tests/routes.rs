use crate::detect::node::DETECTOR;
use crate::testing::{facts, inventory};

/// Method, whole path and whether the handler is seen to do nothing.
fn whole(files: &str) -> Vec<(String, String)> {
    inventory(files)
        .routes
        .into_iter()
        .map(|route| (route.method.to_string(), route.path.to_string()))
        .collect()
}

#[test]
fn routers_with_their_mounts() {
    let files = "//- package.json\n{\"name\":\"api\",\"scripts\":{\"start\":\"node src/index.js\"},\"dependencies\":{\"express\":\"4\"}}\n//- src/index.js\nconst express = require('express');\nconst users = require('./routes/users');\nconst app = express();\napp.get('/healthz', (req, res) => res.send('ok'));\napp.use('/api', users);\napp.listen(3000);\n//- src/routes/users.js\nconst router = require('express').Router();\nrouter.get('/users/:id', requireAuth, async (req, res) => { res.json(await db.query('x')); });\nrouter.route('/users').post(create);\nmodule.exports = router;\n//- src/routes/users.test.js\nrouter.get('/nothing', x);\n";
    assert_eq!(
        whole(files),
        [
            ("GET".to_owned(), "/api/users/:id".to_owned()),
            ("GET".to_owned(), "/healthz".to_owned()),
            ("POST".to_owned(), "/api/users".to_owned()),
        ]
    );
    let told = facts(&DETECTOR, files);
    let health = told.routes.first().expect("a route");
    assert!(health.constant && health.touches.is_empty());
    let user = told.routes.get(1).expect("a route");
    assert_eq!((user.constant, user.authenticated), (false, Some(true)));
    assert_eq!(
        user.touches.first().map(playbook_core::shown::Shown::as_str),
        Some("database")
    );
}

#[test]
fn controllers_with_the_global_prefix() {
    let files = "//- package.json\n{\"name\":\"api\",\"scripts\":{\"start:prod\":\"node dist/main\"},\"dependencies\":{\"@nestjs/core\":\"11\"}}\n//- src/main.ts\nimport { NestFactory } from '@nestjs/core';\nconst app = await NestFactory.create(AppModule);\napp.setGlobalPrefix('api', { exclude: ['health'] });\nawait app.listen(3000);\n//- src/users.controller.ts\nimport { Controller, Get, Post, UseGuards } from '@nestjs/common';\n@UseGuards(JwtAuthGuard)\n@Controller({ path: 'users', version: '1' })\nexport class UsersController {\n  @Get(':id')\n  one() { return this.service.one(); }\n  @Post()\n  @Public()\n  create() { return 1; }\n}\n//- src/health.controller.ts\nimport { Controller, Get } from '@nestjs/common';\n@Controller('health')\nexport class HealthController {\n  @Get()\n  @HealthCheck()\n  check() { return this.health.check([() => this.db.pingCheck('database')]); }\n}\n";
    assert_eq!(
        whole(files),
        [
            ("GET".to_owned(), "/api/v1/users/:id".to_owned()),
            ("GET".to_owned(), "/health".to_owned()),
            ("POST".to_owned(), "/api/v1/users".to_owned()),
        ]
    );
    let told = facts(&DETECTOR, files);
    let authenticated: Vec<Option<bool>> = told.routes.iter().map(|route| route.authenticated).collect();
    assert_eq!(authenticated, [Some(true), Some(false), None]);
    let health = told.routes.get(2).expect("the health route");
    assert_eq!(health.touches.len(), 1);
}

#[test]
fn routes_of_files() {
    let told = facts(
        &DETECTOR,
        "//- src/app/api/heartbeat/route.ts\nexport async function GET() {\n  return Response.json({ ok: true });\n}\n//- pages/api/users/[id].ts\nexport default async function handler(req, res) { await prisma.user.findMany(); }\n//- src/app/(site)/page.tsx\nexport default function Page() {}\n",
    );
    let paths: Vec<(&str, &str, bool)> = told
        .routes
        .iter()
        .map(|route| (route.method, route.path.as_str(), route.constant))
        .collect();
    assert_eq!(
        paths,
        [("GET", "/api/heartbeat", true), ("*", "/api/users/:id", false)]
    );
}

#[test]
fn clients_that_ask_are_no_routes() {
    let told = facts(
        &DETECTOR,
        "//- src/client.ts\nimport axios from 'axios';\naxios.get('/users');\nconst value = map.get('/x');\napi.get('/users');\n// app.get('/commented', f)\n",
    );
    assert!(told.routes.is_empty(), "{:?}", told.routes);
}
