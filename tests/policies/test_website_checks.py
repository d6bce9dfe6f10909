"""Addresses of policies as a queue: each is looked at in its turn, one host at a time, and what was seen is noted."""

from datetime import timedelta

import pytest
from django.db import connections
from factories import SchoolFactory
from reading import at_policy, text_of
from servers import Server

from handrail.core.models import AuditEntry
from handrail.notices.actions import NoLongerDue
from handrail.notices.models import Notice
from handrail.policies import actions, website_checks
from handrail.policies.models import Kind, Outcome, Policy, WebsiteCheck
from handrail.policies.website import Seen
from handrail.policies.website_checks import LEASE, UNFINISHED_AT_MOST, Claim, claim, follow_addresses, note
from handrail.policies.website_reminders import SUBJECT, owe_website_reminders, still_due
from tenants.context import inside
from workflows.website import look_at_what_is_due

pytestmark = pytest.mark.django_db
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
HERE, THERE = "https://oak.example/policy.pdf", "https://elm.example/policy.pdf"
FOUND = Seen(Outcome.FOUND, "", 200, "application/pdf", "a" * 64)
GONE = Seen(Outcome.NOT_FOUND, "answers that nothing is there (status 404)", 404)


@pytest.fixture
def here(one, cast, policies):
    with inside(one):
        yield one


@pytest.fixture
def publish(cast, policies, at):
    """Oak School's policies at these addresses, by kind, and what is to be looked at then."""

    def published(**addresses):
        for kind, url in addresses.items():
            actions.publish(policy=policies[kind], by=cast.head, at=at, published_url=url)
        follow_addresses(at=at)
        return {kind: WebsiteCheck.objects.filter(policy=policies[kind]).first() for kind in addresses}

    return published


def look(seen, at) -> WebsiteCheck:
    """Take what is due, see this, and give what is known then."""
    mine = claim(at=at)
    assert note(mine, seen, at=at)
    return WebsiteCheck.objects.get(id=mine.id)


class TestWhatIsLookedAt:
    def test_is_each_address_of_a_needed_policy_of_an_open_school(self, here, cast, publish, policies, on, at):
        publish(medical_conditions=HERE, allergy_safety=THERE, cannot_attend="")
        assert set(WebsiteCheck.objects.values_list("url", "host")) == {(HERE, "oak.example"), (THERE, "elm.example")}
        actions.decide_not_needed(policy=policies["allergy_safety"], by=cast.officer, at=at, reason="Shared")
        follow_addresses(at=at)
        assert WebsiteCheck.objects.get().url == HERE
        cast.oak.closed_on = on
        cast.oak.save()
        follow_addresses(at=at)
        assert not WebsiteCheck.objects.exists()

    def test_begins_anew_with_another_address_and_not_with_the_same(self, here, publish, at):
        publish(medical_conditions=HERE)
        before = look(FOUND, at)
        publish(medical_conditions=HERE)
        assert WebsiteCheck.objects.get() == before
        publish(medical_conditions=THERE)
        assert (WebsiteCheck.objects.get().seen_at, WebsiteCheck.objects.get().digest) == (None, "")

    def test_is_due_again_after_a_week_and_earlier_when_it_was_not_found(self, here, publish, at):
        publish(medical_conditions=HERE)
        assert look(FOUND, at).due_at == at + 7 * DAY
        assert claim(at=at + 7 * DAY - MINUTE) is None
        assert look(GONE, at + 7 * DAY).due_at == at + 10.5 * DAY

    def test_of_one_host_is_looked_at_by_one_worker_and_then_left_alone(self, here, publish, at):
        publish(medical_conditions=HERE, allergy_safety="https://oak.example/other.pdf", cannot_attend=THERE)
        first, second = claim(at=at), claim(at=at)
        assert {first.url, second.url} - {HERE, "https://oak.example/other.pdf"} == {THERE}
        assert claim(at=at) is None
        of_oak = first if "oak" in first.url else second
        note(of_oak, FOUND, at=at)
        assert claim(at=at + 59 * MINUTE / 60) is None
        assert claim(at=at + MINUTE) is not None

    def test_is_left_alone_for_as_long_as_it_asks_up_to_an_hour(self, here, publish, at):
        publish(medical_conditions=HERE, allergy_safety="https://oak.example/other.pdf")
        look(Seen(Outcome.FOUND, digest="b", pause=1e300), at)
        assert claim(at=at + 59 * MINUTE) is None
        assert claim(at=at + 60 * MINUTE) is not None

    def test_goes_to_another_worker_when_its_own_died_and_three_at_most(self, here, publish, at):
        publish(medical_conditions=HERE)
        for time in range(UNFINISHED_AT_MOST):
            mine = claim(at=at + time * LEASE)
            assert mine is not None
            assert claim(at=at + time * LEASE) is None
        assert claim(at=at + UNFINISHED_AT_MOST * LEASE) is None

    def test_is_not_written_by_a_worker_that_was_too_slow(self, here, publish, at):
        publish(medical_conditions=HERE)
        late = claim(at=at)
        in_time = claim(at=at + LEASE)
        assert not note(late, GONE, at=at + LEASE)
        assert note(in_time, FOUND, at=at + LEASE)
        assert WebsiteCheck.objects.get().outcome == Outcome.FOUND

    def test_is_not_written_about_an_address_that_was_changed_meanwhile(self, here, publish, at):
        publish(medical_conditions=HERE)
        mine = claim(at=at)
        publish(medical_conditions=THERE)
        assert not note(mine, FOUND, at=at)
        assert not note(Claim(mine.id, HERE, at), FOUND, at=at)


