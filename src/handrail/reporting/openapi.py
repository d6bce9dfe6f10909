"""The description of what programs read and write, as OpenAPI 3.1 and as a dictionary: made from the tables and facts,
never by hand.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from handrail.core.problems import CONTENT_TYPE
from handrail.reporting.columns import Label, fields
from handrail.reporting.filters import LIMIT, MOST
from handrail.reporting.reading import EXCEL
from handrail.reporting.tables import TABLES, Table
from handrail.reporting.writes import Write, Written

ADDED = (
    ("2026-11-27", "kind_label of policy-reviews, which can be asked for by phase"),
    ("2026-11-26", "the table notices"),
    ("2026-11-26", "new_la_code of schools, and in metrics the columns of the Department’s own files"),
    ("2026-11-26", "the table plan-months, and plans by type of school in metrics"),
)
"""What was added to v1 and when, the newest first. Nothing of it is taken away or renamed."""

JSON, CSV = "application/json", "text/csv"
FORMS = {"": "", "csv": " as a CSV file", "xlsx": " as an Excel workbook"}


class ErrorRow(serializers.Serializer):
    code = serializers.CharField(help_text="A word for programs.")
    pointer = serializers.CharField(help_text="The parameter or field that is wrong, after a slash.")
    detail = serializers.CharField(help_text="What is wrong, in a sentence.")


class Problem(serializers.Serializer):
    """Problem details (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField(help_text="The request’s id, as the answer’s X-Request-ID has it.")
    errors = ErrorRow(many=True, required=False)


class PageOf(serializers.Serializer):
    limit = serializers.IntegerField(help_text="How many rows were asked for.")
    next_cursor = serializers.CharField(allow_null=True, help_text="Give it as “cursor” to go on.")
    has_more = serializers.BooleanField(help_text="Whether there is another page.")


class Meta(serializers.Serializer):
    as_at = serializers.DateTimeField(help_text="The moment at which it was read.")
    schema = serializers.CharField(help_text="Where this description is.")


class WrittenAnswer(serializers.Serializer):
    data = Written()
    meta = Meta()


class Removed(serializers.Serializer):
    id = serializers.UUIDField(help_text="The row that is no longer there.")
    deleted_at = serializers.DateTimeField(help_text="When it was removed.")


REFUSALS = {
    400: "Something asked for is unknown or not understood.",
    401: "There is no key, or it is not known, revoked or expired.",
    403: "The key may not do this.",
    406: "Nothing that this address gives was accepted.",
    414: "The address is longer than 8,190 bytes.",
    429: "More than 300 calls in a minute. Retry-After says how many seconds to wait.",
    503: "Not just now: the service is being changed, or health records cannot be opened. Try again later.",
}
PAGING = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT},
        description=f"How many rows at most: {LIMIT} unless you say otherwise.",
    ),
    OpenApiParameter(
        "cursor", {"type": "string", "minLength": 1}, description="Where to go on: “next_cursor” of the page before."
    ),
]


class TableSchema(AutoSchema):
    """One address: of a table, of its CSV file or workbook, or of what changed in it."""

    @property
    def table(self) -> Table:
        table: Table = self.view.table
        return table

    @property
    def form(self) -> str:
        """What the address alone gives; nothing where Accept chooses."""
        return str(self.path.partition(".")[2])

    @property
    def is_of_changes(self) -> bool:
        return bool(self.path.endswith("/changes"))

    def get_operation_id(self) -> str:
        name = self.table.name.replace("-", "_")
        return f"changes_of_{name}" if self.is_of_changes else f"list_{name}{'_' * bool(self.form)}{self.form}"

    def get_tags(self) -> list[str]:
        return [self.table.title]

    def get_summary(self) -> str:
        if self.is_of_changes:
            return f"{self.table.title}: what was written or removed since a cursor"
        return f"{self.table.title}{FORMS[self.form]}"

    def get_description(self) -> str:
        right = f"Takes a key with the right “{self.table.scope.label}” ({self.table.scope})."
        if self.is_of_changes:
            return (
                f"Begin without a cursor to get every row, and keep the last cursor for the next time. {right} A "
                "status goes on with the days and not with the row: work it out from the dates, or read the list."
            )
        return f"{self.table.says} {right}"

    def get_override_parameters(self) -> list[Any]:
        if self.is_of_changes:
            return PAGING
        asked = [
            OpenApiParameter(name, each.schema, description=each.says, style="form", explode=False)
            for name, each in self.table.filters.items()
        ]
        everything = OpenApiParameter(
            "all", {"type": "string", "const": "true"}, description="The whole table, without pages: for CSV alone."
        )
        return asked if self.form == "xlsx" else [*asked, *PAGING, everything]

    def get_request_serializer(self) -> None:
        return None

    def get_response_serializers(self) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        if not self.form:
            found[200, JSON] = OpenApiResponse(envelope(self.table, is_of_changes=self.is_of_changes), "The rows.")
        if not self.is_of_changes and self.form != "xlsx":
            found[200, CSV] = OpenApiResponse(
                {"type": "string", "contentMediaType": CSV}, "UTF-8 with a byte order mark; a line for each row."
            )
        if not self.is_of_changes and self.form != "csv":
            found[200, EXCEL] = OpenApiResponse(
                {"type": "string", "format": "binary"},
                "A workbook of all rows, without pages: data, notes, dictionary.",
            )
        if not self.is_of_changes:
            found[304] = OpenApiResponse(None, "Nothing changed since the ETag was given.")
        for status, says in (REFUSALS | self._expiry()).items():
            found[status, CONTENT_TYPE] = OpenApiResponse(Problem, says)
        return found

    def _expiry(self) -> dict[int, str]:
        """When a cursor leads nowhere any more."""
        if self.is_of_changes:
            return {410: "The database was restored, or the authority’s name or code changed: read everything anew."}
        if self.table.counted and self.form != "xlsx":
            return {410: "It was counted anew since the cursor was given: read it from the beginning."}
        return {}


