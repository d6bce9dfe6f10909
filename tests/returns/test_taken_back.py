"""Guidance that is changed, answered anew and taken back: of the answers to what is asked now the newest stands."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from editions import SUPERSEDED
from editions import new_edition as newer_edition
from factories import SchoolFactory

from handrail.guidance import published
from handrail.guidance.changes import Became, difference
from handrail.guidance.frameworks import AUTHORITY
from handrail.guidance.published import framework
from handrail.guidance.reading import DIGESTS, TEXTS, add_digests
from handrail.policies.actions import open_policies
from handrail.returns import actions, reminders
from handrail.returns.actions import Wanted
from handrail.returns.board import board
from handrail.returns.models import Answer, Cycle
from handrail.returns.standing import adequate_by_school, may_be_asked, owed_by, own, sections_of, submitted_sections
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db

NO = Wanted("no", reason="The head wrote it last week.")


@pytest.fixture
def set_editions(monkeypatch):
    """`set_editions(found)`: the release that is running has these."""

    def run(found):
        for place in ("guidance.published", "returns.standing"):
            monkeypatch.setattr(f"handrail.{place}.editions", lambda: found)

    return run


class TestWhenGuidanceIsTakenBackAfterACorrection:
    """Oak School returned; a release changed a point, added one and took one away; Oak School answered those two, and
    the release was taken back.
    """

    @pytest.fixture
    def releases(self, set_editions, new_edition):
        """`releases.load()` and `releases.take_back()`."""
        before = published.editions()
        names = new_edition()
        after = published.editions()
        set_editions(before)
        return SimpleNamespace(names=names, load=lambda: set_editions(after), take_back=lambda: set_editions(before))

    @pytest.fixture
    def corrected(self, one, cast, cycle, at, ids, submitted, releases):
        """The correction, and the point that only the first return answers as it is asked without the release."""
        changed, _removed, added = releases.names
        submitted({changed: NO, ids[3]: NO})
        releases.load()
        with inside(one):
            about = {"cycle": cycle, "school": cast.oak, "by": cast.head, "at": at + timedelta(days=1)}
            said = {changed: Wanted("yes"), added: Wanted("yes"), ids[3]: Wanted("yes")}
            actions.save_answers(answers=said, **about)
            made = actions.submit(**about)
        return SimpleNamespace(made=made, changed=changed, mended=ids[3])

    def open_points(self, one, cast, cycle, on):
        """By the board, by the school's own pages, by its first page and by the letters."""
        with inside(one):
            [oak] = [each for each in board(cycle, on=on) if each.school.id == cast.oak.id]
            points = [point for section in sections_of(cycle, cast.oak) for point in section.points]
            owed = owed_by(cast.oak, on=on)
            written_to = reminders.RULES["reopened_return"].items(on)
            return (
                oak.open_points,
                sum(point.answer is None for point in points),
                owed.open_points if owed else 0,
                written_to.count(),
            )

    def test_nothing_opens_and_nothing_does_when_it_is_loaded_again(
        self, one, cast, cycle, on, releases, corrected, submitted
    ):
        nothing = (0, 0, 0, 0)
        assert self.open_points(one, cast, cycle, on) == nothing
        releases.take_back()
        assert self.open_points(one, cast, cycle, on) == nothing
        releases.load()
        assert self.open_points(one, cast, cycle, on) == nothing

    def test_what_was_said_first_stands_and_what_was_mended_since_stays_so(
        self, one, cast, cycle, on, releases, corrected
    ):
        def unmet():
            with inside(one):
                [oak] = [each for each in board(cycle, on=on) if each.school.id == cast.oak.id]
                points = [point for section in sections_of(cycle, cast.oak) for point in section.points]
                named = [point.requirement for point in points if point.is_unmet]
                assert (oak.decided_by.rule == "R4") == bool(named)
                assert not named or named[0].says in oak.decided_by.words
                assert (oak.returned_id, "And " in oak.decided_by.words) == (corrected.made.id, False)
                return [each.id for each in named]

        assert unmet() == []
        releases.take_back()
        assert unmet() == [corrected.changed]
        releases.load()
        assert unmet() == []

    def test_an_action_can_be_planned_about_what_stands_and_about_nothing_else(
        self, one, cast, on, at, releases, corrected
    ):
        planned = {"what": "Write it", "owner_name": "Olga", "owner_email": "olga@oak.example", "due_on": on}
        with inside(one):
            first = Answer.objects.get(returned__number=1, requirement_id=corrected.changed)
            mended = Answer.objects.get(returned__number=1, requirement_id=corrected.mended)
            for answer in (first, mended):
                with pytest.raises(actions.NoGap):
                    actions.plan_action(answer=answer, by=cast.head, at=at, **planned)
            releases.take_back()
            assert actions.plan_action(answer=first, by=cast.head, at=at, **planned)
            with pytest.raises(actions.NoGap):
                actions.plan_action(answer=mended, by=cast.head, at=at, **planned)

    def test_what_no_return_answers_is_open(self, one, cast, cycle, on, releases, submitted):
        submitted()
        assert self.open_points(one, cast, cycle, on) == (0, 0, 0, 0)
        releases.load()
        assert self.open_points(one, cast, cycle, on) == (2, 2, 2, 1)
        releases.take_back()
        assert self.open_points(one, cast, cycle, on) == (0, 0, 0, 0)


