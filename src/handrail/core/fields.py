"""Model fields whose values the database holds sealed: they can be read from a row and saved with it, nothing else.

A value opens when it is first read from its instance, so rows are listed and other columns saved while the vault is
closed. It is bound to its row: an instance that gets another id must be read before. A sealed column that is added to
a table with rows is null at first.
"""

import json
from typing import Any

from django.core import checks
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.expressions import Col, Combinable
from django.db.models.query_utils import DeferredAttribute

from handrail.core import vault


class Sealed:
    """A value as the database holds it. It shows nothing of itself; `.values()` and queries of columns give these."""

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __bytes__(self) -> bytes:
        return self._content

    def __repr__(self) -> str:
        return "<sealed>"


class _SealedForARow(Sealed):
    """Sealed this moment for the row that is being saved."""

    __slots__ = ()


class SealedAttribute(DeferredAttribute):
    """Opens the value when it is first read."""

    field: "SealedField"

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed) and instance is not None:
            value = instance.__dict__[self.field.attname] = self.field.opened(bytes(value), instance)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedColumn(Col):
    """Cannot be ordered by: that would be the order of ciphertexts."""

    def resolve_expression(self, query: Any = None, *of_an_ordering: Any, **more: Any) -> Any:
        if of_an_ordering or more:  # a lookup gives the query alone
            raise FieldError(f"{self.target} is sealed: nothing can be ordered by it or made of it")
        return super().resolve_expression(query)


class SealedField(models.Field):
    """What both kinds share: bytes in the database, bound to authority, table, row and column."""

    descriptor_class = SealedAttribute

    def to_content(self, value: Any) -> bytes:
        raise NotImplementedError

    def from_content(self, content: bytes) -> Any:
        raise NotImplementedError

    def opened(self, sealed: bytes, instance: models.Model) -> Any:
        """The value in clear. Raises VaultClosed, CannotOpen."""
        return self.from_content(vault.unseal(sealed, self._place(instance)))

    def sealed(self, value: Any, instance: models.Model) -> bytes:
        """Raises VaultClosed."""
        return vault.seal(self.to_content(value), self._place(instance))

    def _place(self, instance: models.Model) -> bytes:
        row = instance._meta.pk.to_python(instance.pk)
        return bytes(row.bytes) + f"{instance._meta.db_table}\0{self.column}".encode()

    # -- to and from the database --------------------------------------------------------------------------

    def get_internal_type(self) -> str:
        return "BinaryField"

    def from_db_value(self, value: Any, *_: Any) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = getattr(model_instance, self.attname)
        return None if value is None else _SealedForARow(self.sealed(value, model_instance))

    def get_db_prep_save(self, value: Any, connection: Any) -> bytes | None:
        if value is None or isinstance(value, _SealedForARow):
            return None if value is None else bytes(value)
        raise FieldError(f"{self} is sealed for its row: set it on an instance and save that")

    # -- what it cannot do ---------------------------------------------------------------------------------

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self} is sealed: rows cannot be found by it, only by whether it is null")
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        raise FieldError(f"{self} is sealed: nothing can be asked of it in the database")

    def get_col(self, alias: str, output_field: Any = None) -> Col:
        return SealedColumn(alias, self, output_field)

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        found = super().check(**kwargs)
        if not isinstance(self.model._meta.pk, models.UUIDField):
            found.append(checks.Error("A sealed field needs a row whose key is a UUID.", obj=self, id="handrail.E001"))
        return found


class SealedTextField(SealedField):
    """Text of any length. The empty string is sealed too; null stays null."""

    _pyi_private_set_type: str | Combinable
    _pyi_private_get_type: str

    def to_content(self, value: Any) -> bytes:
        if not isinstance(value, str):
            raise TypeError(f"{self} takes text, not {type(value).__name__}")
        return value.encode()

    def from_content(self, content: bytes) -> str:
        return content.decode()


class SealedJSONField(SealedField):
    """Whatever JSON can hold. None is null."""

    empty_strings_allowed = False

    def to_content(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False).encode()

    def from_content(self, content: bytes) -> Any:
        return json.loads(content)
