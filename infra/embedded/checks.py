"""The suite on a throw-away server, the static checks, and the lock files."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import environment
from .postgres import Postgres
from .template import begin_with_kept, keep, name_of_template

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first of those that are here. The headless one opens a page in a fraction of the others' time."""

PROCESSES = ("-n", "2")  # which share the server; each works on databases of its own
AUDIT_SECONDS = 60
# The files name no package index: whoever installs chooses one.
HOW_TO_LOCK = ("--universal", "--generate-hashes", "--no-header", "--no-emit-index-url", "--no-annotate")
LOCKS = {"requirements.lock": ("embedded",), "requirements-dev.lock": ("embedded", "dev")}


def test(arguments: Sequence[str]) -> int:
    """Run pytest with these arguments, and in two processes unless they name a single file; gives its exit code."""
    chromium = os.environ.get("HANDRAIL_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), "")
    if not chromium:
        print("NO CHROMIUM FOUND: the browser tests do not run. Install one, or name it in HANDRAIL_CHROMIUM.")
        if os.environ.get("CI"):
            return 1
    with throw_away_database(keeps_template=True) as variables:
        if chromium:
            variables["HANDRAIL_CHROMIUM"] = chromium
        files = [each for each in arguments if Path(each.partition("::")[0]).is_file()]
        processes = () if len(files) == 1 else PROCESSES
        return subprocess.run(_python("pytest", *processes, *arguments), cwd=ROOT, env=variables).returncode


def bench(arguments: Sequence[str]) -> int:
    """Run the benchmarks of these names, or all, on a throw-away server that keeps its data as production does."""
    with throw_away_database(durable=True) as variables:
        return subprocess.run(_python("tests.benchmarks", *arguments), cwd=ROOT, env=variables).returncode


def check(arguments: Sequence[str]) -> int:
    """Run every static check and say a line about each; 1 when any failed. The audit for known faults only tells."""
    if arguments:
        raise SystemExit("./dev check takes no arguments")
    tools = {
        "ruff check": _python("ruff", "check"),
        "ruff format": _python("ruff", "format", "--check"),
        "mypy": _python("mypy"),
        "import-linter": [str(Path(sys.executable).with_name("lint-imports"))],
        "migrations": _python("handrail", "check-migrations"),
    }
    verdicts: dict[str, bool] = {}
    with throw_away_database() as variables:
        subprocess.run(_python("handrail", "prepare-cluster"), cwd=ROOT, env=variables, stdout=subprocess.DEVNULL)
        for name, command in tools.items():
            verdicts[name] = subprocess.run(command, cwd=ROOT, env=variables).returncode == 0
    _audit()
    for name, passed in verdicts.items():
        print(f"{name:.<20} {'passed' if passed else 'FAILED'}")
    return 0 if all(verdicts.values()) else 1


def lock(arguments: Sequence[str]) -> int:
    """Make both lock files again from pyproject.toml; `--upgrade` takes newer versions."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        raise SystemExit("The lock files are made by uv, which could not be installed here.")
    for file, extras in LOCKS.items():
        wanted = [f"--extra={extra}" for extra in extras]
        command = [str(uv), "--system-certs", "--quiet", "pip", "compile", "pyproject.toml", *wanted, *HOW_TO_LOCK]
        done = subprocess.run([*command, "-o", file, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            return done.returncode
        print(f"{file} is made.")
    return 0


@contextmanager
def throw_away_database(*, durable: bool = False, keeps_template: bool = False) -> Iterator[dict[str, str]]:
    """The environment of tests, with a server of their own that is gone afterwards, but for the template in it."""
    postgres = Postgres(Path(tempfile.mkdtemp(prefix="handrail-test-")), durable=durable)
    template = name_of_template()
    try:
        if keeps_template:
            begin_with_kept(postgres, template)
        server = postgres.start()
        yield environment.for_commands(server, postgres.state, mode="test") | {"HANDRAIL_TEMPLATE": template}
        if keeps_template:
            keep(postgres, server, template)
    finally:
        postgres.destroy()


def _audit() -> None:
    """Tell which packages have known faults, without a say in the verdict: such news comes from outside."""
    command = _python("pip_audit", "--requirement=requirements.lock", "--require-hashes", "--disable-pip")
    try:
        done = subprocess.run(
            [*command, "--progress-spinner=off", "--format=json"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=AUDIT_SECONDS,
        )
        packages = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        packages = []
    audited = [package for package in packages if "vulns" in package]
    if not audited:
        print("pip-audit: its source could not be reached")
    for package in audited:
        for fault in package["vulns"]:
            cured_in = ", ".join(fault["fix_versions"]) or "no version yet"
            print(f"pip-audit: {package['name']} {package['version']} has {fault['id']}, cured in {cured_in}")
    if audited:
        print(f"pip-audit: {len(audited)} of {len(packages)} packages looked up")


def _python(*module_and_arguments: str) -> list[str]:
    return [sys.executable, "-m", *module_and_arguments]
