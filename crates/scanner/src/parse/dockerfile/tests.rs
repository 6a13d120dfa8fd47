use super::*;

const TEXT: &str = r#"# syntax=docker/dockerfile:1
# a comment
ARG NODE=20
ARG BASE="node:${NODE}-alpine"
FROM --platform=$BUILDPLATFORM ${BASE} AS Base
WORKDIR /app
ENV PORT=3000 \
    # a comment in between

    NAME="a b"
USER node
EXPOSE $PORT 9000/udp
CMD ["node", "server.js"]

FROM base as build
ARG NODE
RUN --mount=type=cache,target=/root/.npm \
    npm ci && \
    npm run build-$NODE
COPY <<EOF /etc/x
FROM nothing
EOF
RUN cat <<-ONE <<'TWO' > /y
	one
	ONE
two
TWO

FROM base
COPY --from=build --chown=node:node /app/dist /app/$NAME ./
WORKDIR sub
HEALTHCHECK --interval=30s --timeout=3s \
  CMD curl -f http://localhost:${PORT:-80}/ || exit 1
ENTRYPOINT exec ./run --x
"#;

fn file() -> Dockerfile {
    let file = parse(TEXT);
    assert_eq!(file.problem, None);
    file
}

#[test]
fn stages_and_bases() {
    let file = file();
    assert_eq!(file.syntax.as_deref(), Some("docker/dockerfile:1"));
    let stages: Vec<_> = file
        .stages
        .iter()
        .map(|stage| {
            (
                stage.line,
                stage.name.as_deref(),
                stage.base.as_str(),
                stage.base_stage,
            )
        })
        .collect();
    assert_eq!(
        stages,
        [
            (5, Some("base"), "node:20-alpine", None),
            (15, Some("build"), "base", Some(0)),
            (29, None, "base", Some(0))
        ]
    );
    assert_eq!(file.root_image(&file.stages[2]), ("node:20-alpine", 5));
    assert_eq!(file.stage_named("BUILD").map(|stage| stage.index), Some(1));
    assert_eq!(file.stage_named("2").map(|stage| stage.index), Some(2));
}

#[test]
fn the_final_stage_inherits() {
    let file = file();
    let stage = file.final_stage().expect("a stage");
    assert_eq!(file.user(stage), Some(("node".into(), 11)));
    assert_eq!(file.workdir(stage), Some(("/app/sub".into(), 31)));
    let exposed: Vec<_> = file
        .exposed(stage)
        .into_iter()
        .map(|port| (port.line, port.port, port.protocol))
        .collect();
    assert_eq!(
        exposed,
        [
            (12, "3000".into(), "tcp".into()),
            (12, "9000".into(), "udp".into())
        ]
    );
    let env: Vec<_> = file
        .env(stage)
        .into_iter()
        .map(|variable| (variable.line, variable.name, variable.value))
        .collect();
    assert_eq!(
        env,
        [
            (7, "PORT".into(), Some("3000".into())),
            (10, "NAME".into(), Some("a b".into()))
        ]
    );
    assert!(
        file.cmd(stage).is_none(),
        "an entrypoint of its own takes the inherited command away"
    );
    let entrypoint = file.entrypoint(stage).expect("an entrypoint");
    assert!(!entrypoint.behind_shell());
    assert_eq!(entrypoint.commands()[0].texts(), ["./run", "--x"]);
    assert_eq!(entrypoint.commands()[0].line, 34);
    let check = file.healthcheck(stage).expect("a health check");
    assert_eq!(
        check.command.map(|command| command.text.to_owned()).as_deref(),
        Some("curl -f http://localhost:${PORT:-80}/ || exit 1")
    );
    let copies = file.copies(stage);
    assert_eq!(
        (
            copies[0].from,
            copies[0].owner,
            copies[0].sources.join(" "),
            copies[0].destination.as_str()
        ),
        (
            Some("build"),
            Some("node:node"),
            "/app/dist /app/a b".into(),
            "./"
        )
    );
}

#[test]
fn continuations_and_heredocs() {
    let file = file();
    let build = &file.stages[1];
    let runs: Vec<_> = build
        .all("RUN")
        .map(|run| (run.line, run.end_line, run.arguments.as_str()))
        .collect();
    assert_eq!(
        runs,
        [
            (17, 19, "npm ci && npm run build-$NODE"),
            (23, 27, "cat <<-ONE <<'TWO' > /y")
        ]
    );
    let copy = build.last("COPY").expect("a copy");
    assert_eq!(
        (
            copy.end_line,
            copy.heredocs[0].line,
            copy.heredocs[0].text.as_str()
        ),
        (22, 21, "FROM nothing\n")
    );
    let two = build.last("RUN").expect("a run");
    assert_eq!(
        two.heredocs
            .iter()
            .map(|heredoc| heredoc.text.as_str())
            .collect::<Vec<_>>(),
        ["one\n", "two\n"]
    );
    assert_eq!(file.expand(build, "x-${NODE}"), "x-20");
}

#[test]
fn other_escape_carriage_returns_and_odd_lines() {
    let file = parse(
        "\u{feff}# escape=`\r\nFROM a\r\nRUN x `\r\n  y\r\nENV X=\r\nENV OLD some value\r\nUSER 0\r\nCMD [\"a\", \"é\\n\"]\r\n",
    );
    assert_eq!(file.problem, None);
    let stage = file.final_stage().expect("a stage");
    assert_eq!(
        stage.all("RUN").next().map(|run| run.arguments.as_str()),
        Some("x y")
    );
    let env: Vec<_> = file
        .env(stage)
        .into_iter()
        .map(|variable| (variable.name, variable.value))
        .collect();
    assert_eq!(
        env,
        [
            ("X".into(), Some(String::new())),
            ("OLD".into(), Some("some value".into()))
        ]
    );
    assert_eq!(
        file.cmd(stage)
            .and_then(|command| command.exec.map(<[String]>::to_vec)),
        Some(vec!["a".to_owned(), "é\n".to_owned()])
    );
}

#[test]
fn shells_before_the_process() {
    let file = parse("FROM a\nCMD a && b\n");
    let stage = file.final_stage().expect("a stage");
    assert!(file.cmd(stage).expect("a command").behind_shell());
    let file = parse("FROM a\nCMD [\"sh\", \"-c\", \"a && exec b $PORT\"]\n");
    let stage = file.final_stage().expect("a stage");
    assert_eq!(file.cmd(stage).expect("a command").commands().len(), 2);
}

#[test]
fn an_open_heredoc_is_reported() {
    let file = parse("FROM a\nRUN <<EOF\nx\n");
    assert_eq!(file.problem.map(|problem| problem.line), Some(2));
    assert_eq!(file.stages.len(), 1);
}

#[test]
fn a_variable_may_extend_itself() {
    let file = parse("FROM a\nENV PATH=/x:$PATH\nENV PATH=/y:$PATH A=1\nENV B=$A\n");
    let env: Vec<_> = file
        .env(&file.stages[0])
        .into_iter()
        .filter_map(|variable| variable.value)
        .collect();
    assert_eq!(env, ["/y:/x:$PATH", "1", "1"]);
}

#[test]
fn substitution_of_arguments() {
    let file = parse("ARG A\nARG B=x\nFROM ${A:-img}:${B}-${C}\nARG B\nEXPOSE ${B:+1}\n");
    assert_eq!(file.stages[0].base, "img:x-${C}");
    assert_eq!(file.exposed(&file.stages[0])[0].port, "1");
}
