"""Handovers in a real browser: from a school to a hospital school of another authority and back; and a decline."""

from datetime import timedelta

import pytest
from databases import as_superuser
from django.db import connections
from django.utils import timezone
from factories import ContactFactory, PupilFactory, emergency, person

from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from handrail.core.calendar import day_of
from handrail.handovers import admissions, ceased, corrections, places, post, reminders
from handrail.handovers.homes import Home
from handrail.handovers.models import Handover, Setting
from handrail.notices.models import Notice
from handrail.plans import versions
from handrail.schools.actions import change_pupil
from handrail.schools.models import Pupil
from tenants import exchange
from tenants.context import inside

pytestmark = pytest.mark.browser
PHONE = 320
CHILD = "Wren Canarywright"

WRITTEN = {
    "Where does the child live?": "1 Invented Lane",
    "Who is your safeguarding lead?": "Sam Shaw, 01632 960003",
    "How much can the child do?": "Two hours a day, with rests.",
    "Medicine and devices, where they are kept and who may give them": "The ward keeps it.",
    "How long is it expected to last?": "Until Christmas.",
    "Do the parents and the child know what is sent?": "Told the mother on Friday.",
    "Who may not collect or contact the child?": "Nobody",
}


@pytest.fixture
def wren(site):
    """A child with a plan, two authorities in the exchange, and a hospital school that an officer has confirmed."""
    now = timezone.now()
    with as_superuser(connections["default"].settings_dict["NAME"]) as admin:
        admin.execute(
            """INSERT INTO public.tenants_establishment (urn, la_code, la_name, establishment_number, name, type_code,
                   type_name, group_code, group_name, status_code, status_name, phase_name, trust_code, trust_name,
                   street, locality, town, county, postcode, website)
               VALUES ('900003', '002', 'Borchester', '', 'Far Hospital School', 7, 'Community special school', 5,
                   'Special schools', 1, 'Open', '', '', '', '', '', 'Felpersham', '', '', ''),
                   ('900001', '001', 'Barsetshire', '', 'Oak School', 1, 'Community school', 4,
                   'Local authority maintained schools', 1, 'Open', '', '', '', '', '', 'Overcombe', '', '', ''),
                   ('900009', '001', 'Barsetshire', '', 'Oakfield School', 1, 'Community school', 4,
                   'Local authority maintained schools', 1, 'Open', '', '', '', '', '', '', '', '', '')"""
        )
    with inside(site.one):
        post.join_exchange(by=CLOCK, at=now)
        pupil = PupilFactory(school=site.cast.oak, name=CHILD)
        ContactFactory(pupil=pupil)
        versions.write_emergency(pupil=pupil, says=emergency(), based_on=0, by=site.cast.head, at=now)
    with inside(site.two):
        post.join_exchange(by=CLOCK, at=now)
        places.confirm_setting(
            school=site.cast.far, name="", kind=Setting.Kind.HOSPITAL, ring="Ina", telephone="1", by=CLOCK, at=now
        )
    return pupil


def deliver(site):
    """What the clock does every five seconds."""
    for work in (ceased.follow_ceased, corrections.correct_who, post.deposit_owed, post.collect):
        for authority in (site.one, site.two):
            with inside(authority):
                work(at=timezone.now())


def sent(site, wren):
    """The school finds the hospital school, writes the pack and sends it."""
    page = site.open(f"/children/{wren.id}/plan/", by=site.cast.head)
    site.press(page, "Hand over to a hospital school", role="link")
    site.check(page)
    page.get_by_label("Name or URN").fill("far hospital")
    site.press(page, "Find it")
    site.check(page)
    site.press(page, "Far Hospital School", role="link")
    site.check(page)
    site.press(page, "Go on to the pack")
    site.check(page)  # with errors
    page.get_by_label("Whom can they ring at your school?").fill("Hana Head")
    page.get_by_label("Telephone number").fill("01632 960001")
    site.press(page, "Go on to the pack")
    site.check(page)
    written(site, page)
    return page


def written(site, page):
    """The school writes the pack, and sends it."""
    site.press(page, "Save and send")
    assert "It cannot be sent without" in page.content()
    fill_in_the_pack(page)
    site.press(page, "Save and send")
    site.check(page)
    assert "Sent. You see here when it has been opened." in page.content()
    deliver(site)


