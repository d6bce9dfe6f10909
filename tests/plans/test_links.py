"""Links to a plan for people without an account: who gets one, who gets in, what they say, and what ends it."""

import re
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from factories import ContactFactory, PupilFactory, emergency

from handrail.accounts.guests import CODES_AT_MOST, TRIES, NoCodeNow, Tried
from handrail.core.models import AuditEntry
from handrail.notices.actions import NoLongerDue
from handrail.notices.letters import letter
from handrail.notices.models import Notice
from handrail.plans import actions, link_mail, links, versions
from handrail.plans.models import Agreement, HealthcarePlan, PlanComment, PlanLink, Stage
from handrail.plans.standing import Standing
from handrail.schools.actions import change_contact, pupil_left, remove_contact
from handrail.schools.models import Contact, Pupil, School
from tenants.context import inside
from tenants.database import execute

pytestmark = pytest.mark.django_db

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def within(one, cast):
    with inside(one):
        yield


@pytest.fixture
def poppy(within, cast, at):
    child = PupilFactory(school=cast.oak, name="Poppy Canarywright")
    versions.write_emergency(pupil=child, says=emergency(), based_on=0, by=cast.head, at=at)
    return child


@pytest.fixture
def pat(poppy):
    return ContactFactory(pupil=poppy, name="Pat Canarymother", email="pat@home.example")


@pytest.fixture
def send(poppy, cast, at):
    """`send(contact)` sends them a link, as a parent unless it is said that they look after the child's health."""

    def to(contact, *, when=at, is_health_professional=False):
        plan = HealthcarePlan.objects.get(pupil=poppy)
        return links.send(
            plan=plan, contact=contact, is_health_professional=is_health_professional, by=cast.head, at=when
        )

    return to


@pytest.fixture
def link(send, pat):
    return send(pat)


@pytest.fixture
def get_in(poppy, link, at):
    """`get_in()` tries with the newest code and the right date, unless another is given."""

    def attempt(*, code=None, born_on=poppy.born_on, when=at):
        if code is None:
            code = links.make_code(link=link, at=when)
        return links.try_to_get_in(link=link, code=code, born_on=born_on, at=when)

    return attempt


def said(verb):
    return AuditEntry.objects.filter(verb=verb)


def mail_of(notice, one, at):
    """The message, as its recipient gets it."""
    message = letter(notice, link_mail.still_due(notice, at=at), authority=one, at=at)
    return message_from_bytes(message.raw, policy=policy.default)


def token_in(mail):
    return re.search(r"/shared/link/([\w-]+)/", mail.get_content())[1]


def standing_of(link, at):
    return PlanLink.objects.get(id=link.id).standing(at)


class TestSending:
    def test_is_to_one_contact_for_one_version_and_14_days(self, link, pat, cast, at):
        assert (link.contact, link.name, link.email, link.party) == (pat, pat.name, pat.email, "parent")
        assert (link.version.number, link.ends_at) == (1, at + 14 * DAY)
        entry = said("sent a link to a plan").get()
        assert (entry.by, entry.subject_id, entry.fields) == (cast.head.id, link.version.plan_id, ["parent"])

    def test_makes_a_health_professional_of_nobody_with_parental_responsibility(self, send, pat, poppy):
        nurse = ContactFactory(pupil=poppy, email="nurse@nhs.example", has_parental_responsibility=False)
        assert send(nurse, is_health_professional=True).party == "health"
        assert send(pat, is_health_professional=True).party == "parent"

    def test_is_refused_to_a_grandmother(self, send, poppy):
        gran = ContactFactory(pupil=poppy, email="gran@home.example", has_parental_responsibility=False)
        with pytest.raises(links.NotEntitled, match="only to somebody with parental responsibility"):
            send(gran)
        assert not PlanLink.objects.exists()

    def test_is_refused_without_an_address(self, send, poppy):
        with pytest.raises(links.NotEntitled, match="Add an e-mail address"):
            send(ContactFactory(pupil=poppy, email=""))

    def test_is_refused_to_the_contact_of_another_child(self, send, cast):
        with pytest.raises(Contact.DoesNotExist):
            send(ContactFactory(pupil=PupilFactory(school=cast.oak)))

    @pytest.mark.parametrize("stage", [Stage.CLOSED, Stage.TRANSFERRED, Stage.SUSPENDED, Stage.NOT_NEEDED])
    def test_is_refused_of_a_plan_at_rest(self, send, pat, stage):
        HealthcarePlan.objects.update(stage=stage, due_on=None)
        with pytest.raises(actions.WrongStage):
            send(pat)

    def test_is_refused_of_a_child_who_has_left(self, send, pat, poppy, cast, at):
        pupil_left(pupil=poppy, left_on=at.date(), by=cast.head, at=at)
        with pytest.raises(actions.WrongStage):
            send(pat)

    def test_is_open_to_the_parents_of_a_child_who_is_still_to_join(self, send, pat, poppy, at):
        Pupil.objects.filter(id=poppy.id).update(joined_on=at.date() + 40 * DAY)
        assert standing_of(send(pat), at) == Standing.STANDS

    def test_is_refused_of_a_school_that_has_closed(self, send, pat, cast, at):
        School.objects.filter(id=cast.oak.id).update(closed_on=at.date())
        with pytest.raises(actions.WrongStage, match="new school"):
            send(pat)

    def test_again_ends_the_one_before(self, send, link, pat, at):
        again = send(pat, when=at + DAY)
        assert standing_of(link, at + DAY) == Standing.WITHDRAWN
        assert standing_of(again, at + DAY) == Standing.STANDS


