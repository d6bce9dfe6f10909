"""From one edition of a framework to another: nothing is lost, in either direction."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from handrail.guidance.changes import Became, Run, difference, words
from handrail.guidance.frameworks import Confidence, Read, Requirement, Strength
from handrail.guidance.published import editions

POLICY = Requirement(
    id="X-01",
    says="The school has a policy.",
    strength=Strength.SHOULD,
    applies_to=("academy", "pru"),
    section="Policy",
    source="Page 1",
    read=Read.SOURCE,
    confidence=Confidence.HIGH,
)
PLAN, LEAD = replace(POLICY, id="X-02", says="Each child has a plan."), replace(POLICY, id="X-03", says="One leads.")

requirement = st.builds(
    replace,
    st.just(POLICY),
    id=st.sampled_from([f"X-{number:02}" for number in range(8)]),
    says=st.text(alphabet="ab ’\n", max_size=12),
    strength=st.sampled_from(Strength),
    applies_to=st.lists(st.sampled_from(["academy", "pru", "nmss"]), unique=True, min_size=1).map(tuple),
    source=st.sampled_from(["Page 1", "Page 2"]),
    read=st.sampled_from(Read),
)
edition = st.lists(requirement, unique_by=lambda each: each.id).map(tuple)


class TestADifference:
    def test_says_what_became_of_each(self):
        changed = replace(PLAN, says="Each child has a written plan.")
        found = difference([POLICY, PLAN], [changed, LEAD])
        assert [(each.requirement.id, each.became) for each in found.changes] == [
            ("X-02", Became.CHANGED),
            ("X-03", Became.ADDED),
            ("X-01", Became.REMOVED),
        ]
        assert found.that(Became.CHANGED)[0].words == [
            Run("Each child has a ", Became.UNCHANGED),
            Run("written ", Became.ADDED),
            Run("plan.", Became.UNCHANGED),
        ]

    def test_is_one_of_strength_and_of_bodies_too_but_not_of_what_we_know(self):
        for other, became in [
            (replace(POLICY, strength=Strength.MUST), Became.CHANGED),
            (replace(POLICY, applies_to=("academy",)), Became.CHANGED),
            (replace(POLICY, applies_to=("pru", "academy")), Became.UNCHANGED),
            (replace(POLICY, read=Read.MEMORY, source="Page 2", evidence="x"), Became.UNCHANGED),
        ]:
            assert difference([POLICY], [other]).changes[0].became == became

    @given(edition, edition)
    def test_loses_nothing_there_and_back(self, before, after):
        found = difference(before, after)
        assert (found.before(), found.after()) == (before, after)
        assert (found.back().before(), found.back().after()) == (after, before)
        assert {(each.before, each.after) for each in found.back().changes} == {
            (each.after, each.before) for each in found.changes
        }

    @given(edition)
    def test_of_an_edition_with_itself_is_none(self, same):
        assert {each.became for each in difference(same, same).changes} <= {Became.UNCHANGED}

    @given(st.text(alphabet="abc \n’.", max_size=40), st.text(alphabet="abc \n’.", max_size=40))
    def test_of_words_holds_both_texts(self, before, after):
        runs = words(before, after)
        assert "".join(each.text for each in runs if each.became != Became.ADDED) == before
        assert "".join(each.text for each in runs if each.became != Became.REMOVED) == after
        assert all(each.text for each in runs)

    def test_of_a_draft_with_what_it_would_replace_can_be_shown(self):
        first = {each.id: each for each in sorted(editions(), key=lambda each: -each.edition)}
        draft = first["MCAS-2026"]
        found = difference(first[draft.replaces].requirements, draft.requirements)
        assert len(found.that(Became.ADDED)) == 24
        assert len(found.that(Became.REMOVED)) == 109
