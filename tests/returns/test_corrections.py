"""What is changed after a return was submitted: told until its lead submits it too."""

from dataclasses import replace
from datetime import timedelta

import pytest
from factories import person
from reading import text_of

from handrail.accounts.roles import Role
from handrail.guidance import published
from handrail.guidance.published import framework
from handrail.returns.actions import Wanted, assess, countersign, plan_action
from handrail.returns.models import Assessment, Cycle, PlannedAction
from handrail.returns.standing import is_met, owed_by, submitted_sections
from tenants.context import inside

pytestmark = pytest.mark.django_db

HOME = "/schools/900001/return/"
SAVED = (
    "1 answer has changed since 23 November 2026. This is saved but not submitted: what was submitted then still "
    "counts."
)


@pytest.fixture
def office(one, cast):
    with inside(one):
        return person("sally@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)


class TestACorrectionThatIsSaved:
    def test_is_told_to_the_school_until_it_is_submitted(self, cast, browse, ids, answer, submitted, office):
        submitted()
        head, sally = browse(cast.head), browse(office)
        assert "correction" not in text_of(head.get("/")) + text_of(head.get(HOME)) + text_of(sally.get(HOME))
        answer({ids[0]: Wanted("partly")}, only=[], by=office)
        for home in (head.get("/"), sally.get("/")):
            said = text_of(home)
            assert (
                "A correction to submit 1 answer has changed since the return for 2026 to 2027 was submitted." in said
            )
            assert "Look at the correction" in said and "app-to-do--overdue" not in home.text
        assert SAVED in text_of(head.get(HOME)) and "Submit the correction" in text_of(head.get(HOME))
        assert f"{SAVED} The school’s lead can" in text_of(sally.get(HOME))
        assert "Submit the correction" not in text_of(sally.get(HOME))
        assert "correction" not in text_of(browse(cast.neighbour).get("/"))
        submitted(only=[])
        for page in (head.get("/"), head.get(HOME), sally.get(HOME)):
            assert "saved but not submitted" not in text_of(page)

    def test_is_told_no_more_once_it_says_what_was_submitted(self, one, cast, browse, on, ids, answer, submitted):
        submitted()
        for verdict, changes in (("partly", 1), ("yes", 0)):
            answer({ids[0]: Wanted(verdict)}, only=[])
            with inside(one):
                owed = owed_by(cast.oak, on=on)
                assert (owed.changes if owed else 0) == changes
        assert "saved but not submitted" not in text_of(browse(cast.head).get(HOME))

    def test_waits_for_the_next_return_once_this_one_has_closed(
        self, one, cast, browse, on, cycle, ids, answer, submitted
    ):
        submitted()
        answer({ids[0]: Wanted("partly")}, only=[])
        with inside(one):
            assert owed_by(cast.oak, on=cycle.closes_on) is None
            type(cycle).objects.update(opened_on=on.replace(month=1), due_on=on.replace(month=2), closes_on=on)
        said = text_of(browse(cast.head).get(HOME))
        assert f"{SAVED} The next return begins with what is saved." in said
        assert "Submit the correction" not in said

    def test_is_submitted_whole(self, cast, browse, ids, answer, submitted, new_edition):
        submitted()
        answer({ids[3]: Wanted("partly")}, only=[])
        new_edition()
        said = text_of(browse(cast.head).get(HOME))
        assert "It can be submitted when every point is answered." in said and "Submit the correction" not in said
        page = text_of(browse(cast.head).get(f"{HOME}submit/"))
        assert "Answer every point before you submit it. Still open: 2 of 9." in page
        assert "What you submit stays as it is." not in page

    def test_lists_changed_and_new_points_where_the_edition_has_them(
        self, one, on, ids, answer, submitted, new_edition
    ):
        submitted()
        changed, removed, added = new_edition()
        made = submitted(only=[changed, added])
        with inside(one):
            [section] = submitted_sections(made, on=on)
        assert [each.requirement.id for each in section.points] == [*(each for each in ids if each != removed), added]

    def test_stays_overdue_while_points_are_open(self, one, cast, browse, on, answer, submitted, new_edition):
        submitted()
        changed, _, added = new_edition()
        with inside(one):
            Cycle.objects.update(opened_on=on.replace(month=1), due_on=on.replace(month=2))
        answer(only=[changed])
        page = browse(cast.head).get("/")
        assert "1 point to answer Guidance has changed since you submitted" in text_of(page)
        assert "app-to-do--overdue" in page.text
        answer(only=[added])
        page = browse(cast.head).get("/")
        assert "A correction to submit 2 answers have changed since" in text_of(page)
        assert "app-to-do--overdue" not in page.text

    def test_stands_in_the_order_in_which_it_was_asked(self, one, on, ids, submitted, new_edition_of):
        made = submitted()
        old = framework("CFA-100A")
        more = [replace(old.requirements[1], id=f"ALG-NEW-{number}", says=f"New {number}.") for number in range(4)]
        reworded = [
            replace(each, says=f"{each.says} More.") if each.id == ids[4] else each for each in old.requirements
        ]
        new_edition_of(*more, *reworded)
        with inside(one):
            [section] = submitted_sections(made, on=on)
        assert [each.requirement.id for each in section.points] == ids


class TestWhatCannotBeSubmitted:
    def test_is_not_offered(self, one, cast, browse, on, ids, answer, submitted):
        submitted()
        head = browse(cast.head)
        assert "You have changed nothing since you submitted it." in text_of(head.get(f"{HOME}submit/"))
        answer({ids[0]: Wanted("partly")}, only=[])
        assert "What you submit stays as it is." in text_of(head.get(f"{HOME}submit/"))
        with inside(one):
            Cycle.objects.update(opened_on=on.replace(month=1), due_on=on.replace(month=2), closes_on=on)
        page = text_of(head.get(f"{HOME}submit/"))
        assert "It is closed. Nothing can be submitted any more." in page and "What you submit stays" not in page


class TestSigning:
    def test_offers_no_signature_that_would_be_refused(self, one, cast, browse, at, ids, submitted, governor):
        first = submitted()
        place = f"{HOME}{first.id}/countersign/"
        assert "Sign this return" in text_of(browse(governor).get(place))
        with inside(one):
            countersign(returned=first, by=governor, at=at)
        said = text_of(browse(governor).get(place))
        assert "It has been signed already. See what was submitted" in said and "Sign this return" not in said
        submitted({ids[0]: Wanted("partly")})
        for page in (browse(governor).get(place), browse(governor).post(place)):
            assert "It has been corrected. Sign the newest one. See what was submitted" in text_of(page)


class TestAnAction:
    TYPED = {
        "what": "Ask the caterer", "owner_name": "Olga", "owner_email": "olga@oak.example",
        "due_on_day": "1", "due_on_month": "2", "due_on_year": "2027",
    }  # fmt: skip

    def test_is_planned_from_an_older_return_while_the_newest_lacks_the_same(
        self, one, cast, browse, ids, answer, submitted
    ):
        first = submitted({ids[2]: Wanted("no"), ids[4]: Wanted("no")})
        submitted({ids[2]: Wanted("no"), ids[4]: Wanted("yes")})
        head = browse(cast.head)
        refused = text_of(head.post(f"{HOME}{first.id}/points/{ids[4]}/plan/", self.TYPED))
        assert "does not say that this is missing" in refused
        head.post(f"{HOME}{first.id}/points/{ids[2]}/plan/", self.TYPED)
        with inside(one):
            assert [each.requirement_id for each in PlannedAction.objects.all()] == [ids[2]]

    def test_is_met_by_the_answer_that_stands_after_an_edition_was_taken_back(
        self, one, cast, at, on, ids, submitted, new_edition_of, monkeypatch
    ):
        submitted()
        editions, (first, *rest) = published.editions(), framework("CFA-100A").requirements
        new_edition_of(replace(first, says=f"{first.says} It names who wrote it."), *rest)
        answer = submitted({ids[0]: Wanted("no")}, only=[]).answers
        about = {"owner_name": "Olga", "owner_email": "olga@oak.example", "due_on": on, "by": cast.head, "at": at}
        with inside(one):
            plan_action(answer=answer.get(requirement_id=ids[0]), what="Ask the caterer", **about)
            planned = PlannedAction.objects.annotate(is_met=is_met())
            assert not planned.get().is_met
            monkeypatch.setattr(published, "editions", lambda: editions)
            planned = PlannedAction.objects.annotate(is_met=is_met())
            assert planned.get().is_met


class TestAFinding:
    def test_that_is_sent_twice_is_recorded_once(self, one, cast, at, ids, submitted):
        made = submitted()
        with inside(one):
            about = {"answer": made.answers.get(requirement_id=ids[6]), "by": cast.officer}
            for minute, note in enumerate(("No page.", "No page.", "There is one now.", "No page.")):
                assess(**about, verdict="partly", note=note, at=at + timedelta(minutes=minute))
            assert Assessment.objects.count() == 3