class TestTheMessage:
    def test_names_the_school_and_who_sent_it_and_never_the_child(self, link, one, cast, at):
        mail = mail_of(Notice.objects.get(), one, at)
        assert mail["To"] == link.email
        assert mail["Subject"] == "Hana Head at Oak School asks you to read something"
        text = mail["Subject"] + mail.get_content()
        assert not re.search(r"poppy|canary|plan\b|health|medical|epilepsy|2016", text, re.IGNORECASE)

    def test_holds_the_only_copy_of_its_address(self, link, one, at):
        token = token_in(mail_of(Notice.objects.get(), one, at))
        assert len(token) >= 43
        assert link_mail.link_at(token) == link
        assert link_mail.link_at(token[:-1]) is None
        [(row,)] = execute("SELECT l::text FROM plans_planlink l")
        assert token not in row

    def test_that_is_tried_again_has_another_address_and_both_lead_to_the_link(self, link, one, at):
        notice = Notice.objects.get()
        tokens = {token_in(mail_of(notice, one, at)) for _ in range(2)}
        assert len(tokens) == 2
        assert {link_mail.link_at(token) for token in tokens} == {link}

    def test_is_not_sent_once_the_link_was_withdrawn(self, link, cast, at):
        links.withdraw(link=link, by=cast.head, at=at)
        with pytest.raises(NoLongerDue, match="not_due"):
            link_mail.still_due(Notice.objects.get(), at=at)

    def test_is_no_officers_business(self, link, cast):
        assert not Notice.objects.visible_to(cast.officer).exists()
        assert not Notice.objects.visible_to(cast.admin).exists()


class TestGettingIn:
    def test_takes_the_code_and_the_date_of_birth(self, get_in, link, at):
        assert get_in() == Tried.IN
        link.refresh_from_db()
        assert (link.opened_at, link.last_opened_at, link.code) == (at, at, "")
        entry = said("opened a plan through a link").get()
        assert (entry.by, entry.by_name, entry.role) == (link.contact_id, "Parent or carer", "guest")

    def test_works_once_for_each_code(self, get_in, link, poppy, at):
        code = links.make_code(link=link, at=at)
        assert get_in(code=code) == Tried.IN
        assert get_in(code=code) == Tried.NO_CODE

    @pytest.mark.parametrize("wrong", ["code", "date", "both"])
    def test_answers_alike_whatever_was_wrong(self, get_in, link, poppy, at, wrong):
        code = links.make_code(link=link, at=at)
        given = f"{(int(code) + 1) % 10**6:06}" if wrong in ("code", "both") else code
        born_on = poppy.born_on + DAY if wrong in ("date", "both") else poppy.born_on
        assert get_in(code=given, born_on=born_on) == Tried.WRONG
        link.refresh_from_db()
        assert (link.wrong_tries, link.opened_at) == (1, None)

    def test_has_to_wait_after_a_wrong_try(self, get_in, link, at):
        code = links.make_code(link=link, at=at)
        assert get_in(code=code, born_on=at.date()) == Tried.WRONG
        assert get_in(code=code, when=at + timedelta(seconds=1)) == Tried.TOO_SOON
        assert get_in(code=code, when=at + timedelta(seconds=2)) == Tried.IN
        link.refresh_from_db()
        assert link.wrong_tries == 0

    def test_is_over_after_five_wrong_tries_and_the_school_is_told(self, get_in, link, one, cast, at):
        code = links.make_code(link=link, at=at)
        Notice.objects.all().delete()
        found = [get_in(code=code, born_on=at.date(), when=at + n * MINUTE) for n in range(TRIES)]
        assert found == [Tried.WRONG] * (TRIES - 1) + [Tried.STOPPED]
        assert get_in(code=code, when=at + 6 * MINUTE) == Tried.STOPPED
        assert standing_of(link, at) == Standing.LOCKED
        notice = Notice.objects.get()
        assert (notice.recipient, notice.wording) == (cast.head.email, "child_action")
        text = mail_of(notice, one, at).get_content()
        assert "An item needs your action" in text
        assert "Canary" not in text
        with pytest.raises(links.NoLongerOpen):
            links.make_code(link=link, at=at + DAY)

    def test_is_not_possible_with_a_code_of_ten_minutes_ago(self, get_in, link, at):
        code = links.make_code(link=link, at=at)
        assert get_in(code=code, when=at + 10 * MINUTE) == Tried.NO_CODE
        assert get_in(code=code, when=at + 10 * MINUTE - timedelta(seconds=1)) == Tried.IN

    def test_is_not_possible_with_a_code_before_the_newest(self, get_in, link, at):
        old, new = links.make_code(link=link, at=at), links.make_code(link=link, at=at + MINUTE)
        assert get_in(code=old, when=at + MINUTE) == (Tried.WRONG if old != new else Tried.IN)
        assert get_in(code=new, when=at + 2 * MINUTE) == Tried.IN

    def test_takes_no_code_of_another_link(self, get_in, send, poppy, at):
        nurse = ContactFactory(pupil=poppy, email="nurse@nhs.example", has_parental_responsibility=False)
        code = links.make_code(link=send(nurse, is_health_professional=True), at=at)
        assert get_in(code=code) == Tried.NO_CODE

    def test_keeps_only_a_digest_of_the_code(self, link, at):
        code = links.make_code(link=link, at=at)
        [(row,)] = execute("SELECT code FROM plans_planlink")
        assert code not in row

    def test_gives_no_second_code_within_a_minute(self, link, at):
        links.make_code(link=link, at=at)
        with pytest.raises(NoCodeNow, match="Wait a minute"):
            links.make_code(link=link, at=at + timedelta(seconds=59))
        assert links.make_code(link=link, at=at + MINUTE)

    def test_gives_no_codes_without_end(self, link, at):
        for n in range(CODES_AT_MOST):
            links.make_code(link=link, at=at + n * MINUTE)
        with pytest.raises(NoCodeNow, match="Ask the school"):
            links.make_code(link=link, at=at + DAY)


