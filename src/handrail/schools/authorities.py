"""The local authorities of England, as the register of schools and Handrail know them. Where a child lives is one of
these, said by a person: it follows from nothing.
"""

from tenants import exchange
from tenants.database import require_bound
from tenants.models import Establishment


def authorities() -> dict[str, str]:
    """Their names by their codes, in the order of the names."""
    names = dict(Establishment.objects.order_by().values_list("la_code", "la_name").distinct())
    names |= {each.code: each.name for each in exchange.members()}
    return dict(sorted(names.items(), key=lambda each: each[1]))


def to_choose() -> list[tuple[str, str]]:
    """The same as choices of a form: nothing first, then the bound one, then the others."""
    own, names = require_bound(), authorities()
    others = [each for each in names.items() if each[0] != own.code]
    return [("", "Choose"), (own.code, own.name), *others]


def called(code: str) -> str:
    """The name of the one with this code; the code where nobody knows it."""
    own = require_bound()
    return own.name if code == own.code else authorities().get(code, code)
