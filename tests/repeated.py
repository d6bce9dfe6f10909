"""Rows that many tests begin with, written each time by the statements that wrote them first."""

import copy
from collections.abc import Callable
from itertools import groupby
from typing import Any, Generic, TypeVar

from django.db import connection

from tenants.context import inside
from tenants.database import bound, execute

Made = TypeVar("Made")


class Repeated(Generic[Made]):
    """What `build` writes and gives. It runs once; afterwards the same rows take one round trip for each door.

    It must find nothing of its own there. Call outside a door.
    """

    def __init__(self, build: Callable[[], Made]) -> None:
        self._build = build
        self._written: list[tuple[Any, str]] = []
        self._made: Made | None = None

    def __call__(self) -> Made:
        if self._made is None:
            with connection.execute_wrapper(self._note):
                self._made = self._build()
        else:
            for authority, statements in groupby(self._written, key=lambda each: each[0]):
                with inside(authority):
                    execute(";".join(statement for _, statement in statements))
        return copy.deepcopy(self._made)

    def _note(self, run: Any, statement: str, parameters: Any, many: bool, context: Any) -> Any:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            self._written.append((bound(), context["cursor"].cursor.mogrify(statement, parameters)))
        return run(statement, parameters, many, context)
