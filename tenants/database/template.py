"""The clean schema that new authorities are made from, as text.

Creating an authority by migrations takes seconds; replaying the template's text takes less than a tenth. The template
is migrated and read once a release and never holds a person: it is no authority and is not in their register.
"""

import os
import re
import subprocess

TEMPLATE = "la_template0"
_NOISE = re.compile(r"^\\(un)?restrict .*$", re.MULTILINE)


class TemplateUnreadable(RuntimeError):
    """pg_dump is not there or could not read the template; the message has its own words."""


def schema_text(pg_dump: str, connection_parameters: dict[str, str], schema: str = TEMPLATE) -> str:
    """The SQL that makes `schema` and its data, without owners and rights. Raises TemplateUnreadable."""
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "dbname": "PGDATABASE",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "sslmode": "PGSSLMODE",
        "sslrootcert": "PGSSLROOTCERT",
    }
    login = {names[key]: str(value) for key, value in connection_parameters.items() if key in names}
    try:
        done = subprocess.run(
            [pg_dump, "-n", schema, "--no-owner", "--no-privileges", "--rows-per-insert=1000"],
            env={"PATH": os.defpath, **login},
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise TemplateUnreadable(f"pg_dump could not be started: {error}.") from error
    if done.returncode:
        raise TemplateUnreadable(f"pg_dump could not read the template: {done.stderr.strip()}.")
    return _NOISE.sub("", done.stdout)


def renamed(text: str, new_name: str) -> str:
    """The template's text for a schema of another name."""
    return re.sub(rf"\b{TEMPLATE}\b", new_name, text)
