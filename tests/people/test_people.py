"""Inviting people, changing and ending their roles, at the pages and with the message that is sent."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.utils import timezone
from factories import AT, NoticeFactory, PupilFactory, person

from handrail.accounts.actions import end_membership
from handrail.accounts.models import Membership, User
from handrail.accounts.roles import IN_WORDS, Role
from handrail.accounts.second_step.actions import add_app
from handrail.core.models import AuditEntry
from handrail.notices.actions import NoLongerDue, bounce
from handrail.notices.actions import claim as claim_notice
from handrail.notices.letters import in_words
from handrail.notices.models import Notice
from handrail.people import actions, role_news
from handrail.people.invitations import SUBJECT, still_due
from handrail.schools.models import School
from tenants.context import inside
from workflows import people as workflow
from workflows.notices import STILL_DUE

pytestmark = pytest.mark.django_db

OAK, INVITE, AUTHORITY = "/schools/900001/people/", "/schools/900001/people/invite/", "/people/"
NELL = {"name": "Nell New", "email": "nell@oak.example", "role": "school_administrator"}


@pytest.fixture(autouse=True)
def happen(monkeypatch, at):
    """Pages are asked for at the moment of the tests, or `happen(later)` at another."""

    def pages_happen(moment):
        monkeypatch.setattr("handrail.accounts.middleware.timezone", SimpleNamespace(now=lambda: moment))

    pages_happen(at)
    return pages_happen


def words(answer):
    """What a person reads on a page."""
    main = re.search(r"<main.*</main>", answer.text, re.DOTALL)[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def membership_of(user, **more):
    return Membership.objects.select_related("user", "school").get(user=user, to_on=None, **more)


@pytest.fixture
def nell(one, cast, at):
    """Invited to Oak School by its head, and not seen yet."""
    with inside(one):
        return actions.invite(
            email="nell@oak.example",
            name="Nell New",
            role=Role.SCHOOL_ADMINISTRATOR,
            school_id=cast.oak.id,
            by=cast.head,
            at=at,
        )


class TestWhoCanSeeASchool:
    def test_says_who_with_which_role_and_what_it_may_see(self, cast, browse):
        page = words(browse(cast.head).get(OAK))
        for said in ("Hana Head", "head@oak.example", "Cal Colleague", "Olu Officer", IN_WORDS[Role.POLICY_OFFICER]):
            assert said in page
        assert "Nia Neighbour" not in page

    def test_offers_changes_to_those_who_may(self, one, cast, browse):
        with inside(one):
            governor = person("gov@oak.example", Role.GOVERNOR, school=cast.oak)
        for who, may in ((cast.head, True), (cast.admin, True), (cast.officer, False), (governor, False)):
            page = browse(who).get(OAK).text
            assert (INVITE in page) == may
            assert bool(re.search(r'href="/people/[0-9a-f-]{36}/"', page)) == may

    def test_leads_people_at_a_school_from_the_navigation_to_their_own(self, cast, browse):
        assert browse(cast.head).get(AUTHORITY)["Location"] == OAK

    def test_has_a_page_for_the_authority(self, cast, browse):
        page = browse(cast.officer).get(AUTHORITY)
        assert "Adele Admin" in page.text
        assert "Hana Head" not in page.text
        assert "/people/invite/" not in page.text
        assert "/people/invite/" in browse(cast.admin).get(AUTHORITY).text


class TestResetTheSecondStep:
    def test_is_offered_on_the_page_of_whom_somebody_may_reset(self, one, cast, browse):
        for who, whom in ((cast.head, cast.colleague), (cast.admin, cast.head), (cast.admin, cast.officer)):
            with inside(one):
                membership = membership_of(whom)
            page = browse(who).get(f"/people/{membership.id}/").text
            assert f'href="/people/{whom.id}/second-step/"' in page
            assert f"Reset the second step of {whom.name}" in browse(who).get(f"/people/{whom.id}/second-step/").text

    def test_is_not_offered_for_oneself_for_who_was_only_invited_or_for_an_officer_by_a_school(
        self, one, cast, browse, nell
    ):
        with inside(one):
            both = person("both@oak.example", Role.GOVERNOR, school=cast.oak)
            at_oak = membership_of(both)
            person("both@oak.example", Role.ANALYST)
            pages = [
                (cast.head, membership_of(cast.head)),
                (cast.admin, membership_of(cast.admin)),
                (cast.head, nell),
                (cast.head, at_oak),
            ]
        for who, membership in pages:
            answer = browse(who).get(f"/people/{membership.id}/")
            assert answer.status_code == 200
            assert "second-step" not in answer.text


class TestInvite:
    def test_gives_the_role_and_owes_the_message(self, one, cast, browse, at):
        answer = browse(cast.head).post(INVITE, {**NELL, "email": " Nell@OAK.example"})
        assert answer["Location"] == OAK
        with inside(one):
            user = User.objects.get(email="nell@oak.example")
            membership = membership_of(user)
            assert (membership.role, membership.school_id) == (Role.SCHOOL_ADMINISTRATOR, cast.oak.id)
            assert (membership.is_awaited, membership.called) == (True, "Nell New")
            notice = Notice.objects.get(subject_kind=SUBJECT)
            assert (notice.recipient, notice.urgency, notice.not_before) == (user.email, Notice.Urgency.NOW, at)
            facts = STILL_DUE[notice.subject_kind](notice, at=at)
            assert (facts["sender"], facts["whose"], facts["until"]) == ("Hana Head", "Oak School", "23 December 2026")
            assert str(user.id) not in facts["path"]
            entry = AuditEntry.objects.get(verb="invited a person")
            assert (entry.by, entry.subject_id, entry.school_id) == (cast.head.id, user.id, cast.oak.id)
        page = words(browse(cast.head).get(OAK))
        assert "Nell New" in page
        assert "Invited Until 23 Dec 2026" in page

    def test_of_an_officer_by_the_administrator(self, one, cast, browse):
        answer = browse(cast.admin).post("/people/invite/", {**NELL, "role": "analyst"})
        assert answer["Location"] == AUTHORITY
        with inside(one):
            assert membership_of(User.objects.get(email="nell@oak.example")).role == Role.ANALYST
            [notice] = Notice.objects.filter(subject_kind=SUBJECT)
            assert still_due(notice, at=notice.owed_at)["whose"] == "Barsetshire"

    def test_is_refused_to_who_may_not(self, one, two, cast, browse):
        for client, status in (
            (browse(cast.officer), 403),
            (browse(cast.neighbour), 404),
            (browse(cast.hospital, authority=two), 404),
        ):
            assert client.post(INVITE, NELL).status_code == status
        assert browse(cast.head).post("/people/invite/", {**NELL, "role": "analyst"}).status_code == 404
        with inside(one):
            assert not User.objects.filter(email=NELL["email"]).exists()

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"name": ""}, "Enter their name"),
            ({"email": ""}, "Enter an e-mail address"),
            ({"email": "nell"}, "Enter an e-mail address in the right form, like name@example.com"),
            ({"email": "nеll@oak.example"}, "This address uses letters that look like others"),
            ({"email": "nell@xn--ak-uxc.example"}, "This address uses letters that look like others"),
            ({"email": "x" * 300 + "@oak.example"}, "E-mail address must be 254 characters or fewer"),
            ({"name": "x" * 151}, "Name must be 150 characters or fewer"),
            ({"role": ""}, "Select a role"),
            ({"role": "policy_officer"}, "Select a role from the list"),
            ({"role": "health_professional"}, "Select a role from the list"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(self, one, cast, browse, wrong, said):
        answer = browse(cast.head).post(INVITE, NELL | wrong)
        assert answer.status_code == 200
        assert said in words(answer)
        for name in ("name", "email"):
            assert f'value="{(NELL | wrong)[name]}"' in answer.text or not (NELL | wrong)[name]
        with inside(one):
            assert not Notice.objects.filter(subject_kind=SUBJECT).exists()

    def test_of_five_megabytes_is_refused_in_words(self, cast, browse):
        answer = browse(cast.head).post(INVITE, NELL | {"name": "x" * 5_000_000})
        assert answer.status_code == 413
        assert "xxxx" not in answer.text

    def test_twice_says_who_is_here(self, one, cast, browse):
        page = words(browse(cast.head).post(INVITE, NELL | {"email": "COLLEAGUE@oak.example"}))
        assert "Cal Colleague has this address and a role here already: School lead" in page

    def test_does_not_tell_whether_the_address_has_an_account(self, one, cast, browse, at):
        """The lead of Elm School is invited by Oak under another name: all pages at Oak go on as if they were new."""
        with inside(one):
            User.objects.filter(id=cast.neighbour.id).update(last_login=at - timedelta(days=1))
        client = browse(cast.head)
        known = client.post(INVITE, NELL | {"email": "neighbour@elm.example"})
        unknown = client.post(INVITE, NELL | {"email": "nobody@elm.example"})
        assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
        for page in (OAK, "/schools/900001/activity/"):
            shown = client.get(page).text
            assert "Nia Neighbour" not in shown
            assert shown.count("neighbour@elm.example") == shown.count("nobody@elm.example")
        assert words(client.get(OAK)).count("Invited Until 23 Dec 2026") == 2

    def test_shows_the_persons_own_name_when_they_have_signed_in(self, one, cast, browse, nell, at):
        with inside(one):
            User.objects.filter(id=nell.user_id).update(last_login=at + timedelta(minutes=5), name="Eleanor New")
        page = words(browse(cast.head).get(OAK))
        assert "Eleanor New" in page
        assert "Invited Until" not in page


class TestTheMessage:
    def test_is_not_sent_to_who_has_signed_in_or_was_taken_back(self, one, cast, nell, at):
        with inside(one):
            notice = Notice.objects.get(subject_kind=SUBJECT)
            User.objects.filter(id=nell.user_id).update(last_login=at)
            with pytest.raises(NoLongerDue, match=Notice.Reason.NOT_DUE):
                still_due(notice, at=at)
            User.objects.filter(id=nell.user_id).update(last_login=None)
            assert still_due(notice, at=at)["recipient"] == "nell@oak.example"
            end_membership(membership=nell, by=cast.head, at=at)
            with pytest.raises(NoLongerDue, match=Notice.Reason.NOT_DUE):
                still_due(notice, at=at)

    @pytest.mark.parametrize(
        ("model", "change", "reason"),
        [
            (User, {"is_active": False}, Notice.Reason.CONTACT_CHANGED),
            (User, {"email": "other@oak.example"}, Notice.Reason.CONTACT_CHANGED),
            (School, {"closed_on": "2026-11-01"}, Notice.Reason.SCHOOL_CLOSED),
        ],
    )
    def test_is_not_sent_when_the_person_or_the_school_has_changed(self, one, nell, at, model, change, reason):
        with inside(one):
            row = nell.user_id if model is User else nell.school_id
            model.objects.filter(id=row).update(**change)
            with pytest.raises(NoLongerDue, match=reason):
                still_due(Notice.objects.get(subject_kind=SUBJECT), at=at)

    def test_is_sent_again_and_the_older_one_is_not(self, one, cast, browse, nell, at, happen):
        later = at + timedelta(hours=2)
        address = f"/people/{nell.id}/again/"
        page = browse(cast.head).post(address, follow=True)
        assert "An invitation was sent less than an hour ago" in page.text
        happen(later)
        page = browse(cast.head).post(address, follow=True)
        assert "Invited Nell New again" in page.text
        with inside(one):
            first, second = Notice.objects.filter(subject_kind=SUBJECT).order_by("owed_at")
            with pytest.raises(NoLongerDue, match=Notice.Reason.SUPERSEDED):
                still_due(first, at=later)
            assert still_due(second, at=later)
            assert AuditEntry.objects.filter(verb="invited a person again").count() == 1

    def test_is_not_sent_again_to_who_has_signed_in(self, one, cast, browse, nell, at):
        with inside(one):
            User.objects.filter(id=nell.user_id).update(last_login=at)
        page = browse(cast.head).post(f"/people/{nell.id}/again/", follow=True)
        assert "Nell New has signed in, so there is nothing to send again" in page.text

    def test_that_came_back_is_shown(self, one, cast, browse, nell, at):
        with inside(one):
            claim = claim_notice(urgency=Notice.Urgency.NOW, at=at, lease=timedelta(minutes=5))
            bounce(claim.notice, "550 no such mailbox", at=at)
        assert "Message came back" in words(browse(cast.head).get(OAK))
        assert "If the address is wrong, end this role" in words(browse(cast.head).get(f"/people/{nell.id}/"))


class TestAnAddressThatSendsMessagesBack:
    """Also when the message was about a child: who manages people sees which address, and not what it was about."""

    @pytest.fixture
    def came_back(self, one, cast, at):
        def come_back(school, user, *, later=0):
            with inside(one):
                about_a_child = NoticeFactory(
                    recipient=user.email,
                    school_id=school.id,
                    wording="child_action",
                    state=Notice.State.BOUNCED,
                    ended_at=at + timedelta(minutes=later),
                )
                assert about_a_child in Notice.objects.about_children()

        return come_back

    def test_is_shown_to_who_can_mend_it(self, one, cast, browse, came_back):
        came_back(cast.oak, cast.colleague)
        client = browse(cast.head)
        before, _, after = words(client.get(OAK)).partition("Message came back")
        assert "Cal Colleague" in before
        assert "Message came back" not in after
        with inside(one):
            mine = membership_of(cast.colleague)
        told = words(client.get(f"/people/{mine.id}/"))
        assert "The last message to this address came back. If the address is wrong, end this role" in told
        assert "1 e-mail address to check Overdue The last message to it came back." in words(client.get("/"))
        with inside(one):
            office = person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
        assert "e-mail address to check" not in words(browse(office).get("/"))
        assert not re.search(r"\bchild|\bplan\b|H-\w{4}", told)

    def test_is_not_shown_when_a_later_one_arrived(self, one, cast, at, browse, came_back):
        came_back(cast.oak, cast.colleague)
        with inside(one):
            NoticeFactory(
                recipient=cast.colleague.email,
                school_id=cast.oak.id,
                wording="child_action",
                state=Notice.State.DELIVERED,
                ended_at=at + timedelta(minutes=1),
            )
        assert "Message came back" not in words(browse(cast.head).get(OAK))

    def test_tells_nothing_of_messages_from_another_school(self, one, cast, browse, came_back):
        with inside(one):
            person(cast.colleague.email, Role.GOVERNOR, school=cast.elm)
        came_back(cast.elm, cast.colleague)
        assert "Message came back" not in words(browse(cast.head).get(OAK))
        assert "Message came back" in words(browse(cast.neighbour).get("/schools/900002/people/"))


class TestAnInvitationOpened:
    def test_by_nobody_leads_to_signing_in(self, browse, nell):
        assert browse().get(f"/invitation/{nell.id}/")["Location"] == f"/sign-in/?next=/invitation/{nell.id}/"

    def test_by_the_person_leads_to_the_school(self, browse, nell):
        assert browse(nell.user).get(f"/invitation/{nell.id}/")["Location"] == "/?school=900001"

    def test_by_somebody_else_is_explained_and_gives_nothing(self, cast, browse, nell):
        for address in (nell.id, "6c9a7a0e-0b7e-4a5e-9b2e-111111111111"):
            answer = browse(cast.neighbour).get(f"/invitation/{address}/")
            assert answer.status_code == 404
            assert "You are signed in as Nia Neighbour, neighbour@elm.example." in words(answer)
            assert "nell" not in answer.text.lower()

    def test_after_it_ended_is_explained(self, one, cast, browse, nell, at):
        with inside(one):
            end_membership(membership=nell, by=cast.head, at=at)
            nell.user.refresh_from_db()
        page = words(browse(nell.user).get(f"/invitation/{nell.id}/"))
        assert "This invitation has ended It was for Oak School, and stood until 23 November 2026." in page


class TestAnInvitationThatRanOut:
    def test_ends_after_thirty_days_and_can_be_sent_anew(self, one, cast, browse, nell, at):
        with inside(one):
            Membership.objects.filter(id=nell.id).update(invited_at=at - timedelta(days=30))
            assert actions.end_unused(at=at - timedelta(hours=1)) == 0
            assert actions.end_unused(at=at) == 1
            assert actions.end_unused(at=at) == 0
        page = words(browse(cast.head).get(OAK))
        assert "Nell New, nell@oak.example, until 23 November 2026. Invite again" in page
        browse(cast.head).post(f"/people/{nell.id}/again/")
        page = words(browse(cast.head).get(OAK))
        assert "Invitations that ran out" not in page
        assert "Invited Until 23 Dec 2026" in page

    def test_is_not_one_that_was_taken_back(self, one, cast, browse, nell, at):
        with inside(one):
            end_membership(membership=nell, by=cast.head, at=at)
        assert "Invitations that ran out" not in words(browse(cast.head).get(OAK))

    def test_leaves_those_who_came_and_the_last_lead(self, one, cast, nell, at):
        later = at + timedelta(days=40)
        with inside(one):
            User.objects.filter(id=nell.user_id).update(last_login=at + timedelta(days=3))
            Membership.objects.filter(user=cast.neighbour).update(invited_at=at, invited_as="Nia")
            assert actions.end_unused(at=later) == 0
            assert membership_of(nell.user) and membership_of(cast.neighbour)

    def test_is_looked_for_in_each_authority(self, one, nell, at):
        with inside(one):
            Membership.objects.filter(id=nell.id).update(invited_at=at - timedelta(days=4000))
        workflow.end_unused_in(authority=str(one.id))
        with inside(one):
            assert Membership.objects.get(id=nell.id).to_on is not None


class TestChangeARole:
    def address(self, one, user):
        with inside(one):
            return f"/people/{membership_of(user).id}/role/"

    def test_gives_the_other_role_from_today(self, one, cast, browse):
        address = self.address(one, cast.colleague)
        assert "Change the role of Cal Colleague" in words(browse(cast.head).get(address))
        answer = browse(cast.head).post(address, {"role": "governor"})
        assert answer["Location"] == OAK
        with inside(one):
            assert membership_of(cast.colleague).role == Role.GOVERNOR

    def test_of_somebody_who_was_only_invited_writes_to_them_anew(self, one, cast, browse, nell, at):
        browse(cast.head).post(f"/people/{nell.id}/role/", {"role": "governor"})
        with inside(one):
            first, second = Notice.objects.filter(subject_kind=SUBJECT).order_by("subject_id")
            if first.subject_id != nell.id:
                first, second = second, first
            with pytest.raises(NoLongerDue):
                still_due(first, at=at)
            assert still_due(second, at=at)["as_role"] == "Governor"

    def test_is_refused_to_who_may_not(self, one, cast, browse):
        address = self.address(one, cast.colleague)
        assert browse(cast.officer).post(address, {"role": "governor"}).status_code == 403
        assert browse(cast.neighbour).post(address, {"role": "governor"}).status_code == 404
        officers = self.address(one, cast.officer)
        assert browse(cast.head).post(officers, {"role": "analyst"}).status_code == 404
        assert "Select a role from the list" in words(browse(cast.head).post(address, {"role": "policy_officer"}))

    def test_of_the_last_lead_asks_who_leads_then(self, one, cast, browse):
        address = self.address(one, cast.neighbour)
        client = browse(cast.neighbour)
        assert "You may no longer be able to change it back" in words(client.get(address))
        page = client.post(address, {"role": "governor"})
        assert "Who takes over from Nia Neighbour?" in words(page)
        named = {"naming": "1", "role": "governor", "successor": "somebody-else", "name": "New Lead"}
        page = client.post(address, named | {"email": ""})
        assert "Enter their e-mail address" in words(page)
        assert 'value="New Lead"' in page.text
        answer = client.post(address, named | {"email": "new@elm.example"})
        assert answer["Location"] == "/"
        with inside(one):
            assert membership_of(cast.neighbour).role == Role.GOVERNOR
            assert membership_of(User.objects.get(email="new@elm.example")).role == Role.SCHOOL_LEAD


class TestWhoseRoleChangesOrEnds:
    @pytest.fixture
    def press(self, one, cast, browse):
        """`press(user, what, **data)` changes or ends a role as the head of Oak School; gives the news owed of it."""

        def run(user, what, **data):
            with inside(one):
                membership = membership_of(user, school=cast.oak)
            assert browse(cast.head).post(f"/people/{membership.id}/{what}/", data).status_code == 302
            with inside(one):
                return list(Notice.objects.filter(subject_kind=role_news.SUBJECT).order_by("owed_at"))

        return run

    def test_is_told_of_the_new_role(self, one, cast, press, at):
        [notice] = press(cast.colleague, "role", role="governor")
        assert (notice.recipient, notice.urgency) == ("colleague@oak.example", Notice.Urgency.NOW)
        with inside(one):
            subject, text, _ = in_words(notice, STILL_DUE[notice.subject_kind](notice, at=at), authority=one)
        assert subject == "Your role at Oak School has changed"
        assert "Hana Head has changed your role at Oak School. It is now: Governor." in text

    def test_is_told_of_the_end(self, one, cast, browse, press, at):
        [notice] = press(cast.colleague, "end")
        with inside(one):
            subject, text, _ = in_words(notice, STILL_DUE[notice.subject_kind](notice, at=at), authority=one)
        assert subject == "Your role at Oak School has ended"
        assert "Hana Head has ended your role at Oak School. It was: School lead." in text
        assert "Message to Cal Colleague about their role" in words(browse(cast.head).get("/schools/900001/activity/"))

    def test_is_told_once(self, one, cast, press):
        with inside(one):
            governor = person("gov@oak.example", Role.GOVERNOR, school=cast.oak)
        assert press(governor, "role", role="governor") == []
        assert len(press(governor, "end")) == 1
        with inside(one):
            actions.end_role(membership=Membership.objects.get(user=governor), by=cast.head, at=AT + timedelta(days=1))
            assert Notice.objects.filter(subject_kind=role_news.SUBJECT).count() == 1

    def test_is_not_told_before_they_have_signed_in(self, one, nell, press):
        assert press(nell.user, "role", role="governor") == []
        assert press(nell.user, "end") == []

    def test_is_not_told_about_one_child(self, one, cast, press):
        with inside(one):
            nurse = person(
                "nurse@trust.example",
                Role.HEALTH_PROFESSIONAL,
                school=cast.oak,
                pupil=PupilFactory(school=cast.oak),
            )
        assert press(nurse, "end") == []

    def test_is_not_told_what_is_so_no_more(self, one, cast, press, at):
        [changed] = press(cast.colleague, "role", role="governor")
        _, ended = press(cast.colleague, "end")
        with inside(one):
            with pytest.raises(NoLongerDue, match=Notice.Reason.NOT_DUE):
                role_news.still_due(changed, at=at)
            assert role_news.still_due(ended, at=at)["as_role"] == "Governor"
            User.objects.filter(id=cast.colleague.id).update(email="other@oak.example")
            with pytest.raises(NoLongerDue, match=Notice.Reason.CONTACT_CHANGED):
                role_news.still_due(ended, at=at)


class TestLetIntoASchoolByTheAuthority:
    """Nobody at the authority sees a child, nor makes themselves somebody who does unnoticed by the school."""

    @pytest.fixture
    def invite(self, one, cast, browse):
        """`invite(by, role)` invites Nell to Oak School; gives whom the school's messages about it go to."""

        def run(by, role="school_lead"):
            with inside(one):
                School.objects.filter(id=cast.oak.id).update(head_email="hannah@oak.example")
            assert browse(by).post(INVITE, NELL | {"role": role}).status_code == 302
            return self.told(one)

        return run

    def told(self, one):
        with inside(one):
            found = Notice.objects.filter(wording="role_given").order_by("recipient")
            return [each.recipient for each in found]

    def test_is_told_to_who_leads_there_and_to_the_head(self, one, cast, invite, browse, at):
        assert invite(cast.admin) == ["colleague@oak.example", "hannah@oak.example", "head@oak.example"]
        with inside(one):
            notice = Notice.objects.filter(wording="role_given").first()
            subject, text, _ = in_words(notice, STILL_DUE[notice.subject_kind](notice, at=at), authority=one)
        assert subject == "Oak School: somebody was given a role"
        assert "Adele Admin at Barsetshire has given Nell New (nell@oak.example) a role at Oak School." in text
        assert "It is: School lead." in text
        assert OAK in text
        page = words(browse(cast.head).get("/schools/900001/activity/"))
        assert "Message to the school about the role of Nell New" in page

    @pytest.mark.parametrize(("role", "count"), [("school_administrator", 3), ("governor", 0)])
    def test_is_told_of_roles_that_see_children_alone(self, cast, invite, role, count):
        assert len(invite(cast.admin, role)) == count

    def test_is_not_told_of_whom_the_school_invites(self, cast, invite):
        assert invite(cast.head) == []

    def test_is_told_to_who_led_there_until_just_now(self, one, cast, invite, at):
        with inside(one):
            for each in (cast.head, cast.colleague):
                membership = membership_of(each)
                Membership.objects.filter(id=membership.id).update(to_on=at.date())
        assert invite(cast.admin) == ["colleague@oak.example", "hannah@oak.example", "head@oak.example"]

    def test_is_told_to_nobody_where_nobody_has_led(self, one, cast, invite):
        with inside(one):
            Membership.objects.filter(school=cast.oak).delete()
        assert invite(cast.admin) == []

    def test_is_told_when_a_role_is_changed_into_one_that_sees_children(self, one, cast, browse):
        with inside(one):
            membership = membership_of(person("gov@oak.example", Role.GOVERNOR, school=cast.oak))
        browse(cast.admin).post(f"/people/{membership.id}/role/", {"role": "school_administrator"})
        assert self.told(one) == ["colleague@oak.example", "head@900001.example", "head@oak.example"]
        with inside(one):
            membership = membership_of(membership.user)
        browse(cast.admin).post(f"/people/{membership.id}/role/", {"role": "school_lead"})
        assert len(self.told(one)) == 3, "who saw the children before is nobody new"

    def test_is_told_also_when_the_role_has_ended_since_unless_nobody_used_it(self, one, cast, invite, at):
        invite(cast.admin)
        with inside(one):
            notice = Notice.objects.filter(wording="role_given").first()
            Membership.objects.filter(id=notice.subject_id).update(to_on=at.date())
            with pytest.raises(NoLongerDue):
                role_news.still_due(notice, at=at)
            User.objects.filter(email="nell@oak.example").update(last_login=at + timedelta(minutes=1))
            assert role_news.still_due(notice, at=at)["as_role"] == "School lead"


