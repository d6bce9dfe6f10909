"""`handrail COMMAND ...`, also `python -m handrail COMMAND ...`.

A command is a module of `workflows/commands/`. This process becomes the one database login that the command needs
and forgets the others. Names that are not there are Django's own commands.
"""

import argparse
import ast
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

from handrail.config.env import EnvError, as_login, whole_environment


def main(arguments: list[str] | None = None) -> int:
    """Run one command; give its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    commands = importlib.import_module("workflows.commands")
    places = {path.stem.replace("_", "-"): path for path in sorted(Path(commands.__path__[0]).glob("[a-z]*.py"))}
    if not given or given[0] in ("-h", "--help", "help"):
        print(_summary(places))
        return 0
    name, rest = given[0], given[1:]
    environment = whole_environment()
    try:
        if name not in places:
            return _django(name, given)
        as_login(commands.LOGINS.get(name, "app"))
        code = _run(name, rest)
    except EnvError as error:
        print(error, file=sys.stderr)
        return 2
    following = commands.AFTERWARDS.get(name)
    if code == 0 and following:
        out = sys.stderr if "--json" in rest else None  # what a program reads holds one report
        after = [sys.executable, "-m", "handrail", following]
        code = subprocess.run(after, env=environment, stdout=out, check=False).returncode
    return code


def _run(name: str, rest: list[str]) -> int:
    import django

    django.setup()
    command = importlib.import_module(f"workflows.commands.{name.replace('-', '_')}")
    parser = argparse.ArgumentParser(prog=f"handrail {name}", description=command.__doc__)
    command.arguments(parser)
    return int(command.run(parser.parse_args(rest)))


def _django(name: str, given: list[str]) -> int:
    as_login("app" if name in ("check", "diffsettings") else "owner")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["handrail", *given])
    return 0


def _summary(places: dict[str, Path]) -> str:
    lines = ["Usage: handrail COMMAND [options]", ""]
    for name, path in places.items():
        sentence = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()[0]
        lines.append(f"  {name:20} {sentence}")
    lines += ["", "Run `handrail COMMAND --help` for the options of one."]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