class TestAChange:
    def test_is_noticed_and_the_first_sight_is_none(self, here, publish, policies, at):
        publish(medical_conditions=HERE)
        assert look(FOUND, at).changed_at is None
        assert look(FOUND, at + 7 * DAY).changed_at is None
        later = at + 14 * DAY
        assert look(Seen(Outcome.FOUND, digest="b"), later).changed_at == later
        assert look(GONE, later + 7 * DAY).changed_at == later
        [entry] = AuditEntry.objects.filter(verb="found that a published policy had changed")
        assert (entry.subject_id, entry.by_name) == (policies["medical_conditions"].id, "Handrail")


@pytest.fixture
def missing(publish, at):
    """Not found three times in a week; gives when that was so."""
    publish(medical_conditions=HERE)
    for days in (0, 3.5, 7):
        check = look(GONE, at + days * DAY)
        assert check.is_missing == (days == 7)
    return at + 7 * DAY


class TestAMissingPolicy:
    def test_is_one_not_found_three_times_over_a_week(self, here, missing):
        assert WebsiteCheck.objects.missing().count() == 1
        assert AuditEntry.objects.filter(verb="could not find a published policy").count() == 1
        look(GONE, missing + 4 * DAY)
        assert AuditEntry.objects.filter(verb="could not find a published policy").count() == 1

    def test_is_asked_about_once(self, here, cast, missing, policies, at):
        before = owe_website_reminders(on=at.date(), at=at)  # as the clock stood then
        owe_website_reminders(on=missing.date(), at=missing)
        assert (before.owed, owe_website_reminders(on=missing.date() + DAY, at=missing + DAY).owed) == (1, 0)
        [notice] = Notice.objects.of_subject(SUBJECT, policies["medical_conditions"].id)
        assert (notice.wording, notice.recipient, notice.school_id) == (
            "policy_not_found", cast.oak.lead_email or cast.oak.office_email, cast.oak.id
        )  # fmt: skip
        facts = still_due(notice, at=missing)
        assert facts["path"] == at_policy(policies["medical_conditions"], "published/")
        assert (facts["whose"], facts["due"]) == (cast.oak.name, "23 November 2026")

    def test_is_not_asked_about_before(self, here, publish, at):
        publish(medical_conditions=HERE)
        for days in (0, 3.5):
            look(GONE, at + days * DAY)
        assert owe_website_reminders(on=at.date(), at=at).owed == 0

    @pytest.mark.parametrize("what", ["found", "moved", "not needed", "another contact"])
    def test_is_no_longer_asked_about(self, here, cast, missing, publish, policies, at, what):
        owe_website_reminders(on=missing.date(), at=missing)
        notice = Notice.objects.get(subject_kind=SUBJECT)
        policy = policies["medical_conditions"]
        if what == "found":
            look(FOUND, missing + 4 * DAY)
        elif what == "moved":
            publish(medical_conditions=THERE)
        elif what == "not needed":
            actions.decide_not_needed(policy=policy, by=cast.officer, at=at, reason="Shared")
        else:
            actions.set_details(
                policy=policy, by=cast.head, at=at, lead_name="New", lead_email="new@oak.example", link_governor=""
            )
        with pytest.raises(NoLongerDue):
            still_due(notice, at=missing + 4 * DAY)

    def test_that_only_asks_programs_not_to_look_is_none(self, here, publish, at):
        publish(medical_conditions=HERE)
        for days in (0, 7, 14):
            check = look(Seen(Outcome.ASKED_NOT_TO, "asks programs not to look at it"), at + days * DAY)
        assert (check.failures, check.is_missing) == (0, False)

    def test_of_which_nobody_knows_any_more_is_none(self, here, missing):
        barred = Seen(Outcome.ASKED_NOT_TO, "does not let programs in (status 403)", 403)
        check = look(barred, missing + 4 * DAY)
        assert (check.failures, check.is_missing) == (0, False)