class TestEndARole:
    def address(self, one, user):
        with inside(one):
            return f"/people/{membership_of(user).id}/end/"

    def test_asks_first_and_then_ends_it_at_once(self, one, cast, browse):
        there = browse(cast.colleague)
        assert there.get(OAK).status_code == 200
        address = self.address(one, cast.colleague)
        assert "End the role of Cal Colleague?" in words(browse(cast.head).get(address))
        assert there.get(OAK).status_code == 200
        answer = browse(cast.head).post(address, follow=True)
        assert "Ended the role of Cal Colleague at Oak School." in answer.text
        assert there.get(OAK)["Location"].startswith("/sign-in/")
        again = browse(cast.head).post(address, follow=True)
        assert again.status_code == 200
        assert "The role of Cal Colleague has ended already." in browse(cast.head).get(address, follow=True).text

    def test_leaves_another_school_to_who_has_two(self, one, cast, browse):
        with inside(one):
            person("colleague@oak.example", Role.GOVERNOR, school=cast.elm)
            oak = membership_of(cast.colleague, school=cast.oak)
        there = browse(cast.colleague)
        browse(cast.head).post(f"/people/{oak.id}/end/")
        assert [there.get(f"/schools/{urn}/").status_code for urn in ("900001", "900002")] == [404, 200]

    def test_of_ones_own_is_allowed_with_a_warning(self, one, cast, browse):
        address = self.address(one, cast.head)
        client = browse(cast.head)
        assert "you cannot undo this yourself" in words(client.get(address))
        assert client.post(address)["Location"] == "/"
        assert client.get("/")["Location"].startswith("/sign-in/")

    def test_of_the_last_lead_offers_a_colleague(self, one, cast, browse):
        with inside(one):
            office = person("office@elm.example", Role.SCHOOL_ADMINISTRATOR, school=cast.elm, name="Ola Office")
            of_office = str(membership_of(office).id)
        address = self.address(one, cast.neighbour)
        client = browse(cast.admin)
        page = client.post(address)
        assert "Nobody else at Elm School decides who may sign in." in words(page)
        assert "Ola Office, now school administrator" in words(page)
        assert "Select who takes over" in words(client.post(address, {"naming": "1"}))
        assert client.post(address, {"naming": "1", "successor": of_office}).status_code == 302
        with inside(one):
            assert membership_of(office).role == Role.SCHOOL_LEAD
            assert not Membership.objects.filter(user=cast.neighbour, to_on=None).exists()

    def test_of_the_last_lead_refuses_a_colleague_from_elsewhere(self, one, cast, browse):
        with inside(one):
            elsewhere = str(membership_of(cast.colleague).id)
            person("office@elm.example", Role.SCHOOL_ADMINISTRATOR, school=cast.elm)
        page = browse(cast.neighbour).post(self.address(one, cast.neighbour), {"naming": "1", "successor": elsewhere})
        assert "Select who takes over from the list" in words(page)

    def test_of_the_last_lead_with_an_address_that_is_here_already_changes_nothing(self, one, cast, browse):
        named = {"naming": "1", "successor": "somebody-else", "name": "N", "email": "neighbour@elm.example"}
        page = browse(cast.neighbour).post(self.address(one, cast.neighbour), named)
        assert "has this address and a role here already" in words(page)
        with inside(one):
            assert membership_of(cast.neighbour).role == Role.SCHOOL_LEAD

    def test_of_the_last_administrator_asks_who_follows(self, one, cast, browse, at):
        with inside(one):
            first = User.objects.get(email="admin@barsetshire.example")
            end_membership(membership=membership_of(first), by=cast.admin, at=at)
        address = self.address(one, cast.admin)
        assert "Nobody else at Barsetshire decides" in words(browse(cast.admin).post(address))

    def test_by_two_of_each_others_is_refused_to_the_second(self, one, cast, browse, at, monkeypatch):
        """Both have the page open; the second has lost the right in the moment of asking."""
        with inside(one):
            person("third@oak.example", Role.SCHOOL_LEAD, school=cast.oak)
        second = browse(cast.colleague)
        address = self.address(one, cast.head)

        def ended_meanwhile(**asked):
            held = membership_of(cast.colleague)
            end_membership(membership=held, by=cast.head, at=at)
            return end_role(**asked)

        end_role = actions.end_role
        monkeypatch.setattr("handrail.people.views.actions.end_role", ended_meanwhile)
        second.post(address)
        with inside(one):
            assert membership_of(cast.head)