def fill_in_the_pack(page):
    for label, words in WRITTEN.items():
        page.get_by_label(label).fill(words)
    page.get_by_label("Physical health").check()
    page.get_by_label("Female", exact=True).check()
    for question in ("safeguarding leads", "looked after", "teach the child at home"):
        page.get_by_role("group", name=question).get_by_label("No", exact=True).check()


def updated(site, hospital, school):
    """The setting says how the child gets on and records a review; the school downloads the evidence."""
    site.press(hospital, "Write an update")
    site.check(hospital)
    site.press(hospital, "Write an update")
    assert "Enter how the child gets on" in hospital.content()
    site.check(hospital)  # with errors
    hospital.get_by_label("How does the child get on?").fill("Fractions went well.")
    hospital.get_by_label("How many hours was the child taught since the last update?").fill("7.5")
    site.press(hospital, "Write an update")
    site.check(hospital)
    site.press(hospital, "Record a review")
    site.check(hospital)
    deliver(site)
    school.reload()
    assert "Fractions went well." in school.content()
    site.press(school, "Download the evidence of this handover", role="link")
    site.check_at_each_width(school)
    site.press(school, "Back to the handover", role="link")
    site.press(hospital, "Back to the handover", role="link")


def agree(site, page):
    """What an acceptance has to say, at its page."""
    today = day_of(timezone.now())
    for box, value in (("Day", today.day), ("Month", today.month), ("Year", today.year)):
        page.get_by_role("group", name="First day").get_by_label(box, exact=True).fill(str(value))
    page.get_by_label("How many hours a week?").fill("10")
    page.get_by_label("Where will the child be taught?").fill("The ward")
    page.get_by_label("Stays on the home school’s roll only").check()
    site.press(page, "Accept this child")


def test_a_child_goes_to_a_hospital_school_in_another_authority(site, wren):
    school = sent(site, wren)
    hospital = site.open("/schools/900003/handovers/", by=site.cast.hospital, authority=site.two, width=PHONE)
    site.check(hospital)
    assert CHILD not in hospital.content()
    site.press(hospital, "Not opened yet", role="link")
    site.check(hospital)
    site.press(hospital, "Open the pack")
    site.check(hospital)
    site.press(hospital, "Open the pack")
    site.check(hospital)
    assert CHILD in hospital.content()
    assert "Special educational needs" not in hospital.content()  # nobody wrote anything there
    site.press(hospital, "Accept this child")
    site.check(hospital)
    site.press(hospital, "Accept this child")
    assert "Enter where the child will be taught" in hospital.content()
    site.check(hospital)  # with errors
    agree(site, hospital)
    site.press(hospital, "Record the first session")
    site.check(hospital)
    site.press(hospital, "Record the first session")
    site.check(hospital)  # refused: nobody has read the steps
    assert "Somebody must first say that they have read" in hospital.content()
    site.press(hospital, "Back to the handover", role="link")
    site.press(hospital, "I have read the emergency steps")
    site.check(hospital)
    site.press(hospital, "Record the first session")
    site.press(hospital, "Record the first session")
    deliver(site)
    school.reload()
    site.check(school)
    assert "Being taught" in school.content()
    updated(site, hospital, school)
    site.press(hospital, "Plan the return")
    site.check(hospital)
    hospital.get_by_label("How does the child go back?").fill("Two mornings first.")
    site.press(hospital, "Plan the return")
    came_back(site, hospital, school)
    site.press(school, "Begin a phased return", role="button")
    site.check(school)
    until = timezone.now() + timedelta(days=14)
    for box, part in (("Day", until.day), ("Month", until.month), ("Year", until.year)):
        school.get_by_label(box).fill(str(part))
    school.get_by_label("How many hours a week at school?").fill("8")
    site.press(school, "Begin a phased return")
    site.check(school)
    site.press(school, "Confirm that the child is back")
    site.press(school, "Confirm that the child is back")
    site.check(school)
    deliver(site)
    with inside(site.two):
        assert Handover.objects.get().state == "returned"
        assert Pupil.objects.get().name == CHILD
    site.press(school, "Back to the handovers", role="link")
    site.check(school)


