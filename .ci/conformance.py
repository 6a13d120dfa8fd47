#!/usr/bin/env python3
"""Holds what a plan asks people to paste against the validators of its languages.

    .venv/bin/python .ci/conformance.py target/debug/playbook      every fixture on every target
    .venv/bin/python .ci/conformance.py --plans PLAN.md …          plans that exist already
    .venv/bin/python .ci/conformance.py --self-test                every check finds what it is for

Shell blocks go through `bash -n` and shellcheck, Dockerfiles through hadolint, Kubernetes objects, Compose files and
GitHub workflows through their schemas, JSON and TOML through a parser. Beside that: the plan's structure, the width of
its tables, its anchors, its placeholders, and no image without a version.

Every distinct block is validated once, whatever the number of plans that hold it. Prints one line a problem and
`N passed, N failed` at the end; the exit status is 1 when something failed.
"""
import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from pathlib import Path

import kubernetes_validate
import yaml

PROJECT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
DATE = "2026-11-20"

SECTIONS = [
    "1. Prerequisites & Environment Matrix",
    "2. Backend Infrastructure Provisioning",
    "3. Backend Container Image Pipeline",
    "4. Backend Secret & Configuration Management",
    "5. Backend Data Layer Initialization",
    "6. Backend Service Deployment & Wiring",
    "7. API Ingress & External Access",
    "8. Backend Rollout Strategy",
    "9. Backend Observability & Monitoring",
    "10. Backend Operational Readiness",
    "11. Backend Docker & Custom Infrastructure Considerations",
]
NAMED = [
    "Executive Summary",
    "Architecture Overview",
    "Checklist",
    "Estimated Timeline",
    "Risk Assessment",
    "Assumptions and Open Questions",
]
FIELDS = ["Generated", "Target Environment", "Infrastructure Type", "Cloud Provider"]
SHELLS = {"bash", "sh", "shell", "console"}
PLACEHOLDERS = {"<YOUR_VALUE_HERE>", "<REDACTED>"}
# Variables are defined in the plan's first block, so a block of its own does not know them; no block has a #! line.
SHELLCHECK_OFF = "SC2034,SC2154,SC1091,SC2148"
KUBERNETES_GROUPS = re.compile(r"^(v1|(apps|batch|autoscaling|policy|networking\.k8s\.io|rbac\.authorization\.k8s\.io)/v\d+)$")


class Block:
    """A fenced block: where it stands, its language, its text."""

    def __init__(self, plan, line, language, text, closed):
        self.plan, self.line, self.language, self.text, self.closed = plan, line, language, text, closed


def blocks_of(plan, lines):
    """The fenced blocks of a plan, and the set of lines that are inside of one."""
    found, inside, at = [], set(), 0
    while at < len(lines):
        opening = re.match(r"^( *)(`{3,}|~{3,})(.*)$", lines[at])
        if not opening or "`" in opening[3]:
            at += 1
            continue
        indent, mark, info = opening.groups()
        closing = re.compile(rf"^ *{re.escape(mark[0])}{{{len(mark)},}}\s*$")
        start, body = at, []
        inside.add(at)
        at += 1
        while at < len(lines) and not closing.match(lines[at]):
            line = lines[at]
            body.append(line[len(indent):] if not line[: len(indent)].strip() else line)
            inside.add(at)
            at += 1
        inside.add(at)
        language = (info.split() or [""])[0].lower()
        found.append(Block(plan, start + 1, language, "\n".join(body) + "\n", at < len(lines)))
        at += 1
    return found, inside


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", **options)


def tool(name):
    beside = TOOLS / name
    path = str(beside) if beside.exists() else shutil.which(name)
    if not path:
        sys.exit(f"conformance: {name} is not installed, see .ci/requirements.txt")
    return path


# -- Validators: each takes {text: file} and yields (text, problem) ---------------------------------------------------