class TestSigningSomebodyOut:
    def place(self, user, one):
        with inside(one):
            return f"/people/{membership_of(user).id}/sign-out/"

    @pytest.mark.parametrize("by", ["head", "admin"])
    def test_is_asked_and_then_ends_their_sessions_at_once(self, one, cast, browse, by):
        theirs, client, place = browse(cast.colleague), browse(getattr(cast, by)), self.place(cast.colleague, one)
        assert f'href="{place}"' in client.get(place.replace("sign-out/", "")).text
        assert "Sign Cal Colleague out everywhere?" in words(client.get(place))
        assert theirs.get("/account/").status_code == 200
        assert "Cal Colleague is signed out everywhere." in words(client.post(place, follow=True))
        assert theirs.get("/account/")["Location"].startswith("/sign-in/")
        assert client.get("/account/").status_code == 200
        with inside(one):
            entry = AuditEntry.objects.get(verb="ended sessions")
            assert (entry.by, entry.subject_id) == (getattr(cast, by).id, cast.colleague.id)
        assert "Cal Colleague was not signed in." in words(client.post(place, follow=True))

    def test_is_for_those_who_manage_them(self, one, cast, browse, nell):
        theirs = {each: browse(each) for each in (cast.head, cast.officer)}
        for by, whom, status in (
            (cast.officer, cast.head, 403),
            (cast.neighbour, cast.head, 404),
            (cast.head, cast.head, 404),
            (cast.head, cast.officer, 404),
            (cast.head, nell.user, 404),
        ):
            client, place = browse(by), self.place(whom, one)
            assert [client.get(place).status_code, client.post(place).status_code] == [status] * 2
        assert all(client.get("/account/").status_code == 200 for client in theirs.values())