def came_back(site, hospital, school):
    """The hospital school sends its return pack; the home school opens it and re-issues the plan."""
    site.press(hospital, "Write the return pack")
    site.check(hospital)
    hospital.get_by_label("What work was covered?").fill("Fractions to the end of unit 4.")
    hospital.get_by_label("Sessions with code D").fill("twenty")
    site.press(hospital, "Save and send")
    site.check(hospital)  # with errors
    hospital.get_by_label("Sessions with code D").fill("20")
    site.press(hospital, "Save and send")
    site.check(hospital)
    assert "It cannot be sent without" in hospital.content()
    hospital.get_by_label("How did the child get on?").fill("Read every day.")
    hospital.get_by_label("How does the child go back, step by step?").fill("Two mornings, then five.")
    hospital.get_by_label("How many hours was the child taught?").fill("42.5")
    site.press(hospital, "Save and send")
    site.check(hospital)
    deliver(site)
    school.reload()
    site.press(school, "Open the return pack")
    site.check(school)
    site.press(school, "Open the return pack")
    site.check(school)
    assert "Two mornings, then five." in school.content()
    site.press(school, "Re-issue the plan", role="link")
    site.check(school)
    site.press(school, "Re-issue the plan")
    site.check(school)
    assert "The plan is re-issued as version 2." in school.content()
    deliver(site)
    hospital.reload()
    assert "opened a return pack" in hospital.content()


def test_a_child_arrives_unannounced_and_the_school_is_asked_for_the_pack(site, wren):
    with inside(site.two):
        teacher = person(
            "terry@borchester.example", Role.SETTING_TEACHER, school=site.cast.far, at=timezone.now(), name="Terry"
        )
    hospital = site.open("/schools/900003/handovers/", by=teacher, authority=site.two, width=PHONE)
    site.check(hospital)
    site.press(hospital, "A child has arrived")
    site.check(hospital)
    site.press(hospital, "Ask for the pack")
    site.check(hospital)  # with errors
    hospital.get_by_label("Full name").fill(CHILD)
    for box, part in (("Day", "1"), ("Month", "5"), ("Year", "2016")):
        hospital.get_by_role("group", name="Date of birth").get_by_label(box).fill(part)
    hospital.get_by_label("The child’s school: its name or URN").fill("oak school")
    site.press(hospital, "Ask for the pack")
    site.check(hospital)  # two schools are called that
    hospital.get_by_label("Oak School, Overcombe").check()
    site.press(hospital, "Ask for the pack")
    site.check(hospital)
    assert "Oak School is asked for the pack" in hospital.content()
    deliver(site)
    school = site.open("/schools/900001/handovers/", by=site.cast.head, width=PHONE)
    site.check(school)
    site.press(school, "A child was admitted", role="link")
    site.check(school)
    site.press(school, "Say which child it is")
    site.check(school)
    school.get_by_label(CHILD).check()
    school.get_by_label("Whom can they ring at your school?").fill("Hana Head")
    school.get_by_label("Telephone number").fill("01632 960001")
    school.get_by_label("Which authority does the child live in?").select_option("Barsetshire")
    site.press(school, "Go on to the pack")
    site.check(school)
    written(site, school)
    lead = site.open("/schools/900003/handovers/", by=site.cast.hospital, authority=site.two, width=PHONE)
    site.check(lead)
    site.press(lead, CHILD, role="link")
    site.check(lead)
    site.press(lead, "Open the pack")
    site.press(lead, "Open the pack")
    hospital.goto(site.address("/schools/900003/today/", authority=site.two))
    site.check(hospital)
    site.press(hospital, "I have read the emergency steps")
    site.check(hospital)
    assert "You have read the steps" in hospital.content()
    with inside(site.two):
        assert Pupil.objects.get().name == CHILD


