"""Who followed whom: walking the register's links between establishments.

The published links are not tidy. About one in a hundred has no row the other way round, so each row counts in both
directions; some run in circles, so no walk visits a place twice. Kinds that do not say who came first (sixth form
centres, expansions, results of amalgamation) are left out.
"""

from collections.abc import Iterable, Mapping

from tenants.database import execute
from tenants.models import EstablishmentLink

SUCCESSOR, PREDECESSOR = "Successor", "Predecessor"

NEARBY = f"""
WITH RECURSIVE nearby (urn) AS (
    SELECT unnest(%(urns)s::text[])
    UNION
    SELECT CASE nearby.urn WHEN link.urn THEN link.link_urn ELSE link.urn END
    FROM nearby JOIN public.{EstablishmentLink._meta.db_table} link ON nearby.urn IN (link.urn, link.link_urn)
    WHERE link.link_type ^@ %(successor)s OR link.link_type ^@ %(predecessor)s
)
SELECT urn, link_urn, link_type FROM public.{EstablishmentLink._meta.db_table} WHERE urn IN (SELECT urn FROM nearby)
"""


class Links:
    """The links between some establishments, by URN."""

    def __init__(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """From rows of (urn, link_urn, link_type), as published."""
        self._successors: dict[str, dict[str, set[str]]] = {}
        self._predecessors: dict[str, dict[str, set[str]]] = {}
        for urn, link_urn, link_type in rows:
            word, _, kind = link_type.partition(" - ")
            if word == SUCCESSOR:
                self._add(urn, link_urn, kind)
            elif word == PREDECESSOR:
                self._add(link_urn, urn, kind)

    def _add(self, old: str, new: str, kind: str) -> None:
        self._successors.setdefault(old, {}).setdefault(new, set()).add(kind)
        self._predecessors.setdefault(new, {}).setdefault(old, set()).add(kind)

    @classmethod
    def near(cls, urns: Iterable[str]) -> "Links":
        """All links that can be reached from these URNs, in one query. Inside a door."""
        given = {"urns": list(urns), "successor": SUCCESSOR, "predecessor": PREDECESSOR}
        return cls((urn, link_urn, link_type) for urn, link_urn, link_type in execute(NEARBY, given))

    def successors(self, urn: str) -> list[str]:
        """All that followed, nearest first. Never `urn` itself, and none twice."""
        return _walk(urn, self._successors)

    def predecessors(self, urn: str) -> list[str]:
        """All that went before, nearest first. Never `urn` itself, and none twice."""
        return _walk(urn, self._predecessors)

    def conversion_of(self, urn: str) -> str | None:
        """The establishment that this one became, when it did nothing but convert; else None.

        A conversion is a closed school's only link forward, it is called plain Successor or Predecessor by every
        row there is, and the new establishment has no other plain predecessor (others may have been merged into
        it since). A merger, an amalgamation, a split and a circle are none. Whether `urn` has closed is for the
        caller to know.
        """
        following = list(self._successors.get(urn, ()))
        if len(following) != 1:
            return None
        [new] = following
        plain = [old for old, kinds in self._predecessors[new].items() if kinds == {""}]
        return new if plain == [urn] and urn not in self.successors(new) else None


def _walk(start: str, steps: Mapping[str, Iterable[str]]) -> list[str]:
    found = {start: None}
    waiting = [start]
    for urn in waiting:
        fresh = [following for following in steps.get(urn, ()) if following not in found]
        found.update(dict.fromkeys(fresh))
        waiting.extend(fresh)
    return waiting[1:]
