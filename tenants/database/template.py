"""The clean schema that new authorities are made from, as text.

Creating an authority by migrations takes seconds; replaying the template's text takes a tenth. The template is
migrated once a release and never holds a person: it is no authority and is not in their register.
"""

import os
import re
import subprocess

TEMPLATE = "la_template0"
_NOISE = re.compile(r"^\\(un)?restrict .*$", re.MULTILINE)


def schema_text(pg_dump: str, connection_parameters: dict[str, str], schema: str = TEMPLATE) -> str:
    """The SQL that makes `schema` and its data, without owners and rights.

    Raises RuntimeError with pg_dump's own words when it fails.
    """
    names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD"}
    login = {names[key]: str(value) for key, value in connection_parameters.items() if key in names}
    done = subprocess.run(
        [pg_dump, "-n", schema, "--no-owner", "--no-privileges", "--inserts"],
        env={"PATH": os.defpath, **login},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"pg_dump could not read the template: {done.stderr.strip()}")
    return _NOISE.sub("", done.stdout)


def renamed(text: str, new_name: str) -> str:
    """The template's text for a schema of another name."""
    return re.sub(rf"\b{TEMPLATE}\b", new_name, text)
