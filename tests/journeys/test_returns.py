"""A return in a real browser: a school answers in parts on a phone, its lead submits, a governor signs, an officer
samples and disagrees, and the school takes the evidence of it all. When guidance changes, only that is asked again.
"""

import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from shutil import copytree

import pypdf
import pytest
from django.utils import timezone
from editions import new_edition
from factories import person

from handrail.accounts.roles import Role
from handrail.core.calendar import day_of
from handrail.guidance.published import framework
from handrail.guidance.reading import TEXTS
from handrail.returns.actions import open_cycle
from handrail.returns.models import Answer, Assessment, Countersignature, Cycle, Return
from handrail.schools.terms import school_year_of
from tenants.context import inside

pytestmark = pytest.mark.browser
PHONE = 320
HOME = "/schools/900001/return/"


def fill_date(page, name, day):
    for box in ("day", "month", "year"):
        page.fill(f"[name={name}_{box}]", str(getattr(day, box)))


def downloaded(page, name):
    """What pressing a button gives as a file."""
    with page.expect_download() as coming:
        page.get_by_role("button", name=name).click()
    return Path(coming.value.path()).read_bytes()


def test_a_return_from_the_asking_to_the_finding(site, pdf):
    on = day_of(timezone.now())
    with inside(site.one):
        governor = person("gus@oak.example", Role.GOVERNOR, school=site.cast.oak, name="Gus Governor")
    officer = site.open("/returns/", by=site.cast.officer)
    site.check(officer)
    site.press(officer, "Ask for a return")
    site.check(officer)
    officer.get_by_label("Supporting pupils at school").uncheck()
    officer.get_by_label("The nine points of the 2017 audit").uncheck()
    fill_date(officer, "due_on", on + timedelta(days=60))
    fill_date(officer, "closes_on", on + timedelta(days=120))
    site.press(officer, "Ask for this return")
    site.check(officer)
    with inside(site.one):
        assert Cycle.objects.get().school_year == school_year_of(on)

    ids = [each.id for each in framework("CFA-100A").of("maintained_school")]
    phone = site.open(HOME, by=site.cast.head, width=PHONE)
    site.check(phone)
    site.press(phone, "Answer", role="link")
    for each in ids[:4]:
        phone.check(f"[name={each}-verdict][value=yes]")
    site.check(phone)
    site.press(phone, "Save these answers")
    site.check(phone)
    site.press(phone, "Answer", role="link")
    for each in ids[4:]:
        phone.check(f"[name={each}-verdict][value=yes]")
    phone.check(f"[name={ids[5]}-verdict][value=partly]")
    phone.get_by_text("Reason and evidence").nth(5).click()
    site.press(phone, "Save, then add a file for: At least once a year")
    site.check(phone)
    phone.set_input_files("[name=document]", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Notes"})
    site.press(phone, "Save this file")
    site.check(phone)  # it is a PDF, DOCX or ODT
    phone.set_input_files("[name=document]", {"name": "Minutes.pdf", "mimeType": "", "buffer": pdf().read()})
    site.press(phone, "Save this file")
    site.check(phone)
    phone.check(f"[name={ids[8]}-verdict][value=not_applicable]")
    site.press(phone, "Save these answers")
    site.check(phone)  # it takes a reason
    phone.fill(f"[name={ids[8]}-reason]", "There are no regulations yet.")
    site.press(phone, "Save these answers")
    site.check(phone)
    site.press(phone, "Submit this return")
    site.check(phone)
    site.press(phone, "Submit this return")
    site.check(phone)

    with inside(site.one):
        made = Return.objects.get()
    phone.goto(site.address(f"{HOME}{made.id}/"))
    site.press(phone, "Plan what will be done", role="link")
    site.press(phone, "Save")
    site.check(phone)  # it takes an owner and a day
    for name, typed in (("what", "Ask the caterer"), ("owner_name", "Olga"), ("owner_email", "olga@oak.example")):
        phone.fill(f"[name={name}]", typed)
    fill_date(phone, "due_on", on + timedelta(days=90))
    site.press(phone, "Save")
    site.check(phone)
    phone.goto(site.address(HOME))
    site.check(phone)
    site.press(phone, "Change, or say it is done", role="link")
    fill_date(phone, "done_on", on)
    site.check(phone)
    site.press(phone, "Save")
    site.check(phone)
    signing = site.open(f"{HOME}{made.id}/", by=governor, width=PHONE)
    site.check(signing)
    site.press(signing, "Sign this return")
    site.check(signing)
    site.press(signing, "Sign this return")
    site.check(signing)

    officer.goto(site.address(f"{HOME}{made.id}/points/{ids[6]}/"))
    site.check(officer)
    officer.check("[name=verdict][value=no]")
    officer.fill("[name=note]", "It is not on the website.")
    site.press(officer, "Record what you found")
    site.check(officer)
    officer.goto(site.address("/returns/"))
    site.check(officer)
    for place in ("/returns/2017-criteria/", "/policies/websites/"):
        officer.goto(site.address(place))
        site.check(officer)
    officer.goto(site.address("/returns/dates/"))
    site.check(officer)

    phone.goto(site.address("/schools/900001/policies/"))
    site.press(phone, "Telling people about it", role="link")
    site.check(phone)
    site.press(phone, "Record who was told")
    site.press(phone, "Record who was told")
    site.check(phone)  # whom, when and how
    phone.get_by_label("Pupils").check()
    fill_date(phone, "told_on", on)
    phone.fill("[name=how]", "Assembly")
    site.press(phone, "Record who was told")
    site.check(phone)

    phone.goto(site.address("/schools/900001/"))
    site.press(phone, "Evidence for inspection", role="link")
    site.check(phone)
    fill_date(phone, "on", on + timedelta(days=1))
    site.press(phone, "Download the paper (PDF)")
    site.check(phone)  # the day has not come
    fill_date(phone, "on", on)
    paper = downloaded(phone, "Download the paper (PDF)")
    text = " ".join(pypdf.PdfReader(BytesIO(paper)).pages[0].extract_text().split())
    assert "Evidence for inspection: Oak School" in text and "by Gus Governor" in text
    with zipfile.ZipFile(BytesIO(downloaded(phone, "Download everything (ZIP)"))) as archive:
        assert archive.testzip() is None
        assert f"evidence/{ids[5]}.pdf" in archive.namelist()
        assert b"evidence.pdf" in archive.read("index.csv")
    officer.goto(site.address("/inspection/"))
    site.check(officer)
    with inside(site.one):
        assert Countersignature.objects.get().returned == made
        assert Answer.objects.get(requirement_id=ids[6]).verdict == "yes"
        assert Assessment.objects.get().verdict == "no"


def test_only_what_guidance_changed_is_asked_again(site, tmp_path):
    """A school answers and returns what is asked, Handrail is updated, and three points ask something else."""
    on = day_of(timezone.now())
    asked = [each.id for each in framework("CFA-100A").of("maintained_school")]
    with inside(site.one):
        dates = {"due_on": on + timedelta(days=60), "closes_on": on + timedelta(days=120)}
        year = {"school_year": school_year_of(on), "framework_ids": ["CFA-100A"]}
        open_cycle(**year, **dates, by=site.cast.officer, at=timezone.now())
    phone = site.open(HOME, by=site.cast.head, width=PHONE)
    site.press(phone, "Answer", role="link")
    for each in asked:
        phone.check(f"[name={each}-verdict][value=yes]")
    site.press(phone, "Save these answers")
    for _ in range(2):  # the page asks again
        site.press(phone, "Submit this return")

    before, texts = site.address(HOME), copytree(TEXTS, tmp_path / "texts")
    new_edition(texts, "CFA-100A", changed=3)
    with site.by_texts(texts):
        officer = site.open("/returns/", by=site.cast.officer)
        assert officer.get_by_text("Guidance has changed since they answered: 1 school").count() == 1
        officer.goto(site.address("/returns/?progress=reopened"))
        assert officer.locator("tbody tr").all_inner_texts()[0].startswith("Oak School")
        site.check(officer)
        officer.goto(site.address("/guidance/CFA-100A/changes/"))
        assert officer.get_by_role("heading", name="Changed: 3 requirements").count() == 1
        assert officer.locator("ins", has_text="From this year on:").count() == 3
        site.check(officer)

        phone.goto(site.address())
        site.check(phone)
        site.press(phone, "3 points to answer", role="link")
        assert phone.get_by_role("heading", name="Changed since you answered: 3 points").count() == 1
        assert phone.get_by_text("6 of 9 answered").count() == 1
        site.check(phone)
        site.press(phone, "Answer", role="link")
        assert phone.locator("input[type=radio]:checked").count() == 6
        assert phone.get_by_text("The guidance has changed. Before, you said “Yes”.").count() == 3
        site.check(phone)
        phone.goto(before)
        assert phone.get_by_text("All 9 answered").count() == 1, "taken back, the release before asks nothing again"

        phone.goto(site.address(f"{HOME}sections/1/"))
        for each in asked[:3]:
            phone.check(f"[name={each}-verdict][value=partly]")
        site.press(phone, "Save these answers")
        site.press(phone, "Submit the correction")
        site.press(phone, "Submit the correction")
        site.check(phone)
        officer.goto(site.address("/returns/"))
        assert officer.get_by_text("Guidance has changed since they answered").count() == 0
    with inside(site.one):
        newest, made = Return.objects.all()
        assert newest.answers.exclude(carried_from=None).count() == 6
        assert {each.verdict for each in made.answers.all()} == {"yes"}, "no answer that was given is altered"


def test_the_authority_assesses_itself(site, pdf):
    """On a phone and at a desk: answered by the policy officer, submitted by the named officer, signed by the first."""
    at = timezone.now()
    on, own = day_of(at), "/authority/self-assessment/"
    with inside(site.one):
        named = person("nora@barsetshire.example", Role.NAMED_OFFICER, name="Nora Named")
        year = {"school_year": school_year_of(on), "framework_ids": ["CFA-100A"]}
        dates = {"due_on": on + timedelta(days=60), "closes_on": on + timedelta(days=120)}
        if not Cycle.objects.filter(school_year=year["school_year"]).exists():
            open_cycle(**year, **dates, by=site.cast.officer, at=at)
    phone = site.open("/returns/", by=site.cast.officer, width=PHONE)
    site.press(phone, "Self-assessment", role="link")
    site.check_at_each_width(phone)
    site.press(phone, "Answer", role="link")
    phone.check("[name=HEDU-01-verdict][value=not_applicable]")
    site.press(phone, "Save these answers")
    site.check_at_each_width(phone)  # it takes a reason
    for radio in phone.locator("[value=yes][type=radio]").all():
        radio.check()
    site.press(phone, "Save, then add a file for: The local authority arranges")
    phone.set_input_files("[name=document]", {"name": "Policy.pdf", "mimeType": "", "buffer": pdf().read()})
    site.press(phone, "Save this file")
    site.check_at_each_width(phone)
    site.press(phone, "Save these answers")
    while (answer := phone.get_by_role("link", name="Answer")).count():
        with phone.expect_navigation():
            answer.first.click()
        for radio in phone.locator("[value=yes][type=radio]").all():
            radio.check()
        last = phone.locator("[value=partly][type=radio]").last
        last.check()
        site.press(phone, "Save these answers")
    site.check_at_each_width(phone)
    assert phone.get_by_role("button", name="Submit this self-assessment").count() == 0

    desk = site.open(own, by=named)
    site.press(desk, "Submit this self-assessment")
    site.check_at_each_width(desk)
    site.press(desk, "Submit this self-assessment")
    site.check_at_each_width(desk)
    site.press(desk, "Self-assessment for", role="link")
    assert desk.get_by_role("button", name="Sign this self-assessment").count() == 0
    site.press(desk, "Plan what will be done", role="link")
    for name, typed in (("what", "Say it"), ("owner_name", "Olga"), ("owner_email", "o@barsetshire.example")):
        desk.fill(f"[name={name}]", typed)
    fill_date(desk, "due_on", on + timedelta(days=90))
    site.check_at_each_width(desk)
    site.press(desk, "Save")
    site.check_at_each_width(desk)

    phone.goto(desk.url)
    site.press(phone, "Sign this self-assessment")
    site.check_at_each_width(phone)
    site.press(phone, "Sign this self-assessment")
    phone.goto(site.address("/returns/"))
    assert phone.locator("li", has_text="Self-assessment: returned and signed").count() == 1
    site.check_at_each_width(phone)
    head = site.open(own, by=site.cast.head, width=PHONE)
    assert head.get_by_role("heading", name="Self-assessment").count() == 0
    with inside(site.one):
        assert Countersignature.objects.get(returned__school=None).signed_by == site.cast.officer.id