def worded_anew(framework_id):
    """All editions, and one in which the first point of this framework says something else; and that point."""
    old = framework(framework_id)
    first, *rest = old.requirements
    changed = replace(first, says=f"{first.says} It names who wrote it.")
    return (*published.editions(), replace(old, edition=2, requirements=(changed, *rest))), first.id


class TestOnTheCriteriaOf2017:
    def test_the_answer_to_what_they_say_now_counts(self, one, cast, cycle, at, on, set_editions):
        before = published.editions()
        after, first = worded_anew("AUDIT-2017")
        with inside(one):
            Cycle.objects.filter(id=cycle.id).update(framework_ids=["AUDIT-2017"])
            cycle.refresh_from_db()
            about = {"cycle": cycle, "school": cast.oak, "by": cast.head, "at": at}
            ids = [each.id for each in framework("AUDIT-2017").of("maintained_school")]
            actions.save_answers(answers={each: Wanted("yes") for each in ids}, **about)
            actions.submit(**about)
            set_editions(after)
            assert adequate_by_school(on=on) == {}
            actions.save_answers(answers={first: Wanted("no")}, **about)
            actions.submit(**about)
            assert adequate_by_school(on=on) == {cast.oak.id: (False, 2026)}
            set_editions(before)
            assert adequate_by_school(on=on) == {cast.oak.id: (True, 2026)}
            assert adequate_by_school(on=on - timedelta(days=1)) == {}


class TestTheAuthoritysSelfAssessment:
    def test_stands_by_the_same_rule(self, one, cast, cycle, at, on, set_editions):
        before = published.editions()
        after, first = worded_anew(may_be_asked(AUTHORITY)[0].id)
        with inside(one):
            open_policies(on=on, at=at)
            about = {"cycle": cycle, "school": None, "by": cast.officer, "at": at}
            points = [point for section in sections_of(cycle, None) for point in section.points]
            actions.save_answers(answers={each.requirement.id: Wanted("yes") for each in points}, **about)
            actions.submit(**about)
            set_editions(after)
            assert own(cycle, on=on).open_points == 1
            actions.save_answers(answers={first: Wanted("yes")}, **about)
            actions.submit(**about)
            for release in (after, before, after):
                set_editions(release)
                assert own(cycle, on=on).open_points == 0


def test_what_a_new_edition_leaves_as_it_was_is_not_told_as_replaced(one, cast, on, submitted, texts):
    returned = submitted()
    newer_edition(texts.folder, "CFA-100A", changed=3)
    texts.read()
    with inside(one):
        points = [point for section in submitted_sections(returned, on=on) for point in section.points]
        told = Counter(point.framework.status_in_words for point in points if point.framework.id == "CFA-100A")
        assert told["Replaced"] == 3 and told["Start date to be confirmed"] == len(points_of_the_act()) - 3


def test_an_edition_that_is_taken_back_by_its_status_leaves_the_one_before_asked(
    one, cast, cycle, on, submitted, texts
):
    returned = submitted()
    newer_edition(texts.folder, "CFA-100A", changed=3)
    first, second = (texts.folder / f"CFA-100A-{edition}.toml" for edition in (1, 2))
    first.write_text(first.read_text().replace(SUPERSEDED, 'status = "enacted"'))
    second.write_text(second.read_text().replace('status = "enacted"', SUPERSEDED.replace("2028", "2026")))
    texts.read()
    with inside(one):
        asked = [point for section in sections_of(cycle, cast.oak) for point in section.points]
        assert {each.framework.edition for each in asked} == {1}
        assert len(asked) == len(points_of_the_act()) and all(each.answer for each in asked)
        told = [point.framework.status_in_words for point in submitted_sections(returned, on=on)[0].points]
        assert set(told) == {"Start date to be confirmed"}