@pytest.fixture
def publish_elsewhere(two, on, at):
    """`publish_elsewhere(website)`: a policy of a school of another authority has that address."""

    def run(website):
        with inside(two):
            SchoolFactory()
            actions.open_policies(on=on, at=at)
            theirs = Policy.objects.of_schools().filter(kind=Kind.ALLERGY_SAFETY)[:1]
            Policy.objects.filter(id__in=theirs.values("id")).update(published_url=website)
            follow_addresses(at=at)

    return run


class TestARun:
    def test_looks_at_each_host_once_and_comes_back(self, one, publish, at):
        answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nContent-Length: 4\r\n\r\n%PDF"
        with Server(lambda stream: stream.sendall(answer)) as server:
            with inside(one):
                website = f"http://{{}}.localhost:{server.port}/policy.pdf"
                publish(medical_conditions=website.format("oak"), allergy_safety=website.format("oak") + "?2")
                publish(cannot_attend=website.format("elm"))
            assert look_at_what_is_due(one, at=at) == 2
            assert look_at_what_is_due(one, at=at) == 0
            assert look_at_what_is_due(one, at=at + MINUTE) == 1
            assert b"User-Agent: Handrail (checks that policies of schools can be read, http" in server.requests[0]
        with inside(one):
            assert set(WebsiteCheck.objects.values_list("outcome", flat=True)) == {Outcome.FOUND}

    @pytest.mark.django_db(transaction=True)
    def test_leaves_a_host_alone_at_which_another_authority_is(self, one, two, publish, publish_elsewhere, at):
        by_two = []

        def answer(stream):
            try:
                by_two.append(look_at_what_is_due(two, at=at))
            finally:
                connections.close_all()
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nSeen")

        with Server(answer) as server:
            website = f"http://trust.localhost:{server.port}/policy.txt"
            publish_elsewhere(website)
            with inside(one):
                publish(medical_conditions=website)
            assert look_at_what_is_due(one, at=at) == 1
            assert set(by_two) == {0}, "while one looks"
            assert look_at_what_is_due(two, at=at) == 1

    @pytest.mark.django_db(transaction=True)
    def test_goes_on_to_no_host_at_which_another_authority_is(self, one, two, publish, publish_elsewhere, at):
        by_one = []

        def answer(stream):
            path = server.requests[-1].split()[1]
            if path == b"/leads":
                moved = f"HTTP/1.1 302 Found\r\nLocation: {website}\r\nContent-Length: 0\r\n\r\n"
                stream.sendall(moved.encode())
                return
            if path == b"/policy.txt" and not by_one:
                try:
                    by_one.append(look_at_what_is_due(one, at=at))
                finally:
                    connections.close_all()
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nSeen")

        with Server(answer) as server:
            website = f"http://trust.localhost:{server.port}/policy.txt"
            publish_elsewhere(website)
            with inside(one):
                publish(medical_conditions=f"http://oak.localhost:{server.port}/leads")
            assert look_at_what_is_due(two, at=at) == 1
            assert by_one == [0], "while two looks"
            assert sum(b"/policy.txt" in each for each in server.requests) == 1
            with inside(one):
                check = WebsiteCheck.objects.get()
            assert (check.outcome, check.unfinished, check.due_at) == ("", 0, at + MINUTE)
            assert look_at_what_is_due(one, at=at + MINUTE) == 1
        with inside(one):
            assert WebsiteCheck.objects.get().outcome == Outcome.FOUND

    def test_leaves_alone_for_a_while_where_an_address_led(self, here, publish, at):
        publish(medical_conditions=HERE, allergy_safety=THERE)
        first = look(Seen(Outcome.FOUND, digest="b", hosts=("oak.example", "elm.example")), at)
        assert first.url in (HERE, THERE)
        assert claim(at=at) is None
        assert claim(at=at + MINUTE) is not None

    def test_that_dies_while_it_looks_leaves_the_address_to_the_next(self, one, publish, at, monkeypatch):
        with inside(one):
            publish(medical_conditions=HERE)

        def dies(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr("workflows.website.website.look", dies)
        with pytest.raises(KeyboardInterrupt):
            look_at_what_is_due(one, at=at)
        monkeypatch.setattr("workflows.website.website.look", lambda *_, **__: FOUND)
        assert look_at_what_is_due(one, at=at) == 0
        assert look_at_what_is_due(one, at=at + LEASE) == 1


@pytest.mark.usefixtures("the_day")
class TestPages:
    def test_say_what_was_seen(self, one, cast, browse, publish, policies, at):
        policy = policies["medical_conditions"]
        with inside(one):
            publish(medical_conditions=HERE)
        lead = browse(cast.head)
        assert "We have not looked at it yet." in text_of(lead.get(at_policy(policy)))
        with inside(one):
            look(FOUND, at)
            look(Seen(Outcome.FOUND, digest="b"), at + 7 * DAY)
        for page in (at_policy(policy), "/schools/900001/policies/"):
            assert "Seen on 30 November 2026. Changed on 30 November 2026, after its last review." in text_of(
                lead.get(page)
            )
        with inside(one):
            look(GONE, at + 14 * DAY)
        said = text_of(lead.get(at_policy(policy)))
        assert "Not found since 7 December 2026. The address answers that nothing is there (status 404)." in said
        assert "Last seen on 30 November 2026." in said

    def test_list_them_for_the_officer(self, one, cast, browse, publish, at):
        with inside(one):
            publish(medical_conditions=HERE, allergy_safety=THERE)
            look(GONE, at)
        officer = browse(cast.officer)
        for sight, there, absent in [
            ("not-found", "Not found since 23 November 2026", "We have not looked"),
            ("not-yet", "We have not looked at it yet", "Not found since"),
            ("no-address", "No address given", "Not found since"),
            ("seen", "No policy matches", "Not found since"),
            ("changed", "No policy matches", "Not found since"),
        ]:
            said = text_of(officer.get(f"/policies/websites/?sight={sight}"))
            assert there in said, sight
            assert absent not in said, sight
        assert "Not found since" in text_of(officer.get("/policies/websites/?q=oak&sight=nonsense"))
        sheet = b"".join(officer.get("/policies/websites.csv?sight=not-found").streaming_content).decode("utf-8-sig")
        assert "answers that nothing is there (status 404)" in sheet
        assert len(sheet.splitlines()) == 2

    def test_of_all_schools_are_the_officers(self, cast, browse, policies):
        for page in ("/policies/websites/", "/policies/websites.csv"):
            assert browse(cast.head).get(page).status_code == 403
            assert browse().get(page).status_code == 302

    def test_ask_the_database_as_often_for_many_as_for_few(
        self, one, cast, browse, publish, policies, on, at, django_assert_max_num_queries
    ):
        officer = browse(cast.officer)
        with inside(one):
            for _ in range(20):
                SchoolFactory()
            actions.open_policies(on=on, at=at)
            Policy.objects.of_schools().update(published_url=HERE)
            website_checks.follow_addresses(at=at)
            assert WebsiteCheck.objects.filter(policy__kind=Kind.ALLERGY_SAFETY).count() > 20
        officer.get("/policies/websites/")
        with django_assert_max_num_queries(8):
            officer.get("/policies/websites/")
