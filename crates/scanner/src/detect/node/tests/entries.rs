use crate::detect::node::DETECTOR;
use crate::fact::EntryKind;
use crate::testing::facts;

/// Framework, port, variable and address of every entry point.
fn entries(text: &str) -> Vec<(EntryKind, String, Option<u16>, String, String)> {
    facts(&DETECTOR, &format!("//- src/server.ts\n{text}\n"))
        .entry_points
        .into_iter()
        .map(|entry| {
            (
                entry.kind,
                entry.framework.to_string(),
                entry.port,
                entry
                    .port_variable
                    .map(|name| name.to_string())
                    .unwrap_or_default(),
                entry.bind.map(|bind| bind.to_string()).unwrap_or_default(),
            )
        })
        .collect()
}

fn server(
    framework: &str,
    port: Option<u16>,
    variable: &str,
    bind: &str,
) -> (EntryKind, String, Option<u16>, String, String) {
    (
        EntryKind::Server,
        framework.to_owned(),
        port,
        variable.to_owned(),
        bind.to_owned(),
    )
}

#[test]
fn listeners() {
    for (text, expected) in [
        (
            "import express from 'express';\nconst app = express();\nconst port = parseInt(process.env.PORT || '3000', 10);\napp.listen(port, '0.0.0.0', () => {});",
            server("express", Some(3000), "PORT", "0.0.0.0"),
        ),
        (
            "var express = require('express'),\n    app = express(),\n    server = require('http').Server(app),\n    io = require('socket.io')(server);\nvar port = process.env.PORT || 4000;\nserver.listen(port, function () {});",
            server("express", Some(4000), "PORT", ""),
        ),
        (
            "import Fastify from 'fastify';\nconst fastify = Fastify({ logger: true });\nawait fastify.listen({ port: 8080, host: '127.0.0.1' });",
            server("fastify", Some(8080), "", "127.0.0.1"),
        ),
        (
            "import { NestFactory } from '@nestjs/core';\nasync function bootstrap() {\n  const app = await NestFactory.create<NestExpressApplication>(AppModule);\n  await app.listen(configService.get<number>('APP_PORT', 3333));\n}",
            server("nestjs", Some(3333), "APP_PORT", ""),
        ),
        (
            "import { serve } from '@hono/node-server'\nserve({ fetch: app.fetch, port: Number(process.env.PORT ?? 8787) })",
            server("hono", Some(8787), "PORT", ""),
        ),
        (
            "import { Elysia } from 'elysia'\nconst app = new Elysia()\n  .get('/', () => 'x')\n  .listen(3001)",
            server("elysia", Some(3001), "", ""),
        ),
        (
            "import app from './app';\nimport { PORT } from './config';\napp.listen(PORT, () => console.log('up'));",
            server("node-http", None, "PORT", ""),
        ),
        (
            "import http from 'node:http';\nimport app from './app';\nhttp.createServer(app).listen(process.env.PORT || 5000);",
            server("node-http", Some(5000), "PORT", ""),
        ),
        (
            "import Hapi from '@hapi/hapi';\nconst server = Hapi.server({ port: 4001, host: 'localhost' });\nawait server.start();",
            server("hapi", Some(4001), "", "localhost"),
        ),
        (
            "Bun.serve({ port: 3002, fetch(req) { return new Response('x'); } });",
            server("bun", Some(3002), "", ""),
        ),
    ] {
        assert_eq!(entries(text), [expected], "{text}");
    }
}

#[test]
fn what_listens_to_something_else_is_none() {
    for text in [
        "// app.listen(3000)",
        "const text = 'app.listen(3000)';",
        "import { setupServer } from 'msw/node';\nconst server = setupServer();\nserver.listen({ onUnhandledRequest: 'error' });",
        "emitter.listen('change', () => {});",
        "import { NestFactory } from '@nestjs/core';\nconst app = await NestFactory.create(SeedModule);\nawait app.close();",
        "import WebSocket from 'ws';\nconst wss = new WebSocket.Server({ noServer: true });",
    ] {
        assert_eq!(entries(text), [], "{text}");
    }
}

#[test]
fn workers() {
    let told = entries(
        "import { Worker } from 'bullmq';\nconst worker = new Worker('mail', job => send(job), { connection });",
    );
    assert_eq!(
        told,
        [(
            EntryKind::Worker,
            "bullmq".to_owned(),
            None,
            String::new(),
            String::new()
        )]
    );
    // A module that others import is part of their process.
    assert_eq!(
        entries("import { Worker } from 'bullmq';\nexport const worker = new Worker('mail', run);"),
        []
    );
    // A thread of the same name.
    assert_eq!(
        entries("import { Worker } from 'worker_threads';\nconst worker = new Worker('./x.js');"),
        []
    );
}
