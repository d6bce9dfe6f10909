"""Two authorities that hand a child over in every order that hypothesis can think of, with crashes; a third looks on.

It begins with the notice of an admission, or with a pack and anything from its being sent to a phased return. The
child gets another name, and one of the two authorities may cease: then what nobody opened comes back, and goes to the
third in its place. Meanwhile the home school reports the child's absence, changes that, takes it back, and says that
the child lives in the one or in the third.

At the end, when all that is owed has been carried: both sides stand at the same, both ledgers agree, the child has at
most one copy at the setting, nobody else has any, each authority knows the return as it stands, and no content is left
of what is over.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from databases import connected
from handovers.between import AT, SAID, Between, furnished
from handovers.test_admissions import admitted, answered
from handovers.test_corrections import untold
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from handrail.absences.actions import change_return, make_return, withdraw_return
from handrail.absences.models import SicknessReturn
from handrail.core.audit import CLOCK
from handrail.handovers import actions, ceased, corrections, onward, post, returning
from handrail.handovers.actions import Refused
from handrail.handovers.models import Handover, OnwardReturn
from handrail.handovers.moves import CORRECTABLE, RETURN_FOLLOWS
from handrail.schools.actions import change_pupil
from handrail.schools.models import Pupil
from handrail.schools.own_schools import ELSEWHERE
from tenants.context import inside
from tenants.exchange import CannotOpen

HOME = ["withdraw", "end", "begin_return", "review_return", "confirm_return"]
SETTING = ["ask_for_more", "accept", "decline", "begin", "update", "review", "plan_return", "teach_again"]
SETTING += ["pass_on", "take_back"]
WORK = [ceased.follow_ceased, corrections.correct_who, post.deposit_owed, post.collect, onward.send_on]
BEGUN = ["admit", "submit", "acknowledge", "accept", "begin", "plan_return", "begin_return"]
"""How far it has come when it begins."""
WORDS = {"reason": "Because."}


class Crash(Exception):
    """The worker is gone, before its transaction could commit."""


class TwoSides(RuleBasedStateMachine):
    database: str

    @initialize(begun=some.sampled_from(BEGUN), ceases=some.sampled_from(["", "one", "two"]))
    def begin(self, begun: str, ceases: str) -> None:
        """By a notice, or by a pack and what follows it as far as `begun`, all of it heard on both sides."""
        self.between: Between = furnished(self.database)
        self.at, self.ceased, self.ceases_at_last = AT, "", ceases
        if begun == "admit":
            admitted(self.between)
            return
        self.between.sent()
        for name in BEGUN[2 : BEGUN.index(begun) + 1]:
            self.between.post(at=self._later())
            if name == "acknowledge":
                self.between.open(at=self._later())
                self.between.read_steps(at=self._later())
            elif name == "begin_return":
                self.home_moves(name)
            else:
                self.setting_moves(name)
            self.between.post(at=self._later())

    def _later(self) -> Any:
        self.at += timedelta(minutes=1)
        return self.at

    @rule(name=some.sampled_from(HOME))
    def home_moves(self, name: str) -> None:
        dates = {"return_until_on": AT.date()} if name == "begin_return" else {}
        with suppress(Refused, Handover.DoesNotExist):
            self.between.move_home(name, at=self._later(), said=WORDS, **dates)

    @rule(text=some.sampled_from(["Two hours.", "One hour.", "None."]))
    def home_sends_again(self, text: str) -> None:
        with inside(self.between.one), suppress(Refused, Handover.DoesNotExist):
            handover, by = Handover.objects.get(side="home"), self.between.people["lead"]
            actions.write(handover=handover, said={**SAID, "fitness": text}, by=by, at=self._later())
            actions.submit(handover=handover, by=by, at=self.at)

    @rule()
    def home_says_who_was_admitted(self) -> None:
        with suppress(Refused, Handover.DoesNotExist):
            answered(self.between)

    @rule(lives_in=some.sampled_from(["002", "003", ""]), address=some.sampled_from(["1 Mid Street", "2 New Street"]))
    def school_reports_or_changes_what_it_said(self, lives_in: str, address: str) -> None:
        with inside(self.between.one):
            given: dict[str, Any] = {
                "says": {"address": address},
                "lives_in": lives_in,
                "is_likely": True,
                "by": self.between.people["lead"],
                "at": self._later(),
            }
            if made := SicknessReturn.objects.standing().first():
                change_return(made=made, last_on=None, until_am=False, **given)
            else:
                make_return(pupil=Pupil.objects.get(), first_on=AT.date(), **given)

    @rule()
    def school_takes_its_return_back(self) -> None:
        with inside(self.between.one):
            if made := SicknessReturn.objects.standing().first():
                withdraw_return(made=made, by=self.between.people["lead"], at=self._later())

    @rule(who=some.sampled_from(["two", "three"]))
    def officer_opens_a_return(self, who: str) -> None:
        with inside(getattr(self.between, who)), suppress(Refused):
            if came := OnwardReturn.objects.filter(way="in", done_at=None).first():
                onward.open_return(onward=came, by=CLOCK, at=self._later())

    @rule(name=some.sampled_from(["Robin Canary", "Wren Canary"]), day=some.integers(1, 3))
    def school_changes_who_the_child_is(self, name: str, day: int) -> None:
        with inside(self.between.one):
            if child := Pupil.objects.first():
                facts = {"name": name, "born_on": child.born_on.replace(day=day)}
                change_pupil(pupil=child, by=self.between.people["lead"], at=self._later(), **facts)

    @precondition(lambda self: not self.ceased)
    @rule(who=some.sampled_from(["one", "two"]))
    def an_authority_ceases(self, who: str) -> None:
        self.ceased = who
        self.between.cease(getattr(self.between, who), self.between.three)

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
        with inside(self.between.one), suppress(Refused, CannotOpen, Handover.DoesNotExist):
            handover, by = Handover.objects.get(side="home"), self.between.people["lead"]
            returning.open_back(handover=handover, by=by, at=self._later())

    @rule(name=some.sampled_from(SETTING))
    def setting_moves(self, name: str) -> None:
        with suppress(Refused, Handover.DoesNotExist):
            self.between.move(name, at=self._later(), said=WORDS)

    @rule(
        who=some.sampled_from(["one", "two", "three"]),
        work=some.sampled_from(WORK),
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
        if self.ceases_at_last and not self.ceased:
            self.an_authority_ceases(self.ceases_at_last)
        for each in (between.one, between.two):
            with inside(each):
                onward.send_on(at=self._later())
        between.post(at=self._later(), rounds=3)
        self._each_authority_knows_the_return()
        assert between.differences() == []
        assert not untold(between)
        with inside(between.three):  # of whose child it has opened a return, it has a case
            theirs = Pupil.objects.filter(absence_cases__returns__onward__way="in").values_list("id", flat=True)
            opened = {str(each) for each in theirs}
        rows = [row for row in between.what_three_knows() if "Canary" in row]
        assert all(any(each in row for each in opened) for row in rows)
        with inside(between.one):
            home = Handover.objects.filter(side="home").first()
            if home and home.pupil and home.state in CORRECTABLE:
                assert home.newest_pack().content["child"]["name"] == home.pupil.name
        with inside(between.two):
            theirs = Handover.objects.filter(side="setting").first()
            # Whom a notice tells of that nobody has answered, and whom a return tells of, may be two.
            assert Pupil.objects.exclude(school__urn=ELSEWHERE).count() <= 1
            assert Pupil.objects.filter(school__urn=ELSEWHERE).count() <= 1
        if self.ceased:
            self._nothing_is_under_way_of_who_has_ceased(home, theirs)
            return
        if home is None:
            assert between.setting().is_over, "it was taken back before its card was seen"
            return
        if theirs is not None:
            assert theirs.state == home.state
        else:
            assert home.is_over, "nobody hears of what ended before its card was seen"
        if home.is_over:
            for each in (between.one, between.two):
                with inside(each):
                    post.let_run_out(at=self.at + RETURN_FOLLOWS + timedelta(days=1))
        assert between.bodies() <= (0 if home.is_over else 2), "content is left"

    def _nothing_is_under_way_of_who_has_ceased(self, home: Handover | None, theirs: Handover | None) -> None:
        between = self.between
        assert between.bodies() == 0, "content is left"
        for each in filter(None, (home, theirs)):
            assert each.is_over or each.alone_since, "somebody waits for who has ceased"
        if home is None or home.state != "came_back":
            return
        assert theirs is None or theirs.state == "came_back" or (theirs.notice and theirs.alone_since)
        if self.ceased == "two":
            with inside(between.one):
                ceased.send_again(handover=home, code="003", by=between.people["lead"], at=self._later())
            between.post(at=self._later(), rounds=2)
            with inside(between.three):
                assert [each.state for each in Handover.objects.all()] == ["submitted"]
            assert (between.bodies(), between.differences()) == (1, [])

    def _each_authority_knows_the_return(self) -> None:
        """Once their officers have opened what came, none of it is left, and each authority knows how it stands."""
        with inside(self.between.one):
            known = [(each.lives_in, each.says["address"]) for each in SicknessReturn.objects.standing()]
        for who, code in (("two", "002"), ("three", "003")):
            if self.ceased in ("one", who):
                continue  # what was on its way is gone, and nothing follows
            with inside(getattr(self.between, who)):
                for each in OnwardReturn.objects.to_open(at=self.at):
                    onward.open_return(onward=each, by=CLOCK, at=self._later())
                newest = [each for each in OnwardReturn.objects.filter(way="in") if each.says and not each.newer]
                standing = [each.says["address"] for each in newest if not each.says["takes_back"]]
            assert standing == [address for lives_in, address in known if lives_in == code]


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
