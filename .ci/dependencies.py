#!/usr/bin/env python3
"""Holds the dependencies of Cargo.lock against .cargo/deny.toml: licences, banned crates, sources.

The same file drives `cargo deny`, which .ci/run prefers where it is installed; this needs nothing but cargo itself.
Prints one line a problem and `N passed, N failed`.
"""
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def allowed(expression, licences):
    """Is an SPDX expression satisfied by these licences? `OR` needs one side, `AND` all."""
    expression = expression.replace("/", " OR ")
    tokens = re.findall(r"\(|\)|\bOR\b|\bAND\b|\bWITH\b|[A-Za-z0-9.+-]+", expression)

    def any_of(at):
        value, at = all_of(at)
        while at < len(tokens) and tokens[at] == "OR":
            other, at = all_of(at + 1)
            value = value or other
        return value, at

    def all_of(at):
        value, at = one(at)
        while at < len(tokens) and tokens[at] == "AND":
            other, at = one(at + 1)
            value = value and other
        return value, at

    def one(at):
        if tokens[at] == "(":
            value, at = any_of(at + 1)
            return value, at + 1
        value, at = tokens[at] in licences, at + 1
        if at < len(tokens) and tokens[at] == "WITH":
            at += 2
        return value, at

    return bool(tokens) and any_of(0)[0]


def main():
    rules = tomllib.loads((PROJECT / ".cargo/deny.toml").read_text())
    licences = set(rules["licenses"]["allow"])
    banned = {entry["crate"] for entry in rules["bans"]["deny"]}
    metadata = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--locked", "--format-version", "1", "--all-features"],
            cwd=PROJECT, check=True, capture_output=True, text=True,
        ).stdout
    )
    problems, count = [], 0
    for package in metadata["packages"]:
        if package["source"] is None:
            continue
        count += 1
        name = f"{package['name']} {package['version']}"
        if not allowed(package["license"] or "", licences):
            problems.append(f"{name}: licence {package['license']} is not allowed")
        if package["name"] in banned:
            problems.append(f"{name}: banned")
        if not package["source"].startswith("registry+"):
            problems.append(f"{name}: does not come from the registry")
    assert allowed("MIT OR GPL-3.0", {"MIT"}) and not allowed("MIT AND GPL-3.0", {"MIT"})
    assert allowed("(MIT OR X) AND Y", {"MIT", "Y"}) and not allowed("", {"MIT"})
    for problem in problems:
        print(problem)
    print(f"dependencies: {count - len(problems)} passed, {len(problems)} failed")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
