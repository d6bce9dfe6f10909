"""Pages about policies: what is on them, what they change, and who may not see them."""

from datetime import date, timedelta

import pytest
from factories import AT, SchoolFactory
from reading import at_policy, text_of

from handrail.core.documents import NotFound, StoreUnavailable
from handrail.core.models import AuditEntry
from handrail.policies import actions
from handrail.policies.models import Kind, Policy
from tenants.context import inside

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day", "folder")]
DAY = timedelta(days=1)


@pytest.fixture
def reviewed(one, cast, policy, at, on, pdf):
    """The policy with a document, a review of last year and one of this year."""
    with inside(one):
        record = {"policy": policy, "by": cast.head, "at": at}
        file = pdf()
        document = actions.keep_document(**record, file=file, name=file.name)
        actions.record_review(
            **record,
            reviewed_on=on - 400 * DAY,
            outcome="new",
            involved=["staff", "nurses"],
            document=document,
            published_url="https://oak.example/policy",
        )
        actions.record_review(**record, reviewed_on=on - 30 * DAY, outcome="updated", changed="Who is trained.")
    return policy


PAGES = ("", "details/", "published/", "approval/", "review/", "review/changes/", "review/place/", "review/next/")
OFFICERS_PAGES = ("not-needed/", "needed-again/")


class TestWhoMay:
    @pytest.mark.parametrize("page", [*PAGES, "review/check/"])
    def test_a_schools_lead_and_the_officer_may_open_its_pages_and_nobody_else(self, page, policy, cast, browse, two):
        for person in (cast.head, cast.colleague, cast.officer, cast.admin):
            assert browse(person).get(at_policy(policy, page)).status_code in (200, 302), person
        assert browse(cast.neighbour).get(at_policy(policy, page)).status_code == 404
        assert browse(cast.stranger, authority=two).get(at_policy(policy, page)).status_code == 404
        assert browse().get(at_policy(policy, page))["Location"].startswith("/sign-in/")

    @pytest.mark.parametrize("page", OFFICERS_PAGES)
    def test_only_officers_decide_what_is_needed(self, page, policy, cast, browse, two):
        assert browse(cast.officer).get(at_policy(policy, page)).status_code == 200
        assert browse(cast.head).get(at_policy(policy, page)).status_code == 403
        assert browse(cast.head).post(at_policy(policy, page), {"reason": "We say so."}).status_code == 403
        assert browse(cast.stranger, authority=two).get(at_policy(policy, page)).status_code == 404
        assert browse().get(at_policy(policy, page))["Location"].startswith("/sign-in/")

    @pytest.mark.parametrize("page", PAGES)
    def test_only_officers_see_the_authoritys_own_policy(self, page, policies, cast, browse):
        assert browse(cast.officer).get(f"/authority/policy/{page}").status_code in (200, 302)
        assert browse(cast.head).get(f"/authority/policy/{page}").status_code in (403, 404)

    def test_a_schools_address_shows_no_policy_of_another(self, policy, cast, browse):
        assert browse(cast.officer).get(f"/schools/{cast.elm.urn}/policies/{policy.id}/").status_code == 404
        assert browse(cast.officer).get(f"/schools/{cast.oak.urn}/policies/").status_code == 200
        assert browse(cast.neighbour).get(f"/schools/{cast.oak.urn}/policies/").status_code == 404

    def test_the_neighbour_changes_nothing(self, one, reviewed, cast, browse):
        with inside(one):
            before = Policy.objects.filter(id=reviewed.id).values().get(), AuditEntry.objects.count()
        neighbour = browse(cast.neighbour)
        for page in (*PAGES, "review/check/"):
            answer = neighbour.post(at_policy(reviewed, page), {"lead_name": "Nia", "outcome": "no_change"})
            assert answer.status_code in (404, 405)
        with inside(one):
            assert (Policy.objects.filter(id=reviewed.id).values().get(), AuditEntry.objects.count()) == before