class TestWhatEndsALink:
    @pytest.mark.parametrize(
        ("what", "standing"),
        [
            ("withdrawn", Standing.WITHDRAWN),
            ("left", Standing.LEFT),
            ("removed", Standing.NOT_ENTITLED),
            ("responsibility", Standing.NOT_ENTITLED),
            ("address", Standing.NOT_ENTITLED),
            ("closed", Standing.CLOSED),
            ("transferred", Standing.CLOSED),
            ("school closed", Standing.SCHOOL_CLOSED),
            ("time", Standing.RUN_OUT),
            ("version", Standing.CHANGED),
        ],
    )
    def test_is_found_when_it_is_used(self, link, pat, poppy, cast, get_in, at, what, standing):
        code, who = links.make_code(link=link, at=at), {"by": cast.head, "at": at}
        assert standing_of(link, at) == Standing.STANDS
        match what:
            case "withdrawn":
                links.withdraw(link=link, **who)
            case "left":
                pupil_left(pupil=poppy, left_on=at.date(), **who)
            case "removed":
                remove_contact(contact=pat, **who)
            case "responsibility":
                change_contact(contact=pat, place=1, has_parental_responsibility=False, **who)
            case "address":
                change_contact(contact=pat, place=1, email="somebody@else.example", **who)
            case "closed" | "transferred":
                actions.rest(plan=link.version.plan, stage=Stage(what), reason="Grown out of it.", **who)
            case "school closed":
                School.objects.filter(id=cast.oak.id).update(closed_on=at.date())
                link.refresh_from_db()
            case "version":
                versions.write_section(pupil=poppy, section="trips", answers={"trips": "Both pens."}, based_on=1, **who)
        when = link.ends_at if what == "time" else at
        assert standing_of(link, when) == standing
        assert get_in(code=code, when=when) == Tried.STOPPED
        with pytest.raises(links.NoLongerOpen):
            links.say(link=link, is_agreed=True, words="", at=when)
        assert not Agreement.objects.exists()

    def test_is_not_what_parents_must_not_know(self, link, send, poppy, cast, at):
        """That the link goes on working tells a parent nothing; a health professional is to read what is new."""
        nurse = ContactFactory(pupil=poppy, email="nurse@nhs.example", has_parental_responsibility=False)
        of_nurse = send(nurse, is_health_professional=True)
        hidden = {"unknown": "Tablets from the clinic."}
        versions.write_section(pupil=poppy, section="confidential", answers=hidden, based_on=1, by=cast.head, at=at)
        assert standing_of(link, at) == Standing.STANDS
        assert standing_of(of_nurse, at) == Standing.CHANGED

    def test_keeps_what_was_said_when_the_contact_is_removed(self, link, pat, cast, at):
        links.say(link=link, is_agreed=None, words="Is this right?", at=at)
        remove_contact(contact=pat, by=cast.head, at=at)
        [shown] = links.as_shown(link.pupil, at=at)
        assert (shown.link.name, [each.words for each in shown.comments]) == (pat.name, ["Is this right?"])