def shell(files):
    for text, file in files.items():
        result = run(["bash", "-n", file])
        if result.returncode:
            yield text, "bash: " + result.stderr.strip().splitlines()[0].replace(str(file), "line")
    by_name = {str(file): text for text, file in files.items()}
    result = run([tool("shellcheck"), "-s", "bash", "-S", "warning", "-f", "json", "-e", SHELLCHECK_OFF, *by_name])
    for problem in json.loads(result.stdout or "[]"):
        yield by_name[problem["file"]], f"shellcheck: +{problem['line']}: SC{problem['code']} {problem['message']}"


def dockerfile(files):
    by_name = {str(file): text for text, file in files.items()}
    result = run([tool("hadolint"), "--no-color", "--failure-threshold", "error", "-f", "json", *by_name])
    for problem in json.loads(result.stdout or "[]"):
        if problem["level"] == "error":
            yield by_name[problem["file"]], f"hadolint: +{problem['line']}: {problem['code']} {problem['message']}"


def as_json(files):
    for text in files:
        try:
            json.loads(text)
        except ValueError as error:
            yield text, f"json: {error}"


def as_toml(files):
    for text in files:
        try:
            tomllib.loads(text)
        except ValueError as error:
            yield text, f"toml: {error}"


def as_yaml(files):
    schemas = defaultdict(dict)
    for text, file in files.items():
        try:
            documents = [document for document in yaml.safe_load_all(text) if document is not None]
        except yaml.YAMLError as error:
            yield text, "yaml: " + " ".join(str(error).split())[:200]
            continue
        for at, document in enumerate(documents):
            if not isinstance(document, dict):
                continue
            if "apiVersion" in document and "kind" in document:
                yield from ((text, problem) for problem in kubernetes(document))
                continue
            kind = schema_of(document)
            if kind:
                part = file.with_name(f"{file.stem}-{at}.yaml")
                # The workflow's key `on` is a boolean in YAML 1.1; the file as it stands is what the host reads.
                part.write_text(text if kind.endswith("workflows") else yaml.safe_dump(document))
                schemas[kind][str(part)] = text
    for kind, by_name in schemas.items():
        command = [tool("check-jsonschema"), "--builtin-schema", kind, "-o", "json", *by_name]
        result = json.loads(run(command).stdout or "{}")
        for problem in result.get("errors", []) + result.get("parse_errors", []):
            yield by_name[problem["filename"]], f"{kind}: {problem.get('path', '')} {problem.get('message', '')}"[:240]


def schema_of(document):
    if "jobs" in document and (True in document or "on" in document):
        return "vendor.github-workflows"
    services = document.get("services")
    if isinstance(services, dict) and not {"jobs", "stages", "databases"} & document.keys():
        return "vendor.compose-spec"
    return None


def kubernetes(document):
    if not KUBERNETES_GROUPS.match(str(document["apiVersion"])):
        return
    try:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    except kubernetes_validate.ValidationError as error:
        path = ".".join(str(part) for part in error.path)
        yield f"kubernetes: {document['kind']} {path}: {' '.join(error.message.split())}"[:240]


VALIDATORS = {
    **dict.fromkeys(SHELLS, (shell, ".sh")),
    "dockerfile": (dockerfile, ".Dockerfile"),
    "json": (as_json, ".json"),
    "toml": (as_toml, ".toml"),
    "yaml": (as_yaml, ".yaml"),
    "yml": (as_yaml, ".yaml"),
}


def validate(blocks):
    """(block, problem) for every block that a validator refuses."""
    by_validator = defaultdict(lambda: defaultdict(list))
    for block in blocks:
        if block.language in VALIDATORS:
            by_validator[VALIDATORS[block.language]][block.text].append(block)
    with tempfile.TemporaryDirectory() as folder:
        for at, ((validator, suffix), texts) in enumerate(by_validator.items()):
            files = {}
            for number, text in enumerate(texts):
                files[text] = Path(folder) / f"{at}-{number}{suffix}"
                files[text].write_text(text)
            for text, problem in validator(files):
                for block in texts[text]:
                    yield block, problem


# -- Checks of the text -----------------------------------------------------------------------------------------------


