"""Make the logins, the database and the doorbell's queue on a new PostgreSQL cluster, as its administrator."""

import argparse
import sys
from urllib.parse import unquote, urlsplit

from handrail.config.env import read_env
from tenants.database.cluster import prepare_database, prepare_logins


def arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none: the passwords come from the environment, where `ps` does not show them."""


def run(options: argparse.Namespace) -> int:
    env = read_env()
    passwords = {"handrail_owner": env.owner_password, "handrail_app": env.app_password}
    if env.broker_url.startswith("pgmq://"):
        passwords["handrail_doorbell"] = unquote(urlsplit(env.broker_url).password or "")
    if not env.superuser_url or not all(passwords.values()):
        print(
            "Set HANDRAIL_SUPERUSER_URL, HANDRAIL_OWNER_PASSWORD, HANDRAIL_APP_PASSWORD and, for the queue in "
            "PostgreSQL, HANDRAIL_BROKER_URL.",
            file=sys.stderr,
        )
        return 2
    prepare_logins(env.superuser_url, passwords)
    prepare_database(env.superuser_url, env.db_name)
    print(f"The database {env.db_name} is ready for `handrail migrate`.")
    return 0
