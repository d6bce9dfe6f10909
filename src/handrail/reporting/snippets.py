"""How to read a table from Power BI, R and Python, to be copied. Made from the table: they name what is there."""

from urllib.parse import urlsplit

from rest_framework import serializers

from handrail.reporting.columns import fields
from handrail.reporting.tables import Table

POWER_QUERY, R, PYTHON = "Power BI and Excel", "R", "Python"

KINDS: tuple[tuple[type[serializers.Field], str, str], ...] = (
    (serializers.DateTimeField, "type datetimezone", "col_datetime()"),
    (serializers.DateField, "type date", "col_date()"),
    (serializers.BooleanField, "type logical", "col_logical()"),
    (serializers.IntegerField, "Int64.Type", "col_integer()"),
    (serializers.Field, "type text", "col_character()"),
)
"""What a column is in Power Query and in R."""


def snippets(table: Table, site: str) -> dict[str, str]:
    """By program; `site` is the authority's address, without a slash at its end."""
    return {POWER_QUERY: power_query(table, site), R: r(table, site), PYTHON: python(table, site)}


def power_query(table: Table, site: str) -> str:
    """The address is a fixed base with the rest apart: so the report can be refreshed every night."""
    types = ",\n        ".join(f'{{"{name}", {in_power_query}}}' for name, in_power_query, _ in _kinds(table))
    return f"""let
    Source = Web.Contents(
        "{site}",
        [RelativePath = "api/v1/{table.name}.csv", Query = [all = "true"]]
    ),
    Lines = Csv.Document(Source, [Delimiter = ",", Encoding = 65001, QuoteStyle = QuoteStyle.Csv]),
    Rows = Table.PromoteHeaders(Lines, [PromoteAllScalars = true]),
    Typed = Table.TransformColumnTypes(Rows, {{
        {types}
    }}, "en-GB")
in
    Typed
"""


def r(table: Table, site: str) -> str:
    types = ",\n    ".join(f"{name} = {in_r}" for name, _, in_r in _kinds(table))
    return f"""library(httr2)
library(readr)

{_variable(table)} <- request("{site}") |>
  req_url_path("api/v1/{table.name}.csv") |>
  req_url_query(all = "true") |>
  req_auth_bearer_token(Sys.getenv("HANDRAIL_KEY")) |>
  req_perform() |>
  resp_body_raw() |>
  read_csv(col_types = cols(
    {types}
  ))
"""


def python(table: Table, site: str) -> str:
    """With nothing but Python. A name below localhost, as the demonstration has, is this computer: browsers know that
    by themselves, and Python on many systems does not.
    """
    address, host = urlsplit(site), ""
    if str(address.hostname).endswith(".localhost"):
        site, host = f"{address.scheme}://127.0.0.1:{address.port or 80}", f', "Host": "{address.netloc}"'
    return f"""import csv
import io
import os
import urllib.request

request = urllib.request.Request(
    "{site}/api/v1/{table.name}.csv?all=true",
    headers={{"Authorization": "Bearer " + os.environ["HANDRAIL_KEY"]{host}}},
)
with urllib.request.urlopen(request) as answer:
    text = io.TextIOWrapper(answer, encoding="utf-8-sig", newline="")
    {_variable(table)} = list(csv.DictReader(text))

print(len({_variable(table)}), "rows")
# With pandas: pandas.DataFrame({_variable(table)})
"""


def _variable(table: Table) -> str:
    return table.name.replace("-", "_")


def _kinds(table: Table) -> list[tuple[str, str, str]]:
    return [
        (name, *next((query, in_r) for kind, query, in_r in KINDS if isinstance(field, kind)))
        for name, field in fields(table.row).items()
    ]
