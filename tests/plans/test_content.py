"""What a whole plan asks, and how complete it is against the 24 elements of the guidance."""

from collections import Counter

import pytest

from handrail.guidance.published import elements, elements_for
from handrail.plans.content import CONDITIONS, SECTIONS, Beside, how_complete, missing

EVERYTHING = Beside(has_emergency_steps=True, has_family_contact=True, has_agreement=True)
BESIDE = {"IHPT-01", "IHPC-10", "IHPT-02", "IHPT-07"}
"""Those that are filled by something else than an answer."""


def full(condition):
    return {
        section.name: {question.name: "Written." for question in section.asked(condition)}
        | ({"kind": condition} if section.name == "condition" else {})
        for section in SECTIONS
    }


class TestElements:
    def test_are_the_24_of_the_guidance_and_the_template(self):
        assert len(elements()) == len({each.id for each in elements()}) == 24

    def test_are_each_asked_for_by_some_question_or_known_besides(self):
        asked = {question.element for section in SECTIONS for question in section.questions} - {""}
        assert asked | BESIDE == {each.id for each in elements()}
        assert not asked & BESIDE

    def test_that_are_about_one_condition_count_for_that_one_alone(self):
        assert "IHPM-01" in {each.id for each in elements_for("allergy")}
        assert not {each.id for each in elements_for("asthma")} & {"IHPM-01", "IHPM-02", "IHPM-03"}

    def test_questions_have_names_of_their_own(self):
        names = Counter(question.name for section in SECTIONS for question in section.questions)
        assert max(names.values()) == 1


class TestCompleteness:
    @pytest.mark.parametrize("condition", CONDITIONS)
    def test_is_whole_when_everything_is_written(self, condition):
        done, wanted = how_complete(full(condition), EVERYTHING)
        assert done == wanted == (22 if condition in ("allergy", "epilepsy", "diabetes") else 21)
        assert missing(full(condition), EVERYTHING) == []

    def test_names_what_is_missing(self):
        says = full("asthma")
        del says["daily"]["watching"], says["trips"]
        assert [each.id for each in missing(says, EVERYTHING)] == ["IHPC-04", "IHPC-08"]
        assert how_complete(says, EVERYTHING) == (19, 21)

    def test_of_an_empty_plan_is_the_childs_name_alone(self):
        assert how_complete({}, Beside()) == (1, 21)
