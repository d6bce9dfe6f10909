"""Every write about schools."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from handrail.core import audit
from handrail.schools.duty import BODY_OF_TYPE, OPEN_STATUSES, SCHOOL_GROUPS, Body
from tenants.database import execute, require_bound


@dataclass(frozen=True)
class Followed:
    """What following the register did: numbers of schools, and the conversions newly seen (old id, new id)."""

    new: int = 0
    changed: int = 0
    closed: int = 0
    moved_away: int = 0
    conversions: list[tuple[UUID, UUID]] = field(default_factory=list)


FROM_REGISTER = (
    "name",
    "establishment_number",
    "type_code",
    "type_name",
    "body",
    "phase_code",
    "phase_name",
    "is_proposed_to_close",
    "pupils",
    "trust_name",
    "street",
    "town",
    "postcode",
    "website",
    "opened_on",
    "closed_on",
)
"""The columns of a school that the register decides."""

FOLLOW = f"""
WITH bodies(type_code, body) AS (SELECT * FROM unnest(%(types)s::int[], %(bodies)s::text[])),
incoming AS (
    SELECT e.urn, e.name, e.establishment_number, e.type_code, e.type_name,
        coalesce(b.body, %(other)s) AS body, e.phase_code, e.phase_name, e.status_code = 3 AS is_proposed_to_close,
        e.pupils, e.trust_name, e.street, e.town, e.postcode, e.website, e.opened_on,
        CASE WHEN e.status_code <> ALL(%(open)s) THEN coalesce(e.closed_on, s.closed_on, %(on)s) END AS closed_on
    FROM public.tenants_establishment e
    LEFT JOIN bodies b USING (type_code)
    LEFT JOIN schools_school s USING (urn)
    WHERE e.la_code = %(code)s
      AND (s.urn IS NOT NULL OR (e.group_code = ANY(%(groups)s) AND e.status_code = ANY(%(open)s)))
),
before AS (SELECT urn, closed_on FROM schools_school),
written AS (
    INSERT INTO schools_school AS s (
        id, urn, joined_on, office_email, lead_name, lead_email, head_name, head_email, {", ".join(FROM_REGISTER)}
    )
    SELECT gen_random_uuid(), urn, %(on)s, '', '', '', '', '', {", ".join(FROM_REGISTER)} FROM incoming
    ON CONFLICT (urn) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in FROM_REGISTER)}
    WHERE ({", ".join(f"s.{name}" for name in FROM_REGISTER)})
        IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in FROM_REGISTER)})
    RETURNING urn, closed_on
)
SELECT count(*) FILTER (WHERE b.urn IS NULL),
       count(*) FILTER (WHERE b.urn IS NOT NULL AND (w.closed_on IS NULL OR b.closed_on IS NOT NULL)),
       count(*) FILTER (WHERE b.urn IS NOT NULL AND w.closed_on IS NOT NULL AND b.closed_on IS NULL)
FROM written w LEFT JOIN before b USING (urn)
"""

MOVE_AWAY = """
UPDATE schools_school s SET closed_on = %(on)s FROM public.tenants_establishment e
WHERE e.urn = s.urn AND e.la_code <> %(code)s AND s.closed_on IS NULL RETURNING s.id
"""

CONVERT = """
WITH successors AS (
    SELECT urn AS old_urn, link_urn AS new_urn FROM public.tenants_establishmentlink WHERE link_type = 'Successor'
    UNION SELECT link_urn, urn FROM public.tenants_establishmentlink WHERE link_type = 'Predecessor'
),
conversions AS (
    SELECT old_urn, new_urn FROM successors
    WHERE old_urn IN (SELECT old_urn FROM successors GROUP BY old_urn HAVING count(*) = 1)
      AND new_urn IN (SELECT new_urn FROM successors GROUP BY new_urn HAVING count(*) = 1)
)
UPDATE schools_school s SET converted_from_id = old.id
FROM conversions c JOIN schools_school old ON old.urn = c.old_urn
WHERE s.urn = c.new_urn AND s.converted_from_id IS NULL AND s.id <> old.id AND old.closed_on IS NOT NULL
RETURNING old.id, s.id
"""


@transaction.atomic
def follow_register(*, on: date, at: datetime) -> Followed:
    """Bring the bound authority's schools to what the register of schools says. A second run changes nothing.

    Open schools of this authority in type groups 3, 4, 5, 10 and 11 are added. One that has closed, or that now
    belongs to another authority, is closed here and keeps its history. One that is missing from the register is
    left alone. A closed school with exactly one plain successor has converted: the pair is reported once.
    """
    authority = require_bound()
    given = {
        "code": authority.code,
        "on": on,
        "open": list(OPEN_STATUSES),
        "groups": list(SCHOOL_GROUPS),
        "types": list(BODY_OF_TYPE),
        "bodies": [str(body) for body in BODY_OF_TYPE.values()],
        "other": str(Body.OTHER),
    }
    [(new, changed, closed)] = execute(FOLLOW, given)
    moved_away = len(execute(MOVE_AWAY, given))
    conversions = [(old, successor) for old, successor in execute(CONVERT)]
    followed = Followed(new, changed, closed, moved_away, conversions)
    if followed != Followed():
        audit.record("followed the register of schools", by=audit.CLOCK, at=at, subject_kind="register")
    return followed