class TestSigningEverybodyOut:
    PLACE = "/people/sign-everybody-out/"

    def test_is_asked_and_then_ends_every_session_but_ones_own(self, one, two, cast, browse):
        client, there = browse(cast.admin), browse(cast.stranger, authority=two)
        others = [browse(each) for each in (cast.admin, cast.officer, cast.head, cast.head)]
        assert f'href="{self.PLACE}"' in client.get("/people/").text
        assert "Sign everybody out?" in words(client.get(self.PLACE))
        assert [each.get("/account/").status_code for each in others] == [200] * 4
        said = "3 people were signed out. You are signed in here, and nowhere else."
        assert said in words(client.post(self.PLACE, follow=True))
        assert [each.get("/account/").status_code for each in others] == [302] * 4
        assert [each.get("/account/").status_code for each in (client, there)] == [200, 200]
        with inside(one):
            entry = AuditEntry.objects.get(verb="signed everybody out")
            assert (entry.by, entry.role) == (cast.admin.id, Role.AUTHORITY_ADMINISTRATOR)

    def test_is_for_administrators(self, cast, browse):
        theirs = browse(cast.colleague)
        for by, status in ((cast.officer, 403), (cast.head, 404)):
            client = browse(by)
            assert [client.get(self.PLACE).status_code, client.post(self.PLACE).status_code] == [status] * 2
        assert "Sign everybody out" not in browse(cast.officer).get("/people/").text
        assert theirs.get("/account/").status_code == 200

    def test_asks_again_who_it_is(self, cast, browse, happen):
        now = timezone.now()
        happen(now)
        client, theirs = browse(cast.admin), browse(cast.head)
        happen(now + timedelta(minutes=16))
        assert client.post(self.PLACE)["Location"].startswith("/account/second-step/")
        assert theirs.get("/account/").status_code == 200


