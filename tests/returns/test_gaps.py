"""Gaps that a return shows and about which nobody has planned anything yet."""

import pytest
from reading import text_of

from handrail.guidance.frameworks import AUTHORITY
from handrail.guidance.published import framework
from handrail.policies.actions import open_policies
from handrail.returns import actions
from handrail.returns.actions import Wanted
from handrail.returns.board import board
from handrail.returns.models import Cycle
from handrail.returns.standing import may_be_asked, own, sections_of, unplanned
from tenants.context import inside

pytestmark = pytest.mark.django_db

HOME = "/schools/900001/return/"
TYPED = {
    "what": "Ask the caterer", "owner_name": "Olga", "owner_email": "olga@oak.example",
    "due_on_day": "1", "due_on_month": "2", "due_on_year": "2027",
}  # fmt: skip


class TestGapsWithoutAnAction:
    def test_are_counted_on_the_board_and_listed_at_the_school_until_each_has_one(self, cast, browse, ids, submitted):
        made = submitted({ids[2]: Wanted("no", reason="The head wrote it last week."), ids[4]: Wanted("partly")})
        officer, head = browse(cast.officer), browse(cast.head)
        page = text_of(officer.get("/returns/"))
        assert "2 gaps have no action yet, at 1 school." in page
        assert "Returned by Oak School 2 gaps without an action" in page
        assert "No action yet: 2 gaps" in text_of(officer.get(HOME))
        assert '<a class="govuk-link" href="#gaps">2 gaps have no action yet</a>' in officer.get(HOME).text
        assert "Plan what will be done" not in officer.get(HOME).text
        listed = head.get(HOME).text
        assert listed.count("Plan what will be done") == 2
        assert f'href="{HOME}{made.id}/points/{ids[2]}/plan/"' in listed
        head.post(f"{HOME}{made.id}/points/{ids[2]}/plan/", TYPED)
        assert "No action yet: 1 gap" in text_of(head.get(HOME))
        only = officer.get("/returns/?progress=unplanned").text
        assert "Oak School" in only and "Elm School" not in only
        sheet = b"".join(officer.get("/returns/board.csv?progress=unplanned").streaming_content).decode("utf-8-sig")
        headings, row = sheet.splitlines()
        assert "Points reopened,Gaps without an action," in headings and "Returned,0,1," in row
        head.post(f"{HOME}{made.id}/points/{ids[4]}/plan/", TYPED)
        assert "No action yet" not in text_of(head.get(HOME))
        assert "no action yet" not in text_of(officer.get("/returns/"))
        assert "Oak School" not in officer.get("/returns/?progress=unplanned").text

    def test_are_none_before_anything_is_submitted(self, cast, browse, ids, answer):
        answer({ids[2]: Wanted("no")})
        assert "No action yet" not in text_of(browse(cast.head).get(HOME))
        assert "no action yet" not in text_of(browse(cast.officer).get("/returns/"))

    @pytest.mark.parametrize(("reason", "gaps"), [("", 1), ("The nurse reads it to them.", 0)])
    def test_are_none_where_a_reason_is_given_for_departing_from_a_should(self, one, cast, cycle, at, on, reason, gaps):
        with inside(one):
            Cycle.objects.filter(id=cycle.id).update(framework_ids=["AUDIT-2017"])
            cycle.refresh_from_db()
            ids = [each.id for each in framework("AUDIT-2017").of("maintained_school")]
            said = {each: Wanted("yes") for each in ids} | {ids[3]: Wanted("partly", reason=reason)}
            about = {"cycle": cycle, "school": cast.oak, "by": cast.head, "at": at}
            actions.save_answers(answers=said, **about)
            actions.submit(**about)
            of_oak = {each.school.id: each for each in board(cycle, on=on)}[cast.oak.id]
            assert (of_oak.unplanned, len(unplanned(cycle, cast.oak, on=on))) == (gaps, gaps)

    def test_of_the_self_assessment_stand_on_the_same_board(self, one, cast, cycle, at, on, browse):
        with inside(one):
            open_policies(on=on, at=at)
            about = {"cycle": cycle, "school": None, "by": cast.officer, "at": at}
            ids = [point.requirement.id for section in sections_of(cycle, None) for point in section.points]
            gap = next(each.id for each in may_be_asked(AUTHORITY)[0].of(AUTHORITY))
            actions.save_answers(answers={each: Wanted("yes") for each in ids} | {gap: Wanted("no")}, **about)
            made = actions.submit(**about)
            assert own(cycle, on=on).unplanned == 1
        assert "1 gap without an action" in text_of(browse(cast.officer).get("/returns/"))
        assert "No action yet: 1 gap" in text_of(browse(cast.officer).get("/authority/self-assessment/"))
        with inside(one):
            actions.plan_action(
                answer=made.answers.get(requirement_id=gap), what="Write it", owner_name="Olu", due_on=on,
                owner_email="olu@barsetshire.example", by=cast.officer, at=at,
            )  # fmt: skip
            assert own(cycle, on=on).unplanned == 0
