"""Returns: asked for, answered in parts, submitted for good, corrected, signed, and assessed beside the answer."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from editions import SUPERSEDED, come_into_force
from factories import SchoolFactory

from handrail.guidance import published
from handrail.guidance.published import framework
from handrail.guidance.reading import add_digests
from handrail.returns import actions
from handrail.returns.actions import Wanted
from handrail.returns.board import board
from handrail.returns.models import Answer, Assessment, Countersignature, Cycle, Draft, Return, State
from handrail.returns.rules import Colour
from handrail.returns.standing import Progress, asking, sections_of, submitted_sections, to_sign
from tenants.context import inside
from tenants.database import execute_count

pytestmark = pytest.mark.django_db

NO = Wanted("no", reason="The head wrote it last week.")


class TestACycle:
    def test_is_open_then_due_then_late_then_closed(self, cycle, on):
        states = [cycle.state_on(on + timedelta(days=days), due_soon_days=30) for days in (0, 29, 30, 60, 61, 119, 120)]
        assert states == [State.OPEN, State.OPEN, State.DUE, State.DUE, State.LATE, State.LATE, State.CLOSED]

    @pytest.mark.parametrize(
        ("changes", "refusal", "field"),
        [
            ({"school_year": 2026}, actions.CycleExists, "school_year"),
            ({"framework_ids": []}, actions.NothingAsked, "framework_ids"),
            ({"framework_ids": ["MCAS-2026"]}, actions.NothingAsked, "framework_ids"),
            ({"framework_ids": ["NONE"]}, actions.NothingAsked, "framework_ids"),
            ({"due": -1}, actions.DatesOutOfOrder, "due_on"),
            ({"closes": 30}, actions.DatesOutOfOrder, "closes_on"),
        ],
    )
    def test_is_refused_twice_about_a_draft_and_out_of_order(self, one, cast, cycle, at, on, changes, refusal, field):
        asked = {"school_year": 2027, "framework_ids": ["SPMC-2015"], "due": 30, "closes": 60} | changes
        days = {f"{name}_on": on + timedelta(days=asked.pop(name)) for name in ("due", "closes")}
        with inside(one), pytest.raises(refusal) as refused:
            actions.open_cycle(**asked, **days, by=cast.officer, at=at)
        assert refused.value.field == field
        with inside(one):
            assert Cycle.objects.count() == 1

    def test_changes_its_dates(self, one, cast, cycle, at, on):
        days = {"due_on": on + timedelta(days=90), "closes_on": on + timedelta(days=120)}
        with inside(one):
            assert actions.change_dates(cycle=cycle, by=cast.officer, at=at, **days) == ["due_on"]
            assert actions.change_dates(cycle=cycle, by=cast.officer, at=at, **days) == []


class TestAnswers:
    def test_are_kept_in_parts_and_only_what_changed_is_written(self, one, cast, cycle, answer, ids):
        assert answer(only=ids[:2]) == ids[:2]
        assert answer(only=ids[:3]) == ids[2:3]
        assert answer({ids[0]: NO}, only=ids[:3]) == ids[:1]
        with inside(one):
            [section] = sections_of(cycle, cast.oak)
            assert (section.answered, len(section.points), section.is_done) == (3, 9, False)
            assert section.points[0].answer.reason == NO.reason
            assert Draft.objects.count() == 3

    def test_are_refused_when_closed_not_asked_or_without_a_reason(self, one, cast, cycle, answer, at, ids):
        with pytest.raises(actions.NotAsked):
            answer({"SPMC-GEN-01": Wanted("yes")}, only=[])
        with pytest.raises(actions.ReasonMissing):
            answer({ids[0]: Wanted("not_applicable", reason=" ")}, only=[])
        with pytest.raises(actions.IsClosed):
            answer(at=at + timedelta(days=120))
        with inside(one):
            assert not Draft.objects.exists()

    def test_are_asked_of_nobody_whom_the_law_does_not_name(self, one, cycle, at, ids, cast):
        with inside(one):
            independent = SchoolFactory(body="independent_school")
            assert sections_of(cycle, independent) == []
            with pytest.raises(actions.NotAnswered):
                actions.submit(cycle=cycle, school=independent, by=cast.head, at=at)


class TestAReturn:
    def test_is_submitted_whole_and_its_drafts_go(self, one, cast, cycle, at, answer, ids):
        answer(only=ids[1:])
        with inside(one), pytest.raises(actions.NotAnswered):
            actions.submit(cycle=cycle, school=cast.oak, by=cast.head, at=at)
        answer({ids[0]: NO}, only=[])
        with inside(one):
            made = actions.submit(cycle=cycle, school=cast.oak, by=cast.head, at=at)
            assert (made.number, made.submitted_by_name) == (1, "Hana Head")
            assert made.answers.get(requirement_id=ids[0]).reason == NO.reason
            assert made.answers.count() == 9
            assert not Draft.objects.exists()

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE returns_return SET submitted_by_name = 'x'",
            "DELETE FROM returns_answer",
            "UPDATE returns_answer SET verdict = 'yes'",
            "DELETE FROM returns_countersignature",
            "UPDATE returns_assessment SET verdict = 'yes'",
        ],
    )
    def test_cannot_be_changed_by_whoever_serves_pages(self, one, submitted, statement):
        submitted()
        with inside(one), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            execute_count(statement, [])

    def test_is_corrected_by_another_that_says_what_stayed(self, one, cast, cycle, at, ids, answer, submitted):
        first = submitted()
        with inside(one), pytest.raises(actions.NothingNew):
            actions.submit(cycle=cycle, school=cast.oak, by=cast.head, at=at)
        answer({ids[0]: NO}, only=[])
        with inside(one):
            second = actions.submit(cycle=cycle, school=cast.oak, by=cast.colleague, at=at)
            assert second.number == 2
            assert Return.objects.get(id=first.id).answers.get(requirement_id=ids[0]).verdict == "yes"
            stayed = second.answers.get(requirement_id=ids[1])
            assert (stayed.carried_from.returned_id, stayed.answered_by_name) == (first.id, "Hana Head")
            assert second.answers.get(requirement_id=ids[0]).carried_from is None
            assert Return.objects.newest().get() == second

    def test_is_closed_to_everybody_from_its_day_on(self, one, cast, cycle, at, answer):
        answer()
        with inside(one), pytest.raises(actions.IsClosed):
            actions.submit(cycle=cycle, school=cast.oak, by=cast.head, at=at + timedelta(days=120))

    def test_is_filled_from_last_years_and_keeps_saying_who_answered(self, one, cast, at, on, ids, submitted):
        submitted({ids[3]: NO})
        later = at + timedelta(days=365)
        with inside(one):
            days = {"due_on": on + timedelta(days=400), "closes_on": on + timedelta(days=500)}
            this = actions.open_cycle(school_year=2027, framework_ids=["CFA-100A"], **days, by=cast.officer, at=later)
            [section] = sections_of(this, cast.oak)
            assert section.is_done and all(point.is_carried for point in section.points)
            made = actions.submit(cycle=this, school=cast.oak, by=cast.colleague, at=later)
            kept = made.answers.get(requirement_id=ids[3])
            assert (kept.verdict, kept.answered_at, kept.answered_by_name) == ("no", at, "Hana Head")
            assert kept.carried_from.returned.cycle.school_year == 2026

    def test_is_signed_once_by_somebody_else(self, one, cast, at, ids, answer, cycle, governor, submitted):
        first = submitted()
        with inside(one):
            assert (list(to_sign(cast.oak, by=governor.id)), list(to_sign(cast.oak, by=cast.head.id))) == ([first], [])
            with pytest.raises(actions.MayNotSign, match="You submitted"):
                actions.countersign(returned=first, by=cast.head, at=at)
            actions.countersign(returned=first, by=governor, at=at)
            assert not to_sign(cast.oak, by=governor.id)
            with pytest.raises(actions.MayNotSign, match="signed already"):
                actions.countersign(returned=first, by=cast.colleague, at=at)
        answer({ids[0]: NO}, only=[])
        with inside(one):
            second = actions.submit(cycle=cycle, school=cast.oak, by=cast.head, at=at)
            assert Countersignature.objects.get().returned == first
            assert list(to_sign(cast.oak, by=governor.id)) == [second]
            actions.countersign(returned=second, by=governor, at=at)
            assert Countersignature.objects.count() == 2

    def test_that_was_corrected_is_not_signed_any_more(self, one, cast, at, ids, submitted, governor):
        first = submitted()
        submitted({ids[0]: NO})
        with inside(one), pytest.raises(actions.MayNotSign, match="corrected"):
            actions.countersign(returned=first, by=governor, at=at)

    def test_is_assessed_beside_the_answer_and_never_over_it(self, one, cast, at, ids, submitted):
        made = submitted()
        with inside(one):
            answer = made.answers.get(requirement_id=ids[6])
            for verdict in ("partly", "no"):
                actions.assess(answer=answer, verdict=verdict, note="No page found.", by=cast.officer, at=at)
            answer = Answer.objects.get(id=answer.id)
            assert answer.verdict == "yes"
            assert {each.verdict for each in Assessment.objects.filter(answer=answer)} == {"partly", "no"}
            assert all(each.differs for each in Assessment.objects.all())


class TestAnotherNationsGuidance:
    def test_is_asked_about_by_no_return(self, one, cast, at, on, monkeypatch):
        found = (*published.editions(), replace(framework("ATTEND-2024"), id="WALES-1", nation="Wales"))
        monkeypatch.setattr(published, "editions", lambda: found)
        dates = {"due_on": on + timedelta(days=60), "closes_on": on + timedelta(days=90)}
        with inside(one), pytest.raises(actions.NothingAsked):
            actions.open_cycle(school_year=2026, framework_ids=["WALES-1"], by=cast.officer, at=at, **dates)


class TestWhenGuidanceChanges:
    def test_only_the_changed_and_the_new_points_are_open_and_no_answer_is_altered(
        self, one, cast, cycle, at, on, ids, submitted, new_edition
    ):
        made = submitted({ids[2]: NO})
        changed, removed, added = new_edition()
        with inside(one):
            points = {each.requirement.id: each for section in sections_of(cycle, cast.oak) for each in section.points}
            assert {name for name, point in points.items() if point.answer is None} == {changed, added}
            assert points[changed].before.verdict == "yes"
            assert points[ids[2]].answer.reason == NO.reason
            assert removed not in points
            [section] = submitted_sections(made, on=on)
            assert [point.requirement.id for point in section.points] == ids
            assert not [point for point in section.points if "who wrote it" in point.requirement.says]

    def test_the_board_shows_the_same_day_who_has_points_open(self, one, cast, cycle, on, submitted, new_edition, ids):
        submitted()
        _, removed, added = new_edition()
        submitted(only=[*(each for each in ids if each != removed), added], school=cast.elm)
        with inside(one):
            rows = {each.school.id: each for each in board(cycle, on=on)}
            assert (rows[cast.oak.id].open_points, rows[cast.elm.id].open_points) == (2, 0)
            found = {place: each.found for place, each in rows.items()}
            assert "N2" in {each.rule for each in found[cast.oak.id]}
            assert found[cast.oak.id][-1].words == "Points without an answer that still stands: 2."
            assert "N2" not in {each.rule for each in found[cast.elm.id]}

    def test_an_answer_to_the_new_point_stands_beside_the_old_and_rolling_back_brings_that_again(
        self, one, cast, cycle, at, answer, new_edition, monkeypatch, ids
    ):
        answer()
        changed, _, added = new_edition()
        answer({changed: NO, added: Wanted("yes")}, only=[])
        with inside(one):
            assert Draft.objects.filter(requirement_id=changed).count() == 2
        monkeypatch.undo()
        with inside(one):
            [section] = sections_of(cycle, cast.oak)
            assert section.is_done
            assert section.points[0].answer.verdict == "yes"

    def test_taking_a_release_back_leaves_out_no_answer_of_what_was_submitted(
        self, one, cast, cycle, on, browse, submitted, new_edition, monkeypatch, ids
    ):
        changed, removed, added = new_edition()
        made = submitted(only=[*(each for each in ids if each != removed), added])
        monkeypatch.undo()
        with inside(one):
            known, unknown = submitted_sections(made, on=on)
            assert len(known.points) == 7
            assert {point.requirement.id for point in unknown.points} == {changed, added}
        page = browse(cast.head).get(f"/schools/900001/return/{made.id}/").text
        assert f"{added}: this release of Handrail does not know what it asked." in page


class TestWhenAFrameworkTakesThePlaceOfAnother:
    def test_an_open_cycle_asks_what_came_and_no_more_what_went(self, one, cast, cycle, on, texts, browse):
        old = framework("SPMC-2015").of("maintained_school")
        with inside(one):
            Cycle.objects.filter(id=cycle.id).update(framework_ids=["SPMC-2015"])
            cycle.refresh_from_db()

            def asked():
                return [each.requirement for section in sections_of(cycle, cast.oak) for each in section.points]

            assert asked() == old
            come_into_force(texts.folder, "MCAS-2026", replacing="SPMC-2015")
            texts.read()
            assert asked() == framework("MCAS-2026").of("maintained_school")
            later = (texts.folder / "MCAS-2026-2.toml").read_text().replace("MCAS-", "NEXT-").replace("IHPM-", "NEXTP-")
            (texts.folder / "NEXT-2026-1.toml").write_text(
                later.replace("edition = 2", "edition = 1").replace('"SPMC-2015"', '"MCAS-2026"')
            )
            law = texts.folder / "MCAS-2026-2.toml"
            law.write_text(law.read_text().replace('status = "in_force"', SUPERSEDED))
            add_digests(texts.folder)
            texts.read()
            assert asked() == framework("NEXT-2026").of("maintained_school") != []
            assert [each.school.id for each in board(cycle, on=on)]
            Cycle.objects.update(opened_on=on - timedelta(days=9), due_on=on - timedelta(days=8), closes_on=on)
        page = browse(cast.officer).get("/returns/open/").text
        ticked = [line for line in page.splitlines() if 'name="framework_ids"' in line and "checked" in line]
        assert [re.findall('value="([^"]+)"', each) for each in ticked] == [["NEXT-2026"], ["CFA-100A"], ["AUDIT-2017"]]

    def test_a_draft_that_would_is_not_asked(self, one, cast, cycle):
        with inside(one):
            Cycle.objects.filter(id=cycle.id).update(framework_ids=["SPMC-2015"])
            cycle.refresh_from_db()
            assert {each.id for each in asking(cycle)} == {"SPMC-2015"}


class TestTheBoard:
    def test_shows_not_returned_apart_from_the_colour(self, one, cast, cycle, on, answer, ids, submitted):
        with inside(one):
            rows = {each.school.id: each for each in board(cycle, on=on)}
            assert {each.progress for each in rows.values()} == {Progress.NOT_BEGUN}
            assert {each.colour for each in rows.values()} == {Colour.GREY}
        answer(only=ids[:1])
        with inside(one):
            rows = {each.school.id: each for each in board(cycle, on=on)}
            assert (rows[cast.oak.id].progress, rows[cast.elm.id].progress) == (Progress.BEGUN, Progress.NOT_BEGUN)
        submitted({ids[4]: NO})
        with inside(one):
            oak = {each.school.id: each for each in board(cycle, on=on)}[cast.oak.id]
            assert (oak.progress, oak.colour, oak.decided_by.rule) == (Progress.SUBMITTED, Colour.RED, "R4")
            says = framework("CFA-100A").requirements[4].says
            assert oak.decided_by.words.endswith(f"only partly: {says} (Start date to be confirmed.)")

    def test_says_of_a_duty_whose_day_is_known_what_the_page_about_it_says(
        self, one, cast, cycle, on, ids, submitted, monkeypatch
    ):
        made = submitted({ids[4]: NO})
        dated = replace(framework("CFA-100A"), is_confirmed=True, effective_from=on + timedelta(days=1))
        says = dated.requirements[4].says
        found = (*(each for each in published.editions() if each.id != dated.id), dated)
        for place in ("guidance.published", "returns.standing"):
            monkeypatch.setattr(f"handrail.{place}.editions", lambda: found)
        with inside(one):
            for days, strength, ends in ((0, "Must. Start date known", "(Start date known.)"), (1, "Must", says)):
                day = on + timedelta(days=days)
                assert {each.strength for each in submitted_sections(made, on=day)[0].points} == {strength}
                [asked] = {point.strength for point in sections_of(cycle, cast.oak, on=day)[0].points}
                oak = {each.school.id: each for each in board(cycle, on=day)}[cast.oak.id]
                assert (asked, oak.decided_by.rule) == (strength, "R4")
                assert oak.decided_by.words.endswith(ends)

    def test_never_shows_a_benchmark_as_law(self, one, cast, cycle, at, on):
        with inside(one):
            Cycle.objects.filter(id=cycle.id).update(framework_ids=["AUDIT-2017"])
            cycle.refresh_from_db()
            said = {each.id: Wanted("yes") for each in framework("AUDIT-2017").of("maintained_school")}
            first = next(iter(said))
            about = {"cycle": cycle, "school": cast.oak, "by": cast.head, "at": at}
            actions.save_answers(answers=said | {first: Wanted("no")}, **about)
            made = actions.submit(**about)
            points = [point for section in submitted_sections(made, on=on) for point in section.points]
            assert {each.strength for each in points} == {"Should. Benchmark, not law"}
            oak = {each.school.id: each for each in board(cycle, on=on)}[cast.oak.id]
            assert oak.decided_by.words.endswith("(Benchmark, not law.)")

    def test_counts_a_school_that_does_not_have_the_duty_nowhere(self, one, cycle, on, cast):
        with inside(one):
            SchoolFactory(body="independent_school")
            SchoolFactory(closed_on=on)
            assert {each.school.id for each in board(cycle, on=on)} == {cast.oak.id, cast.elm.id}

    def test_asks_the_same_number_of_questions_however_many_schools(
        self, one, cast, cycle, on, submitted, django_assert_num_queries
    ):
        submitted()
        with inside(one):
            for _ in range(5):
                SchoolFactory()
            with django_assert_num_queries(3):
                assert len(board(cycle, on=on)) == 7