class TestClosingAnAccount:
    def place(self, user, one, **more):
        with inside(one):
            return f"/people/{membership_of(user, **more).id}/close/"

    def test_is_asked_and_then_ends_everything_at_once(self, one, cast, browse, at):
        theirs, client, place = browse(cast.colleague), browse(cast.head), self.place(cast.colleague, one)
        assert place in client.get(place.replace("close/", "")).text
        page = words(client.get(place))
        assert "Close the account of Cal Colleague?" in page
        assert re.search(r"their role ends: [\w ]+ at Oak School", page)
        with inside(one):
            assert User.objects.get(id=cast.colleague.id).is_active
        answer = client.post(place, follow=True)
        assert "The account of Cal Colleague is closed." in words(answer)
        assert theirs.get("/account/")["Location"].startswith("/sign-in/")
        with inside(one):
            user = User.objects.get(id=cast.colleague.id)
            assert not user.is_active
            assert not user.memberships.filter(to_on=None).exists()
            assert not user.sessions.exists()
            entry = AuditEntry.objects.get(verb="closed an account")
            assert (entry.by, entry.subject_id) == (cast.head.id, cast.colleague.id)
            assert Notice.objects.get(wording="role_ended").recipient == cast.colleague.email
        assert "has ended already" in words(client.post(place, follow=True))

    def test_tells_the_authority_of_no_child(self, one, cast, browse):
        with inside(one):
            child = PupilFactory(school=cast.elm)
            person(cast.colleague.email, Role.HEALTH_PROFESSIONAL, school=cast.elm, pupil=child)
            membership = membership_of(cast.colleague, pupil=None)
        place = f"/people/{membership.id}/close/"
        page = words(browse(cast.admin).get(place))
        assert "at Oak School" in page
        assert "Elm School" not in page
        assert "ealth professional" not in page
        browse(cast.admin).post(place)
        with inside(one):
            assert not Membership.objects.filter(user=cast.colleague, to_on=None).exists()

    def test_takes_away_what_they_signed_in_with(self, one, cast, browse, at):
        with inside(one):
            cast.colleague.set_password("correct horse battery")
            cast.colleague.save()
            add_app(user=cast.colleague, secret="JBSWY3DPEHPK3PXP", by=cast.colleague, at=at)
            SocialAccount.objects.create(provider="x", uid="y", user_id=cast.colleague.id)
        browse(cast.admin).post(self.place(cast.colleague, one))
        with inside(one):
            assert not Authenticator.objects.exists()
            assert not SocialAccount.objects.exists()
            assert not User.objects.get(id=cast.colleague.id).has_usable_password()

    def test_is_refused_for_the_last_lead(self, one, cast, browse):
        place = self.place(cast.neighbour, one)
        answer = browse(cast.admin).post(place, follow=True)
        assert "Add another school lead at Elm School before you remove Nia Neighbour." in words(answer)
        with inside(one):
            assert User.objects.get(id=cast.neighbour.id).is_active

    def test_is_for_who_manages_all_of_their_roles(self, one, cast, browse):
        with inside(one):
            person(cast.colleague.email, Role.GOVERNOR, school=cast.elm)
        place = self.place(cast.colleague, one, school=cast.oak)
        for somebody, status in ((cast.head, 404), (cast.neighbour, 404), (cast.officer, 403), (cast.admin, 200)):
            assert browse(somebody).get(place).status_code == status, somebody
        assert place not in browse(cast.head).get(place.replace("close/", "")).text
        assert browse(cast.head).post(place).status_code == 404
        with inside(one):
            assert User.objects.get(id=cast.colleague.id).is_active

    def test_is_not_for_ones_own_nor_for_somebody_who_has_not_come(self, one, cast, browse, nell):
        client = browse(cast.head)
        for place in (self.place(cast.head, one), f"/people/{nell.id}/close/"):
            assert client.get(place).status_code == client.post(place).status_code == 404
            assert place not in client.get(place.replace("close/", "")).text

    def test_somebody_who_comes_back_is_invited_again_and_begins_anew(self, one, cast, browse, at):
        browse(cast.admin).post(self.place(cast.colleague, one))
        with inside(one):
            invited = actions.invite(
                email=cast.colleague.email, name="Cal", role=Role.GOVERNOR, school_id=cast.oak.id, by=cast.head, at=at
            )
            assert invited.user_id == cast.colleague.id
            assert User.objects.get(id=cast.colleague.id).is_active
            assert AuditEntry.objects.get(verb="opened an account again").subject_id == cast.colleague.id
        assert browse(invited.user).get("/account/").status_code == 200
