"""The pages of people without an account, as a browser asks for them: what opens, what is recorded, what is refused."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from factories import ContactFactory, PupilFactory, emergency

from handrail.core.models import ReadEntry
from handrail.notices.models import Notice
from handrail.plans import link_mail, links, versions
from handrail.plans.models import Agreement, HealthcarePlan, PlanComment, PlanLink
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db

CHILD, STEP, WORDS = "Poppy Canarywright", "Stay with the child and time the seizure.", "The dose has changed."
BORN = {"born_on_day": "1", "born_on_month": "5", "born_on_year": "2016"}
OPEN = "/shared/link/{}/"
MINUTE = timedelta(minutes=1)


class Clock:
    def __init__(self, at):
        self.at = at

    def __call__(self):
        return self.at


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    """Pages are asked for at the moment of the tests, until it is moved."""
    cache.clear()
    found = Clock(at)
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", found)
    return found


@pytest.fixture
def poppy(one, cast, at):
    with inside(one):
        child = PupilFactory(school=cast.oak, name=CHILD)
        ContactFactory(pupil=child, name="Pat Canarymother")
        versions.write_emergency(pupil=child, says=emergency(), based_on=0, by=cast.head, at=at)
        return child


@pytest.fixture
def link(one, poppy, cast, at):
    with inside(one):
        plan, contact = HealthcarePlan.objects.get(pupil=poppy), poppy.contacts.get()
        return links.send(plan=plan, contact=contact, is_health_professional=False, by=cast.head, at=at)


@pytest.fixture
def token(one, link, at):
    """What the address in the message holds."""
    with inside(one):
        path = link_mail.still_due(Notice.objects.get(), at=at)["path"]
    return path.split("/")[-2]


@pytest.fixture
def place(link):
    """`place("who/")` is the path of a page of the link."""
    return lambda name="": f"/shared/{link.id}/{name}"


@pytest.fixture
def guest(browse):
    """A browser in which nobody has signed in."""
    return browse()


def send(client, path, **data):
    """Post a form; then its transaction commits, as that of a request of its own would."""
    answer = client.post(path, data)
    left, connection.run_on_commit = connection.run_on_commit, []
    for _, callback, _ in left:
        callback()
    return answer


def code_of(client, token):
    """Ask for a code, and find it in the post."""
    assert send(client, OPEN.format(token)).url.endswith("/who/")
    return re.search(r"^\d{6}$", mail.outbox[-1].body, re.MULTILINE)[0]


@pytest.fixture
def inside_it(guest, token, place):
    """A browser in which the contact has been let in."""
    assert send(guest, place("who/"), code=code_of(guest, token), **BORN).url == place()
    return guest


def shows_the_plan(answer):
    return CHILD in answer.text or STEP in answer.text


class TestTheAddress:
    def test_sends_nothing_and_names_nobody_when_it_is_only_opened(self, guest, token, one):
        answer = guest.get(OPEN.format(token))
        assert "Oak School has shared something with you" in answer.text
        assert not re.search(r"poppy|canary|plan\b|health|medical", answer.text, re.IGNORECASE)
        assert answer["Cache-Control"] == "no-store, private"
        assert mail.outbox == []
        with inside(one):
            assert not ReadEntry.objects.exists()

    def test_that_is_not_one_is_not_there(self, guest, token):
        for wrong in (token[:-1], token.swapcase(), "nothing"):
            assert guest.get(OPEN.format(wrong)).status_code == 404
            assert guest.post(OPEN.format(wrong)).status_code == 404

    def test_is_not_there_at_another_authority(self, browse, two, token):
        elsewhere = browse(authority=two)
        assert elsewhere.get(OPEN.format(token)).status_code == 404
        assert elsewhere.post(OPEN.format(token)).status_code == 404

    def test_of_what_follows_means_nothing_where_the_link_was_not_opened(self, inside_it, browse, place):
        assert shows_the_plan(inside_it.get(place()))
        for name in ("", "who/", "stay/"):
            assert browse().get(place(name)).url == place("closed/")
        assert browse().post(place(), {"answer": "agree", "words": WORDS}).url == place("closed/")
        page = browse().get(place("closed/")).text
        assert "use the link in the message" in page
        assert "Oak School" not in page

    def test_alone_opens_nothing(self, guest, token, place):
        code_of(guest, token)
        answer = guest.get(place())
        assert (answer.status_code, answer.url) == (302, place("closed/"))
        assert not shows_the_plan(guest.get(place("closed/")))

    def test_sends_the_code_to_the_contact_and_tells_nobody_the_address(self, guest, token, link, place):
        code_of(guest, token)
        [message] = mail.outbox
        assert message.to == [link.email]
        assert not re.search(r"poppy|canary|plan\b|health|oak", message.subject + message.body, re.IGNORECASE)
        assert link.email not in guest.get(place("who/")).text


class TestGettingIn:
    def test_shows_the_version_that_was_sent_and_records_each_look(self, inside_it, link, poppy, one, place):
        for _ in range(2):
            answer = inside_it.get(place())
            assert CHILD in answer.text
            assert STEP in answer.text
            assert answer["Cache-Control"] == "no-store, private"
        title = re.search(r"<title>(.*?)</title>", answer.text)[1]
        assert title == "Shared with you - Barsetshire - Handrail"
        with inside(one):
            looks = ReadEntry.objects.all()
            assert {(each.by, each.by_name, each.role, each.why, each.why_id, each.group) for each in looks} == {
                (link.contact_id, "Parent or carer", "guest", "link", link.id, "plan")
            }
            assert [each.child_ids for each in looks] == [[poppy.id]] * 2

    @pytest.mark.parametrize(("party", "is_shown"), [("parent", False), ("health", True)])
    def test_hides_from_a_parent_what_was_prescribed_without_their_knowledge(
        self, one, cast, poppy, guest, at, party, is_shown
    ):
        with inside(one):
            hidden = {"unknown": "Tablets from the clinic."}
            versions.write_section(pupil=poppy, section="confidential", answers=hidden, based_on=1, by=cast.head, at=at)
            contact = poppy.contacts.get()
            contact.has_parental_responsibility = party == "parent"
            contact.save()
            plan, who = HealthcarePlan.objects.get(pupil=poppy), {"by": cast.head, "at": at}
            link = links.send(plan=plan, contact=contact, is_health_professional=True, **who)
            path = link_mail.still_due(Notice.objects.get(), at=at)["path"]
        send(guest, f"/shared/{link.id}/who/", code=code_of(guest, path.split("/")[-2]), **BORN)
        page = guest.get(f"/shared/{link.id}/").text
        assert STEP in page
        assert ("Tablets from the clinic." in page) == ("Not shown to parents" in page) == is_shown

    def test_is_told_to_the_school_by_name(self, inside_it, cast, browse, poppy, place):
        inside_it.get(place())
        page = browse(cast.head).get(f"/children/{poppy.id}/reads/")
        assert "Pat Canarymother, parent or carer, through a link" in page.text

    @pytest.mark.parametrize("wrong", ["code", "date"])
    def test_says_the_same_whatever_was_wrong(self, guest, token, wrong, place):
        code = code_of(guest, token)
        given = {"code": f"{(int(code) + 1) % 10**6:06}" if wrong == "code" else code, **BORN}
        if wrong == "date":
            given["born_on_day"] = "2"
        answer = send(guest, place("who/"), **given)
        assert "The code or the date of birth is wrong. Check both and try again" in answer.text
        assert not shows_the_plan(answer)
        assert guest.get(place()).url == place("closed/")

    def test_counts_what_cannot_be_right_as_no_try(self, guest, token, one, place):
        code_of(guest, token)
        assert "Code must be 6 numbers" in send(guest, place("who/"), code="12", **BORN).text
        with inside(one):
            assert PlanLink.objects.get().wrong_tries == 0

    def test_is_over_after_five_wrong_tries_in_whatever_browser(self, browse, token, clock, at, place):
        for n in range(5):
            clock.at = at + n * 2 * MINUTE
            client = browse()
            code_of(client, token)
            answer = send(client, place("who/"), code="000000", **BORN | {"born_on_day": "2"})
        assert answer.url == place("closed/")
        assert "There were too many wrong tries. We have told the school." in client.get(place("closed/")).text
        assert "This link has stopped working" in browse().get(OPEN.format(token)).text
        before = len(mail.outbox)
        send(browse(), OPEN.format(token))
        assert len(mail.outbox) == before

    def test_gives_the_session_a_new_key(self, guest, token, place):
        code = code_of(guest, token)
        before = guest.cookies["sessionid"].value
        send(guest, place("who/"), code=code, **BORN)
        assert guest.cookies["sessionid"].value != before

    def test_is_for_this_link_alone(self, inside_it, token, poppy, cast, one, at, place):
        """A mother of two has both open: what she says of one child is never taken for the other."""
        with inside(one):
            other = PupilFactory(school=cast.oak, name="Oscar Canarywright")
            contact = ContactFactory(pupil=other, name="Pat Canarymother")
            versions.write_emergency(pupil=other, says=emergency("Asthma"), based_on=0, by=cast.head, at=at)
            plan = HealthcarePlan.objects.get(pupil=other)
            second = links.send(plan=plan, contact=contact, is_health_professional=False, by=cast.head, at=at)
            path = link_mail.still_due(Notice.objects.get(subject_id=second.id), at=at)["path"]
        code_of(inside_it, path.split("/")[-2])
        assert inside_it.get(f"/shared/{second.id}/").url == f"/shared/{second.id}/closed/"
        assert CHILD in inside_it.get(place()).text
        inside_it.post(place(), {"answer": "agree", "words": ""})
        with inside(one):
            assert Agreement.objects.get().version.plan.pupil == poppy

    def test_lets_nobody_in_elsewhere(self, inside_it, poppy, browse, two, place):
        for path in (f"/children/{poppy.id}/", f"/children/{poppy.id}/plan/", f"/children/{poppy.id}/emergency/"):
            assert inside_it.get(path).status_code == 302
        far = Client(HTTP_HOST=two.host)
        far.cookies = inside_it.cookies
        assert far.get(place()).url == place("closed/")


class TestAnswering:
    def test_agreement_is_recorded_and_shown_to_both(self, inside_it, cast, browse, poppy, one, place):
        answer = inside_it.post(place(), {"answer": "agree", "words": ""}, follow=True)
        assert "Sent to the school." in answer.text
        assert "You agreed" in answer.text
        with inside(one):
            assert Agreement.objects.get().is_agreed
        page = browse(cast.head).get(f"/children/{poppy.id}/plan/").text
        assert re.search(
            r"Pat Canarymother</strong>, parent or carer: agreed on .*, through a link, of version 1", page
        )

    def test_a_wish_for_a_change_needs_its_words_and_keeps_the_choice(self, inside_it, one, place):
        answer = inside_it.post(place(), {"answer": "change", "words": ""})
        assert "Enter what should change" in answer.text
        inside_it.post(place(), {"answer": "change", "words": WORDS})
        with inside(one):
            made = Agreement.objects.get()
            assert (made.is_agreed, made.comment) == (False, WORDS)

    def test_a_comment_is_answered_by_the_school(self, inside_it, cast, browse, poppy, one, place):
        inside_it.post(place(), {"answer": "comment", "words": "Who is Ms Reed?"})
        lead = browse(cast.head)
        assert "Who is Ms Reed?" in lead.get(f"/children/{poppy.id}/plan/").text
        with inside(one):
            comment = PlanComment.objects.get()
        path = f"/children/{poppy.id}/plan/comments/{comment.id}/"
        assert browse(cast.neighbour).post(path, {"words": "No."}).status_code == 404
        assert "Enter your answer" in lead.post(path, {"words": ""}).text
        lead.post(path, {"words": "The teaching assistant."})
        assert "The teaching assistant." in inside_it.get(place()).text

    def test_is_not_of_a_version_that_was_not_read(self, inside_it, cast, poppy, one, at, place):
        with inside(one):
            versions.write_section(
                pupil=poppy, section="trips", answers={"trips": "Both pens."}, based_on=1, by=cast.head, at=at
            )
        answer = inside_it.post(place(), {"answer": "agree", "words": WORDS}, follow=True)
        assert "The school has changed this" in answer.text
        assert "We have kept what you typed." in answer.text
        assert not shows_the_plan(answer)
        with inside(one):
            assert not Agreement.objects.exists()
            plan, contact = HealthcarePlan.objects.get(pupil=poppy), poppy.contacts.get()
            new = links.send(plan=plan, contact=contact, is_health_professional=False, by=cast.head, at=at)
            assert new.draft == {"answer": "agree", "words": WORDS}


class TestClosing:
    def test_comes_after_15_minutes_and_keeps_what_was_typed(self, inside_it, token, clock, at, one, place):
        clock.at = at + 14 * MINUTE
        assert inside_it.get(place()).status_code == 200
        clock.at = at + 28 * MINUTE
        assert inside_it.get(place("stay/")).status_code == 204
        clock.at = at + 43 * MINUTE
        assert inside_it.get(place("stay/")).url == place("closed/")
        answer = inside_it.post(place(), {"answer": "change", "words": WORDS}, follow=True)
        assert "We have kept what you typed." in answer.text
        assert not shows_the_plan(answer)
        with inside(one):
            assert not Agreement.objects.exists()
        send(inside_it, place("who/"), code=code_of(inside_it, token), **BORN)
        answer = inside_it.get(place())
        assert "This is what you typed before. It is not sent yet." in answer.text
        assert WORDS in answer.text

    def test_by_its_button_keeps_what_was_typed_too(self, inside_it, one, place):
        answer = inside_it.post(place(), {"answer": "", "words": WORDS, "close": "yes"}, follow=True)
        assert "This page is closed" in answer.text
        assert inside_it.get(place()).url == place("closed/")
        with inside(one):
            assert PlanLink.objects.get().draft == {"answer": "", "words": WORDS}

    def test_leads_to_a_page_for_everybody_and_keeps_what_was_typed(self, inside_it, one, place):
        page = inside_it.get(place()).text
        assert 'form="what-you-think" name="go" value="/accessibility/"' in page
        assert "This page closes by itself at 9:20am" in page  # where there are no scripts to keep it
        answer = inside_it.post(place(), {"answer": "agree", "words": WORDS, "go": "/accessibility/"})
        assert answer.url == "/accessibility/"
        assert "We have kept what you typed." in inside_it.get(answer.url).text
        assert WORDS in inside_it.get(place()).text
        with inside(one):
            assert not Agreement.objects.exists()

    @pytest.mark.parametrize("place_to_go", ["https://elsewhere.example/", "//elsewhere.example/", "/children/", ""])
    def test_leads_nowhere_else(self, inside_it, place, place_to_go):
        answer = inside_it.post(place(), {"answer": "agree", "words": WORDS, "go": place_to_go})
        assert answer.url == place("closed/")

    def test_is_kept_by_the_page_itself_without_being_sent(self, inside_it, one, place):
        kept = inside_it.post(place(), {"answer": "agree", "words": WORDS}, headers={"X-Handrail-Keep": "yes"})
        assert kept.status_code == 204
        with inside(one):
            assert PlanLink.objects.get().draft == {"answer": "agree", "words": WORDS}
            assert not Agreement.objects.exists()

    def test_comes_at_once_when_the_school_withdraws_the_link(self, inside_it, cast, browse, poppy, link, place):
        path = f"/children/{poppy.id}/plan/links/{link.id}/withdraw/"
        assert browse(cast.neighbour).post(path).status_code == 404
        assert inside_it.get(place()).status_code == 200
        browse(cast.head).post(path)
        assert inside_it.get(place()).url == place("closed/")
        assert inside_it.post(place(), {"answer": "agree", "words": ""}).url == place("closed/")
        assert "This link has stopped working" in inside_it.get(place("closed/")).text

    def test_comes_when_the_school_has_closed(self, inside_it, one, cast, place):
        with inside(one):
            School.objects.filter(id=cast.oak.id).update(closed_on=cast.oak.joined_on)
        assert inside_it.get(place()).url == place("closed/")
        assert "Oak School has closed. Ask the child’s new school for a link." in inside_it.get(place("closed/")).text


class TestTheSchool:
    def test_sends_one_from_the_plan_and_sees_who_has_it(self, one, cast, browse, poppy):
        lead, at = browse(cast.head), f"/children/{poppy.id}/plan/"
        assert "Send a parent or health professional a link" in lead.get(at).text
        with inside(one):
            contact = poppy.contacts.get()
        assert "Select who the link is for" in lead.post(f"{at}links/send/", {}).text
        page = lead.post(f"{at}links/send/", {"contact": contact.id}, follow=True)
        assert "A message is on its way to Pat Canarymother" in page.text
        assert "Not opened yet" in page.text

    def test_says_who_may_have_one(self, one, cast, browse, poppy):
        with inside(one):
            gran = ContactFactory(pupil=poppy, name="Gran", has_parental_responsibility=False, priority=2)
        page = browse(cast.head).post(f"/children/{poppy.id}/plan/links/send/", {"contact": gran.id})
        assert "Tick this if they are a health professional, or select somebody else" in page.text
        with inside(one):
            assert not PlanLink.objects.exists()

    @pytest.mark.parametrize("who", ["neighbour", "officer", "admin"])
    def test_alone_may_send_one(self, one, cast, browse, poppy, who):
        with inside(one):
            contact = poppy.contacts.get()
        answer = browse(getattr(cast, who)).post(f"/children/{poppy.id}/plan/links/send/", {"contact": contact.id})
        assert answer.status_code in (403, 404)
        with inside(one):
            assert not PlanLink.objects.exists()
