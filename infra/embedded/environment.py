"""What each process of the product is told: from a running server and the secrets of its state folder.

A process gets only what it needs. Those that serve get the application's login; the owner's and the administrator's
go to commands alone, and a command drops the ones it does not use before it reads its settings.
"""

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from .kept import kept_secret
from .postgres import Server, binary

DATABASE = "handrail"
DOORBELL = "handrail_doorbell"


def for_web(server: Server, state: Path, *, mode: str, site_port: int | None = None) -> dict[str, str]:
    """Pages and API: the application's login and no broker, because pages never ring the doorbell."""
    return _of_the_caller(os.environ) | {
        "HANDRAIL_MODE": mode,
        "HANDRAIL_LOGIN": "app",
        "HANDRAIL_DB_HOST": server.host,
        "HANDRAIL_DB_PORT": str(server.port),
        "HANDRAIL_DB_NAME": DATABASE,
        "HANDRAIL_APP_PASSWORD": kept_secret(state, "app"),
        "HANDRAIL_SECRET_KEY": kept_secret(state, "secret-key"),
        "HANDRAIL_VAULT_KEY": kept_secret(state, "vault-key", _vault_key),
        "HANDRAIL_STORE": str(state / "documents"),
        "HANDRAIL_SITE_PORT": "" if site_port is None else str(site_port),
        "PYTHONUNBUFFERED": "1",
    }


def for_work(server: Server, state: Path, *, mode: str, site_port: int | None = None) -> dict[str, str]:
    """The worker and the clock: what the web has, and the doorbell."""
    doorbell = f"{DOORBELL}:{kept_secret(state, 'doorbell')}"
    return for_web(server, state, mode=mode, site_port=site_port) | {
        "HANDRAIL_BROKER_URL": f"pgmq://{doorbell}@{server.host}:{server.port}/{DATABASE}",
    }


def for_commands(server: Server, state: Path, *, mode: str, site_port: int | None = None) -> dict[str, str]:
    """Commands and tests: every login, so that the command can choose."""
    environment = for_work(server, state, mode=mode, site_port=site_port) | {
        "HANDRAIL_OWNER_PASSWORD": kept_secret(state, "owner"),
        "HANDRAIL_SUPERUSER_URL": (
            f"postgresql://{server.superuser}:{server.password}@{server.host}:{server.port}/postgres"
        ),
        "HANDRAIL_PG_DUMP": str(binary("pg_dump")),
    }
    del environment["HANDRAIL_LOGIN"]
    return environment


def _of_the_caller(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without PostgreSQL's variables, which every connection obeys, and without logins."""
    unwanted = ("HANDRAIL_OWNER_PASSWORD", "HANDRAIL_SUPERUSER_URL", "HANDRAIL_BROKER_URL", "DJANGO_SETTINGS_MODULE")
    return {name: value for name, value in environ.items() if not name.startswith("PG") and name not in unwanted}


def _vault_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
