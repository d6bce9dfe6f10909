"""Red, amber, green or grey by the rules that the page prints, and always with the one that decided."""

from datetime import date, timedelta

import pytest

from handrail.returns.rules import RULES, Colour, Kept, Returned, is_adequate, judged

ON = date(2026, 11, 23)
FINE = Kept("Medical conditions policy", ON + timedelta(days=200), has_lead=True, is_published=True)
ALLERGY = FINE._replace(called="Allergy safety policy", must_be_published=True)
WHOLE = Returned()


def found(*policies, returned=WHOLE, due_on=ON, on=ON, due_soon_days=30):
    return list(judged(policies, returned, return_due_on=due_on, on=on, due_soon_days=due_soon_days))


def due(days):
    return FINE._replace(next_review_on=ON + timedelta(days=days))


class TestTheColour:
    @pytest.mark.parametrize(
        ("policy", "rule"),
        [
            (FINE, "G1"),
            (FINE._replace(next_review_on=None), "R1"),
            (due(-31), "R2"),
            (due(-30), "A2"),
            (due(-1), "A2"),
            (due(0), "A1"),
            (due(30), "A1"),
            (due(31), "G1"),
            (FINE._replace(has_lead=False), "R3"),
            (FINE._replace(is_published=False), "A4"),
            (ALLERGY, "G1"),
            (ALLERGY._replace(is_published=False), "R6"),
            (ALLERGY._replace(told_until=ON), "G1"),
            (ALLERGY._replace(told_until=ON - timedelta(days=1)), "A5"),
        ],
    )
    def test_of_a_policy(self, policy, rule):
        assert found(policy)[0].rule == rule

    @pytest.mark.parametrize(("days", "due_soon_days", "rule"), [(20, 5, "A1"), (31, 5, "G1"), (60, 60, "A1")])
    def test_does_not_become_milder_when_the_authority_warns_later(self, days, due_soon_days, rule):
        assert found(due(days), due_soon_days=due_soon_days)[0].rule == rule

    @pytest.mark.parametrize(
        ("returned", "rule"),
        [
            (WHOLE, "G1"),
            (Returned(unmet_musts=["X-01"]), "R4"),
            (Returned(unmet_shoulds=["X-02"]), "A3"),
            (Returned(unmet_musts=["X-01"], unmet_shoulds=["X-02"]), "R4"),
            (Returned(unanswered=3), "N2"),
            (None, "N1"),
        ],
    )
    def test_of_a_return(self, returned, rule):
        assert found(FINE, returned=returned)[0].rule == rule

    @pytest.mark.parametrize(("days", "rule"), [(0, "N1"), (1, "N1"), (30, "N1"), (31, "R5")])
    def test_of_none_is_red_only_when_it_is_over_30_days_late(self, days, rule):
        assert found(FINE, returned=None, due_on=ON - timedelta(days=days))[0].rule == rule

    def test_is_grey_when_nothing_was_asked_for_and_red_or_amber_all_the_same_when_a_policy_is(self):
        assert found(FINE, returned=None, due_on=None)[0].rule == "N3"
        assert found(due(-31), returned=None, due_on=None)[0].rule == "R2"
        assert found(due(-1), returned=None, due_on=None)[0].rule == "A2"

    @pytest.mark.parametrize(("returned", "rule"), [(WHOLE, "G1"), (Returned(unanswered=3), "N2"), (None, "N3")])
    def test_of_a_return_that_was_not_asked_for_is_that_of_what_it_says(self, returned, rule):
        assert found(FINE, returned=returned, due_on=None)[0].rule == rule

    def test_is_decided_by_the_worst_and_names_all_the_rest(self):
        rules = [each.rule for each in found(due(-40), due(-2), due(5), returned=Returned(unmet_shoulds=["X-02"]))]
        assert rules == ["R2", "A2", "A1", "A3"]

    def test_names_what_it_is_about(self):
        assert found(due(-40))[0].words == "Medical conditions policy: overdue by 40 days."
        two = Returned(unmet_musts=["There is a policy.", "It is published."])
        assert found(FINE, returned=two)[0].words.endswith("or only partly: There is a policy. And 1 more.")

    def test_is_of_a_rule_that_is_printed(self):
        seen = {
            each.rule
            for policies in ([FINE], [due(-40)], [due(-2)], [due(2)], [FINE._replace(next_review_on=None)])
            for each in found(*policies, ALLERGY._replace(is_published=False, has_lead=False), returned=None)
        }
        assert seen < set(RULES)
        for rule in RULES:
            assert {"R": Colour.RED, "A": Colour.AMBER, "N": Colour.GREY, "G": Colour.GREEN}[rule[0]]


@pytest.mark.parametrize(
    ("verdicts", "is_so"),
    [
        (["yes"] * 9, True),
        (["yes"] * 8 + ["partly"], False),
        (["yes"] * 8 + ["not_applicable"], False),
        (["no"], False),
        (["yes"] * 8, None),
        ([], None),
    ],
)
def test_adequate_on_the_2017_criteria(verdicts, is_so):
    assert is_adequate(verdicts, 9) is is_so
