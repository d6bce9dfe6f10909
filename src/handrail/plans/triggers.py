"""What makes a review due before its time, noted by the clock, and taken back when it was renewed: one statement for
each rule.

A rule is a query of the plans that it concerns and the day on which it happens to each. It asks for the days since
the last review and for the coming year, never for today: a night that was missed heals, and a second run notes nothing.
"""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from handrail.core import audit
from handrail.plans.cycle import A_TERM, LAST_BEFORE_SECONDARY, Trigger, born_for_year_6, yearly
from handrail.plans.models import HealthcarePlan, Stage
from handrail.schools.models import Term
from handrail.schools.terms import school_year_of
from tenants.database import execute

SIXTEEN = """
SELECT id, turns + (extract(day FROM turns) <> extract(day FROM born_on))::int
FROM active CROSS JOIN LATERAL (SELECT (born_on + interval '16 years')::date) birthday (turns)
"""
# As cycle.sixteenth_birthday: for one born on 29 February it is 1 March where there is no such day.

MEDICINE = """
SELECT active.id, medicine.expires_on
FROM active JOIN plans_healthcareplan plan USING (id) JOIN care_medicine medicine USING (pupil_id)
WHERE medicine.returned_on IS NULL
"""

TRAINING = """
SELECT active.id, training.expires_on
FROM active JOIN plans_healthcareplan plan USING (id) JOIN care_stafftraining training USING (pupil_id)
WHERE training.ended_on IS NULL
"""

CONSENT = """
SELECT active.id, medicine.consent_withdrawn_on
FROM active JOIN plans_healthcareplan plan USING (id) JOIN care_medicine medicine USING (pupil_id)
WHERE medicine.returned_on IS NULL AND medicine.consent_withdrawn_on IS NOT NULL
"""

IN_YEAR_6 = f"""
CASE regexp_replace(child.year_group, '[^0-9]', '', 'g')
    WHEN '' THEN child.born_on BETWEEN %s AND %s
    WHEN '{LAST_BEFORE_SECONDARY}' THEN true ELSE false END
"""
# As cycle.moves_on.

NEW_SCHOOL = f"""
SELECT active.id, %s::date
FROM active JOIN plans_healthcareplan plan USING (id) JOIN schools_pupil child ON child.id = plan.pupil_id
WHERE coalesce(active.last_reviewed_on, '-infinity') < %s AND {IN_YEAR_6}
"""
# The day by which the summer term ends; a review in that term has looked at it, as cycle.is_answered says.

RULES = {
    Trigger.SIXTEEN: SIXTEEN,
    Trigger.MEDICINE: MEDICINE,
    Trigger.TRAINING: TRAINING,
    Trigger.CONSENT: CONSENT,
    Trigger.NEW_SCHOOL: NEW_SCHOOL,
}
"""The day of each, for plans of the table `active` (id, born_on, last_reviewed_on)."""

NOTE = """
WITH active (id, born_on, last_reviewed_on) AS ({active}),
happens (plan_id, day) AS ({rule}),
made AS (
    INSERT INTO plans_reviewtrigger (id, plan_id, kind, happens_on, due_on, noted_at)
    SELECT gen_random_uuid(), plan_id, %s, day, day, %s
    FROM happens JOIN active ON active.id = plan_id
    WHERE day > coalesce(last_reviewed_on, %s) AND day <= %s
    ORDER BY plan_id, day
    ON CONFLICT DO NOTHING RETURNING plan_id, due_on),
moved AS (
    UPDATE plans_healthcareplan plan SET due_on = sooner.due_on
    FROM (SELECT plan_id, min(due_on) FROM made GROUP BY plan_id) sooner (plan_id, due_on)
    WHERE plan.id = sooner.plan_id AND plan.due_on > sooner.due_on)
SELECT count(*) FROM made
"""


