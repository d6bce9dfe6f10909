"""Recording a review, page by page."""

from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from reading import at_policy, text_of

from handrail.core.documents import StoreUnavailable
from handrail.core.models import AuthoritySettings, Document
from handrail.policies import actions
from handrail.policies.models import Kind, Policy, PolicyReview, PolicyVersion
from tenants.context import inside

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day", "folder")]
DAY = timedelta(days=1)
TODAY = {"day": "today"}
PLACE = {"published_url": "https://oak.example/policy"}


def on_day(day, name="reviewed_on"):
    return {f"{name}_day": str(day.day), f"{name}_month": str(day.month), f"{name}_year": str(day.year)}


class Journey:
    """One person on the pages of one policy's review."""

    def __init__(self, client, policy):
        self.client, self.policy = client, policy

    def open(self, page=""):
        return self.client.get(at_policy(self.policy, f"review/{page}"))

    def answer(self, page="", **typed):
        """Answer a page; gives the name of the next one, or what is wrong with this."""
        answer = self.client.post(at_policy(self.policy, f"review/{page}"), typed)
        if answer.status_code == 302:
            return answer["Location"].removeprefix(at_policy(self.policy, "review/"))
        return text_of(answer)

    def check(self):
        return text_of(self.open("check/"))

    def record(self):
        return self.client.post(at_policy(self.policy, "review/check/"))


@pytest.fixture
def journey(browse, cast, policy):
    return Journey(browse(cast.head), policy)


def reviews(one):
    with inside(one):
        return list(PolicyReview.objects.select_related("version__document", "policy"))


class TestWithoutAChange:
    def test_takes_three_pages(self, one, cast, journey, on):
        assert "Today, 23 November 2026" in text_of(journey.open())
        assert journey.answer(outcome="no_change", **TODAY) == "place/"
        assert journey.answer("place/", **PLACE) == "check/"
        said = journey.check()
        assert "What happened Reviewed, no change Change what happened" in said
        assert "Date of review 23 November 2026 Change" in said
        assert "Where people can read it https://oak.example/policy Change" in said
        assert "Next review 23 November 2027 Change" in said
        answer = journey.record()
        assert answer["Location"] == "/?school=900001"
        home = text_of(journey.client.get(answer["Location"]))
        assert "Medical conditions policy: review recorded. The next one is due on 23 November 2027." in home
        [review] = reviews(one)
        assert (review.outcome, review.reviewed_on, review.recorded_by) == ("no_change", on, cast.head.id)
        assert review.policy.published_url == "https://oak.example/policy"

    def test_takes_the_officer_back_to_the_schools_policies(self, browse, cast, policy):
        officer = Journey(browse(cast.officer), policy)
        officer.answer(outcome="no_change", **TODAY)
        officer.answer("place/")
        assert officer.record()["Location"] == "/schools/900001/policies/"

    def test_is_the_same_for_the_authoritys_own(self, one, browse, cast, policies):
        officer = browse(cast.officer)
        officer.post("/authority/policy/review/", {"outcome": "updated", **TODAY})
        page = text_of(officer.get("/authority/policy/review/changes/"))
        assert "Hospital schools and alternative provision" in page
        assert "Governors or trustees" not in page
        officer.post("/authority/policy/review/changes/", {"changed": "Who decides.", "involved": ["schools"]})
        officer.post("/authority/policy/review/place/", {})
        answer = officer.post("/authority/policy/review/check/", follow=True)
        assert answer.redirect_chain == [("/authority/policy/", 302)]
        assert [review.policy.kind for review in reviews(one)] == [Kind.SECTION_19]

    def test_offers_the_last_address(self, one, journey):
        with inside(one):
            Policy.objects.filter(id=journey.policy.id).update(published_url="https://oak.example/last-year")
        journey.answer(outcome="no_change", **TODAY)
        assert 'value="https://oak.example/last-year"' in journey.open("place/").content.decode()


