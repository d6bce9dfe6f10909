"""A school that converts: its return begins with what the school that it was had answered and saved."""

from datetime import timedelta

import pytest
from factories import SchoolFactory, person
from reading import text_of

from handrail.accounts.roles import Role
from handrail.policies.actions import open_policies
from handrail.policies.models import Policy
from handrail.returns import actions
from handrail.returns.actions import Wanted
from handrail.returns.models import Draft, Return
from handrail.returns.standing import sections_of
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db

HOME = "/schools/900071/return/"
NO = Wanted("no", reason="The head wrote it last week.")


@pytest.fixture
def academy(one, cast, on):
    """What Oak School became today, with a lead of its own."""
    with inside(one):
        School.objects.filter(id=cast.oak.id).update(closed_on=on)
        return SchoolFactory(urn="900071", name="Oak Academy", body=cast.oak.body, converted_from=cast.oak)


@pytest.fixture
def lead(one, academy):
    with inside(one):
        return person("lead@academy.example", Role.SCHOOL_LEAD, school=academy, name="Ada Academy")


def points(cycle, school):
    return {point.requirement.id: point for section in sections_of(cycle, school) for point in section.points}


class TestOfASchoolThatHadBegun:
    def test_begins_with_what_was_saved_and_says_where(self, one, cycle, answer, ids, academy, lead, browse):
        answer({ids[0]: NO}, only=ids[:3])
        page = text_of(browse(lead).get(HOME))
        assert "3 answers were saved at Oak School and not submitted. Look through them" in page
        assert "at Oak School, and not submitted: Hana Head" in text_of(browse(lead).get(f"{HOME}sections/1/"))
        with inside(one):
            found = points(cycle, academy)
            assert (found[ids[0]].answer.content["reason"], found[ids[0]].is_unsubmitted) == (NO.reason, True)
            assert found[ids[3]].answer is None

    def test_says_its_own_word_first_and_leaves_the_old_schools_rows(self, one, cast, cycle, at, answer, ids, academy):
        answer({ids[0]: NO}, only=ids[:3])
        own = {"cycle": cycle, "school": academy, "by": cast.officer, "at": at}
        with inside(one):
            actions.save_answers(answers={ids[0]: Wanted("yes")}, **own)
            found = points(cycle, academy)
            assert (found[ids[0]].answer.verdict, found[ids[0]].is_unsubmitted) == ("yes", False)
            actions.save_answers(answers={each: Wanted("yes") for each in ids[3:]}, **own)
            made = actions.submit(**own)
            assert made.answers.get(requirement_id=ids[1]).answered_by_name == "Hana Head"
            assert Draft.objects.filter(school=cast.oak).count() == 3
            assert not Draft.objects.filter(school=academy).exists()


class TestOfASchoolThatHadReturned:
    def test_carries_the_answers_with_who_gave_them(self, one, cast, cycle, at, submitted, ids, academy, lead, browse):
        first = submitted({ids[0]: NO})
        page = text_of(browse(lead).get(HOME))
        assert f"{len(ids)} answers are from the last return of Oak School, where the same was asked." in page
        assert "From the last return of Oak School: Hana Head" in text_of(browse(lead).get(f"{HOME}sections/1/"))
        assert "as in the last return of Oak School." in text_of(browse(lead).get(f"{HOME}submit/"))
        browse(lead).post(f"{HOME}submit/")
        with inside(one):
            made = Return.objects.get(school=academy)
            said = made.answers.get(requirement_id=ids[0])
            assert (said.verdict, said.answered_by_name) == ("no", "Hana Head")
            assert said.carried_from == first.answers.get(requirement_id=ids[0])
        assert "Oak School" not in text_of(browse(lead).get(f"{HOME}sections/1/")).replace("Oak Academy", "")

    def test_keeps_beside_them_what_the_authority_found_of_them(
        self, one, cast, cycle, at, submitted, ids, academy, lead, browse
    ):
        first = submitted({ids[0]: NO})
        with inside(one):
            wrong = first.answers.get(requirement_id=ids[1])
            actions.assess(answer=wrong, verdict="partly", note="No page found.", by=cast.officer, at=at)
        browse(lead).post(f"{HOME}submit/")
        with inside(one):
            made = Return.objects.get(school=academy)
        assert "No page found." in text_of(browse(lead).get(f"{HOME}{made.id}/"))

    def test_says_nothing_for_it_once_it_has_returned_itself(self, one, cast, cycle, at, submitted, ids, academy):
        submitted({ids[0]: NO})
        own = {"cycle": cycle, "school": academy, "by": cast.officer, "at": at}
        with inside(one):
            actions.save_answers(answers={ids[0]: Wanted("yes")}, **own)
            actions.submit(**own)
            assert points(cycle, academy)[ids[0]].answer.verdict == "yes"
            assert points(cycle, cast.oak)[ids[0]].answer.verdict == "no"

    def test_of_a_ring_of_schools_that_never_returned_begins_with_nothing(self, one, cast, cycle, ids, academy):
        with inside(one):
            School.objects.filter(id=cast.oak.id).update(converted_from=academy)
            assert points(cycle, School.objects.get(id=academy.id))[ids[0]].answer is None