LASTS_NO_LONGER = {
    Trigger.MEDICINE: """
        SELECT FROM care_medicine old WHERE old.pupil_id = plan.pupil_id AND old.expires_on = happens_on
            AND (old.returned_on IS NULL OR NOT EXISTS (
                SELECT FROM care_medicine new WHERE new.pupil_id = old.pupil_id AND new.returned_on IS NULL
                    AND (new.kind, new.is_emergency) = (old.kind, old.is_emergency)
                    AND (new.expires_on IS NULL OR new.expires_on > old.expires_on)))""",
    Trigger.TRAINING: """
        SELECT FROM care_stafftraining old WHERE old.pupil_id = plan.pupil_id AND old.expires_on = happens_on
            AND (old.ended_on IS NULL OR NOT EXISTS (
                SELECT FROM care_stafftraining new WHERE new.pupil_id = old.pupil_id AND new.ended_on IS NULL
                    AND new.is_cover = old.is_cover
                    AND new.is_confirmed AND new.expires_on > old.expires_on))""",
    Trigger.CONSENT: """
        SELECT 1 WHERE each.noted_by IS NOT NULL UNION ALL
        SELECT 1 FROM care_medicine WHERE pupil_id = plan.pupil_id AND consent_withdrawn_on = happens_on""",
    Trigger.NEW_SCHOOL: f"""
        SELECT FROM schools_pupil child WHERE child.id = plan.pupil_id
            AND (each.noted_by IS NOT NULL OR happens_on <= %s OR (happens_on = %s AND {IN_YEAR_6}))""",
}
"""What of a child's still runs out on the day of a trigger, or has gone without one of its kind that lasts longer;
whose permission was withdrawn and not given again; who is still to move on. What a person noted stays.
"""

FORGET = """
WITH active (id, born_on, last_reviewed_on) AS ({active}),
gone AS (
    DELETE FROM plans_reviewtrigger each USING active JOIN plans_healthcareplan plan USING (id)
    WHERE each.plan_id = active.id AND each.kind = %s AND each.answered_by_id IS NULL AND NOT EXISTS ({lasts})
    RETURNING each.id, each.plan_id),
left_open (plan_id, due_on) AS (
    SELECT plan_id, min(due_on) FROM plans_reviewtrigger
    WHERE answered_by_id IS NULL AND id NOT IN (SELECT id FROM gone) AND plan_id IN (SELECT plan_id FROM gone)
    GROUP BY plan_id),
moved AS (
    UPDATE plans_healthcareplan plan
    SET due_on = coalesce(
        least((last_reviewed_on + interval '1 year')::date, asked_due_on, left_open.due_on), plan.due_on)
    FROM (SELECT DISTINCT plan_id FROM gone) found LEFT JOIN left_open USING (plan_id)
    WHERE plan.id = found.plan_id)
SELECT count(*) FROM gone
"""
# The day as cycle.next_due says it.


@transaction.atomic
def forget_renewed(*, on: date, at: datetime) -> int:
    """Take back what was noted because a medicine or training would run out, a permission was withdrawn or a child
    would move on, where it is so no longer; the review waits again until its own day. Give how many. One line in the
    record of changes when there is any.
    """
    active, parameters = _active(on=on).query.sql_with_params()
    taken_back = 0
    until, _, *years = _moving(on=on)
    more = {Trigger.NEW_SCHOOL: [on, until, *years]}
    for trigger, lasts in LASTS_NO_LONGER.items():
        asked = [*parameters, trigger, *more.get(trigger, [])]
        [(gone,)] = execute(FORGET.format(active=active, lasts=lasts), asked)
        taken_back += gone
    if taken_back:
        audit.record("let reviews wait again", by=audit.CLOCK, at=at, subject_kind="plan", fields=["triggers"])
    return taken_back


@transaction.atomic
def note_known_ahead(*, on: date, at: datetime) -> int:
    """Note what will happen to active plans within a year, and bring their reviews forward; give how many are new.

    The review is due by that day itself, as cycle.due_after says. One line in the record of changes when any is new.
    """
    active, parameters = _active(on=on).query.sql_with_params()
    more = {Trigger.NEW_SCHOOL: _moving(on=on)}
    noted: dict[str, int] = {}
    for trigger, rule in RULES.items():
        asked = [*parameters, *more.get(trigger, []), trigger, at, on, yearly(on)]
        [(new,)] = execute(NOTE.format(active=active, rule=rule), asked)
        if new:
            noted[trigger] = new
    if noted:
        audit.record("brought reviews forward", by=audit.CLOCK, at=at, subject_kind="plan", fields=["triggers"])
    return sum(noted.values())


def _moving(*, on: date) -> list[Any]:
    """When children of Year 6 move on at the end of the school year of a day: the last school day, from when a review
    looks at it, and their first and last birthday.
    """
    year = school_year_of(on)
    last = Term.objects.all().calendar().last_school_day_before(date(year + 1, 9, 1))
    return [last, last - A_TERM, *born_for_year_6(year)]


def _active(*, on: date) -> QuerySet[HealthcarePlan, tuple[object, ...]]:
    there = Q(pupil__left_on=None) | Q(pupil__left_on__gt=on)
    plans = HealthcarePlan.objects.filter(there, stage=Stage.ACTIVE).annotate(born_on=F("pupil__born_on"))
    return plans.order_by().values_list("id", "born_on", "last_reviewed_on")
