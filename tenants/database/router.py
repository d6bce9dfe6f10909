"""Tripwires in the ORM: what was made in one authority raises when it is used in another.

Privilege is the wall; this says *where* in the code a slip happened. An instance is stamped when it is read or
first saved, a queryset when it is built inside a door.
"""

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models.query import ModelIterable

from tenants.database import bound
from tenants.errors import WrongAuthority

STAMP = "made_in"


class StampedIterable(ModelIterable):
    """Rows of a queryset, refused when the door they were asked through is no longer the open one.

    Without it `.iterator()`, half read in one authority and advanced in another, would stamp the rest wrongly.
    """

    def __iter__(self) -> Iterator[Any]:
        asked_in = bound()
        for row in super().__iter__():
            if bound() != asked_in:
                raise WrongAuthority(f"rows of {self.queryset.model._meta.label} were read on after their door closed")
            yield row


def stamp(instance: models.Model) -> None:
    """Note on the instance which authority it was read or saved in."""
    authority = bound()
    if authority is not None:
        setattr(instance._state, STAMP, authority.schema_name)


class AuthorityRouter:
    """Sends everything to `default`, the cache table to `side`, and refuses what carries another stamp."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        if model._meta.app_label == "django_cache":
            return "side"
        authority = bound()
        if authority is not None:
            instance = hints.get("instance")
            made_in = hints.get(STAMP) or (instance is not None and getattr(instance._state, STAMP, None))
            if made_in and made_in != authority.schema_name:
                raise WrongAuthority(f"a {model._meta.label} of another authority was used")
        return None

    db_for_write = db_for_read

    def allow_relation(self, first: models.Model, second: models.Model, **hints: Any) -> bool | None:
        stamps = {getattr(each._state, STAMP, None) for each in (first, second)} - {None}
        if len(stamps) > 1:
            raise WrongAuthority("two objects of different authorities were joined")
        return None
