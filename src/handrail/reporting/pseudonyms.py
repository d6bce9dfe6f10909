"""Made-up numbers for plans and reviews, under which programs read them one by one.

They stay the same for an authority, whichever of its keys reads, so that a report can follow a plan. Elsewhere they
mean nothing: another authority and another installation make other numbers of the same ids, and no number leads back.
"""

from django.db.models import F, Func, UUIDField, Value
from django.utils.crypto import salted_hmac

from tenants.database import require_bound


class _Made(Func):
    template = "left(encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex'), 32)::uuid"
    arg_joiner = "::text || "
    output_field = UUIDField()


def pseudonym(column: str) -> Func:
    """The made-up number of an id, in SQL."""
    secret = salted_hmac("handrail.reporting.pseudonym", str(require_bound().id), algorithm="sha256").hexdigest()
    return _Made(Value(secret), F(column))
