"""When things happen by themselves. Nothing else schedules anything.

Celery only wakes us; wall-clock rules (quiet hours, school days) are decided in the work itself.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One line of the timetable: what a manager reads, how often in seconds, and the task that is rung."""

    what: str
    every_seconds: int
    task: str


MINUTE, HOUR, DAY = 60, 3600, 86400

TIMETABLE = (
    Entry("Check and import the files that people have brought", 5, "workflows.register.check_files"),
    Entry("Take handovers from one side to the other", 5, "workflows.handovers.deliver"),
    Entry("Make the exports that two people have asked for", 5, "workflows.records.make_exports"),
    Entry("Delete uploaded files when what they did can no longer be undone", HOUR, "workflows.register.delete_files"),
    Entry("Delete stored files that belong to no document", DAY, "workflows.documents.sweep"),
    Entry("Send the messages that are due", MINUTE, "workflows.notices.send_due"),
    Entry("Look whether policies are where they are said to be published", MINUTE, "workflows.website.look"),
    Entry("Follow the register of schools and open policies for new schools", HOUR, "workflows.register.follow"),
    Entry(
        "Owe reminders of policies, plans, absences, handovers, medicines, kits and training that fall due",
        HOUR,
        "workflows.reminders.sweep",
    ),
    Entry("Make each school’s pack of emergency pages anew, each night", 10 * MINUTE, "workflows.packs.make_packs"),
    Entry("Count plans when a month has ended", HOUR, "workflows.plan_counts.count"),
    Entry("Write down how everything stood at the end of a month, once", HOUR, "workflows.month_ends.take"),
    Entry("Tell the administrator when fewer messages left than were owed", HOUR, "workflows.notices.check_silence"),
    Entry(
        "End handovers that nobody opened in time, and compare both ledgers", HOUR, "workflows.handovers.let_run_out"
    ),
    Entry(
        "Destroy what settings hold of children whom they declined two weeks ago",
        DAY,
        "workflows.handovers.destroy_declined",
    ),
    Entry("Seal the record of changes", MINUTE, "workflows.seals.seal_all"),
    Entry("Copy the newest seal out of the database", HOUR, "workflows.seals.keep_all"),
    Entry("Delete exports that are a week old", HOUR, "workflows.records.delete_old"),
    Entry("Forget sessions that have ended", HOUR, "workflows.sessions.forget"),
    Entry("End invitations that nobody took up for 30 days", HOUR, "workflows.people.end_unused"),
    Entry("Note that the clock and a worker are alive", MINUTE, "workflows.heartbeat.beat"),
)


def modules() -> list[str]:
    """Where the tasks are that the timetable names."""
    return sorted({entry.task.rpartition(".")[0] for entry in TIMETABLE})


def beat_schedule() -> dict[str, dict[str, object]]:
    """The timetable as Celery beat wants it. A ring that nobody answered before the next one is dropped."""
    return {
        entry.what: {
            "task": entry.task,
            "schedule": entry.every_seconds,
            "options": {"expires": entry.every_seconds},
        }
        for entry in TIMETABLE
    }