class TestSchoolView:
    def test_shows_three_policies_with_status_and_dates(self, reviewed, cast, browse):
        said = text_of(browse(cast.head).get(f"/schools/{cast.oak.urn}/policies/"))
        assert "Medical conditions policy In date Last reviewed on 24 October 2026." in said
        assert "The next review is due on 24 October 2027. Lead: Lee Lead. Read it on the website" in said
        assert "Allergy safety policy Not recorded No review has been recorded yet." in said
        assert "Start date to be confirmed" in said
        assert "from a day that has not been announced." in said
        assert said.count("Record a review") == 3

    def test_says_how_late_a_review_is(self, one, policy, cast, browse, on):
        with inside(one):
            Policy.objects.filter(id=policy.id).update(last_reviewed_on=date(2025, 1, 1), next_review_on=on - DAY)
        said = text_of(browse(cast.head).get(f"/schools/{cast.oak.urn}/policies/"))
        assert "Overdue The review was due on 22 November 2026, 1 day ago." in said

    def test_asks_nothing_of_a_school_without_the_duty(self, one, cast, browse, on, at):
        with inside(one):
            school = SchoolFactory(body="independent_school", type_name="Other independent school")
            actions.open_policies(on=on, at=at)
        said = text_of(browse(cast.officer).get(f"/schools/{school.urn}/policies/"))
        assert "Other independent school: this kind of school does not have to keep these policies." in said
        assert said.count("Not needed") == 3
        assert "Record a review" not in said

    def test_says_what_is_inherited_and_what_is_not_needed(self, one, policies, cast, browse):
        with inside(one):
            Policy.objects.filter(kind=Kind.MEDICAL_CONDITIONS).update(is_inherited=True)
            Policy.objects.filter(kind=Kind.CANNOT_ATTEND).update(not_needed_reason="No pupils of school age.")
        said = text_of(browse(cast.head).get(f"/schools/{cast.oak.urn}/policies/"))
        assert "Inherited: approve again" in said
        assert "Not needed No pupils of school age." in said

    def test_asks_the_same_number_of_questions_whatever_is_on_it(
        self, one, reviewed, cast, browse, django_assert_num_queries
    ):
        head, place = browse(cast.head), f"/schools/{cast.oak.urn}/policies/"
        head.get(place)
        with django_assert_num_queries(7):  # session, person, roles, school, settings, policies, whom it was brought to
            head.get(place)


class TestPolicyView:
    def test_shows_everything_about_it(self, one, reviewed, cast, browse):
        said = text_of(browse(cast.head).get(at_policy(reviewed)))
        assert "Last reviewed 24 October 2026 Next review 24 October 2027 Lead Lee Lead Change" in said
        assert "Approved by Not recorded Record" in said
        assert "Where people can read it https://oak.example/policy" in said
        assert "Version 2, current 23 November 2026 Not recorded None Version 1 23 November 2026" in said
        assert "Download Our policy.pdf" in said
        assert said.index("24 October 2026 Updated Who is trained.") < said.index("19 October 2025 New policy")
        assert "Staff, School nurses Hana Head, 23 November 2026" in said

    def test_offers_the_officer_alone_to_decide_it_is_not_needed(self, policy, cast, browse):
        assert "This policy is not needed" in text_of(browse(cast.officer).get(at_policy(policy)))
        assert "This policy is not needed" not in text_of(browse(cast.head).get(at_policy(policy)))

    def test_shows_the_authoritys_own_without_a_school(self, policies, cast, browse):
        said = text_of(browse(cast.officer).get("/authority/policy/"))
        assert "Barsetshire Section 19 policy Record a review Not recorded" in said
        assert "Responsible councillor" in said

    def test_asks_the_same_number_of_questions_however_long_its_history_is(
        self, one, reviewed, cast, browse, at, on, django_assert_num_queries
    ):
        head = browse(cast.head)
        head.get(at_policy(reviewed))
        with django_assert_num_queries(7):
            head.get(at_policy(reviewed))
        with inside(one):
            for days in range(1, 29):
                record = {"policy": reviewed, "by": cast.head, "at": at, "outcome": "updated"}
                actions.record_review(**record, reviewed_on=on - (29 - days) * DAY)
        with django_assert_num_queries(7):
            head.get(at_policy(reviewed))


