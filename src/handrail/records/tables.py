"""An authority's tables in open formats: CSV for people, JSON Lines for programs, and a JSON Schema of each.

What is sealed at rest is opened here: an export is the authority's own data. What is not the authority's data but the
lock on its door (passwords, keys, sessions) is left out, and `LEFT_OUT` says why.
"""

import base64
import csv
import json
from collections.abc import Iterator
from datetime import datetime
from io import TextIOWrapper
from typing import Any, BinaryIO, cast

from django.apps import apps
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from handrail.core.fields import SealedJSONField
from handrail.core.spreadsheet import harmless

AT_A_TIME = 2000
"""Rows read at once."""

LEFT_OUT = {
    "contenttypes": "a package's own list of tables",
    "auth": "a package's own permissions, which are not used",
    "sessions": "a package's own table, which is not used",
    "accounts.session": "who is signed in just now",
    "accounts.calendarkey": "keys to people's calendars",
    "accounts.draft": "what somebody had not saved, for a day",
    "account.emailconfirmation": "codes that have been sent",
    "socialaccount.socialapp": "a package's own list of sign-in services, which is not used",
    "socialaccount.socialtoken": "a package's own keys to other services, which are not kept",
    "core.cacheentry": "counts of tries, for an hour",
    "core.datakey": "the keys that seal health records, which are opened here",
    "plans.plantally": "numbers of the plans, which are here",
    "handovers.exchangekey": "the keys that open what other authorities send",
    "reporting.change": "when rows of other tables were last written",
    "reporting.history": "which restores there were",
    "reporting.apikey": "keys with which other programs read",
    "reporting.pseudonymkey": "what made-up numbers of plans are made with",
    "records.authorityexport": "exports themselves",
    "records.exportfile": "exports themselves",
}
"""Tables that an export leaves out, by app or by app and model, and why."""

LEFT_OUT_FIELDS = {
    "accounts.signinservice.client_secret": "a secret of the sign-in service",
    "accounts.user.password": "a digest that only signing in needs",
    "handovers.guestpage.code": "a digest of the code that opens a guest page",
    "handovers.guestpage.draft": "what somebody had not sent",
    "handovers.guestpage.digests": "digests of the addresses of a guest page",
    "plans.planlink.code": "a digest of the code that opens a link",
    "plans.planlink.digests": "digests of the addresses of a link",
    "plans.planlink.draft": "what somebody had not sent",
    "core.document.secrets": "the key of a sealed document, which is opened here; its name is in the manifest",
}


def exported() -> list[type[models.Model]]:
    """Every table of an authority that an export holds, by name."""
    names = {config.name for config in apps.get_app_configs()} & set(settings.TENANT_APPS)
    found = [
        model
        for config in apps.get_app_configs()
        if config.name in names
        for model in config.get_models()
        if not reason_to_leave_out(model)
    ]
    return sorted(found, key=table_name)


def reason_to_leave_out(model: type[models.Model]) -> str:
    """Why an export leaves this table out; empty when it does not."""
    return LEFT_OUT.get(model._meta.app_label, "") or LEFT_OUT.get(model._meta.label_lower, "")


def table_name(model: type[models.Model]) -> str:
    return model._meta.label_lower.replace(".", "_")


def columns(model: type[models.Model]) -> list[Any]:
    """The fields that a row has in an export, in the order of the model."""
    return [
        field
        for field in model._meta.concrete_fields
        if f"{model._meta.label_lower}.{field.name}" not in LEFT_OUT_FIELDS
    ]


def rows(model: type[models.Model]) -> Iterator[dict[str, Any]]:
    """Every row of the bound authority, by key, with values that JSON knows."""
    fields = columns(model)
    for row in model._default_manager.order_by("pk").iterator(chunk_size=AT_A_TIME):
        yield {field.attname: plain(getattr(row, field.attname)) for field in fields}


def plain(value: Any) -> Any:
    """A value that JSON knows."""
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return value


def write(model: type[models.Model], *, as_csv: BinaryIO, as_json: BinaryIO) -> int:
    """Write a table to both files in one reading; give the number of its rows."""
    headings = [field.attname for field in columns(model)]
    text = TextIOWrapper(cast(Any, as_csv), encoding="utf-8-sig", newline="")
    sheet = csv.writer(text)
    sheet.writerow(headings)
    count = 0
    for row in rows(model):
        count += 1
        as_json.write(json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode() + b"\n")
        sheet.writerow([_cell(row[heading]) for heading in headings])
    text.flush()
    text.detach()
    return count


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        return harmless(json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False))
    return harmless(value)


# -- the schema ------------------------------------------------------------------------------------------

OF_A_KIND: list[tuple[Any, dict[str, Any]]] = [
    (models.BooleanField, {"type": "boolean"}),
    (models.IntegerField, {"type": "integer"}),
    (models.DateTimeField, {"type": "string", "format": "date-time"}),
    (models.DateField, {"type": "string", "format": "date"}),
    (models.UUIDField, {"type": "string", "format": "uuid"}),
    (models.JSONField, {}),
    (SealedJSONField, {}),
    (models.BinaryField, {"type": "string", "contentEncoding": "base64"}),
]


def schema(model: type[models.Model]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one line of the table's JSON file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": table_name(model),
        "description": " ".join((model.__doc__ or "").split()),
        "type": "object",
        "properties": {field.attname: _property(field) for field in columns(model)},
        "required": [field.attname for field in columns(model)],
    }


def _property(field: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    value = field.target_field if field.is_relation else field
    if hasattr(value, "base_field"):
        found = {"type": "array", "items": _property(value.base_field)}
    else:
        found = next((dict(form) for kind, form in OF_A_KIND if isinstance(value, kind)), {"type": "string"})
    if field.null and "type" in found:
        found["type"] = [found["type"], "null"]
    if field.is_relation:
        found["description"] = f"the {value.attname} of a row of {table_name(field.related_model)}"
    elif field.help_text:
        found["description"] = str(field.help_text)
    return found
