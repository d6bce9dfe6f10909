"""Speed, told and never asserted: `python -m tests.benchmarks [NAME ...]`, with the environment of `./dev test`.

A benchmark is a module of this folder with a `main(say)` that says what it measured, both sides of a comparison from
the same run, each the median of three (`measuring.seconds`). It makes the databases it needs with
`databases.scratch()` and points this process at them with `databases.connected()`.
"""

import importlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
NOT_BENCHMARKS = {"__main__", "measuring"}


def main(wanted: list[str]) -> int:
    there = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_BENCHMARKS)
    if unknown := set(wanted) - set(there):
        print(f"There is no benchmark {', '.join(sorted(unknown))}. There are {', '.join(there)}.", file=sys.stderr)
        return 2
    sys.path[:0] = [str(HERE.parent), str(HERE)]
    os.environ["DJANGO_SETTINGS_MODULE"] = "handrail.config.settings"
    os.environ["HANDRAIL_LOGIN"] = "app"
    import django

    django.setup()
    for name in wanted or there:
        print(f"\n{name}")
        importlib.import_module(name).main(lambda line: print(f"  {line}", flush=True))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
