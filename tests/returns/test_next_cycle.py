"""The next return: asked for when the one before has closed, and begun with what was saved and not submitted."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from reading import hidden_of, text_of

from handrail.returns import actions
from handrail.returns.actions import Wanted
from handrail.returns.models import Cycle, Draft
from handrail.returns.standing import sections_of
from tenants.context import inside

pytestmark = pytest.mark.django_db

HOME = "/schools/900001/return/"
DAY = timedelta(days=1)
NO = Wanted("no", reason="The head wrote it last week.")


@pytest.fixture
def next_opens(one, cast, at, on):
    """`next_opens()` asks for the return of 2027 to 2028 a year later, and pages are of that day."""

    def opened(days=365):
        dates = {"due_on": on + (days + 30) * DAY, "closes_on": on + (days + 60) * DAY}
        with inside(one):
            return actions.open_cycle(
                school_year=2027, framework_ids=["CFA-100A"], by=cast.officer, at=at + days * DAY, **dates
            )

    return opened


@pytest.fixture
def a_year_later(cycle, on, one):
    """Pages happen today: instead, the first cycle was a year ago."""

    def move():
        with inside(one):
            Cycle.objects.filter(id=cycle.id).update(
                opened_on=on - 365 * DAY, due_on=on - 300 * DAY, closes_on=on - 200 * DAY
            )

    return move


def points(cycle, school):
    return {point.requirement.id: point for section in sections_of(cycle, school) for point in section.points}


class TestWhileTheNewestIsOpen:
    def test_the_next_is_refused_with_the_day_it_closes_and_nothing_is_lost(
        self, one, cast, cycle, answer, next_opens, ids, browse
    ):
        answer(only=ids[:2])
        with pytest.raises(actions.StillOpen, match=f"closes on {cycle.closes_on:%-d %B %Y}"):
            next_opens(119)
        page = browse(cast.officer).get("/returns/open/")
        assert f"closes on {cycle.closes_on:%-d %B %Y}" in text_of(page) and "Ask for this return" not in page.text
        asked = {
            "school_year": "2027", "framework_ids": ["CFA-100A"],
            "due_on_day": "31", "due_on_month": "10", "due_on_year": "2027",
            "closes_on_day": "1", "closes_on_month": "12", "closes_on_year": "2027",
        }  # fmt: skip
        refused = browse(cast.officer).post("/returns/open/", asked)
        assert "or change the dates of this one first" in refused.text and "Ask for this return" in refused.text
        with inside(one):
            assert Cycle.objects.get() == cycle
            assert len([each for each in points(cycle, cast.oak).values() if each.answer]) == 2

    def test_it_is_opened_on_the_day_on_which_that_closes(self, cycle, next_opens):
        assert next_opens(120).school_year == 2027

    def test_one_of_a_year_before_is_never_opened(self, one, cast, at, on, next_opens):
        next_opens()
        with inside(one), pytest.raises(actions.CycleExists, match="later school year"):
            dates = {"due_on": on + 800 * DAY, "closes_on": on + 801 * DAY, "at": at + 700 * DAY}
            actions.open_cycle(school_year=2026, framework_ids=["CFA-100A"], by=cast.officer, **dates)


class TestWhatWasSavedAndNotSubmitted:
    def test_is_where_the_next_begins_and_says_who_saved_it(
        self, one, cast, at, browse, answer, next_opens, a_year_later, ids
    ):
        answer({ids[0]: NO}, only=ids[:4])
        a_year_later()
        following = next_opens(0)
        with inside(one):
            found = points(following, cast.oak)
            assert {name for name, point in found.items() if point.is_unsubmitted} == set(ids[:4])
            assert found[ids[0]].is_carried and found[ids[0]].answer.reason == NO.reason
            assert not any(point.answer for point in points(following, cast.elm).values())
        head = browse(cast.head)
        assert "4 answers were saved for an earlier return and not submitted." in text_of(head.get(HOME))
        said = text_of(head.get(f"{HOME}sections/1/"))
        assert said.count("Saved for the return for 2026 to 2027, and not submitted: Hana Head,") == 4
        answer({ids[1]: NO}, only=ids[4:], cycle=following, by=cast.colleague)
        assert "3 answers were saved for an earlier return and not submitted then." in text_of(
            head.get(f"{HOME}submit/")
        )
        with inside(one):
            made = actions.submit(cycle=following, school=cast.oak, by=cast.colleague, at=at + DAY)
            kept = made.answers.get(requirement_id=ids[0])
            assert (kept.reason, kept.answered_by_name, kept.carried_from) == (NO.reason, "Hana Head", None)
            assert Draft.objects.filter(cycle__school_year=2026).count() == 4, "what was saved then is not altered"
            assert not any(point.is_unsubmitted for point in points(following, cast.oak).values())
        assert "not submitted" not in text_of(head.get(HOME))

    def test_of_a_correction_comes_before_what_was_returned(self, one, cast, answer, next_opens, submitted, ids):
        submitted()
        answer({ids[0]: NO}, only=[])
        following = next_opens()
        with inside(one):
            found = points(following, cast.oak)
            assert (found[ids[0]].answer.verdict, found[ids[0]].is_unsubmitted) == ("no", True)
            assert (found[ids[1]].answer.verdict, found[ids[1]].is_unsubmitted) == ("yes", False)

    def test_before_a_later_return_is_not_asked_about_again(self, one, cast, answer, next_opens, submitted, ids, at):
        answer({ids[0]: NO}, only=[])
        following = next_opens()
        submitted(cycle=following, at=at + 366 * DAY)
        with inside(one):
            found = points(following, cast.oak)[ids[0]]
            assert (found.answer.verdict, found.is_unsubmitted) == ("yes", False)


class TestAPageThatWasOpenBefore:
    """Of the return that has closed since: what is sent from it is not put into the next."""

    REFUSED = "You opened this page before the return for 2027 to 2028 was asked for. Nothing on it is saved yet."

    @pytest.fixture
    def head(self, cast, browse):
        return browse(cast.head)

    @pytest.fixture
    def opened(self, head, answer, ids):
        """`opened(place)` opens a page. What it gives sends the page with what is typed."""
        answer()

        def opens(place):
            shown = hidden_of(head.get(place))
            return lambda **typed: head.post(place, shown | typed)

        return opens

    def drafts(self, one, year):
        with inside(one):
            return {each.requirement_id: each.verdict for each in Draft.objects.filter(cycle__school_year=year)}

    def test_saves_no_answer_and_keeps_what_was_typed(self, one, head, opened, a_year_later, next_opens, ids):
        place = f"{HOME}sections/1/"
        send = opened(place)
        a_year_later()
        next_opens(0)
        typed = {f"{ids[0]}-verdict": "no", f"{ids[0]}-reason": "Typed before"}
        page = send(**typed)
        assert self.REFUSED in text_of(page) and ">Typed before</textarea>" in page.text
        assert self.drafts(one, 2027) == {}
        assert head.post(place, hidden_of(page) | typed).status_code == 302
        assert self.drafts(one, 2027) == {ids[0]: "no"}

    def test_submits_nothing(self, one, head, opened, a_year_later, next_opens):
        send = opened(f"{HOME}submit/")
        a_year_later()
        following = next_opens(0)
        page = send()
        assert self.REFUSED in text_of(page)
        with inside(one):
            assert not following.returns.exists()
        assert head.post(f"{HOME}submit/", hidden_of(page)).status_code == 302
        with inside(one):
            assert following.returns.count() == 1

    def test_takes_off_and_adds_no_file(self, one, opened, a_year_later, next_opens, ids):
        send = opened(f"{HOME}points/{ids[0]}/file/")
        a_year_later()
        next_opens(0)
        assert self.REFUSED in text_of(send(take_off="yes"))
        assert self.drafts(one, 2027) == {}


@pytest.mark.django_db(transaction=True)
class TestTwoWhoAskAtOnce:
    def test_ask_once_and_the_second_is_told(self, one, cast, at, on, monkeypatch):
        results, together = [], Barrier(2, timeout=30)
        monkeypatch.setattr(actions, "_check_dates", lambda *_: together.wait())  # nobody has asked yet, for both
        about = {"framework_ids": ["CFA-100A"], "due_on": on + 30 * DAY, "closes_on": on + 60 * DAY}

        def ask():
            try:
                with inside(one):
                    results.append(actions.open_cycle(school_year=2027, by=cast.officer, at=at, **about).school_year)
            except actions.CycleExists as refusal:
                results.append(str(refusal))
            connection.close()

        threads = [Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results, key=str) == [2027, "There is a return for 2027 to 2028 already"]
        with inside(one):
            assert Cycle.objects.count() == 1