def check_block(block):
    if not block.closed:
        yield block.line, "fence: not closed"
    if not block.language:
        yield block.line, "fence: names no language"
    for offset, line in enumerate(block.text.splitlines(), 1):
        if re.search(r"(\bimage:|\bFROM\b|\bdocker (pull|run|push|build)\b|\btag\b|\bset image\b).*(?<!migrate):latest\b", line):
            yield block.line + offset, "latest: an image without a version"
        for word in re.findall(r"<[A-Z][A-Z0-9_ -]{2,}>|<(?:your|change|insert|todo)[^>]*>", line, re.I):
            if word not in PLACEHOLDERS and (word == word.upper() or re.match(r"<(your|change|insert|todo)", word, re.I)):
                yield block.line + offset, "placeholder: not one of " + ", ".join(sorted(PLACEHOLDERS))


def anchors_of(lines):
    seen, anchors = defaultdict(int), set()
    for line in lines:
        heading = re.match(r"^#{1,6} (.+?)\s*$", line)
        if heading:
            slug = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading[1]).lower()).replace(" ", "-")
            anchors.add(slug if not seen[slug] else f"{slug}-{seen[slug]}")
            seen[slug] += 1
    return anchors


def check_structure(outside):
    text = "\n".join(outside)
    if not re.match(r"# Backend Deployment Plan: \S", text):
        yield 1, "structure: the first line is no title"
    second = re.findall(r"^## (.+?)\s*$", text, re.M)
    numbered = [title for title in second if title[0].isdigit()]
    if numbered != SECTIONS:
        yield 1, f"structure: the numbered sections are {numbered}"
    for title in NAMED:
        if second.count(title) != 1:
            yield 1, f"structure: not one section {title!r}"
    for field in FIELDS:
        if not re.search(rf"^{field}: \S", text, re.M):
            yield 1, f"structure: the head lacks {field!r}"


def check_lines(lines, outside):
    anchors, width = anchors_of(outside), None
    for number, (line, visible) in enumerate(zip(lines, outside), 1):
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line):
            yield number, "control: a control character"
        prose = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", visible)
        if re.search(r"\{\{|\}\}|\{%|%\}", prose):
            yield number, "template: an unresolved expression"
        if re.search(r"\b(TODO|FIXME|TBD|XXX)\b", prose):
            yield number, "unfinished: a note to the author"
        for anchor in re.findall(r"\]\(#([^)]+)\)", visible):
            if anchor not in anchors:
                yield number, f"link: #{anchor} leads nowhere"
        if visible.startswith("|"):
            cells = len(re.findall(r"(?<!\\)\|", visible))
            if width and cells != width:
                yield number, f"table: {cells - 1} cells where the head has {width - 1}"
            width = width or cells
        else:
            width = None


def check(plans):
    """(plan, line, problem) of all plans, and the number of things that were held against something."""
    problems, checked, blocks = [], 0, []
    for name, text in plans.items():
        lines = text.split("\n")
        own, inside = blocks_of(name, lines)
        outside = ["" if at in inside else line for at, line in enumerate(lines)]
        blocks += own
        checked += 1 + len(own)
        for line, problem in [*check_structure(outside), *check_lines(lines, outside)]:
            problems.append((name, line, problem))
        for block in own:
            problems += [(name, line, problem) for line, problem in check_block(block)]
    problems += [(block.plan, block.line, problem) for block, problem in validate(blocks)]
    return sorted(set(problems)), checked


# -- Plans of the fixtures --------------------------------------------------------------------------------------------


def lay_out(case, to):
    """Copies a fixture's repository as a checkout: `dot-git` is `.git`, `@@name@@` the canary of that name."""
    described = tomllib.loads((case / "case.toml").read_text())
    canaries = {name: "".join(parts) for name, parts in described.get("canaries", {}).items()}
    shutil.copytree(case / "repo", to)
    if (to / "dot-git").exists():
        (to / "dot-git").rename(to / ".git")
    for path in to.rglob("*"):
        if path.is_file():
            text = path.read_text()
            if "@@" in text:
                for name, value in canaries.items():
                    text = text.replace(f"@@{name}@@", value)
                path.write_text(text)
    return described