def test_a_home_school_without_handrail_is_rung(site, wren):
    with as_superuser(connections["default"].settings_dict["NAME"]) as admin:
        admin.execute(
            """INSERT INTO public.tenants_establishment (urn, la_code, la_name, establishment_number, name, type_code,
                   type_name, group_code, group_name, status_code, status_name, phase_name, trust_code, trust_name,
                   street, locality, town, county, postcode, website)
               SELECT '800001', '999', 'Nowhereshire', establishment_number, 'Nowhere School', type_code, type_name,
                   group_code, group_name, status_code, status_name, phase_name, trust_code, trust_name, street,
                   locality, town, county, postcode, website FROM public.tenants_establishment WHERE urn = '900009'"""
        )
    page = site.open("/schools/900003/admit/", by=site.cast.hospital, authority=site.two, width=PHONE)
    page.get_by_label("Full name").fill(CHILD)
    for box, part in (("Day", "1"), ("Month", "5"), ("Year", "2016")):
        page.get_by_role("group", name="Date of birth").get_by_label(box).fill(part)
    page.get_by_label("The child’s school: its name or URN").fill("800001")
    site.press(page, "Ask for the pack")
    site.check(page)
    assert "does not use Handrail yet, so nobody there has been told" in page.content()
    site.press(page, "Record whom you have told")
    site.check(page)
    site.press(page, "Record whom you have told")
    site.check(page)  # with errors
    page.get_by_label("Whom did you tell?").fill("Sam Stone, office")
    page.get_by_label("Telephone number").fill("01632 960009")
    page.get_by_label("Which authority does the child live in?").select_option("Nowhereshire")
    site.press(page, "Record whom you have told")
    site.check(page)
    assert "Sam Stone, office, 01632 960009, told on" in page.content()
    page.goto(site.address("/", authority=site.two))
    site.check(page)
    site.press(page, "1 handover to answer", role="link")
    site.press(page, CHILD, role="link")
    site.press(page, "Write down what they sent")
    site.press(page, "This is the pack")
    site.check(page)
    assert "It cannot be kept as the pack without" in page.content()
    now = timezone.now()
    with inside(site.two):
        child = Pupil.objects.get()
        change_pupil(pupil=child, year_group="Year 5", by=site.cast.hospital, at=now)
        ContactFactory(pupil=child)
        versions.write_emergency(pupil=child, says=emergency(), based_on=0, by=site.cast.hospital, at=now)
    fill_in_the_pack(page)
    site.press(page, "This is the pack")
    site.check(page)
    assert "Kept as the pack. Now read the emergency steps." in page.content()
    site.press(page, "Accept this child")
    agree(site, page)
    site.press(page, "I have read the emergency steps")
    for words in ("Record the first session", "Plan the return"):
        site.press(page, words)
        site.press(page, words)
    site.check(page)
    site.press(page, "The child is back at school", role="link")
    site.press(page, "The child is back at school")
    site.press(page, "Back to the handovers", role="link")
    site.check(page)
    assert "Ended" in page.content() and "back at school, " in page.content()
    page.goto(site.address("/schools/900003/today/", authority=site.two))
    site.check(page)
    assert CHILD not in page.content()


def test_the_named_officer_leads_a_child_without_a_school_to_one(site, wren):
    now = timezone.now()
    with inside(site.one):
        nora = person("nora@barsetshire.example", Role.NAMED_OFFICER, at=now, name="Nora Named")
        role = exchange.member("001").role
    with inside(site.two):
        admissions.admit(
            setting=Setting.objects.select_related("school").get(),
            name=CHILD,
            born_on=wren.born_on,
            admitted_on=now.date(),
            home=Home("001", "Barsetshire", role),
            is_urgent=True,
            by=site.cast.hospital,
            at=now,
        )
    deliver(site)
    officer = site.open("/admissions/", by=nora)
    site.check(officer)
    site.press(officer, CHILD, role="link")
    site.check(officer)
    site.press(officer, "Answer the setting")
    site.check(officer)  # with errors
    officer.get_by_label("URN of the child’s school").fill("900001")
    site.press(officer, "Lead it to this school")
    site.check(officer)
    with inside(site.one):
        assert Handover.objects.get().school == site.cast.oak


def test_a_declined_handover_says_who_acts_next(site, wren):
    school = sent(site, wren)
    with inside(site.two):
        handover = Handover.objects.get()
    hospital = site.open(f"/handovers/{handover.id}/open/", by=site.cast.hospital, authority=site.two)
    site.press(hospital, "Open the pack")
    site.press(hospital, "Decline this child", role="link")
    site.check(hospital)
    site.press(hospital, "Decline this child")
    site.check(hospital)  # with errors
    hospital.get_by_label("Why can you not take the child?").fill("No bed before January.")
    hospital.get_by_label("What could be done instead?").fill("The named officer arranges tuition.")
    hospital.get_by_label("The home authority").check()
    site.press(hospital, "Decline this child")
    site.check(hospital)
    with inside(site.one):
        nora = person("nora@barsetshire.example", Role.NAMED_OFFICER, name="Nora Named")
    deliver(site)
    with inside(site.one):
        assert Notice.objects.get(recipient=nora.email).urgency == "now"
    school.reload()
    assert "The named officer arranges tuition." in school.content()
    assert "Who acts next: <" in school.content() and "The home authority" in school.content()
    site.check(school)

    for who, width in ((nora, PHONE), (site.cast.officer, 1280)):
        board = site.open("/handover-board/", by=who, width=width)
        site.check(board)
    board = site.open("/handover-board/list/", by=nora, width=PHONE)
    assert CHILD in board.content()
    site.check(board)
    site.press(board, CHILD, role="link")
    site.check(board)
    assert asked_again(site, days=60) > 0, "until somebody answers for it"
    board.get_by_label("What happens next, and who does it?").fill("Tess teaches from Monday.")
    site.press(board, "Record what happens next")
    assert "Nobody is asked about this handover any more." in board.content()
    assert asked_again(site, days=90) == 0
    board.goto(site.address("/returns-from-elsewhere/"))
    site.check(board)