class TestWhatIsSaid:
    def test_agreement_is_recorded_with_who_in_what_capacity_of_which_version_and_when(self, link, pat, at):
        links.say(link=link, is_agreed=True, words="", at=at)
        made = Agreement.objects.get()
        assert (made.name, made.party, made.version, made.is_agreed) == (pat.name, "parent", link.version, True)
        assert (made.how, made.agreed_on, made.recorded_at, made.recorded_by) == ("link", at.date(), at, pat.id)
        assert actions.still_awaited(actions.agreements_since(link.version.plan)) == ["health"]

    def test_a_wish_for_a_change_has_its_reason_sealed(self, link, at):
        links.say(link=link, is_agreed=False, words="The dose has changed.", at=at)
        made = Agreement.objects.get()
        assert (made.is_agreed, made.comment) == (False, "The dose has changed.")
        [(sealed,)] = execute("SELECT comment FROM plans_agreement")
        assert b"dose" not in bytes(sealed)

    def test_a_comment_agrees_to_nothing_and_is_sealed(self, link, at):
        links.say(link=link, is_agreed=None, words="Who is Ms Reed?", at=at)
        assert not Agreement.objects.exists()
        assert PlanComment.objects.get().words == "Who is Ms Reed?"
        [(sealed,)] = execute("SELECT words FROM plans_plancomment")
        assert b"Reed" not in bytes(sealed)

    def test_the_school_is_told_without_a_word_of_it(self, link, one, cast, at):
        Notice.objects.all().delete()
        links.say(link=link, is_agreed=None, words="Who is Ms Reed?", at=at)
        notice = Notice.objects.get()
        assert (notice.recipient, notice.recipient_role, notice.wording) == (
            cast.head.email, "coordinator", "child_action",
        )  # fmt: skip
        assert "Reed" not in mail_of(notice, one, at).get_content()

    def test_is_answered_and_they_are_told(self, link, one, cast, at):
        links.say(link=link, is_agreed=None, words="Who is Ms Reed?", at=at)
        comment = PlanComment.objects.get()
        Notice.objects.all().delete()
        assert links.answer(comment=comment, words="The teaching assistant.", by=cast.head, at=at + MINUTE)
        comment.refresh_from_db()
        assert (comment.answer, comment.answered_by_name) == ("The teaching assistant.", "Hana Head")
        mail = mail_of(Notice.objects.get(), one, at)
        assert (mail["To"], mail["Subject"]) == (link.email, "Oak School has answered you")
        assert link_mail.link_at(token_in(mail)) == link

    def test_is_answered_to_nobody_whose_link_has_stopped(self, link, cast, at):
        links.say(link=link, is_agreed=None, words="Who is Ms Reed?", at=at)
        links.withdraw(link=link, by=cast.head, at=at)
        Notice.objects.all().delete()
        assert not links.answer(comment=PlanComment.objects.get(), words="She helps.", by=cast.head, at=at)
        assert not Notice.objects.exists()

    def test_is_in_the_record_without_anybodys_name(self, link, at):
        """The record of changes outlives the child's rows: whoever was sent a link is an id in it."""
        for is_agreed in (True, False, None):
            links.say(link=link, is_agreed=is_agreed, words="Because.", at=at)
        by_guest = AuditEntry.objects.filter(by=link.contact_id)
        assert {each.by_name for each in by_guest} == {"Parent or carer"}
        assert set(by_guest.values_list("verb", flat=True)) == {
            "recorded an agreement to a plan",
            "recorded a wish to change a plan",
            "commented on a plan",
        }


class TestADraft:
    def test_is_kept_sealed_until_it_is_sent(self, link, at):
        assert links.keep_draft(link=link, typed={"answer": "change", "words": "The dose"}, at=at)
        [(sealed,)] = execute("SELECT draft FROM plans_planlink")
        assert b"dose" not in bytes(sealed)
        links.say(link=link, is_agreed=False, words="The dose has changed.", at=at)
        link.refresh_from_db()
        assert link.draft is None

    def test_of_nothing_is_none_and_goes_with_the_link(self, link, cast, at):
        assert not links.keep_draft(link=link, typed={"answer": "agree", "words": " "}, at=at)
        links.keep_draft(link=link, typed={"answer": "change", "words": "The dose"}, at=at)
        links.withdraw(link=link, by=cast.head, at=at)
        link.refresh_from_db()
        assert link.draft is None
        assert not links.keep_draft(link=link, typed={"answer": "change", "words": "The dose"}, at=at)