class TestForms:
    def test_name_who_is_responsible(self, one, policy, cast, browse):
        typed = {"lead_name": "Lee Lead", "lead_email": "lee@oak.example", "link_governor": "Gil Governor"}
        answer = browse(cast.head).post(at_policy(policy, "details/"), typed, follow=True)
        assert answer.redirect_chain == [(at_policy(policy), 302)]
        assert "Saved who is responsible" in text_of(answer)
        assert "Gil Governor" in text_of(answer)

    def test_keep_what_was_typed_beside_what_is_wrong(self, policy, cast, browse):
        answer = browse(cast.head).post(at_policy(policy, "details/"), {"lead_name": "Lee", "lead_email": "lee at oak"})
        page = answer.content.decode()
        assert "<title>Error: Who is responsible" in page
        assert "Enter an e-mail address in the correct format, like name@example.com" in page
        assert 'value="Lee"' in page
        assert 'value="lee at oak"' in page

    def test_say_where_it_is_published(self, one, policy, cast, browse):
        head = browse(cast.head)
        assert head.post(at_policy(policy, "published/"), {"published_url": "oak.example/policy"}).status_code == 302
        with inside(one):
            assert Policy.objects.get(id=policy.id).published_url == "https://oak.example/policy"

    @pytest.mark.parametrize("typed", ["javascript:alert(1)", "ftp://oak.example/policy", "our website", "https://"])
    def test_take_no_address_that_is_not_of_the_web(self, one, policy, cast, browse, typed):
        answer = browse(cast.head).post(at_policy(policy, "published/"), {"published_url": typed})
        assert "Enter a web address in the correct format" in text_of(answer)
        with inside(one):
            assert Policy.objects.get(id=policy.id).published_url == ""

    @pytest.mark.parametrize(
        "typed",
        [
            "http://10.0.0.1/policy", "http://169.254.169.254/latest", "http://127.0.0.1/", "http://[::1]/",
            "http://policy.localhost/",
            "http://[::ffff:10.0.0.1]/", "http://localhost/policy", "https://user:secret@oak.example/",
            "https://oak.example@10.0.0.1/", "https://oak.example:99999/",
        ],
    )  # fmt: skip
    def test_take_no_address_that_only_some_can_reach(self, one, policy, cast, browse, settings, typed):
        settings.ALLOWS_LOOPBACK = False
        answer = browse(cast.head).post(at_policy(policy, "published/"), {"published_url": typed})
        assert "Enter a web address that everybody can reach, without a user name or password in it" in text_of(answer)
        with inside(one):
            assert Policy.objects.get(id=policy.id).published_url == ""
            with pytest.raises(actions.NotAWebAddress, match="everybody can reach"):
                actions.publish(policy=policy, published_url=typed, by=cast.head, at=AT)

    @pytest.mark.parametrize(
        "typed", ["http://8.8.8.8/policy", "https://xn--80ak6aa92e.com/", "https://oak.example:8443/päth"]
    )
    def test_take_an_address_of_another_spelling(self, policy, cast, browse, settings, typed):
        settings.ALLOWS_LOOPBACK = False
        answer = browse(cast.head).post(at_policy(policy, "published/"), {"published_url": typed})
        assert answer.status_code == 302

    def test_record_an_approval(self, one, reviewed, cast, browse):
        typed = {"approved_by": "Full governing body", "minute_reference": "7.2"}
        typed |= {"approved_on_day": "3", "approved_on_month": "11", "approved_on_year": "2026"}
        answer = browse(cast.head).post(at_policy(reviewed, "approval/"), typed, follow=True)
        assert "Approved by Full governing body, 3 November 2026, minute 7.2" in text_of(answer)

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ({}, "Enter who approved it"),
            ({"approved_on_year": ""}, "Date of approval must include a year"),
            ({"approved_on_day": "31"}, "Date of approval must be a real date"),
            ({"approved_on_day": "24"}, "Date of approval must be today or in the past"),
        ],
    )
    def test_refuse_an_approval_that_cannot_be(self, reviewed, cast, browse, typed, said):
        known = {"approved_on_day": "3", "approved_on_month": "11", "approved_on_year": "2026"} | typed
        assert said in text_of(browse(cast.head).post(at_policy(reviewed, "approval/"), known))

    def test_refuse_the_approval_of_nothing(self, policy, cast, browse):
        typed = {"approved_by": "Full governing body"}
        typed |= {"approved_on_day": "3", "approved_on_month": "11", "approved_on_year": "2026"}
        answer = browse(cast.head).post(at_policy(policy, "approval/"), typed)
        assert "Record a review of this policy before its approval" in text_of(answer)

    def test_decide_that_it_is_not_needed_and_take_that_back(self, policy, cast, browse):
        officer = browse(cast.officer)
        assert "Enter why this policy is not needed" in text_of(officer.post(at_policy(policy, "not-needed/"), {}))
        answer = officer.post(at_policy(policy, "not-needed/"), {"reason": "No pupils on site."}, follow=True)
        assert "Not needed: No pupils on site." in text_of(answer)
        assert "Record a review" not in text_of(answer)
        answer = officer.post(at_policy(policy, "needed-again/"), follow=True)
        assert "Medical conditions policy Record a review Not recorded" in text_of(answer)


