"""In a real browser: a return of which pages are open while others answer and guidance changes, and the next year's."""

from datetime import timedelta
from shutil import copytree

import pytest
from django.utils import timezone
from editions import new_edition

from handrail.core.calendar import day_of
from handrail.guidance.published import framework
from handrail.guidance.reading import TEXTS
from handrail.returns.actions import Wanted, assess, open_cycle, save_answers, submit
from handrail.returns.models import Cycle, Draft
from handrail.schools.terms import school_year_of
from tenants.context import inside

pytestmark = pytest.mark.browser
HOME = "/schools/900001/return/"


def test_nobodys_answer_is_lost_or_undone(site, tmp_path):
    """Two people are in one part; guidance changes under the first; the cycle closes before the lead submits."""
    at = timezone.now()
    on, year, cast = day_of(at), school_year_of(day_of(at)), site.cast
    asked = [each.id for each in framework("CFA-100A").of("maintained_school")]
    about = {"framework_ids": ["CFA-100A"], "by": cast.officer, "at": at}
    with inside(site.one):
        dates = {"due_on": on + timedelta(days=60), "closes_on": on + timedelta(days=120)}
        cycle = open_cycle(school_year=year, **dates, **about)
    page = site.open(f"{HOME}sections/1/", by=cast.head)
    page.check(f"[name={asked[0]}-verdict][value=no]")
    page.get_by_text("Reason and evidence").first.click()
    page.fill(f"[name={asked[0]}-reason]", "We share one with Elm School.")
    with inside(site.one):
        said = {"cycle": cycle, "school": cast.oak, "by": cast.colleague, "at": at}
        theirs = {asked[0]: Wanted("yes", evidence="Minutes of 4 November"), asked[1]: Wanted("partly")}
        save_answers(answers=theirs, **said)
    site.press(page, "Save these answers")
    assert page.get_by_text("answered this after you opened this page").count() == 2
    assert page.get_by_text("What shows it: Minutes of 4 November").count() == 1
    assert page.input_value(f"[name={asked[0]}-reason]") == "We share one with Elm School."
    site.check_at_each_width(page)
    site.press(page, "Save these answers")
    assert page.get_by_text("2 of 9 answered").count() == 1
    with inside(site.one):
        assert {each.verdict for each in Draft.objects.all()} == {"no", "partly"}

    texts = copytree(TEXTS, tmp_path / "texts")
    new_edition(texts, "CFA-100A", changed=1)
    page.goto(site.address(f"{HOME}sections/1/"))
    seen = page.input_value(f"[name={asked[0]}-shown]")
    with site.by_texts(texts):
        page.goto(site.address(f"{HOME}sections/1/"))
        page.check(f"[name={asked[0]}-verdict][value=partly]")
        page.eval_on_selector(f"[name={asked[0]}-shown]", "(box, seen) => box.value = seen", seen)  # as opened before
        site.press(page, "Save these answers")
        assert page.get_by_text("The guidance changed after you opened this page.").count() == 2
        site.check_at_each_width(page)

    officer = site.open("/returns/open/", by=cast.officer)
    assert officer.get_by_role("button", name="Ask for this return").count() == 0
    site.check_at_each_width(officer)
    page.goto(site.address(f"{HOME}sections/1/"))
    with inside(site.one):
        days = {"opened_on": on - timedelta(days=90), "due_on": on - timedelta(days=60), "closes_on": on}
        Cycle.objects.update(school_year=year - 1, **days)
        cycle = open_cycle(school_year=year, **dates, **about)
    page.check(f"[name={asked[2]}-verdict][value=partly]")
    site.press(page, "Save these answers")
    assert page.get_by_text("Look through it before you send it again").count() == 1
    assert page.is_checked(f"[name={asked[2]}-verdict][value=partly]")
    site.check_at_each_width(page)
    page.goto(site.address(HOME))
    assert page.get_by_text("2 answers were saved for an earlier return and not submitted.").count() == 1
    site.check_at_each_width(page)
    page.goto(site.address(f"{HOME}sections/1/"))
    site.check_at_each_width(page)
    with inside(site.one):
        said |= {"cycle": cycle}
        save_answers(answers=dict.fromkeys(asked[1:], Wanted("yes")), **said)
        made = submit(**said)
        found = made.answers.get(requirement_id=asked[3])
        assess(answer=found, verdict="no", note="Not on the website on the day we looked.", by=cast.officer, at=at)
        save_answers(answers={asked[1]: Wanted("partly")}, **said)
        corrected = submit(**said)
    page.goto(site.address(f"{HOME}{corrected.id}/"))
    assert page.get_by_text("found: No").count() == 1
    site.check_at_each_width(page)