def asked_again(site, *, days):
    """How many messages about what was not taken up are owed so many days later."""
    now = timezone.now()
    with inside(site.one):
        return reminders.owe_news(on=day_of(now) + timedelta(days=days), at=now).owed


def test_the_authority_confirms_a_setting_and_joins_the_exchange(site):
    officer = site.open("/hospital-schools/", by=site.cast.officer, width=PHONE)
    site.check(officer)
    officer.get_by_label("URN", exact=True).fill("900001")
    officer.get_by_label("Hospital school", exact=True).check()
    site.press(officer, "Confirm this setting")
    site.check(officer)  # refused: a primary school
    assert "cannot be a hospital school" in officer.content()
    with inside(site.one):
        keeper = person("dana@barsetshire.example", Role.DATA_PROTECTION_LEAD, at=timezone.now() - timedelta(days=1))
    page = site.open("/exchange/", by=keeper)
    site.check(page)
    site.press(page, "Join the exchange")
    site.check(page)
    site.press(page, "Take nothing new")
    site.check(page)
    assert "blocked" in page.content()


def test_a_changed_name_follows_the_child_by_itself(site, wren):
    """The school changes it on the child’s page; the hospital school opens what comes, and reads the steps anew."""
    school = sent(site, wren)
    hospital = site.open("/schools/900003/handovers/", by=site.cast.hospital, authority=site.two, width=PHONE)
    for name in ("Not opened yet", "Open the pack", "Open the pack", "I have read the emergency steps"):
        site.press(hospital, name, role="link" if name == "Not opened yet" else "button")
    page = site.open(f"/children/{wren.id}/change/", by=site.cast.head)
    page.get_by_label("Full name").fill("Robin Canarywright")
    site.press(page, "Save details")
    deliver(site)
    school.reload()
    assert "The school changed the child’s name." in school.content()
    site.check(school)
    hospital.reload()
    assert "A pack has come." in hospital.content() and "Robin" not in hospital.content()
    for _ in range(2):
        site.press(hospital, "Open the pack")
    assert "Robin Canarywright" in hospital.content()
    assert "No session starts before somebody has read them." in hospital.content()
    site.check(hospital)


def test_what_an_authority_that_ceased_had_not_opened_is_sent_again(site, wren):
    """Borchester ceases with a pack in its inbox: the school sees why it came back, and where it goes now."""
    school = sent(site, wren)
    with as_superuser(connections["default"].settings_dict["NAME"]) as admin:
        admin.execute(
            """UPDATE exchange.member SET ceased_on = '2026-11-01', followed_by = '{"001": "Barsetshire"}'
               WHERE code = '002';
               UPDATE public.tenants_establishment SET la_code = '001', la_name = 'Barsetshire' WHERE urn = '900003'"""
        )
    deliver(site)
    hospital = site.open("/schools/900003/handovers/", by=site.cast.hospital, authority=site.two)
    assert "came back unopened" in hospital.inner_text("main").lower(), hospital.inner_text("main")
    school.set_viewport_size({"width": PHONE, "height": 800})
    school.reload()
    assert "Borchester ceased on 1 November 2026. It was followed by Barsetshire." in school.content()
    site.check(school)
    site.press(school, "Send again to Barsetshire")
    assert "Sent to Barsetshire." in school.content()
    site.check(school)
    with inside(site.one):
        assert set(Handover.objects.values_list("state", "other_name")) == {
            ("came_back", "Borchester"),
            ("submitted", "Barsetshire"),
        }
