"""The texts of frameworks: what is in them, what is refused, and that adding one takes no code."""

import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from shutil import copytree
from subprocess import run

import pytest
from editions import SUPERSEDED

from handrail.authority.texts_check import BODIES, check_texts
from handrail.guidance import published
from handrail.guidance.frameworks import Framework, Read, Status, Strength
from handrail.guidance.published import current, editions, elements, framework, frameworks
from handrail.guidance.reading import DIGESTS, TEXTS, TextsAreWrong, add_digests, digests, problems, read
from handrail.returns.actions import open_cycle
from handrail.schools.duty import BOUND
from tenants.context import inside

WALES = """
id = "WALES-1"
edition = 1
version = "2027"
title = "Healthcare needs in Wales"
says = "Governing bodies meet healthcare needs."
published_by = "Invented"
nation = "Wales"
status = "in_force"
is_confirmed = true
effective_from = 2027-09-01
legal_basis = "Invented"
certainty = "Sure."
applies_to = ["maintained_school"]
sources = ["https://wales.example/guidance"]

[[sections]]
title = "The policy"
source = "Chapter 1"

[[sections.requirements]]
id = "WALES-01"
strength = "must"
says = "There is a policy."
evidence = "The policy"
read = "source"
confidence = "high"

[[sections.requirements]]
id = "WALES-02"
strength = "should"
says = "It is easy to find."
source = "Chapter 2"
applies_to = ["pru"]
read = "memory"
confidence = "low"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the texts, to be changed."""
    return copytree(TEXTS, tmp_path / "texts")


def write(folder: Path, text: str, name: str = "WALES-1-1.toml") -> None:
    (folder / name).write_text(text)


def first(framework_id: str) -> Framework:
    """The first edition, which people have answered: it asks for good what it asks."""
    return next(each for each in editions() if (each.id, each.edition) == (framework_id, 1))


def said(folder: Path) -> list[str]:
    """What is wrong with a folder, whether it can be read or not."""
    try:
        return problems(read(folder), folder, BODIES)
    except TextsAreWrong as unreadable:
        return unreadable.problems


class TestTheTexts:
    def test_can_be_relied_on(self):
        assert said(TEXTS) == []
        check_texts()

    def test_hold_162_requirements_and_24_elements_of_a_plan_from_the_first_day(self):
        """In the first editions, to which more may be added and which nobody changes."""
        begun = ["SPMC-2015", "HEALTHED-2023", "ATTEND-2024", "CFA-100A", "MCAS-2026", "AUDIT-2017", "S19-POLICY"]
        are_of_plans = [one.is_of_plans for each in begun for one in first(each).requirements]
        assert (are_of_plans.count(False), are_of_plans.count(True)) == (162, 24)
        assert {each.id for each in frameworks()} >= set(begun)
        assert elements()

    def test_ask_an_authority_about_ten_headings_of_its_policy_and_what_the_policy_must_not_do(self):
        ten, found = first("S19-POLICY").in_sections()
        assert (len(ten[1]), len(found[1])) == (10, 8)
        assert len(first("HEALTHED-2023").of("local_authority")) == 14
        assert first("S19-POLICY").of("maintained_school") == []

    @pytest.mark.parametrize(
        ("status", "is_confirmed", "is_law", "words", "caveat"),
        [
            (Status.DRAFT, False, False, "Draft, not law", "Draft, not law"),
            (Status.ENACTED, False, True, "Start date to be confirmed", "Start date to be confirmed"),
            (Status.ENACTED, True, True, "Start date known", "Start date known"),
            (Status.IN_FORCE, False, True, "In force unless replaced", ""),
            (Status.IN_FORCE, True, True, "In force", ""),
            (Status.BENCHMARK, True, False, "Benchmark, not law", "Benchmark, not law"),
        ],
    )
    def test_show_nothing_as_law_in_force_that_is_not(self, status, is_confirmed, is_law, words, caveat):
        one = replace(first("CFA-100A"), status=status, is_confirmed=is_confirmed)
        assert (one.is_law, one.status_in_words, one.caveat) == (is_law, words, caveat)

    @pytest.mark.parametrize(
        ("status", "starts", "ends", "words"),
        [
            (Status.ENACTED, None, None, ["Start date to be confirmed"] * 3),
            (Status.ENACTED, 10, None, ["Start date known", "In force", "In force"]),
            (Status.IN_FORCE, 10, None, ["Start date known", "In force", "In force"]),
            (Status.IN_FORCE, None, None, ["In force"] * 3),
            (Status.SUPERSEDED, 10, 20, ["Start date known", "In force", "Replaced"]),
            (Status.SUPERSEDED, None, 20, ["Replaced"] * 3),
            (Status.BENCHMARK, None, None, ["Benchmark, not law"] * 3),
            (Status.DRAFT, None, None, ["Draft, not law"] * 3),
        ],
    )
    def test_are_told_of_each_day_as_they_stood_on_it(self, status, starts, ends, words):
        starts, ends = (day and date(2027, 1, day) for day in (starts, ends))
        confirmed = starts is not None or status == Status.IN_FORCE
        one = replace(
            first("CFA-100A"), status=status, is_confirmed=confirmed, effective_from=starts, effective_to=ends
        )
        assert [one.as_at(date(2027, 1, day)).status_in_words for day in (9, 10, 20)] == words
        assert (one.as_at(date(2027, 1, 19)).caveat == "") == ("In force" in words)

    def test_put_what_is_in_force_before_what_is_not(self):
        assert [each.status for each in frameworks()] == sorted(
            (each.status for each in frameworks()), key=list(Status).index
        )

    def test_ask_the_duties_of_the_act_of_the_bodies_it_binds(self):
        assert {body for each in first("CFA-100A").requirements for body in each.applies_to} == BOUND
        assert len(first("SPMC-2015").of("academy")) == 82
        assert len(first("SPMC-2015").of("local_authority")) == 6
        assert first("SPMC-2015").of("independent_school") == []
        assert [each.id for each in first("MCAS-2026").of("post16")] == ["MCAS-SCO-01"]

    def test_speak_to_people_in_short_sentences(self):
        long = [
            each.id
            for one in frameworks()
            for each in one.requirements
            for sentence in each.says.split(". ")
            if len(sentence.split()) > 25
        ]
        assert long == []

    def test_say_whether_each_requirement_was_read(self):
        kinds = {each.read for one in frameworks() for each in one.requirements}
        assert kinds == set(Read)
        assert {each.strength for one in frameworks() for each in one.requirements} == set(Strength)


