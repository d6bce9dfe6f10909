"""The only reader of the process environment."""

import base64
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

Login = Literal["app", "owner"]
Mode = Literal["demo", "test", "production"]


class EnvError(RuntimeError):
    """The environment lacks something; the message lists all that is missing or wrong."""


@dataclass(frozen=True)
class Env:
    """What the process was told by whoever started it. Names in the environment begin with HANDRAIL_."""

    mode: Mode
    login: Login
    secret_key: str
    db_host: str
    db_port: str
    db_name: str
    db_sslmode: str
    app_password: str
    owner_password: str
    superuser_url: str
    broker_url: str
    pg_dump: str
    vault_keys: tuple[bytes, ...] = field(repr=False)
    vault_kms_key: str
    store: Path
    store_bucket: str
    store_endpoint: str
    mailbox: Path
    heartbeat: Path
    mail_provider: str
    mail_from: str
    smtp_url: str
    aws_region: str
    site_scheme: str
    site_port: str
    log_level: str
    sentry_dsn: str
    release: str
    allows_loopback: bool


def read_env() -> Env:
    """Read and check the environment. Raises EnvError naming everything that is missing at once."""
    problems: list[str] = []

    def value(name: str, default: str | None = None) -> str:
        found = os.environ.get(f"HANDRAIL_{name}", default)
        if found is None:
            problems.append(f"HANDRAIL_{name} is not set")
            return ""
        return found

    def choice(name: str, choices: tuple[str, ...], default: str) -> str:
        found = value(name, default)
        if found not in choices:
            problems.append(f"HANDRAIL_{name} must be one of {', '.join(choices)}, not {found!r}")
        return found

    def keys(name: str) -> tuple[bytes, ...]:
        """Keys of 32 bytes in base64, with commas between. What is wrong with one is said without repeating it."""
        try:
            found = [base64.b64decode(each, validate=True) for each in value(name, "").split(",") if each]
        except ValueError:
            found = [b""]
        if any(len(each) != 32 for each in found):
            problems.append(f"HANDRAIL_{name} must be 32 random bytes in base64, or several such with commas between")
        return tuple(found)

    mode = choice("MODE", get_args(Mode), "production")
    login = choice("LOGIN", get_args(Login), "app")
    production = mode == "production"
    state = value("STORE", None if production else ".state/documents")
    env = Env(
        mode=mode,  # type: ignore[arg-type]
        login=login,  # type: ignore[arg-type]
        secret_key=value("SECRET_KEY"),
        db_host=value("DB_HOST"),
        db_port=value("DB_PORT", "5432"),
        db_name=value("DB_NAME", "handrail"),
        db_sslmode=value("DB_SSLMODE", "verify-full" if production else "prefer"),
        app_password=value("APP_PASSWORD", None if login == "app" else ""),
        owner_password=value("OWNER_PASSWORD", None if login == "owner" else ""),
        superuser_url=value("SUPERUSER_URL", ""),
        broker_url=value("BROKER_URL", ""),
        pg_dump=value("PG_DUMP", "/usr/bin/pg_dump"),
        vault_keys=keys("VAULT_KEY"),
        vault_kms_key=value("VAULT_KMS_KEY", ""),
        store=Path(state),
        store_bucket=value("STORE_BUCKET", ""),
        store_endpoint=value("STORE_ENDPOINT", ""),
        mailbox=Path(value("MAILBOX", str(Path(state).parent / "mailbox"))),
        heartbeat=Path(value("HEARTBEAT", str(Path(state).parent / "heartbeat"))),
        mail_provider=choice("MAIL_PROVIDER", ("mailbox", "smtp", "ses", "none"), "none" if production else "mailbox"),
        mail_from=value("MAIL_FROM", None if production else "handrail@handrail.example"),
        smtp_url=value("SMTP_URL", ""),
        aws_region=value("AWS_REGION", "eu-west-2"),
        site_scheme=value("SITE_SCHEME", "https" if production else "http"),
        site_port=value("SITE_PORT", ""),
        log_level=value("LOG_LEVEL", "INFO"),
        sentry_dsn=value("SENTRY_DSN", ""),
        release=value("RELEASE", "unnamed"),
        allows_loopback=choice("ALLOWS_LOOPBACK", ("yes", "no"), "no") == "yes",
    )
    if env.allows_loopback and production:
        problems.append("HANDRAIL_ALLOWS_LOOPBACK is for tests and the demo, not for production")
    if problems:
        raise EnvError("Handrail cannot start: " + "; ".join(problems) + ".")
    return env


def as_login(login: Literal["app", "owner", "superuser"]) -> None:
    """Make this process one of `login` and forget the other logins' secrets, before settings are read."""
    os.environ["HANDRAIL_LOGIN"] = "app" if login == "app" else "owner"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "handrail.config.settings")
    forgotten = {
        "app": ("OWNER_PASSWORD", "SUPERUSER_URL"),
        "owner": ("APP_PASSWORD", "BROKER_URL", "SUPERUSER_URL", "VAULT_KEY", "VAULT_KMS_KEY"),
        "superuser": (),
    }
    for name in forgotten[login]:
        os.environ.pop(f"HANDRAIL_{name}", None)


def whole_environment() -> dict[str, str]:
    """A copy of everything this process was started with, to start a process of the other login."""
    return dict(os.environ)
