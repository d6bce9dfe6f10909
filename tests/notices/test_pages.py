"""The mailbox of the demo, and the messages that need a person."""

from uuid import uuid4

import pytest
from factories import NoticeFactory

from handrail.notices.letters import Message
from handrail.notices.mailbox import Mailbox
from handrail.notices.models import Notice
from tenants.context import inside

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(settings, tmp_path):
    settings.IS_DEMO, settings.MAILBOX = True, tmp_path
    return tmp_path


def deliver(folder, authority, text, subject="A subject"):
    raw = f"Subject: {subject}\r\nTo: lead@oak.example\r\n\r\n{text}\r\n".encode()
    reference = uuid4()
    Mailbox(folder / str(authority.id)).send(Message(reference, "h@h.example", "lead@oak.example", raw))
    return reference


class TestMailbox:
    def test_shows_this_authoritys_messages_to_anybody_and_codes_first(self, demo, browse, one, two):
        deliver(demo, one, "Your code\r\n\r\n482913")
        deliver(demo, two, "Not yours", subject="Of Borchester")
        html = browse().get("/mailbox/").content.decode()
        assert "482913" in html
        assert "Of Borchester" not in html

    def test_shows_one_with_its_links(self, demo, browse, one, two):
        reference = deliver(demo, one, "Sign in:\r\nhttp://barsetshire.localhost/schools/\r\n\r\n<b>Bye</b>")
        html = browse().get(f"/mailbox/{reference}/").content.decode()
        assert 'href="http://barsetshire.localhost/schools/"' in html
        assert "&lt;b&gt;Bye" in html
        assert browse(authority=two).get(f"/mailbox/{reference}/").status_code == 404
        assert browse().get(f"/mailbox/{uuid4()}/").status_code == 404

    def test_does_not_make_a_link_of_anything_but_an_address(self, demo, browse, one):
        reference = deliver(demo, one, "httpx://evil.example\r\njavascript:alert(1)")
        assert 'href="javascript' not in browse().get(f"/mailbox/{reference}/").content.decode()

    def test_says_what_will_come_when_it_is_empty(self, demo, browse):
        assert "No messages yet" in browse().get("/mailbox/").content.decode()

    def test_is_not_there_outside_a_demo(self, browse, cast, one, settings, tmp_path):
        settings.MAILBOX = tmp_path
        reference = deliver(tmp_path, one, "482913")
        for person in (None, cast.officer):
            assert browse(person).get("/mailbox/").status_code == 404
            assert browse(person).get(f"/mailbox/{reference}/").status_code == 404


class TestUndelivered:
    ADDRESS = "/messages/undelivered/"

    @pytest.fixture
    def stuck(self, one, cast, at):
        with inside(one):
            return NoticeFactory(
                state="bounced", last_error="550 no such user", school_id=cast.oak.id, ended_at=at, attempt=1
            )

    def test_shows_what_needs_a_person(self, one, cast, browse, stuck, at):
        with inside(one):
            NoticeFactory(state="unknown", recipient="never@heard.example", is_possible_duplicate=True, ended_at=at)
            NoticeFactory(state="unknown", recipient="being@asked.example")
            NoticeFactory(state="accepted", recipient="all@well.example")
            NoticeFactory(recipient="still@waiting.example")
        html = browse(cast.officer).get(self.ADDRESS).content.decode()
        for shown in ("Oak School", "550 no such user", "Came back", "never@heard.example", "1 message is waiting"):
            assert shown in html
        for hidden in ("being@asked.example", "all@well.example", "still@waiting.example"):
            assert hidden not in html

    def test_tries_again_when_asked(self, one, cast, browse, stuck):
        answer = browse(cast.officer).post(f"/messages/{stuck.id}/replay/", follow=True)
        assert "will be tried again" in answer.content.decode()
        with inside(one):
            assert Notice.objects.get().state == "owed"
        again = browse(cast.officer).post(f"/messages/{stuck.id}/replay/", follow=True)
        assert "already being tried again" in again.content.decode()

    def test_is_refused_to_schools_and_strangers(self, cast, browse, stuck, two):
        for person in (cast.head, cast.neighbour):
            assert browse(person).get(self.ADDRESS).status_code == 403
            assert browse(person).post(f"/messages/{stuck.id}/replay/").status_code == 403
        assert browse().get(self.ADDRESS).status_code == 302
        stranger = browse(cast.stranger, authority=two)
        assert b"Oak School" not in stranger.get(self.ADDRESS).content
        assert stranger.post(f"/messages/{stuck.id}/replay/").status_code == 404

    @pytest.mark.parametrize(("count", "words"), [(1, "Up to 5 messages"), (5, "Up to 5 messages"), (6, "6 messages")])
    def test_counts_those_about_children_and_shows_none(self, one, cast, browse, at, count, words):
        with inside(one):
            about = [
                NoticeFactory(state="bounced", wording="child_action", recipient=f"canary{n}@oak.example", ended_at=at)
                for n in range(count)
            ]
        officer = browse(cast.officer)
        html = officer.get(self.ADDRESS).content.decode()
        assert f"{words} about children could not be delivered." in html
        assert "Every message was delivered" not in html
        assert "canary" not in html
        assert not [each for each in about if str(each.id) in html]
        assert officer.post(f"/messages/{about[0].id}/replay/").status_code == 404
        with inside(one):
            assert set(Notice.objects.values_list("state", flat=True)) == {"bounced"}
        assert "will be tried again" in officer.post("/messages/children/replay/", follow=True).content.decode()
        with inside(one):
            assert set(Notice.objects.values_list("state", flat=True)) == {"owed"}

    def test_of_children_are_not_tried_again_by_people_at_schools(self, one, cast, browse, at):
        with inside(one):
            NoticeFactory(state="bounced", wording="child_action", ended_at=at)
        assert browse(cast.head).post("/messages/children/replay/").status_code == 403
        with inside(one):
            assert Notice.objects.get().state == "bounced"

    def test_says_when_no_way_to_send_is_set_up(self, one, cast, browse, settings):
        settings.MAIL_PROVIDER = "none"
        with inside(one):
            NoticeFactory.create_batch(2)
        html = browse(cast.officer).get(self.ADDRESS).content.decode()
        assert "No way to send e-mail has been set up. Nothing is lost: 2 messages are waiting." in html

    def test_takes_as_many_statements_for_many_as_for_one(
        self, one, cast, browse, stuck, at, django_assert_max_num_queries
    ):
        officer = browse(cast.officer)
        with inside(one):
            for _ in range(30):
                NoticeFactory(state="dead", school_id=cast.elm.id, ended_at=at, last_error="554")
        with django_assert_max_num_queries(12):
            officer.get(self.ADDRESS)

    def test_says_that_all_is_well(self, cast, browse):
        assert "Every message was delivered" in browse(cast.officer).get(self.ADDRESS).content.decode()


class TestSettled:
    def test_a_school_sees_its_own_messages_newest_first(self, one, cast, at):
        with inside(one):
            old = NoticeFactory(school_id=cast.oak.id, step="a")
            new = NoticeFactory(school_id=cast.oak.id, step="b", owed_at=at.replace(hour=10))
            NoticeFactory(school_id=cast.elm.id)
            assert list(Notice.objects.of_school(cast.oak.id)) == [new, old]
            assert set(Notice.objects.visible_to(cast.head)) == {new, old}
            assert Notice.objects.visible_to(cast.officer).count() == 3
