"""What the finance teams of two authorities have to know of a case. Nothing here works out a charge."""

from collections.abc import Sequence
from uuid import UUID

from handrail.handovers.models import Handover, Pack
from tenants.database import require_bound
from tenants.models import Establishment

SPECIAL = frozenset({7, 8, 10, 12, 33, 36, 44})
"""The types of special schools, by the register's codes."""


def flags(*, is_looked_after: bool, setting_type: int | None, home: str, host: str) -> list[str]:
    """What is to be told where the child lives in one authority and is taught in another; `home` and `host` by code.

    Charges between authorities for looked-after children are in the Inter-authority Recoupment (England) Regulations,
    as amended from September 2026.
    """
    if not home or not host or home == host:
        return []
    known = [("A looked-after child", is_looked_after), ("A special school", setting_type in SPECIAL)]
    return [words for words, is_so in known if is_so]


def flags_of(handovers: Sequence[Handover]) -> dict[UUID, list[str]]:
    """The same of each of these, by its id: as the home side wrote it, or as the newest pack that was opened says."""
    packs = Pack.objects.filter(handover__in=[each for each in handovers if not each.is_home], is_return=False)
    opened = {each.handover_id: each.content.get("about", {}) for each in packs.order_by("number")}
    urns = {each.setting_urn for each in handovers if each.setting_urn}
    types = dict(Establishment.objects.filter(urn__in=urns).values_list("urn", "type_code"))
    own = require_bound().code

    def found(each: Handover) -> list[str]:
        about = (each.about or {}) if each.is_home else opened.get(each.id, {})
        return flags(
            is_looked_after=about.get("looked_after") == "yes",
            setting_type=types.get(each.setting_urn),
            home=each.home_authority,
            host=each.host_authority or ("" if each.is_home else own),
        )

    return {each.id: found(each) for each in handovers}
