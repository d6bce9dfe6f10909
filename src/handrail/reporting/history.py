"""Which history of the database this is, and that what is noted of changes belongs to it."""

from handrail.reporting.models import History
from tenants.database import execute

EPOCH = """
SELECT epoch, EXISTS (SELECT FROM reporting_history known WHERE known.epoch = here.epoch)
FROM (
    SELECT concat_ws('.', system_identifier, timeline_id,
        (SELECT oid FROM pg_database WHERE datname = current_database()), 'reporting_change'::regclass::oid
    ) AS epoch
    FROM pg_control_system(), pg_control_checkpoint()
) here
"""
"""A base backup that is brought up to a moment begins a new timeline. A dump makes every table anew, in the same
cluster too; in another one the numbers of transactions begin anew as well.
"""


def epoch() -> str:
    """The name of the history. When it is a new one, what was noted in another is given the number 0: it comes before
    all that is written from now on, and every reader begins anew.
    """
    [[found, is_known]] = execute(EPOCH)
    if not is_known:
        _begin()
    return str(found)


def _begin() -> None:
    """While nobody notes a change. Of two who begin it at once the second finds it begun."""
    execute("LOCK TABLE reporting_change IN SHARE ROW EXCLUSIVE MODE")
    [[found, is_known]] = execute(EPOCH)
    if not is_known:
        execute("UPDATE reporting_change SET transaction = 0 WHERE transaction <> 0")
        History.objects.create(epoch=found)
