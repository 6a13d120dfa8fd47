#!/usr/bin/env python3
"""Follows the plan for a host without containers, step by step, on this machine.

Usage: follow.py PLAYBOOK [CASE ...]

For each case a copy of its repository becomes a git checkout, the program writes its plan for the target `systemd`, and
the commands of that plan are executed in the plan's order, as they stand: packages, account, release, settings,
datastores, migrations, units, start, proxy, smoke test, a second release, rollback, backup and restore. No command is
written here: a step is found by its heading, a command is its fence, and what must come out are its lines after
`# verify` and the words of its Expect. A step of the plan that is neither followed nor left out with a reason is an
error, so that a new step can't slip through.

It installs packages and writes below /srv, /etc, /usr/local and /var: it runs as root in a disposable machine without
systemd (a container, a CI job) and says so and ends with 0 everywhere else.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# curl and Caddy both know that names below .localhost are this machine.
NAME = "app.localhost"
AUTHORITY = "/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt"

# Steps that cannot be followed here. Everything else has to be.
LEFT_OUT = {
    "Tools": "a table",
    "Access": "a table",
    "Environment matrix": "a table",
    "Versions and support": "a table",
    "Rotation": "a table",
    "Connections": "a table",
    "Strategy": "a table",
    "Triggers of a rollback": "a table",
    "Runbook": "a table",
    "Scheduled jobs": "a table",
    "Scaling, versions, hand-over": "a table",
    "Maintenance": "a table",
    "Units, Compose or Kubernetes": "a table",
    "Firewall": "changes the rules of the kernel of whoever runs this",
    "DNS record": "the name is one of this machine",
    "Verify redirect, certificate, headers": "the certificate of an own authority is valid for hours, not weeks",
    "Alert check every minute": "needs timers of systemd",
    "Judge the units": "needs systemd",
    "Deploy from the repository's own pipeline": "there is none",
}

# What each application must still answer, beside what the plan itself asks: the version that runs, and that data lives on.
PROBES = {
    "followed-fastapi": {
        "write": ("/entries", {"amount": 41, "note": "first"}),
        "read": ("/total", '"total":41'),
        "release": ("ledger/settings.py", 'VERSION = "1"', 'VERSION = "2"'),
        "versions": ('"version":"1"', '"version":"2"'),
    },
    "followed-express": {
        "write": ("/lines", {"guest": "Ada", "words": "was here"}),
        "read": ("/lines", '"words":"was here"'),
        "release": ("package.json", '"version": "1.0.0"', '"version": "2.0.0"'),
        "versions": ('"version":"1.0.0"', '"version":"2.0.0"'),
    },
}

HEADING = re.compile(r"^### (?P<number>\d+\.\d+) (?P<title>.+?)(?: · (?P<place>[^·]+) · (?P<level>must|should|optional))?$")


# Words of an Expect that are output, and no name or description of it.
OUTPUT = re.compile(r"^(\d.*|active|ok|Valid configuration)$")


class Failed(Exception):
    """A command or an expected result of the plan was wrong."""


class Step:
    """A numbered part of the plan: its commands and what it promises."""

    def __init__(self, number, title):
        self.number, self.title, self.lines = number, title, []

    @property
    def fences(self):
        text = "\n".join(self.lines)
        return re.findall(r"^```bash\n(.*?)^```$", text, flags=re.M | re.S)

    @property
    def promises(self):
        """Code spans of the Expect sentence: up to the next bold word."""
        text = "\n".join(self.lines)
        found = re.search(r"\*\*Expect:?\*\*:?(.*?)(?:\*\*|\n\n|\n- |\Z)", text, flags=re.S)
        return re.findall(r"`([^`]+)`", found.group(1)) if found else []


def steps_of(plan):
    steps, current, fence = [], None, False
    for line in plan.splitlines():
        if line.startswith("```"):
            fence = not fence
        heading = None if fence else HEADING.match(line)
        if heading:
            current = Step(heading["number"], heading["title"])
            steps.append(current)
        elif not fence and line.startswith("## "):
            current = None
        elif current:
            current.lines.append(line)
    return steps


class Follower:
    def __init__(self, program, case, scratch):
        self.case, self.scratch = case, scratch
        self.checkout = scratch / "checkout"
        self.tools = scratch / "tools"
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if key in ("LANG", "TERM") or re.match(r"(PIP|NPM|npm|UV|SSL|HTTP|HTTPS|NO|http|https|no)_", key)
        }
        self.environment.update(
            PATH=f"{self.tools}:{SYSTEM_PATH}", HOME="/root", DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8"
        )
        self.program = program

    def prepare(self):
        self.make_checkout()
        self.make_ssh()
        program = self.program
        self.plan = subprocess.run(
            [program, "analyze", self.checkout, "--target", "systemd", "--domain", NAME, "--set", "SERVER_HOST=localhost"],
            capture_output=True, text=True, check=True,
        ).stdout
        (self.scratch / "PLAN.md").write_text(self.plan)
        inventory = json.loads(subprocess.run(
            [program, "analyze", self.checkout, "--format", "json"], capture_output=True, text=True, check=True
        ).stdout)
        self.names = {item[key] for name in ("services", "datastores") for item in inventory[name] for key in ("id", "name") if item.get(key)}
        self.steps = {step.title: step for step in steps_of(self.plan)}
        self.parameters = self.step("Parameters").fences[0]
        self.shell_only = ""

    def make_checkout(self):
        shutil.copytree(ROOT / "fixtures" / self.case / "repo", self.checkout)
        for name in self.checkout.rglob(".env"):
            name.unlink()
        self.git("init", "-q", "-b", "main")
        self.commit("first")

    def git(self, *words):
        identity = ["-c", "user.name=Follower", "-c", "user.email=follower@example.com", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *identity, *words], cwd=self.checkout, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, message):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def make_ssh(self):
        """A server for SSH on the loopback address with a key of its own, and a client that knows both."""
        self.tools.mkdir()
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.scratch / name], check=True)
        shutil.copy(self.scratch / "user.pub", self.scratch / "authorized")
        Path("/run/sshd").mkdir(exist_ok=True)
        (self.scratch / "sshd_config").write_text(
            f"Port 20022\nListenAddress 127.0.0.1\nHostKey {self.scratch}/host\nAuthorizedKeysFile {self.scratch}/authorized\n"
            f"PermitRootLogin prohibit-password\nPasswordAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\n"
            f"SetEnv PATH={SYSTEM_PATH}\n"
        )
        (self.scratch / "ssh_config").write_text(
            f"Host localhost\nHostName 127.0.0.1\nPort 20022\nIdentityFile {self.scratch}/user\nIdentitiesOnly yes\n"
            f"UserKnownHostsFile {self.scratch}/known\nStrictHostKeyChecking accept-new\nLogLevel ERROR\n"
        )
        client = self.tools / "ssh"
        client.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F "{self.scratch}/ssh_config" "$@"\n')
        client.chmod(0o755)
        self.sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", self.scratch / "sshd_config"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)

    def step(self, title):
        if title not in self.steps:
            raise Failed(f"the plan has no step «{title}»")
        return self.steps[title]

    def from_outside(self):
        """The environment of a visitor, who trusts the proxy's own authority."""
        return {**self.environment, "CURL_CA_BUNDLE": AUTHORITY}

    def run(self, block, answers="", outside=False):
        """Executes a fence as it stands, in a new shell with the parameters of section 1."""
        script = self.scratch / "block.sh"
        script.write_text(f"{self.parameters}\n{self.shell_only}\nset -eo pipefail\n{block}\n")
        return subprocess.run(
            ["bash", script], cwd=self.checkout, env=self.from_outside() if outside else self.environment, input=answers,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900,
        )

    def follow(self, title, literal=False, only=None):
        step = self.step(title)
        fences = step.fences if only is None else [step.fences[only]]
        if not fences:
            raise Failed(f"{step.number} {title} has no command")
        began = time.monotonic()
        output = ""
        for fence in fences:
            done = self.run(fence, answers="\n" * 20, outside=title == "Smoke test")
            output += done.stdout
            if done.returncode != 0:
                raise Failed(f"{step.number} {title} ended with {done.returncode}\n{fence}\n--- output\n{done.stdout}")
        if literal:
            for promise in step.promises:
                if promise in self.names or not OUTPUT.match(promise):
                    continue
                if promise not in output:
                    raise Failed(f"{step.number} {title} promises «{promise}», which did not come out\n--- output\n{output}")
        print(f"  {step.number:5} {title}: {time.monotonic() - began:.1f} s", flush=True)
        return output

    def refuse_twice(self, title):
        """The step says how a second run ends."""
        step = self.step(title)
        done = self.run(step.fences[0], answers="\n" * 20)
        promised = step.promises[-1]
        if done.returncode == 0 or promised not in done.stdout:
            raise Failed(f"{step.number} {title}: a second run should stop with «{promised}»\n{done.stdout}")

    def ask(self, path, data=None):
        words = ["curl", "-fsS", "-m", "10", f"https://{NAME}{path}"]
        if data is not None:
            words += ["-H", "Content-Type: application/json", "-d", json.dumps(data)]
        done = subprocess.run(words, env=self.from_outside(), capture_output=True, text=True)
        return re.sub(r'(":|,) ', r"\1", done.stdout) + done.stderr

    def wait_for(self, path, wanted):
        for _ in range(30):
            answer = self.ask(path)
            if wanted in answer:
                return
            time.sleep(1)
        raise Failed(f"{path} should answer {wanted}, not {answer}")

    def release(self):
        """The sequence of a release, in the order of its table."""
        for title in ("Copy the release", "Install and build"):
            self.follow(title)
        if self.case_has("Back up, before every migration"):
            self.follow("Back up, before every migration")
        self.follow("Migrate the schema", literal=True)
        self.follow("Switch to the release and start", literal=True)

    def case_has(self, title):
        return title in self.steps

    def everything(self):
        probes = PROBES[self.case]
        followed = set()

        def follow(title, **options):
            followed.add(title)
            return self.follow(title, **options)

        for title in ("Preflight", "Packages", "Service account and folders", "Without systemd: start processes directly"):
            follow(title)
        for title in ("Copy the release", "Install and build", "Store secrets and settings"):
            follow(title)
        self.refuse_twice("Store secrets and settings")
        follow("Start the datastores, create roles and databases", literal=True)
        follow("Start the datastores, create roles and databases", literal=True)
        follow("Back up, before every migration")
        follow("Migrate the schema", literal=True)
        follow("Migrate the schema", literal=True)
        follow("Write the units")
        follow("Switch to the release and start", literal=True)
        follow("Reverse proxy", literal=True)
        for _ in range(20):
            if Path(AUTHORITY).exists():
                break
            time.sleep(0.5)
        self.wait_for("/version", probes["versions"][0])
        follow("Smoke test")
        if "seal" not in self.ask(*probes["write"]):
            raise Failed("the application takes no data")
        self.wait_for(*probes["read"])

        # A second release by the plan's own sequence, then back.
        followed.add("Release sequence")
        path, old, new = probes["release"]
        changed = self.checkout / path
        changed.write_text(changed.read_text().replace(old, new))
        self.commit("second")
        sequence = "\n".join(self.step("Release sequence").lines)
        export = re.search(r"`(export RELEASE=[^`]+)`", sequence)
        if not export:
            raise Failed("the release sequence names no new release")
        self.shell_only = export.group(1)
        self.release()
        self.wait_for("/version", probes["versions"][1])
        follow("Smoke test")
        follow("Roll back", literal=False)
        self.wait_for("/version", probes["versions"][0])
        self.wait_for(*probes["read"])
        follow("Smoke test")
        follow("Clean up after a release")

        # The schema one revision back and forth, data back from a dump that is old enough.
        follow("Revisions and schema rollback")
        self.follow("Migrate the schema", literal=True)
        follow("Daily backup")
        follow("Restore drill, monthly")
        for dump in Path(self.parameter("BACKUP_DIR")).iterdir():
            os.utime(dump, (time.time() - 3600,) * 2)
        follow("Restore, only after data loss")
        self.wait_for("/version", probes["versions"][0])
        self.wait_for("/health", '"status":"ok"')

        forgotten = set(self.steps) - followed - set(LEFT_OUT) - {"Parameters"}
        if forgotten:
            raise Failed(f"neither followed nor left out with a reason: {sorted(forgotten)}")

    def parameter(self, name):
        return self.run(f'printf "%s" "${name}"').stdout

    def clean(self):
        """Stops what was started and removes what was written; packages stay."""
        if hasattr(self, "steps"):
            units = sorted(Path("/etc/systemd/system").glob(f"{self.prefix()}-*.service"))
            for unit in [*units, Path("caddy.service"), Path("postgresql.service"), Path("redis-server.service")]:
                if Path("/usr/local/bin/systemctl").exists():
                    subprocess.run(["/usr/local/bin/systemctl", "stop", unit.stem], env=self.environment, capture_output=True)
            user = self.parameter("APP_USER")
            for path in (
                self.parameter("APP_DIR"), self.parameter("BACKUP_DIR"), os.path.dirname(self.parameter("ENV_FILE")),
                f"/usr/local/lib/{self.prefix()}", f"/var/lib/{self.prefix()}", f"/var/log/{self.prefix()}", f"/run/{self.prefix()}",
            ):
                shutil.rmtree(path, ignore_errors=True)
            for unit in Path("/etc/systemd/system").glob(f"{self.prefix()}-*"):
                unit.unlink()
            Path("/usr/local/bin/systemctl").unlink(missing_ok=True)
            before = Path("/etc/caddy/Caddyfile.before")
            if before.exists():
                before.rename("/etc/caddy/Caddyfile")
            subprocess.run(["userdel", user], capture_output=True)
        if hasattr(self, "sshd"):
            self.sshd.terminate()

    def prefix(self):
        return Path(self.parameter("APP_DIR")).name