class TestWithAChange:
    @pytest.mark.parametrize("outcome", ["updated", "new"])
    def test_asks_what_and_who(self, one, journey, outcome):
        assert journey.answer(outcome=outcome, **TODAY) == "changes/"
        assert journey.answer("changes/", changed="Who is trained.", involved=["staff", "nurses"]) == "place/"
        journey.answer("place/", **PLACE)
        assert "Who was involved Staff, School nurses Change" in journey.check()
        journey.record()
        [review] = reviews(one)
        assert review.involved == ["staff", "nurses"]
        assert review.changed == ("Who is trained." if outcome == "updated" else "")

    def test_keeps_lines_apart_and_markup_harmless(self, one, journey):
        journey.answer(outcome="updated", **TODAY)
        journey.answer("changes/", changed="Who is <b>trained</b>.\r\nWhere the kit is.")
        journey.answer("place/")
        shown = "Who is &lt;b&gt;trained&lt;/b&gt;.<br>Where the kit is."
        assert shown in journey.open("check/").content.decode()
        journey.record()
        page = journey.client.get(at_policy(journey.policy)).content.decode()
        assert shown in page.replace("\r", "")

    def test_ticks_who_was_involved_last_time(self, one, cast, journey, at, on):
        with inside(one):
            record = {"policy": journey.policy, "by": cast.colleague, "at": at}
            actions.record_review(
                **record, reviewed_on=on - 365 * DAY, outcome="new", involved=["parents", "governors"]
            )
            actions.record_review(**record, reviewed_on=on - 9 * DAY, outcome="in_progress")
        journey.answer(outcome="updated", **TODAY)
        page = journey.open("changes/").content.decode()
        assert "As it was last time." in page
        assert page.count(" checked") == 2
        journey.answer("changes/", changed="Who is trained.", involved=["staff"])
        assert journey.open("changes/").content.decode().count(" checked") == 1

    def test_refuses_to_go_on_without_saying_what_changed(self, journey):
        journey.answer(outcome="updated", **TODAY)
        said = journey.answer("changes/", changed=" ", involved=["staff"])
        assert "Enter which points changed" in said
        assert "Error: What changed" in journey.answer("changes/", changed="x", involved=["the cat"])


class TestStillInProgress:
    def test_asks_no_more_and_moves_no_date(self, one, journey):
        assert journey.answer(outcome="in_progress", **TODAY) == "check/"
        said = journey.check()
        assert "The date of the next review stays as it is until you finish." in said
        assert "Where people can read it" not in said
        journey.record()
        [review] = reviews(one)
        assert (review.next_review_on, review.policy.last_reviewed_on) == (None, None)
        assert "review in progress" in text_of(journey.client.get("/"))


class TestDates:
    def test_may_be_another_day(self, one, journey, on):
        day = on - 40 * DAY
        assert journey.answer(outcome="no_change", day="another", **on_day(day)) == "place/"
        page = journey.open().content.decode()
        assert f'value="{day.day}"' in page
        journey.answer("place/")
        journey.record()
        assert [review.reviewed_on for review in reviews(one)] == [day]

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ({"outcome": ""}, "Select what happened"),
            ({"outcome": "perfect"}, "Error: Record a review"),
            ({"day": ""}, "Select when that was"),
            ({"day": "another"}, "Enter the date of review"),
            ({"day": "another", **on_day(date(2026, 11, 24))}, "Date of review must be today or in the past"),
            ({"day": "another", **on_day(date(2026, 11, 1)), "reviewed_on_month": ""}, "must include a month"),
            ({"day": "another", **on_day(date(2026, 3, 31)), "reviewed_on_month": "2"}, "must be a real date"),
        ],
    )
    def test_are_refused_in_words(self, journey, typed, said):
        assert said in journey.answer(**{"outcome": "no_change", **TODAY, **typed})
        assert journey.open("place/")["Location"] == at_policy(journey.policy, "review/")

    def test_ignore_the_boxes_when_it_was_today(self, journey, on):
        assert journey.answer(outcome="no_change", day="today", **on_day(on + DAY)) == "place/"

    def test_are_refused_before_the_last_review(self, one, cast, journey, at, on):
        with inside(one):
            actions.record_review(
                policy=journey.policy, by=cast.head, at=at, reviewed_on=on - 5 * DAY, outcome="no_change"
            )
        said = journey.answer(outcome="updated", day="another", **on_day(on - 6 * DAY))
        assert "Date of review must be on or after 18 November 2026" in said


