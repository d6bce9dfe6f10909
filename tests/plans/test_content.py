"""What a whole plan asks, and how complete it is against the 24 elements of the guidance."""

from collections import Counter
from dataclasses import replace

import pytest

from handrail.guidance import published
from handrail.guidance.frameworks import Status
from handrail.guidance.published import editions, elements, elements_for
from handrail.plans.content import CONDITIONS, SECTIONS, Beside, how_complete, missing

EVERYTHING = Beside(has_emergency_steps=True, has_family_contact=True, has_agreement=True)
BESIDE = {"IHPT-01", "IHPC-10", "IHPT-02", "IHPT-07"}
"""Those that are filled by something else than an answer."""
OF_A_DRAFT = {"IHPM-01", "IHPM-02", "IHPM-03"}


def full(condition):
    return {
        section.name: {question.name: "Written." for question in section.asked(condition)}
        | ({"kind": condition} if section.name == "condition" else {})
        for section in SECTIONS
    }


class TestElements:
    def test_are_the_24_of_the_guidance_and_the_template_each_with_a_question_or_known_besides(self):
        asked = {question.element for section in SECTIONS for question in section.questions} - {""}
        found = [each.id for one in editions() for each in one.requirements if each.is_of_plans]
        assert len(found) == len(set(found)) == 24
        assert asked | BESIDE == set(found)
        assert not asked & BESIDE

    def test_of_a_draft_count_for_nothing_until_it_is_law(self, monkeypatch):
        """A plan without them lacks nothing: a draft asks nobody anything."""
        assert {each.id for each in elements()} & OF_A_DRAFT == set()
        law = [replace(each, status=Status.IN_FORCE) if each.is_draft else each for each in editions()]
        monkeypatch.setattr(published, "editions", lambda: law)
        assert {each.id for each in elements()} >= OF_A_DRAFT

    def test_that_are_about_one_condition_count_for_that_one_alone(self, monkeypatch):
        law = [replace(each, status=Status.IN_FORCE) if each.is_draft else each for each in editions()]
        monkeypatch.setattr(published, "editions", lambda: law)
        assert "IHPM-01" in {each.id for each in elements_for("allergy")}
        assert not {each.id for each in elements_for("asthma")} & OF_A_DRAFT

    def test_questions_have_names_of_their_own(self):
        names = Counter(question.name for section in SECTIONS for question in section.questions)
        assert max(names.values()) == 1


class TestCompleteness:
    @pytest.mark.parametrize("condition", CONDITIONS)
    def test_is_whole_when_everything_is_written(self, condition):
        done, wanted = how_complete(full(condition), EVERYTHING)
        assert done == wanted == 21
        assert missing(full(condition), EVERYTHING) == []

    def test_names_what_is_missing(self):
        says = full("asthma")
        del says["daily"]["watching"], says["trips"]
        assert [each.id for each in missing(says, EVERYTHING)] == ["IHPC-04", "IHPC-08"]
        assert how_complete(says, EVERYTHING) == (19, 21)

    def test_of_an_empty_plan_is_the_childs_name_alone(self):
        assert how_complete({}, Beside()) == (1, 21)