class TestOfASchoolFormedOfTwo:
    @pytest.fixture
    def merged(self, one, cast, on, cycle, submitted, owner_sql):
        """Oak School, which had returned, and Elm School closed, and one school took their place."""
        submitted()
        with inside(one):
            elm = SchoolFactory(urn="900072", name="Elm School", body=cast.oak.body, closed_on=on)
            School.objects.filter(id=cast.oak.id).update(closed_on=on)
            SchoolFactory(urn="900074", name="Ash School", body=cast.oak.body, closed_on=on)
            found = SchoolFactory(urn="900073", name="Oak and Elm School", body=cast.oak.body)
        insert = "INSERT INTO public.tenants_establishmentlink (urn, link_urn, link_type) VALUES (%s, %s, %s)"
        owner_sql(insert, found.urn, cast.oak.urn, "Predecessor - merged")
        owner_sql(insert, elm.urn, found.urn, "Successor - merged")
        return found

    @pytest.fixture
    def merged_lead(self, one, merged):
        with inside(one):
            return person("lead@oakandelm.example", Role.SCHOOL_LEAD, school=merged)

    def test_leads_those_who_may_to_what_the_schools_before_it_said(self, cast, merged, browse):
        page = browse(cast.officer).get("/schools/900073/return/")
        assert "took the place of Oak School. Its return begins empty. What was said before stays there." in text_of(
            page
        )
        assert f'href="/schools/{cast.oak.urn}/return/"' in page.content.decode()
        policies = browse(cast.officer).get("/schools/900073/policies/")
        assert "took the place of Elm School and Oak School. Its policies begin empty." in text_of(policies)
        assert 'href="/schools/900072/policies/"' in policies.content.decode()
        assert "Ash School" not in text_of(policies)

    def test_leads_nobody_to_a_school_that_they_may_not_see(self, cast, merged, merged_lead, browse):
        page = browse(merged_lead).get("/schools/900073/return/")
        assert "took the place of Oak School. Its return begins empty. What was said before stays there, where" in (
            text_of(page)
        )
        assert f"/schools/{cast.oak.urn}/" not in page.content.decode()
        assert browse(merged_lead).get(f"/schools/{cast.oak.urn}/return/").status_code == 404

    def test_says_nothing_of_it_once_it_has_something_of_its_own(self, one, cast, cycle, at, ids, merged, browse):
        with inside(one):
            own = {"cycle": cycle, "school": merged, "by": cast.officer, "at": at}
            actions.save_answers(answers={each: Wanted("yes") for each in ids}, **own)
            actions.submit(**own)
            open_policies(on=at.date(), at=at)
            Policy.objects.filter(school=merged).update(last_reviewed_on=at.date(), next_review_on=at.date())
        for page in ("return", "policies"):
            assert "took the place of" not in text_of(browse(cast.officer).get(f"/schools/900073/{page}/"))


class TestTheFiles:
    @pytest.fixture(autouse=True)
    def folder(self, settings, tmp_path):
        settings.DOCUMENT_STORE = tmp_path

    @pytest.fixture
    def kept(self, one, cast, cycle, at, answer, ids, pdf):
        """The file of an answer that Oak School saved."""
        answer()
        with inside(one):
            about = {"cycle": cycle, "school": cast.oak, "by": cast.head, "at": at}
            return actions.attach_file(requirement_id=ids[0], file=pdf(), name="policy.pdf", **about)

    def test_of_what_was_saved_are_for_those_who_answer(self, one, kept, academy, lead, browse):
        with inside(one):
            governor = person("gus@academy.example", Role.GOVERNOR, school=academy)
        address = f"{HOME}files/{kept.id}/"
        assert browse(lead).get(address).status_code == 200
        assert browse(governor).get(address).status_code == 404

    def test_of_what_was_submitted_are_for_all_who_see_the_return(self, one, cast, cycle, at, kept, academy, browse):
        with inside(one):
            actions.submit(cycle=cycle, school=cast.oak, by=cast.head, at=at + timedelta(hours=1))
            governor = person("gus@academy.example", Role.GOVERNOR, school=academy)
        assert browse(governor).get(f"{HOME}files/{kept.id}/").status_code == 200
        assert browse(cast.neighbour).get(f"{HOME}files/{kept.id}/").status_code == 404
        assert browse(cast.neighbour).get(f"/schools/900002/return/files/{kept.id}/").status_code == 404