class TestTheNextReview:
    @pytest.fixture
    def answered(self, journey):
        journey.answer(outcome="no_change", **TODAY)
        journey.answer("place/")
        return journey

    def test_is_the_usual_one_or_another(self, one, answered, on):
        assert "23 November 2027" in text_of(answered.open("next/"))
        another = on_day(date(2027, 9, 1), "next_review_on")
        assert answered.answer("next/", choice="another", **another) == "check/"
        assert "Next review 1 September 2027" in answered.check()
        assert answered.answer("next/", choice="usual", **another) == "check/"
        assert "Next review 23 November 2027" in answered.check()
        answered.answer("next/", choice="another", **another)
        answered.record()
        assert [review.next_review_on for review in reviews(one)] == [date(2027, 9, 1)]

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ({}, "Select when the next review is"),
            ({"choice": "another"}, "Enter the date of next review"),
            ({"choice": "another", **on_day(date(2026, 11, 23), "next_review_on")}, "on or after 24 November 2026"),
            ({"choice": "another", **on_day(date(2029, 11, 24), "next_review_on")}, "on or before 23 November 2029"),
        ],
    )
    def test_is_refused_when_it_is_no_cycle(self, answered, typed, said):
        assert said in answered.answer("next/", **typed)

    def test_of_allergy_safety_is_within_a_year(self, one, browse, cast, policies):
        with inside(one):
            AuthoritySettings.objects.create(review_months=24)
        journey = Journey(browse(cast.head), policies[Kind.ALLERGY_SAFETY])
        journey.answer(outcome="no_change", **TODAY)
        journey.answer("place/")
        assert "Next review 23 November 2027" in journey.check()
        assert "at least once a year" in text_of(journey.open("next/"))
        typed = on_day(date(2027, 11, 24), "next_review_on")
        assert "must be on or before 23 November 2027" in journey.answer("next/", choice="another", **typed)

    def test_is_worked_out_anew_when_the_day_of_review_changes(self, answered, on):
        answered.answer("next/", choice="another", **on_day(date(2027, 9, 1), "next_review_on"))
        answered.answer(outcome="no_change", day="another", **on_day(on - DAY))
        assert "Next review 22 November 2027" in answered.check()


class TestTheFile:
    @pytest.fixture
    def asked(self, journey):
        journey.answer(outcome="updated", **TODAY)
        journey.answer("changes/", changed="Who is trained.")
        return journey

    def test_is_kept_with_the_new_version(self, one, asked, pdf):
        assert asked.answer("place/", **PLACE, document=pdf("C:\\policies\\Ours.DOC.pdf")) == "check/"
        assert "File Ours.DOC.pdf" in asked.check()
        asked.record()
        [review] = reviews(one)
        assert review.version.document.name == "Ours.DOC.pdf"
        assert review.version.document.content_type == "application/pdf"

    def test_is_kept_while_another_answer_is_wrong_or_changed(self, one, asked, pdf):
        assert "correct format" in asked.answer("place/", published_url="our website", document=pdf())
        assert "You have uploaded Our policy.pdf" in text_of(asked.open("place/"))
        assert asked.open("check/")["Location"].endswith("/review/place/")
        assert asked.answer("place/", **PLACE) == "check/"
        assert "File Our policy.pdf" in asked.check()
        asked.answer(outcome="no_change", **TODAY)
        asked.record()
        assert reviews(one)[0].version.document.name == "Our policy.pdf"

    def test_may_be_replaced_or_taken_off(self, one, asked, pdf):
        asked.answer("place/", **PLACE, document=pdf("First.pdf"))
        asked.answer("place/", **PLACE, document=pdf("Second.pdf"))
        assert "File Second.pdf" in asked.check()
        asked.answer("place/", **PLACE, take_off="on")
        assert "File No new file" in asked.check()
        asked.record()
        assert reviews(one)[0].version.document is None

    @pytest.mark.parametrize(
        ("content", "name", "said"),
        [
            (b"", "policy.pdf", "The selected file is empty"),
            (b"Our policy is to be kind.", "policy.pdf", "The selected file must be a PDF, DOCX or ODT"),
            (b"%PDF-1.7", "policy.doc", "The selected file must be a PDF, DOCX or ODT"),
            (b"%PDF-1.7", "policy.pdf", "The selected file is damaged"),
            (b"%PDF-1.7" + bytes(10 * 1024 * 1024), "policy.pdf", "The selected file must be smaller than 10MB"),
        ],
    )
    def test_is_refused_in_words(self, one, asked, content, name, said):
        assert said in asked.answer("place/", **PLACE, document=SimpleUploadedFile(name, content))
        with inside(one):
            assert not Document.objects.exists()

    def test_is_refused_with_macros(self, asked, docm):
        assert "The selected file contains macros" in asked.answer("place/", **PLACE, document=docm)

    def test_that_cannot_be_stored_holds_nothing_up(self, one, asked, pdf, monkeypatch):
        def full(*_args):
            raise StoreUnavailable("a/one/two")

        with monkeypatch.context() as patch:
            patch.setattr("handrail.core.documents.Folder.put", full)
            said = asked.answer("place/", **PLACE, document=pdf())
        assert "The selected file could not be saved. Try again, or continue without it" in said
        with inside(one):
            assert not Document.objects.exists()
            assert not PolicyVersion.objects.exists()
        assert asked.answer("place/", **PLACE, document=pdf()) == "check/"