def forget_databases():
    """The role and the database of an earlier run keep their password and their tables."""
    subprocess.run(["service", "postgresql", "start"], capture_output=True)
    for command in ("dropdb --if-exists app", "dropuser --if-exists app"):
        subprocess.run(["runuser", "-u", "postgres", "--", *command.split()], capture_output=True, cwd="/")


def reason_to_skip():
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "needs root on Debian"
    if Path("/run/systemd/system").exists():
        return "this machine runs systemd: it is no disposable container"
    packages = ["git", "curl", "openssh-server", "openssh-client", "postgresql", "redis-server", "caddy"]
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for _ in range(2):
        if subprocess.run(command, env=environment, capture_output=True).returncode == 0:
            return None
        subprocess.run(["apt-get", "update", "-q"], env=environment, capture_output=True)
    return "Debian's packages cannot be installed"


def main():
    program = str(Path(sys.argv[1]).resolve())
    cases = sys.argv[2:] or sorted(PROBES)
    reason = reason_to_skip()
    if reason:
        print(f"skipped: {reason}")
        return 0
    failed = 0
    for case in cases:
        print(f"{case}:", flush=True)
        forget_databases()
        scratch = Path(tempfile.mkdtemp(prefix="follow-"))
        scratch.chmod(0o755)
        follower = None
        try:
            follower = Follower(program, case, scratch)
            follower.prepare()
            follower.everything()
            print(f"  {case}: followed to the end")
        except (Failed, subprocess.SubprocessError) as error:
            failed += 1
            print(f"  FAILED: {error}")
            logs = Path("/var/log") / follower.prefix() if hasattr(follower, "parameters") else Path("/nonexistent")
            for log in sorted(logs.glob("*.log")):
                print(f"--- {log}\n{log.read_text()[-3000:]}")
        finally:
            if follower:
                follower.clean()
            shutil.rmtree(scratch, ignore_errors=True)
    forget_databases()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
