"""The data page: which tables there are, what is in them, and how other programs read them."""

from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request
from handrail.reporting import excel, reading
from handrail.reporting.openapi import dictionary
from handrail.reporting.snippets import snippets
from handrail.reporting.tables import TABLES, AsAt, Table

HOUR = 3600


class DataView(Door):
    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        rows = rows_of_tables(as_at(request))
        tables = [facts_of(table, rows.get(table.name)) for table in TABLES.values()]
        return render(request, "reporting/data.html", {"tables": tables})


class TableView(Door):
    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request, table_name: str) -> HttpResponse:
        table = table_or_404(table_name)
        site = request.build_absolute_uri("/").rstrip("/")
        facts = {
            **facts_of(table, None if table.child else reading.count(table, as_at(request))),
            "dictionary": dictionary(table),
            "snippets": snippets(table, site),
        }
        return render(request, "reporting/table.html", facts)


class DownloadView(Door):
    """The whole table, for somebody who has signed in. Not of one with a row for each child."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request, table_name: str, form: str) -> HttpResponseBase:
        table, asked = table_or_404(table_name), reading.EVERYTHING
        if table.child:
            raise Http404
        if form == "xlsx":
            file = excel.workbook(table, asked, as_at(request), reading.of_nobody, at=request.now)
        else:
            file = reading.whole_as_csv(table, asked, as_at(request), reading.of_nobody)
        return reading.download(table, file, form)


class ReferenceView(Door):
    """Every address, to be tried in the browser."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        return render(request, "reporting/reference.html", {"description": reverse("reporting:openapi")})


def table_or_404(name: str) -> Table:
    if name not in TABLES:
        raise Http404
    return TABLES[name]


def as_at(request: Request) -> AsAt:
    return AsAt(request.authority, request.today)


def rows_of_tables(as_at: AsAt) -> dict[str, int]:
    """How many rows each table has, but for those of children. Counted once an hour: to count some is to make them."""
    rows: Any = cache.get_or_set(
        "rows-of-tables",
        lambda: {table.name: reading.count(table, as_at) for table in TABLES.values() if not table.child},
        timeout=HOUR,
    )
    return dict(rows)


def facts_of(table: Table, rows: int | None) -> dict[str, Any]:
    return {
        "table": table,
        "rows": rows,
        "changed_at": reading.changed_at(table),
        "path": f"/api/v1/{table.name}",
    }