class TestTheWay:
    @pytest.mark.parametrize("page", ["changes/", "place/", "next/", "check/"])
    def test_begins_at_the_first_page(self, one, journey, page):
        assert journey.open(page)["Location"] == at_policy(journey.policy, "review/")
        assert journey.answer(page, changed="x", published_url="") == ""
        assert not reviews(one)

    def test_leads_back_page_by_page(self, journey):
        journey.answer(outcome="updated", **TODAY)
        journey.answer("changes/", changed="Who is trained.")
        journey.answer("place/")
        for page, back in (
            ("check/", "review/place/"),
            ("place/", "review/changes/"),
            ("changes/", "review/"),
            ("", ""),
        ):
            link = f'<a class="govuk-back-link" href="{at_policy(journey.policy, back)}">'
            assert link in journey.open(page).content.decode(), page

    def test_goes_straight_to_the_check_after_a_change(self, journey):
        journey.answer(outcome="no_change", **TODAY)
        journey.answer("place/", **PLACE)
        assert journey.answer(outcome="updated", **TODAY) == "changes/"
        assert journey.answer("changes/", changed="Who is trained.") == "check/"
        assert "Which points changed Who is trained." in journey.check()
        assert journey.answer(outcome="no_change", **TODAY) == "check/"
        assert "Which points changed" not in journey.check()

    def test_forgets_answers_to_pages_it_no_longer_leads_through(self, one, journey):
        journey.answer(outcome="updated", **TODAY)
        journey.answer("changes/", changed="Who is trained.", involved=["staff"])
        journey.answer("place/")
        journey.answer(outcome="no_change", **TODAY)
        journey.record()
        [review] = reviews(one)
        assert (review.changed, review.involved) == ("", [])

    def test_of_one_policy_is_not_that_of_another(self, journey, policies):
        journey.answer(outcome="no_change", **TODAY)
        other = Journey(journey.client, policies[Kind.CANNOT_ATTEND])
        assert other.open("place/")["Location"] == at_policy(other.policy, "review/")
        assert journey.open("place/").status_code == 200

    def test_of_one_person_is_not_that_of_another(self, journey, browse, cast):
        journey.answer(outcome="no_change", **TODAY)
        colleague = Journey(browse(cast.colleague), journey.policy)
        assert colleague.open("place/").status_code == 302


class TestTwoTaps:
    def test_record_one_review(self, one, journey):
        journey.answer(outcome="updated", **TODAY)
        journey.answer("changes/", changed="Who is trained.")
        journey.answer("place/")
        first, second = journey.record(), journey.record()
        assert first["Location"] == second["Location"] == "/?school=900001"
        assert len(reviews(one)) == 1
        assert journey.open("check/")["Location"] == "/?school=900001"
        assert text_of(journey.client.get("/")).count("review recorded") == 1

    def test_begin_anew_afterwards(self, journey):
        journey.answer(outcome="in_progress", **TODAY)
        journey.record()
        assert " checked" not in journey.open().content.decode()
        assert journey.open("place/")["Location"].endswith("/review/")

    def test_by_two_people_say_who_was_first(self, one, journey, browse, cast):
        colleague = Journey(browse(cast.colleague), journey.policy)
        for each in (journey, colleague):
            each.answer(outcome="no_change", **TODAY)
            each.answer("place/")
        journey.record()
        colleague.record()
        said = text_of(colleague.client.get("/"))
        assert "Hana Head recorded this review on 23 November 2026 at 9:05am. Nothing changed." in said
        assert len(reviews(one)) == 1

    def test_are_refused_when_somebody_recorded_a_later_review_meanwhile(self, one, cast, journey, at, on):
        journey.answer(outcome="no_change", day="another", **on_day(on - 2 * DAY))
        journey.answer("place/", **PLACE)
        with inside(one):
            actions.record_review(policy=journey.policy, by=cast.colleague, at=at, reviewed_on=on, outcome="no_change")
        said = text_of(journey.record())
        assert "Error: Check your answers" in said
        assert "Date of review must be on or after the last one recorded" in said
        assert len(reviews(one)) == 1