def fixture_plans(program):
    """Every fixture's plan on every target, and the problems of making them."""
    plans, problems = {}, []
    listed = run([program, "targets"])
    targets = [line.split()[0] for line in listed.stdout.splitlines() if line.strip()]
    if listed.returncode or not targets:
        sys.exit("conformance: `playbook targets` failed")
    with tempfile.TemporaryDirectory() as folder:
        for case in sorted((PROJECT / "fixtures").iterdir()):
            checkout = Path(folder) / case.name
            described = lay_out(case, checkout)
            for target in [None, *targets]:
                given = ["--target", target] if target else described["arguments"]
                name = f"{case.name} on {target}" if target else case.name
                command = [program, "analyze", "--date", DATE, *given, str(checkout)]
                result = run(command)
                if result.returncode != described["exit"]:
                    problems.append((name, 0, f"exit code {result.returncode}: {result.stderr.strip()[:200]}"))
                plans[name] = result.stdout
    return plans, problems


# -- Self-test --------------------------------------------------------------------------------------------------------

BROKEN = {
    "bash: ": "```bash\nif true; then\n```\n",
    "shellcheck: ": "```bash\ncd \"$DIR\" || exit 1\nrm -rf $UNQUOTED/*\nfor f in $(ls); do echo \"$f\" > \"$f\" < \"$f\"; done\nlocal x=1\n```\n",
    "hadolint: ": "```dockerfile\nFROM debian:13\nMAINTAINER me\nWORKDIR app\nCOPY a b c\n```\n",
    "json: ": "```json\n{\"a\": }\n```\n",
    "toml: ": "```toml\na = \n```\n",
    "yaml: ": "```yaml\na: [1\n```\n",
    "kubernetes: ": "```yaml\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {prots: []}\n```\n",
    "vendor.compose-spec: ": "```yaml\nservices:\n  a:\n    image: b:1\n    prots: []\n```\n",
    "vendor.github-workflows: ": "```yaml\non: push\njobs:\n  a:\n    runs-on: x\n    stepz: []\n```\n",
    "fence: names no language": "```\nx\n```\n",
    "fence: not closed": "```text\nx\n",
    "latest: ": "```yaml\nimage: nginx:latest\n```\n",
    "placeholder: ": "```bash\nexport A=\"<CHANGE_ME>\"\n```\n",
    "structure: ": "# Something\n",
    "control: ": "a\x1bb\n",
    "template: ": "{{ x }}\n",
    "unfinished: ": "TODO\n",
    "link: ": "[a](#nowhere)\n",
    "table: ": "| a | b |\n|---|---|\n| c |\n",
}


def self_test():
    failed = []
    for expected, text in BROKEN.items():
        problems, _ = check({"broken": text})
        if not any(problem.startswith(expected) for _, _, problem in problems):
            failed.append(f"{expected.strip()} finds nothing in its broken example: {problems}")
    good = "```bash\nexport A=\"<YOUR_VALUE_HERE>\"\necho \"$A\"\n```\n\n```yaml\nservices:\n  a:\n    image: b:1\n```\n"
    noise = [p for p in check({"good": good})[0] if not p[2].startswith("structure: ")]
    if noise:
        failed.append(f"a good example has problems: {noise}")
    for line in failed:
        print(line)
    print(f"self-test of the checks: {len(BROKEN) + 1 - len(failed)} passed, {len(failed)} failed")
    return bool(failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", help="the built program")
    parser.add_argument("--plans", nargs="+", type=Path, help="plans to check instead")
    parser.add_argument("--self-test", action="store_true", help="check the checks")
    given = parser.parse_args()
    if given.self_test:
        sys.exit(self_test())
    if given.plans:
        plans, problems = {str(path): path.read_text() for path in given.plans}, []
    elif given.program:
        plans, problems = fixture_plans(str(Path(given.program).resolve()))
    else:
        parser.error("name the program, or --plans")
    found, checked = check(plans)
    problems += found
    for plan, line, problem in problems:
        print(f"{plan}:{line}: {problem}")
    failed = len({(plan, line) for plan, line, _ in problems})
    print(f"conformance of {len(plans)} plans: {max(checked - failed, 0)} passed, {failed} failed")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
