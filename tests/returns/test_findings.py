"""What the authority found stays beside the answer when the school corrects another, and says so where it changed."""

from datetime import date, timedelta

import pytest
from reading import text_of

from handrail.returns import actions
from handrail.returns.actions import Wanted
from handrail.returns.standing import submitted_sections
from tenants.context import inside

pytestmark = pytest.mark.django_db

HOME = "/schools/900001/return/"
NO = Wanted("no", reason="The head wrote it last week.")
NOTE = "Nothing on the website on 23 November."


@pytest.fixture
def assess(one, cast, at):
    def found(made, point, verdict="no", note=NOTE, after=0):
        with inside(one):
            answer = made.answers.get(requirement_id=point)
            actions.assess(answer=answer, verdict=verdict, note=note, by=cast.officer, at=at + timedelta(hours=after))

    return found


def findings(returned):
    return {
        point.requirement.id: [(found.assessment.note, found.is_of_earlier) for found in point.findings]
        for section in submitted_sections(returned, on=date(2026, 11, 1))
        for point in section.points
        if point.findings
    }


class TestWhatWasFound:
    def test_stays_beside_the_answer_when_another_point_is_corrected(
        self, one, cast, browse, ids, submitted, answer, assess
    ):
        first = submitted()
        assess(first, ids[6])
        second = submitted({ids[0]: NO}, only=[])
        page = text_of(browse(cast.head).get(f"{HOME}{second.id}/"))
        assert f"Barsetshire found: No (the school said: yes). {NOTE}" in page
        third = submitted({ids[1]: NO}, only=[])
        with inside(one):
            assert findings(third) == findings(second) == findings(first) == {ids[6]: [(NOTE, False)]}

    def test_is_said_to_be_of_an_earlier_answer_once_that_is_changed(self, one, cast, browse, ids, submitted, assess):
        first = submitted()
        assess(first, ids[6])
        second = submitted({ids[6]: NO}, only=[])
        page = text_of(browse(cast.officer).get(f"{HOME}{second.id}/"))
        assert f"Barsetshire found, about an earlier answer: No (the school said: yes). {NOTE}" in page
        assess(second, ids[6], note="Still nothing.", after=1)
        third = submitted({ids[0]: NO}, only=[])
        with inside(one):
            assert findings(third) == {ids[6]: [("Still nothing.", False), (NOTE, True)]}
            assert findings(first) == {ids[6]: [(NOTE, False)]}, "what came later is told of what came later"

    def test_is_carried_to_the_next_year_with_its_answer_and_to_no_other_school(
        self, one, cast, at, on, ids, submitted, assess
    ):
        assess(submitted(), ids[6])
        later = at + timedelta(days=365)
        with inside(one):
            dates = {"due_on": on + timedelta(days=400), "closes_on": on + timedelta(days=500)}
            following = actions.open_cycle(
                school_year=2027, framework_ids=["CFA-100A"], by=cast.officer, at=later, **dates
            )
            made = actions.submit(cycle=following, school=cast.oak, by=cast.head, at=later)
        theirs = submitted(cycle=following, school=cast.elm, at=later)
        with inside(one):
            assert findings(made) == {ids[6]: [(NOTE, False)]}
            assert findings(theirs) == {}

    def test_of_what_asked_something_else_is_of_an_earlier_answer(self, one, cast, ids, submitted, assess, new_edition):
        assess(submitted(), ids[0])
        changed, _, added = new_edition()
        second = submitted({changed: Wanted("yes"), added: Wanted("yes")}, only=[])
        with inside(one):
            assert findings(second) == {changed: [(NOTE, True)]}