class TestAddingAFramework:
    def test_takes_a_file_and_its_digests_and_no_code(self, folder, monkeypatch):
        before = digests(folder)
        write(folder, WALES)
        assert said(folder) == [
            f"WALES-1 1 has 2 requirements that are not in {DIGESTS}: README.md beside it says how to add them."
        ]
        add_digests(folder)
        assert said(folder) == []
        assert before.items() < digests(folder).items()
        monkeypatch.setattr(published, "TEXTS", folder)
        editions.cache_clear()
        added = framework("WALES-1")
        editions.cache_clear()
        assert (added.nation, added.effective_from) == ("Wales", date(2027, 9, 1))
        assert [(each.id, each.source, each.applies_to) for each in added.requirements] == [
            ("WALES-01", "Chapter 1", ("maintained_school",)),
            ("WALES-02", "Chapter 2", ("pru",)),
        ]
        assert added.in_sections() == [("The policy", list(added.requirements))]

    @pytest.mark.django_db
    def test_shows_it_on_the_page_of_guidance_and_in_a_return(self, folder, monkeypatch, one, cast, browse, at, on):
        write(folder, WALES.replace('"Wales"', '"England"'))
        add_digests(folder)
        monkeypatch.setattr(published, "TEXTS", folder)
        editions.cache_clear()
        try:
            client = browse(cast.head)
            assert "Healthcare needs in Wales" in client.get("/guidance/").text
            assert "It is easy to find." in client.get("/guidance/WALES-1/").text
            assert "Healthcare needs in Wales" in browse(cast.officer).get("/returns/open/").text
            with inside(one):
                days = {"due_on": on + timedelta(days=60), "closes_on": on + timedelta(days=90)}
                open_cycle(school_year=2026, framework_ids=["WALES-1"], by=cast.officer, at=at, **days)
            page = client.get("/schools/900001/return/sections/1/").text
            assert "There is a policy." in page and "It is easy to find." not in page, "that is asked of others"
        finally:
            editions.cache_clear()

    @pytest.mark.parametrize(("nation", "counts"), [("England", True), ("Wales", False)])
    def test_of_another_nation_says_nothing_to_plans(self, folder, monkeypatch, nation, counts):
        of_plans = WALES.replace('title = "The policy"', 'title = "A plan"\nis_of_plans = true')
        write(folder, of_plans.replace('"Wales"', f'"{nation}"'))
        add_digests(folder)
        monkeypatch.setattr(published, "TEXTS", folder)
        editions.cache_clear()
        found = {each.id for each in elements()}
        editions.cache_clear()
        assert ({"WALES-01", "WALES-02"} <= found) == counts
        assert "IHPC-01" in found

    def test_may_have_the_longest_ids(self, folder):
        write(folder, WALES.replace("WALES-1", "W" * 35).replace("WALES-02", "W" * 40))
        add_digests(folder)
        assert said(folder) == []

    def test_in_a_new_edition_makes_that_one_count(self, folder):
        write(folder, WALES.replace('status = "in_force"', SUPERSEDED))
        write(folder, WALES.replace("edition = 1", "edition = 2"), "WALES-1-2.toml")
        add_digests(folder)
        assert said(folder) == []
        [counts] = [each for each in current(read(folder)) if each.id == "WALES-1"]
        assert counts.edition == 2

    def test_is_taken_back_by_status_and_the_one_before_counts_again(self, folder):
        write(folder, WALES)
        write(folder, WALES.replace("edition = 1", "edition = 2").replace('status = "in_force"', SUPERSEDED), "2.toml")
        add_digests(folder)
        assert said(folder) == []
        [counts] = [each for each in current(read(folder)) if each.id == "WALES-1"]
        assert (counts.edition, counts.status) == (1, Status.IN_FORCE)

    def test_as_a_draft_leaves_the_edition_that_counts(self, folder):
        write(folder, WALES)
        draft = WALES.replace("edition = 1", "edition = 2").replace("effective_from = 2027-09-01\n", "")
        draft = draft.replace('"in_force"', '"draft"').replace("is_confirmed = true", "is_confirmed = false")
        write(folder, draft, "WALES-1-2.toml")
        add_digests(folder)
        assert said(folder) == []
        [counts] = [each for each in current(read(folder)) if each.id == "WALES-1"]
        assert counts.edition == 1

    def test_that_is_taken_back_before_it_began_was_never_in_force(self, folder):
        write(folder, WALES)
        taken_back = WALES.replace("edition = 1", "edition = 2").replace('"in_force"', '"superseded"')
        taken_back = taken_back.replace("effective_from = 2027-09-01", "effective_to = 2027-08-01")
        write(folder, taken_back, "WALES-1-2.toml")
        add_digests(folder)
        assert said(folder) == []
        kept, gone = sorted((each for each in read(folder) if each.id == "WALES-1"), key=lambda each: each.edition)
        days = (date(2027, 7, 31), date(2027, 8, 1), date(2027, 9, 1))
        assert {gone.as_at(day).status for day in days} == {Status.SUPERSEDED}
        assert kept.as_at(days[-1]).status == Status.IN_FORCE


