"""The timetable names every task that rings for all authorities, and nothing that is not there."""

import importlib
import inspect
from pathlib import Path

from celery import Celery

import workflows
from workflows.timetable import TIMETABLE


class TestTimetable:
    def test_names_every_task_that_starts_by_itself(self):
        for path in Path(workflows.__path__[0]).glob("[a-z]*.py"):
            if path.stem != "app":
                importlib.import_module(f"workflows.{path.stem}")
        with Celery(set_as_current=False) as app:  # an app of its own: whichever is current may be closed already
            ours = {name: task for name, task in app.tasks.items() if name.startswith("workflows.")}
        by_themselves = {name for name, task in ours.items() if not inspect.signature(task.run).parameters}
        assert by_themselves == {entry.task for entry in TIMETABLE}

    def test_says_what_each_does_in_a_sentence(self):
        assert len({entry.what for entry in TIMETABLE}) == len(TIMETABLE)