class TestDocumentView:
    def test_gives_the_file_to_be_saved(self, reviewed, cast, browse):
        answer = browse(cast.head).get(at_policy(reviewed, "versions/1/document/"))
        assert answer["Content-Disposition"] == 'attachment; filename="Our policy.pdf"'
        assert answer["Content-Type"] == "application/pdf"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "no-store, private"
        assert b"".join(answer.streaming_content).startswith(b"%PDF-")

    def test_gives_it_to_nobody_else(self, reviewed, cast, browse, two):
        place = at_policy(reviewed, "versions/1/document/")
        assert browse(cast.neighbour).get(place).status_code == 404
        assert browse(cast.stranger, authority=two).get(place).status_code == 404
        assert browse().get(place)["Location"].startswith("/sign-in/")

    @pytest.mark.parametrize("number", [2, 3])
    def test_finds_no_file_where_there_is_none(self, reviewed, cast, browse, number):
        assert browse(cast.head).get(at_policy(reviewed, f"versions/{number}/document/")).status_code == 404

    @pytest.mark.parametrize("trouble", [NotFound, StoreUnavailable])
    def test_says_when_the_file_cannot_be_fetched(self, reviewed, cast, browse, monkeypatch, trouble):
        def fails(*_args):
            raise trouble("a/one/two")

        monkeypatch.setattr("handrail.core.documents.Folder.open", fails)
        answer = browse(cast.head).get(at_policy(reviewed, "versions/1/document/"))
        assert answer.status_code == 503
        assert "Our policy.pdf could not be fetched. Try again in a few minutes." in text_of(answer)

    def test_sends_to_the_buckets_own_address(self, reviewed, cast, browse, monkeypatch):
        monkeypatch.setattr("handrail.core.documents.Folder.link", lambda *_a, **_k: "https://bucket.example/signed")
        answer = browse(cast.head).get(at_policy(reviewed, "versions/1/document/"))
        assert (answer.status_code, answer["Location"]) == (302, "https://bucket.example/signed")
