"""When a return is due and when it closes: a day that is past by now stays unless somebody moves it."""

from datetime import timedelta

import pytest

from handrail.core.models import Earlier
from handrail.returns.models import Cycle
from tenants.context import inside

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def late(one, cycle, on):
    """It was due forty days ago and closes tomorrow."""
    with inside(one):
        Cycle.objects.update(opened_on=on - 60 * DAY, due_on=on - 40 * DAY, closes_on=on + DAY)
        cycle.refresh_from_db()
    return cycle


@pytest.fixture
def send(cast, browse):
    """`send(due_on, closes_on)` sends the page about the dates."""

    def sent(due_on, closes_on):
        days = {"due_on": due_on, "closes_on": closes_on}
        parts = {
            f"{name}_{part}": getattr(day, part) for name, day in days.items() for part in ("day", "month", "year")
        }
        return browse(cast.officer).post("/returns/dates/", parts, follow=True).text

    return sent


class TestADayThatIsPast:
    def test_stays_when_late_schools_are_given_longer(self, one, late, on, send):
        assert "The dates are saved." in send(late.due_on, on + 90 * DAY)
        with inside(one):
            assert (Cycle.objects.get().due_on, Cycle.objects.get().closes_on) == (late.due_on, on + 90 * DAY)
            kept = Earlier.objects.get(subject_id=late.id)
            assert (kept.column, kept.said) == ("closes_on", late.closes_on.isoformat())

    @pytest.mark.parametrize(("due", "closes"), [(-39, 90), (-40, -1)])
    def test_is_refused_as_a_new_one_in_words(self, one, late, on, send, due, closes):
        assert "must be today or in the future" in send(on + due * DAY, on + closes * DAY)
        with inside(one):
            assert Cycle.objects.get().closes_on == late.closes_on
            assert not Earlier.objects.exists()

    def test_is_kept_when_it_is_moved(self, one, late, on, send):
        assert "The dates are saved." in send(on + 30 * DAY, on + 90 * DAY)
        with inside(one):
            kept = {each.column: each.said for each in Earlier.objects.filter(subject_id=late.id)}
            assert kept == {"due_on": late.due_on.isoformat(), "closes_on": late.closes_on.isoformat()}