def test_an_edition_that_changes_only_of_whom_it_asks_reopens_nothing(one, cast, cycle, on, at, submitted, texts):
    """The first point is asked of special schools too, and the second of academies alone."""
    submitted()
    newer_edition(texts.folder, "CFA-100A", changed=0)
    second = texts.folder / "CFA-100A-2.toml"
    (widened, narrowed), text = [each.id for each in points_of_the_act()[:2]], second.read_text()
    for name, bodies in ((widened, '["maintained_school", "academy", "nmss"]'), (narrowed, '["academy"]')):
        text = text.replace(f'id = "{name}"\n', f'id = "{name}"\napplies_to = {bodies}\n')
    second.write_text(text)
    (texts.folder / DIGESTS).write_text((TEXTS / DIGESTS).read_text())
    add_digests(texts.folder)
    texts.read()

    def asked(school):
        return {point.requirement.id: point for part in sections_of(cycle, school) for point in part.points}

    with inside(one):
        of_oak = asked(cast.oak)
        assert widened in of_oak and narrowed not in of_oak
        assert all(each.answer for each in of_oak.values())
        [oak] = [each for each in board(cycle, on=on) if each.school.id == cast.oak.id]
        assert (oak.open_points, owed_by(cast.oak, on=on)) == (0, None)
        assert not reminders.RULES["reopened_return"].items(on).exists()
        assert set(asked(SchoolFactory(body="nmss"))) == {widened}
        assert narrowed in asked(SchoolFactory(body="academy"))
        framework_before = next(each for each in published.editions() if (each.id, each.edition) == ("CFA-100A", 1))
        found = difference(framework_before.requirements, framework("CFA-100A").requirements)
        assert [each.requirement.id for each in found.that(Became.CHANGED)] == [widened, narrowed]
        actions.save_answers(answers={widened: NO}, cycle=cycle, school=cast.oak, by=cast.head, at=at)
        assert actions.submit(cycle=cycle, school=cast.oak, by=cast.head, at=at).answers.count() == len(of_oak)


def test_a_school_is_led_to_the_changes_since_the_edition_that_it_answered(cast, browse, submitted, texts):
    """It answered the first; the second changed a point, and the third another."""
    submitted()
    (changed, later), folder = points_of_the_act()[:2], texts.folder
    newer_edition(folder, "CFA-100A", changed=1)
    second = folder / "CFA-100A-2.toml"
    third = second.read_text().replace("edition = 2", "edition = 3", 1).replace(later.says, f"Now: {later.says}", 1)
    (folder / "CFA-100A-3.toml").write_text(third)
    second.write_text(second.read_text().replace('status = "enacted"', SUPERSEDED, 1))
    add_digests(folder)
    texts.read()
    client = browse(cast.head)
    page = client.get("/schools/900001/return/").text
    assert "Changed since you answered: 2 points" in page and '"/guidance/CFA-100A/changes/?since=1"' in page
    told = client.get("/guidance/CFA-100A/changes/?since=1").text
    assert "Changed: 2 requirements" in told and changed.id in told and later.id in told


def points_of_the_act():
    return framework("CFA-100A").of("maintained_school")


def test_a_duty_that_has_not_started_says_so_on_the_board(one, cast, cycle, on, at):
    with inside(one):
        open_policies(on=on, at=at)
        oak = next(each for each in board(cycle, on=on) if each.school.id == cast.oak.id)
        words = {each.words for each in oak.found}
        assert {
            "Allergy safety policy (start date to be confirmed): nothing is on record.",
            "Medical conditions policy: nothing is on record.",
        } <= words


@pytest.mark.parametrize(("days", "rule"), [(0, "R5"), (1, "N3")])
def test_a_school_that_came_after_the_return_was_due_is_not_late_with_it(one, cast, cycle, days, rule):
    late = cycle.due_on + timedelta(days=31)
    with inside(one):
        School.objects.update(joined_on=cycle.due_on + timedelta(days=days))
        oak = next(each for each in board(cycle, on=late) if each.school.id == cast.oak.id)
        assert oak.decided_by.rule == rule
        written_to = reminders.RULES["yearly_return"].items(cycle.due_on)
        assert written_to.filter(pk=cast.oak.id).exists() == (days == 0)


@pytest.mark.parametrize("days", [0, 1])
def test_its_page_says_whether_it_is_late_as_the_board_does(one, cast, cycle, browse, monkeypatch, at, days):
    late = at + timedelta(days=60 + 31)
    monkeypatch.setattr("handrail.accounts.middleware.timezone", SimpleNamespace(now=lambda: late))
    with inside(one):
        School.objects.update(joined_on=cycle.due_on + timedelta(days=days))
    page = browse(cast.head).get("/schools/900001/return/").text
    assert ("Not returned, late" in page) == (days == 0)
    assert ("before the school came to Handrail. It closes on" in page) == (days == 1)


def test_a_school_that_came_later_and_returned_everything_is_not_grey_for_that(one, cast, cycle, submitted):
    submitted()
    with inside(one):
        School.objects.update(joined_on=cycle.due_on + timedelta(days=1))
        oak = next(each for each in board(cycle, on=cycle.due_on + timedelta(days=40)) if each.school.id == cast.oak.id)
        assert "N3" not in {each.rule for each in oak.found}