class WriteSchema(AutoSchema):
    """One address at which a fact is written."""

    @property
    def fact(self) -> Write:
        fact: Write = self.view.fact
        return fact

    def get_operation_id(self) -> str:
        return f"write_{self.fact.name.replace('-', '_')}"

    def get_tags(self) -> list[str]:
        return ["Write"]

    def get_summary(self) -> str:
        return self.fact.title

    def get_description(self) -> str:
        return f"{self.fact.says} Takes a key with the right “{self.fact.scope.label}” ({self.fact.scope})."

    def get_override_parameters(self) -> list[Any]:
        return []

    def get_request_serializer(self) -> Any:
        return self.fact.body

    def get_response_serializers(self) -> dict[Any, Any]:
        found: dict[Any, Any] = {
            (201, JSON): OpenApiResponse(WrittenAnswer, "It was made."),
            (200, JSON): OpenApiResponse(WrittenAnswer, "It was there: changed, or unchanged."),
        }
        for status, says in (REFUSALS | {406: "JSON was not accepted.", 415: "It is not said to be JSON."}).items():
            found[status, CONTENT_TYPE] = OpenApiResponse(Problem, says)
        return found

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> dict[str, Any]:
        """A body has no other fields than these."""
        found: dict[str, Any] = super()._map_serializer(serializer, direction, bypass_extensions)
        return found | {"additionalProperties": False} if direction == "request" else found


@cache
def envelope(table: Table, *, is_of_changes: bool) -> type[serializers.Serializer]:
    """The object at the top of an answer."""
    name = f"{table.row.__name__.removesuffix('Row')}{'Changes' if is_of_changes else 'List'}"
    parts: dict[str, Any] = {"data": table.row(many=True)}
    if is_of_changes:
        parts["removed"] = Removed(many=True)
    return type(name, (serializers.Serializer,), {**parts, "page": PageOf(), "meta": Meta(), "__module__": __name__})


class KeyScheme(OpenApiAuthenticationExtension):
    """Two ways to send a key."""

    target_class = "handrail.reporting.api.KeyAuthentication"
    name = ["bearer", "basic"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "The key."},
            {"type": "http", "scheme": "basic", "description": "The key as user name, without a password."},
        ]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[str]]]:
        return [{"bearer": []}, {"basic": []}]


def only_ours(endpoints: Any) -> list[Any]:
    """The addresses that are described."""
    return [each for each in endpoints if hasattr(each[3].cls, "table") or hasattr(each[3].cls, "fact")]


@cache
def description() -> dict[str, Any]:
    """The whole, as OpenAPI 3.1. The same for every authority."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    added = "".join(f"\n- {day}: {what}." for day, what in ADDED)
    found["info"]["description"] += f"\n\nNothing of v1 is ever taken away or renamed. What was added to it:\n{added}"
    for path in found["paths"].values():
        for asked in path.values():
            for status in {"200", "201"} & set(asked["responses"]):
                if links := dict(_links(asked["operationId"])):
                    asked["responses"][status]["links"] = links
    return found


def _links(operation: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where to go on from an answer in JSON: to its next page, from a school to what is about it, from a fact that was
    written to the list that has it.
    """
    name = {table.name.replace("-", "_"): table for table in TABLES.values()}
    begun, _, of = operation.partition("_of_") if operation.startswith("changes") else operation.partition("_")
    if begun in ("list", "changes") and of in name:
        to_next = {"cursor": "$response.body#/page/next_cursor"}
        yield "next_page", {"operationId": operation, "parameters": to_next, "description": "The next page."}
    if operation == "list_schools":
        for each, table in name.items():
            if "urn" in table.filters and each != of:
                of_school = {"urn": "$response.body#/data/0/urn"}
                says = f"{table.title} of the first school."
                yield f"list_{each}", {"operationId": f"list_{each}", "parameters": of_school, "description": says}
    if begun == "write" and "urn" in getattr(name.get(of), "filters", {}):
        of_body = {"urn": "$request.body#/urn"}
        says = "The list, in which it is now."
        yield f"list_{of}", {"operationId": f"list_{of}", "parameters": of_body, "description": says}


KINDS: tuple[tuple[type[serializers.Field], str], ...] = (
    (Label, "text"),
    (serializers.ChoiceField, "one of a few words"),
    (serializers.DateTimeField, "moment in UTC, like 2026-11-23T09:05:00Z"),
    (serializers.DateField, "day, like 2026-11-23"),
    (serializers.UUIDField, "id"),
    (serializers.BooleanField, "true or false"),
    (serializers.IntegerField, "whole number"),
    (serializers.CharField, "text"),
)


def dictionary(table: Table) -> list[dict[str, Any]]:
    """Every column: its name, what it means, of what kind it is, its words, and whether it may be empty."""
    return [
        {
            "column": name,
            "meaning": str(field.help_text),
            "kind": next(says for kind, says in KINDS if isinstance(field, kind)),
            "words": list(field.choices) if isinstance(field, serializers.ChoiceField) else [],
            "may_be_empty": field.allow_null,
        }
        for name, field in fields(table.row).items()
    ]