class TestWhatIsWrong:
    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ('id = "WALES-02"', 'id = "WALES-01"', "has WALES-01 2 times"),
            ('id = "WALES-02"', 'id = "SPMC-GEN-01"', "SPMC-GEN-01 is in SPMC-2015 and in WALES-1"),
            (
                'id = "WALES-1"',
                'id = "FIRST AID/2026"',
                "WALES-1-1.toml: id = 'FIRST AID/2026' is not of capital letters and digits, with hyphens between",
            ),
            ('id = "WALES-02"', 'id = "WALES-02."', "WALES-1-1.toml: id = 'WALES-02.' is not of capital letters"),
            ('id = "WALES-1"', f'id = "{"W" * 36}"', "W' is longer than 35 characters"),
            ('id = "WALES-02"', f'id = "{"W" * 41}"', "W' is longer than 40 characters"),
            ('"Wales"', '"Walse"', "WALES-1-1.toml: nation says 'Walse', which is none of England, Northern Ireland"),
            ('"pru"', '"prue"', "WALES-1-1.toml: applies_to of WALES-02 names prue, which is no kind of body"),
            (
                'status = "in_force"',
                'status = "superseded"',
                "WALES-1-1.toml: status is superseded, so effective_to is the first day without force",
            ),
            ('applies_to = ["pru"]', "applies_to = []", "WALES-02 is asked of nobody"),
            (
                'strength = "must"',
                'strength = "shall"',
                "WALES-01 says 'shall', which is none of must, should, template",
            ),
            ('status = "in_force"', 'status = "law"', "status says 'law', which is none of"),
            ('says = "There is a policy."', "", "WALES-01 has no says"),
            ('evidence = "The policy"', 'proof = "The policy"', "WALES-01 has proof, which means nothing here"),
            ('evidence = "The policy"', 'first_asked_of = ["pru"]', "WALES-01 has first_asked_of, which means nothing"),
            ('title = "The policy"', 'title = "The policy"\nname = "x"', "has name, which means nothing here"),
            ('source = "Chapter 1"', "", "WALES-01 does not say where it stands"),
            (
                "effective_from = 2027-09-01",
                'effective_from = "soon"',
                "effective_from = 'soon', which is of the wrong",
            ),
            ("2027-09-01", "2027-09-01\neffective_to = 2027-09-01", "Leave effective_from out where it never began"),
            (
                "2027-09-01",
                "2027-09-01\neffective_to = 2028-09-01",
                "WALES-1-1.toml: effective_to is set, so status is superseded. Leave it out while schools are",
            ),
            ("effective_from = 2027-09-01", "", "is in force and confirmed: it has a day from which it counts"),
            ('"https://wales.example/guidance"', '"wales.example"', "needs sources that are addresses"),
            ('nation = "Wales"', 'nation = "Wales"\nreplaces = "SPMC-2041"', "replaces SPMC-2041, which is not there"),
            ('status = "in_force"', 'status = "draft"', "is a draft: it is not confirmed and has no day"),
            ("is_confirmed = true", 'is_confirmed = "yes"', "is_confirmed = 'yes', which is of the wrong kind"),
            ("edition = 1", "edition = ", "WALES-1-1.toml: Invalid value"),
            ("edition = 1", "edition = 0", "WALES-1-1.toml: edition = 0 is not between 1 and 9999"),
            ("edition = 1", "edition = 10000", "WALES-1-1.toml: edition = 10000 is not between 1 and 9999"),
        ],
    )
    def test_is_said_in_words(self, folder, old, new, words):
        write(folder, WALES)
        add_digests(folder)
        write(folder, WALES.replace(old, new, 1))
        assert words in "\n".join(said(folder))

    def test_of_an_enacted_one_is_a_day_that_nobody_confirmed(self, folder):
        text = WALES.replace('"in_force"', '"enacted"').replace("is_confirmed = true", "is_confirmed = false")
        write(folder, text)
        add_digests(folder)
        assert "it is confirmed when it has a day from which it counts" in said(folder)[0]

    def test_is_one_edition_twice_and_two_that_count(self, folder):
        write(folder, WALES)
        write(folder, WALES, "again.toml")
        add_digests(folder)
        assert said(folder) == [
            "WALES-1 has edition 1 2 times.",
            "WALES-1 has 2 editions that count: all but one are superseded or drafts.",
        ]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("There is a policy.", "There is a good policy."),
            ('strength = "must"', 'strength = "should"'),
            ('applies_to = ["maintained_school"]', 'applies_to = ["academy"]'),
        ],
    )
    def test_is_a_requirement_that_asks_something_else_under_the_same_edition(self, folder, old, new):
        write(folder, WALES)
        add_digests(folder)
        write(folder, WALES.replace(old, new, 1))
        add_digests(folder)  # adds what is new and mends nothing
        assert said(folder) == [
            "WALES-1 1 WALES-01 no longer says what it said. Give the framework a new edition instead."
        ]

    def test_is_not_a_requirement_of_which_more_is_known(self, folder):
        write(folder, WALES)
        add_digests(folder)
        write(folder, WALES.replace("memory", "source").replace("Chapter 2", "Chapter 2, page 9"))
        assert said(folder) == []

    def test_is_a_requirement_that_has_gone(self, folder):
        write(folder, WALES)
        add_digests(folder)
        write(folder, WALES.partition('[[sections.requirements]]\nid = "WALES-02"')[0])
        assert said(folder) == ["WALES-1 1 WALES-02 has gone, though people may have answered it."]

    def test_stops_a_start(self, folder, monkeypatch):
        (folder / DIGESTS).unlink()
        monkeypatch.setattr(published, "TEXTS", folder)
        editions.cache_clear()
        with pytest.raises(TextsAreWrong, match=r"SPMC-2015 1 has 109 requirements that are not in digests\.txt"):
            editions()
        write(folder, "nonsense")
        with pytest.raises(TextsAreWrong, match="Expected '='"):
            editions()

    @pytest.mark.parametrize(("body", "starts"), [("pru", True), ("prue", False)])
    def test_stops_a_start_of_whatever_serves_pages_when_it_is_asked_of_nobody_there_is(self, folder, body, starts):
        """A process of its own, which does no more than Django does when gunicorn or Celery loads it."""
        write(folder, WALES.replace('["pru"]', f'["{body}"]'))
        add_digests(folder)
        code = f"""
from pathlib import Path
from handrail.guidance import published, reading
published.TEXTS = reading.TEXTS = Path({str(folder)!r})
import django
django.setup()
"""
        found = run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (found.returncode == 0) == starts, found.stderr
        assert starts or "WALES-1-1.toml: applies_to of WALES-02 names prue, which is no kind of body." in found.stderr
