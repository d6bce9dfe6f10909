"""Sealing everything anew with a later data key, a batch in each transaction, while people go on working.

Whatever moment it is stopped at, every value opens: a key is there before anything is sealed with it, and stays while
anything might be. Which columns are sealed is asked of the models, so none is forgotten.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models, transaction

from handrail.core import audit, vault
from handrail.core.fields import SealedField
from handrail.core.models import DataKey
from handrail.core.vault import CannotOpen
from tenants.database import execute
from tenants.database.privileges import APPEND_ONLY

KEPT_FOR = timedelta(days=1)
"""How long a retired key is kept: no transaction stays open for so long that may still seal or read with it."""


@dataclass
class Batch:
    """What came of one: the last row it met (none at the end of the table), how many it sealed, which do not open."""

    last: UUID | None
    sealed: int = 0
    unreadable: list[UUID] = field(default_factory=list)


@dataclass
class Remainder:
    """What a rotation leaves: rows to be sealed yet, rows that cannot be, and the numbers of keys that are gone."""

    rows: int
    fixed_rows: int
    removed: list[int]


def sealed_models() -> list[type[models.Model]]:
    """Every model with a sealed column of its own."""
    return [model for model in apps.get_models() if not model._meta.proxy and _sealed_fields(model)]


@transaction.atomic
def begin(*, at: datetime) -> DataKey | None:
    """The key to seal with from now on: a new one, or that of a rotation that was not finished.

    None when the authority has sealed nothing yet. Raises VaultClosed.
    """
    in_use = list(DataKey.objects.filter(retired_at=None).order_by("number"))
    if not in_use:
        return None
    vault.require_open()  # a process with a wrong key must not wrap the newest one with it
    if len(in_use) > 1:
        return in_use[-1]
    vault.make_key(in_use[0].number + 1)
    newest = DataKey.objects.latest("number")
    audit.record("began to seal with a new key", by=audit.CLOCK, at=at, subject_kind="data_key", subject_id=newest.id)
    return newest


@transaction.atomic
def reseal(model: type[models.Model], *, key: DataKey, after: UUID | None, at_most: int) -> Batch:
    """Seal the next rows of a table that an earlier key sealed. Rows that somebody is changing are passed over.

    Raises VaultClosed.
    """
    if is_fixed(model):
        return Batch(last=None)
    stale, parameters = _stale(model, key)
    rows = execute(
        f"SELECT id FROM {model._meta.db_table} WHERE id > %s AND ({stale}) ORDER BY id LIMIT %s"
        " FOR UPDATE SKIP LOCKED",
        [after or UUID(int=0), *parameters, at_most],
    )
    ids = [row[0] for row in rows]
    batch, names = Batch(last=ids[-1] if ids else None), [each.name for each in _sealed_fields(model)]
    for row in model._base_manager.filter(pk__in=ids).only(*names):
        try:
            for name in names:
                getattr(row, name)
        except CannotOpen:
            batch.unreadable.append(row.pk)
            continue
        row.save(update_fields=names)
        batch.sealed += 1
    return batch


@transaction.atomic
def finish(*, key: DataKey, unreadable: int, at: datetime, elsewhere: Collection[UUID] = ()) -> Remainder:
    """Retire the earlier keys when nothing waits to be sealed with `key`; remove those long retired and unused.

    `elsewhere` are the keys of what is sealed in no sealed column, one for each value.
    """
    waiting = sum(_count_stale(model, key) for model in sealed_models() if not is_fixed(model))
    waiting += sum(each != key.id for each in elsewhere)
    fixed = sum(_count_stale(model, key) for model in sealed_models() if is_fixed(model))
    if waiting <= unreadable:
        DataKey.objects.filter(retired_at=None, number__lt=key.number).update(retired_at=at)
    removed = []
    for earlier in DataKey.objects.filter(retired_at__lte=at - KEPT_FOR).exclude(id__in={*_keys_in_use(), *elsewhere}):
        removed.append(earlier.number)
        earlier.delete()
    return Remainder(rows=waiting, fixed_rows=fixed, removed=removed)


def is_fixed(model: type[models.Model]) -> bool:
    """Whether its rows cannot be changed, so that they keep the key that sealed them."""
    return model._meta.db_table_comment.startswith(APPEND_ONLY) if model._meta.db_table_comment else False


def _sealed_fields(model: type[models.Model]) -> "list[SealedField[Any, Any]]":
    return [each for each in model._meta.local_concrete_fields if isinstance(each, SealedField)]


def _key_in(sealed: "SealedField[Any, Any]") -> str:
    return f'substring("{sealed.column}" FROM {vault.KEY_ID.start + 1} FOR 16)'


def _stale(model: type[models.Model], key: DataKey) -> tuple[str, list[bytes]]:
    """The condition of rows with a value that another key sealed, and its parameters."""
    columns = [_key_in(each) for each in _sealed_fields(model)]
    return " OR ".join(f"{column} <> %s" for column in columns), [key.id.bytes] * len(columns)


def _count_stale(model: type[models.Model], key: DataKey) -> int:
    stale, parameters = _stale(model, key)
    [(count,)] = execute(f"SELECT count(*) FROM {model._meta.db_table} WHERE {stale}", parameters)
    return int(count)


def _keys_in_use() -> Iterator[UUID]:
    for model in sealed_models():
        for each in _sealed_fields(model):
            column = _key_in(each)
            rows = execute(
                f'SELECT DISTINCT {column} FROM {model._meta.db_table} WHERE octet_length("{each.column}") >= 17'
            )
            yield from (UUID(bytes=bytes(row[0])) for row in rows)
