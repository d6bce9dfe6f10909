"""Two authorities that hand a child over in every order that hypothesis can think of, with crashes; a third looks on.

At the end, when all that is owed has been carried: both sides stand at the same, both ledgers agree, the child has at
most one copy at the setting, nobody else has any, and no content is left of what is over.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from databases import connected
from handovers.between import AT, SAID, Between, furnished
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from handrail.handovers import actions, post, returning
from handrail.handovers.actions import Refused
from handrail.handovers.models import Handover
from handrail.schools.models import Pupil
from tenants.context import inside
from tenants.exchange import CannotOpen

HOME = ["withdraw", "end", "begin_return", "confirm_return"]
SETTING = ["ask_for_more", "accept", "decline", "begin", "review", "plan_return", "pass_on"]
WORDS = {"reason": "Because.", "next": "We ring."}


class Crash(Exception):
    """The worker is gone, before its transaction could commit."""


class TwoSides(RuleBasedStateMachine):
    database: str

    @initialize()
    def begin(self) -> None:
        self.between: Between = furnished(self.database)
        self.at = AT
        self.between.sent()

    def _later(self) -> Any:
        self.at += timedelta(minutes=1)
        return self.at

    @rule(name=some.sampled_from(HOME))
    def home_moves(self, name: str) -> None:
        dates = {"return_until_on": AT.date()} if name == "begin_return" else {}
        with suppress(Refused):
            self.between.move_home(name, at=self._later(), said=WORDS, **dates)

    @rule(text=some.sampled_from(["Two hours.", "One hour.", "None."]))
    def home_sends_again(self, text: str) -> None:
        with inside(self.between.one), suppress(Refused):
            handover, by = Handover.objects.get(side="home"), self.between.people["lead"]
            actions.write(handover=handover, said={**SAID, "fitness": text}, by=by, at=self._later())
            actions.submit(handover=handover, by=by, at=self.at)

    @rule()
    def setting_opens(self) -> None:
        with suppress(Refused, CannotOpen, Handover.DoesNotExist):
            self.between.open(at=self._later())

    @rule()
    def setting_reads(self) -> None:
        with suppress(Refused, Handover.DoesNotExist):
            self.between.read_steps(at=self._later())

    @rule()
    def setting_sends_back(self) -> None:
        with inside(self.between.two), suppress(Refused, Handover.DoesNotExist):
            handover, by = Handover.objects.get(side="setting"), self.between.people["hospital"]
            said = {"report": "Well.", "work": "All.", "timetable": "Slowly.", "hours": "3"}
            returning.write(handover=handover, said=said, by=by, at=self._later())
            returning.send(handover=handover, by=by, at=self.at)

    @rule()
    def home_opens_what_came_back(self) -> None:
        with inside(self.between.one), suppress(Refused, CannotOpen):
            handover, by = Handover.objects.get(side="home"), self.between.people["lead"]
            returning.open_back(handover=handover, by=by, at=self._later())

    @rule(name=some.sampled_from(SETTING))
    def setting_moves(self, name: str) -> None:
        with suppress(Refused, Handover.DoesNotExist):
            self.between.move(name, at=self._later(), said=WORDS)

    @rule(
        who=some.sampled_from(["one", "two", "three"]),
        work=some.sampled_from([post.deposit_owed, post.collect]),
        crashes=some.booleans(),
    )
    def the_clock_works(self, who: str, work: Any, crashes: bool) -> None:
        with suppress(Crash), inside(getattr(self.between, who)):
            work(at=self._later())
            if crashes:
                raise Crash

    def teardown(self) -> None:
        between = getattr(self, "between", None)
        if between is None:
            return
        between.post(at=self._later(), rounds=3)
        home = between.home()
        with inside(between.two):
            theirs = Handover.objects.filter(side="setting").first()
            copies = Pupil.objects.count()
            assert copies <= 1
        if theirs is not None:
            assert theirs.state == home.state
        else:
            assert home.is_over, "nobody hears of what ended before its card was seen"
        assert between.differences() == []
        assert not [row for row in between.what_three_knows() if "Canary" in row]
        waiting = between.bodies()
        assert waiting <= (0 if home.is_over else 2), "content is left"


def test_both_sides_agree_whatever_happens(three_authorities: str, django_db_blocker: Any, full: bool) -> None:
    TwoSides.database = three_authorities
    with django_db_blocker.unblock(), connected(three_authorities):
        run_state_machine_as_test(
            TwoSides,
            settings=settings(
                max_examples=60 if full else 6,
                stateful_step_count=20,
                derandomize=not full,
                phases=[*Phase] if full else [Phase.generate],
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
