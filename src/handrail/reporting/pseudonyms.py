"""Made-up numbers for plans and reviews, under which programs read them one by one.

They stay the same for an authority, whichever of its keys reads, so that a report can follow a plan. Elsewhere they
mean nothing: each authority has a key of its own to make them with, and without that key no number leads back.
"""

from secrets import token_hex

from django.db.models import F, Func, UUIDField, Value

from handrail.reporting.models import PseudonymKey


class _Made(Func):
    template = "left(encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex'), 32)::uuid"
    arg_joiner = "::text || "
    output_field = UUIDField()


def pseudonym(column: str) -> Func:
    """The made-up number of an id, in SQL. Raises VaultClosed."""
    return _Made(Value(_secret()), F(column))


def _secret() -> str:
    """The key, made when there is none. Of two who make it at once both are given the same."""
    found = PseudonymKey.objects.first()
    if found is None:
        PseudonymKey.objects.bulk_create([PseudonymKey(secret=token_hex(32))], ignore_conflicts=True)
        found = PseudonymKey.objects.get()
    return found.secret
