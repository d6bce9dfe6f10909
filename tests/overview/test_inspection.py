"""Evidence for inspection: on paper and in a ZIP, as at a day, with what was recorded by then and no child."""

import csv
import hashlib
import io
import zipfile
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pypdf
import pytest
from factories import AT, NoticeFactory, PupilFactory, emergency, person
from isolation.walk import CHILD, plant

from handrail.accounts.roles import Role
from handrail.authority.actions import change_settings
from handrail.authority.succession import carry_on
from handrail.care.actions import correct_training, record_training
from handrail.core.earlier import CHANGED_SINCE
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.core.pdf import SAID
from handrail.guidance import published
from handrail.guidance.frameworks import Status as FrameworkStatus
from handrail.notices.wording import WORDINGS
from handrail.overview.plan_counts import count_plans
from handrail.plans.models import HealthcarePlan, Stage
from handrail.plans.versions import write_emergency
from handrail.policies.actions import (
    approve_version,
    decide_not_needed,
    inherit_history,
    keep_document,
    open_policies,
    publish,
    record_review,
    set_details,
)
from handrail.policies.communications import record_communication
from handrail.policies.held import Held, take_back_held, write_held
from handrail.policies.models import Kind, Policy
from handrail.policies.past import as_at
from handrail.returns.actions import (
    Wanted,
    assess,
    attach_file,
    change_action,
    countersign,
    open_cycle,
    plan_action,
    save_answers,
    submit,
)
from handrail.returns.standing import sections_of
from handrail.schools.actions import set_contacts
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db

OAK = "/schools/900001/inspection/"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DOCUMENT_STORE = tmp_path


@pytest.fixture
def policies(one, cast, on, at):
    with inside(one):
        open_policies(on=on, at=at - 400 * DAY)
        return {each.kind: each for each in Policy.objects.filter(school=cast.oak)}


@pytest.fixture
def history(one, cast, at, on, policies, pdf):
    """The medical conditions policy: reviewed and approved 100 days ago, published 50 days ago, new 10 days ago."""
    policy, by = policies[Kind.MEDICAL_CONDITIONS], cast.head
    with inside(one):
        then = at - 100 * DAY
        document = keep_document(policy=policy, by=by, at=then, file=pdf(), name="Poppy’s policy.pdf")
        record_review(policy=policy, by=by, at=then, reviewed_on=then.date(), outcome="new", document=document)
        approval = {"approved_by": "Full governing body", "approved_on": then.date(), "minute_reference": "7.2"}
        approve_version(policy=policy, by=by, at=then, **approval)
        publish(policy=policy, by=by, at=at - 50 * DAY, published_url="https://oak.example/first")
        later = at - 10 * DAY
        record_review(
            policy=policy, by=by, at=later, reviewed_on=later.date(), outcome="updated", changed="Trips",
            published_url="https://oak.example/second",
        )  # fmt: skip
        policy.refresh_from_db()
    return policy


@pytest.fixture
def returned(one, cast, at, on, pdf):
    """A return of 20 days ago with a file, signed 15 days ago, of which the authority found something 5 days ago."""
    with inside(one):
        officer, head, then = cast.officer, cast.head, at - 20 * DAY
        cycle = open_cycle(
            school_year=2026, framework_ids=["CFA-100A"], due_on=on, closes_on=on + DAY, by=officer, at=at - 30 * DAY
        )
        points = [point.requirement.id for each in sections_of(cycle, cast.oak) for point in each.points]
        said = dict.fromkeys(points, Wanted("yes")) | {points[2]: Wanted("no", reason="We are writing it.")}
        about = {"cycle": cycle, "school": cast.oak, "by": head, "at": then}
        save_answers(answers=said, **about)
        attach_file(requirement_id=points[0], file=pdf(), name="Poppy Canarywright.pdf", **about)
        made = submit(**about)
        governor = person("gus@oak.example", Role.GOVERNOR, school=cast.oak, name="Gus Governor")
        countersign(returned=made, by=governor, at=at - 15 * DAY)
        found = made.answers.get(requirement_id=points[4])
        assess(answer=found, verdict="no", note="Not on the website.", by=officer, at=at - 5 * DAY)
    return made


@pytest.fixture
def take(cast, browse):
    """`take()` downloads a school's ZIP, or its paper, by Oak School's lead and as at today unless told."""

    def send(kind="zip", *, on=None, place=OAK, who=None):
        on = on or AT.date()
        day = {"on_day": on.day, "on_month": on.month, "on_year": on.year, "kind": kind}
        return browse(who or cast.head).post(place, day)

    return send


def files(answer):
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def words(content):
    """The text of a PDF in one line."""
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages).split())


class TestAPolicyAsItStood:
    @pytest.fixture
    def then(self, one, on, policies):
        def at_day(days_ago, kind=Kind.MEDICAL_CONDITIONS):
            with inside(one):
                return as_at(Policy.objects.filter(id=policies[kind].id), on=on - days_ago * DAY)[0]

        return at_day

    @pytest.mark.parametrize(
        ("days_ago", "status", "version", "is_approved", "address"),
        [
            (101, "not_recorded", None, False, ""),
            (60, "in_date", 1, True, ""),
            (50, "in_date", 1, True, "https://oak.example/first"),
            (11, "in_date", 1, True, "https://oak.example/first"),
            (10, "in_date", 2, False, "https://oak.example/second"),
        ],
    )
    def test_has_what_had_been_recorded(self, history, then, days_ago, status, version, is_approved, address):
        found = then(days_ago)
        assert (found.status, found.version and found.version.number) == (status, version)
        assert (bool(found.approval), found.published_url) == (is_approved, address)

    def test_is_due_soon_by_what_the_authority_had_set_then(self, one, cast, at, history, then):
        """The next review is 155 days away, 200 days from now."""
        for days, due_soon_days in ((201, 180), (203, 20)):
            with inside(one):
                change_settings(to=AuthoritySettings(due_soon_days=due_soon_days), by=cast.officer, at=at + days * DAY)
        assert [then(-days).status for days in (200, 201, 202, 203)] == ["in_date", "due_soon", "due_soon", "in_date"]

    def test_is_told_as_it_was_before_each_change(self, one, cast, at, history, then):
        """Who led, where it was published and who approved it were changed twice, and it was reviewed in between."""
        with inside(one):
            for days, name in ((6, "First"), (3, "Second")):
                by = {"policy": history, "by": cast.head, "at": at - days * DAY}
                set_details(**by, lead_name=name, lead_email="", link_governor="")
                publish(**by, published_url=f"https://oak.example/{name}")
                approve_version(**by, approved_by=name, approved_on=(at - days * DAY).date(), minute_reference="7")
            decide_not_needed(policy=history, by=cast.head, at=at - DAY, reason="It is in the other one")
            record_review(policy=history, by=cast.head, at=at, reviewed_on=at.date(), outcome="no_change")
        for days, name in ((7, ""), (6, "First"), (4, "First"), (3, "Second")):
            found = then(days)
            assert found.published_url == f"https://oak.example/{name or 'second'}"
            assert (found.lead, (found.approval or [""])[0]) == (name or "Lee Lead", name)
        assert then(3).approval.approved_on == (at - 3 * DAY).date()
        assert (then(2).status, then(1).status) == ("in_date", "not_needed")

    def test_has_the_lead_of_its_school_as_that_was_then(self, one, cast, at, history, then):
        with inside(one):
            for days, name in ((5, "Sue"), (2, "Sid")):
                set_contacts(school=cast.oak, by=cast.head, at=at - days * DAY, lead_name=name)
        assert [then(days).lead for days in (6, 5, 3, 2)] == ["Lee Lead", "Sue", "Sue", "Sid"]

    def test_says_so_where_nothing_was_kept(self, one, cast, at, history, then, monkeypatch):
        """As before anything was kept, three days ago; then it was, from yesterday on."""
        then_approved = {"approved_by": "Board", "approved_on": (at - 9 * DAY).date()}
        with inside(one):
            approve_version(policy=history, by=cast.head, at=at - 6 * DAY, **then_approved)
            with monkeypatch.context() as before:
                for room in ("policies", "schools"):
                    before.setattr(f"handrail.{room}.actions.keep", lambda was, at: None)
                by = {"policy": history, "by": cast.head, "at": at - 3 * DAY}
                set_details(**by, lead_name="New", lead_email="", link_governor="")
                publish(**by, published_url="https://oak.example/third")
                approve_version(**by, **then_approved | {"minute_reference": "4"})
            by["at"] = at - DAY
            set_details(**by, lead_name="Newer", lead_email="", link_governor="")
            publish(**by, published_url="https://oak.example/fourth")
        found = then(4)
        assert {found.lead, found.published_url, found.approval.approved_by} == {CHANGED_SINCE}
        assert then(7).approval is None, "the first was recorded later"
        assert (then(2).lead, then(2).published_url) == ("New", "https://oak.example/third")
        assert then(2).approval.minute_reference == "4"

    def test_says_so_of_the_schools_lead_too(self, one, cast, at, history, then, monkeypatch):
        monkeypatch.setattr("handrail.schools.actions.keep", lambda was, at: None)
        with inside(one):
            set_contacts(school=cast.oak, by=cast.head, at=at - 3 * DAY, head_name="Not the lead")
        assert then(4).lead == "Lee Lead"
        with inside(one):
            set_contacts(school=cast.oak, by=cast.head, at=at - 2 * DAY, lead_name="Sid")
        assert (then(3).lead, then(2).lead) == (CHANGED_SINCE, "Sid")

    def test_of_a_review_that_did_not_say_whether_it_moved(self, one, cast, at, history, then, monkeypatch):
        """A review that changes nothing keeps the version, so that nothing else tells the address before it."""
        monkeypatch.setattr("handrail.policies.actions.keep", lambda was, at: None)
        with inside(one):
            about = {"policy": history, "by": cast.head, "at": at - 2 * DAY, "reviewed_on": (at - 2 * DAY).date()}
            record_review(**about, outcome="in_progress")
        assert then(3).published_url == "https://oak.example/second"
        with inside(one):
            record_review(**about, outcome="no_change", published_url="https://oak.example/third")
        assert then(3).published_url == CHANGED_SINCE

    def test_does_not_show_an_approval_that_was_recorded_later(self, one, cast, at, history, then):
        with inside(one):
            of_then = {"approved_by": "The board", "approved_on": (at - 10 * DAY).date()}
            approve_version(policy=history, by=cast.head, at=at - 2 * DAY, **of_then)
        assert then(3).approval is None and then(2).approval.approved_by == "The board"

    def test_of_a_converted_school_is_its_own_from_then_on(self, one, cast, at, on, history, then):
        with inside(one):
            set_details(policy=history, by=cast.head, at=at - 9 * DAY, lead_name="Lou", lead_email="", link_governor="")
            inherit_history(predecessor=cast.oak.id, successor=cast.elm.id, by=cast.officer, on=on, at=at - 4 * DAY)
            new = Policy.objects.get(school=cast.elm, kind=Kind.MEDICAL_CONDITIONS)
            before, after = (as_at([new], on=on - days * DAY)[0] for days in (5, 4))
        assert (before.lead, before.published_url) == ("Lee Lead", "")
        assert (after.lead, after.published_url) == ("Lou", "https://oak.example/second")

    def test_of_an_import_that_was_taken_back_is_told_as_it_was_between(self, one, cast, at, history, then):
        with inside(one):
            held = Held(lead_name="Lou", published_url="https://oak.example/held", reviewed_on=(at - 5 * DAY).date())
            before = write_held({history.id: held}, by=cast.officer, at=at - 5 * DAY)
            take_back_held(before, by=cast.officer, at=at - 3 * DAY)
        told = [(then(days).lead, then(days).published_url.rpartition("/")[2]) for days in (6, 5, 4, 3)]
        assert told == [("Lee Lead", "second"), ("Lou", "held"), ("Lou", "held"), ("Lee Lead", "second")]


class TestWhatWasPlanned:
    @pytest.fixture
    def planned(self, one, cast, at, on, returned):
        with inside(one):
            return plan_action(
                answer=returned.answers.get(verdict="no"), what="Write it", owner_name="Olga",
                owner_email="o@oak.example", due_on=on + DAY, by=cast.head, at=at - 12 * DAY,
            )  # fmt: skip

    def told(self, take, on):
        return next(
            row["Reason and evidence"] for row in rows(files(take(on=on))["answers.csv"]) if "No" in row["Answer"]
        )

    def test_is_told_as_it_stood(self, one, cast, at, on, planned, take):
        with inside(one):
            change_action(action=planned, by=cast.head, at=at - 6 * DAY, what="Print it", due_on=on)
            change_action(action=planned, by=cast.head, at=at - 2 * DAY, done_on=on - 3 * DAY)
        assert "Planned" not in self.told(take, on - 13 * DAY)
        assert "Planned: Write it (Olga, by 24 November 2026)." in self.told(take, on - 7 * DAY)
        assert "Planned: Print it (Olga, by 23 November 2026)." in self.told(take, on - 3 * DAY)
        assert "Planned: Print it (Olga, by 23 November 2026; done: 20 November 2026)." in self.told(take, on)

    def test_stays_with_the_school_that_planned_it_on_days_before_it_converted(self, one, cast, at, on, planned, take):
        with inside(one):
            carry_on(old=cast.oak, new=cast.elm, by=cast.officer, at=at - 4 * DAY)
            officer = partial(take, who=cast.officer)
        assert "Planned: Write it (Olga, by 24 November 2026)." in self.told(officer, on - 5 * DAY)
        assert "Planned" not in self.told(officer, on - 4 * DAY), "the new school sees to it"

    def test_says_what_was_not_kept(self, one, cast, at, on, planned, take, monkeypatch):
        monkeypatch.setattr("handrail.returns.actions.keep", lambda was, at: None)
        with inside(one):
            change_action(action=planned, by=cast.head, at=at - 2 * DAY, due_on=on)
        said = self.told(take, on - 3 * DAY)
        assert "Planned: Write it (Olga, by changed since: not kept as it was)." in said


class TestTheZip:
    def test_is_whole_and_its_index_tells_the_truth(self, history, returned, take):
        found = files(take())
        assert set(found) == {
            "evidence.pdf", "policies.csv", "answers.csv", "reminders.csv", "evidence/ALG-ACT-01.pdf", "index.csv",
        }  # fmt: skip
        assert [(row["File"], int(row["Bytes"]), row["SHA-256"]) for row in rows(found["index.csv"])] == [
            (name, len(content), hashlib.sha256(content).hexdigest())
            for name, content in found.items()
            if name != "index.csv"
        ]
        assert found["evidence/ALG-ACT-01.pdf"].startswith(b"%PDF")
        answers = {row["Point"]: row for row in rows(found["answers.csv"])}
        assert len(answers) == 9 and "We are writing it." in answers["ALG-ACT-03"]["Reason and evidence"]
        assert "File: evidence/ALG-ACT-01.pdf." in answers["ALG-ACT-01"]["Reason and evidence"]
        assert "The authority found: No. Not on the website." in answers["ALG-ACT-05"]["Reason and evidence"]

    def test_tells_what_was_typed_in_sentences(self, one, cast, at, on, returned, take):
        said = {"ALG-ACT-03": Wanted("partly", reason="We began", evidence="Minutes of May")}
        with inside(one):
            about = {"cycle": returned.cycle, "school": cast.oak, "by": cast.head, "at": at}
            save_answers(answers=said, **about)
            submit(**about)
        newest = rows(files(take())["answers.csv"])[:9]
        assert next(row for row in newest if row["Point"] == "ALG-ACT-03")["Reason and evidence"] == (
            "We began. Minutes of May."
        )

    def test_holds_the_document_that_was_current(self, history, take, on):
        assert "policies/medical_conditions.pdf" in files(take(on=on - 20 * DAY))
        assert "policies/medical_conditions.pdf" not in files(take())

    def test_holds_nothing_that_was_recorded_later(self, history, returned, take, on):
        before = files(take(on=on - 21 * DAY))
        assert rows(before["answers.csv"]) == [] and "evidence/ALG-ACT-01.pdf" not in before
        assert "Return None had been submitted." in words(before["evidence.pdf"])
        [policy] = [row for row in rows(before["policies.csv"]) if row["Policy"] == "Medical conditions policy"]
        assert (policy["Approved by"], policy["Minute"]) == ("Full governing body", "7.2")
        signed = words(files(take(on=on - 15 * DAY))["evidence.pdf"])
        assert "by Gus Governor" in signed and "Not on the website." not in signed
        assert "Not countersigned." in words(files(take(on=on - 16 * DAY))["evidence.pdf"])

    def test_tells_of_a_past_day_what_was_law_on_it(self, returned, take, on, monkeypatch):
        """The duty began three days ago, or was replaced three days ago: what was so before stays so."""
        [begun] = [each for each in published.editions() if each.id == "CFA-100A"]
        began = replace(begun, status=FrameworkStatus.IN_FORCE, is_confirmed=True, effective_from=on - 3 * DAY)
        ended = replace(
            began, status=FrameworkStatus.SUPERSEDED, effective_from=on - 9 * DAY, effective_to=on - 3 * DAY
        )
        for one, before, after in ((began, "Must. Start date known", "Must"), (ended, "Must", "Must. Replaced")):
            others = [each for each in published.editions() if each.id != one.id]
            for place in ("guidance.published", "returns.standing"):
                monkeypatch.setattr(f"handrail.{place}.editions", lambda found=(*others, one): found)
            for days_ago, strength in ((4, before), (3, after)):
                found = files(take(on=on - days_ago * DAY))
                assert {row["How strongly"] for row in rows(found["answers.csv"])} == {strength}
                told = f"{one.legal_basis}. {one.as_at(on - days_ago * DAY).status_in_words}."
                assert told in words(found["evidence.pdf"])

    def test_says_which_file_could_not_be_fetched(self, returned, take, settings, tmp_path):
        settings.DOCUMENT_STORE = tmp_path / "away"
        found = files(take())
        assert b"could not be fetched" in found["evidence/ALG-ACT-01.pdf.txt"]

    def test_counts_training_and_reminders(self, one, cast, at, on, policies, take):
        with inside(one):
            said = {"procedure_note": "", "trainer": "A nurse", "trainer_profession": "Nurse"}
            days = {"trained_on": on - 30 * DAY, "expires_on": on + DAY, "confirmed_by": "A nurse", "is_cover": False}
            about = {"school": cast.oak, "by": cast.head, **said, **days}
            record_training(person="Ann Adult", procedure="first_aid", at=at - 3 * DAY, **about)
            poppy = PupilFactory(school=cast.oak, name="Poppy Canarywright")
            record_training(person="Ann Adult", procedure="seizure", at=at - 3 * DAY, pupil=poppy, **about)
            policy = policies[Kind.MEDICAL_CONDITIONS]
            sent = {"subject_id": policy.id, "school_id": cast.oak.id, "owed_at": at - 9 * DAY, "state": "accepted"}
            NoticeFactory(**sent, ended_at=at - 8 * DAY)
            NoticeFactory(**sent, ended_at=at - 8 * DAY, subject_kind="published_policy", wording="policy_not_found")
        text = words(files(take())["evidence.pdf"])
        assert "First aid 1 person" in text and "Seizures" not in text and "Ann Adult" not in text
        for day, become in ((on - 9 * DAY, "Not sent by then"), (on, "Sent")):
            sheet = rows(files(take(on=day))["reminders.csv"])
            assert [row["What had become of it"] for row in sheet] == [become, become]
            assert WORDINGS["policy_not_found"].called in {row["What about"] for row in sheet}
        assert "None was on record." in words(files(take(on=on - 4 * DAY))["evidence.pdf"])

    def test_tells_a_training_as_it_was_before_it_was_corrected(self, one, cast, at, on, policies, take, monkeypatch):
        said = {"procedure_note": "", "trainer": "A nurse", "trainer_profession": "Nurse", "is_cover": False}
        said |= {"person": "Ann Adult", "procedure": "first_aid", "confirmed_by": "A nurse"}
        long = {"trained_on": on - 30 * DAY, "expires_on": on + DAY}
        short = long | {"expires_on": on - 25 * DAY}
        with inside(one):
            made = record_training(school=cast.oak, by=cast.head, at=at - 20 * DAY, **said, **long)

        def correct(days_ago, **facts):
            with inside(one):
                correct_training(training=made, by=cast.head, at=at - days_ago * DAY, **said | facts)

        def told(days_ago, **of):
            return words(files(take(on=on - days_ago * DAY, **of))["evidence.pdf"])

        correct(10, **short)
        assert "First aid 1 person" in told(11) and "None was on record." in told(10)
        of_authority = {"place": "/inspection/", "who": cast.officer}
        assert "1 person at 1 school" in told(11, **of_authority)
        assert "0 people at 0 schools" in told(10, **of_authority)
        correct(5, **long, procedure="medicines")
        assert "Giving medicines 1 person" in told(5)
        assert f"{CHANGED_SINCE} 1 person" in told(11), "in what is sealed, and not kept"
        monkeypatch.setattr("handrail.care.actions.keep", lambda was, at: None)
        correct(2, **short)
        assert f"Not counted: 1 training. {CHANGED_SINCE}." in told(3)

    def test_tells_a_training_at_the_school_where_it_was(self, one, cast, at, on, policies, take):
        said = {"procedure_note": "", "trainer": "A nurse", "trainer_profession": "Nurse", "is_cover": False}
        said |= {"person": "Ann Adult", "procedure": "first_aid", "confirmed_by": "A nurse"}
        with inside(one):
            days = {"trained_on": on - 30 * DAY, "expires_on": on + DAY}
            record_training(school=cast.oak, by=cast.head, at=at - 20 * DAY, **said, **days)
            carry_on(old=cast.oak, new=cast.elm, by=cast.officer, at=at - 4 * DAY)
        counted = {}
        for days in (5, 4):
            answer = take(place="/inspection/", who=cast.officer, on=on - days * DAY)
            counted[days] = [row["School"] for row in rows(files(answer)["training.csv"])]
            for name, place in (("Oak", OAK), ("Elm", "/schools/900002/inspection/")):
                paper = words(files(take(place=place, who=cast.officer, on=on - days * DAY))["evidence.pdf"])
                assert ("1 person" in paper) == (name == ("Oak" if days == 5 else "Elm"))
        assert counted == {5: [str(cast.oak)], 4: [str(cast.elm)]}

    def test_keeps_back_small_counts_of_plans(self, one, cast, on, policies, take):
        with inside(one):
            for number in range(3):
                child = PupilFactory(school=cast.oak, name=f"Poppy {number} Canarywright")
                HealthcarePlan.objects.create(pupil=child, stage=Stage.ACTIVE, due_on=on + 100 * DAY)
            count_plans(on=on - DAY)
        assert "Kept back" in words(files(take())["evidence.pdf"])
        assert "Plans had not been counted." in words(files(take(on=on - 2 * DAY))["evidence.pdf"])


class TestThoseWhoAreTold:
    def test_stand_in_it_with_the_day_as_far_as_it_was_recorded(self, one, cast, at, on, policies, take):
        with inside(one):
            record_communication(
                policy=policies[Kind.ALLERGY_SAFETY], audiences=["pupils"], told_on=on - 30 * DAY, how="Assembly",
                by=cast.head, at=at - DAY,
            )  # fmt: skip
        text = words(files(take())["evidence.pdf"])
        assert "Pupils 24 October 2026: Assembly Hana Head" in text
        assert "Start date to be confirmed." in text
        assert "Assembly" not in words(files(take(on=on - 2 * DAY))["evidence.pdf"])


class TestNoChild:
    def test_is_named_in_any_file(self, one, cast, at, browse, take):
        """Every kind of row about a child is there, and an officer, a governor and the lead take all there is."""
        planted = plant(one, cast.oak, "oak")
        with inside(one):
            poppy = PupilFactory(school=cast.oak, name="Poppy Canarywright", class_name="Wrens")
            write_emergency(pupil=poppy, says=emergency("Of Poppy Canarywright"), based_on=0, by=cast.head, at=at)
            count_plans(on=at.date())
        taken = [(OAK, cast.head), (OAK, cast.officer), ("/inspection/", cast.officer)]
        for place, who in taken:
            found = files(take(place=place, who=who))
            found["the paper"] = b"".join(take("pdf", place=place, who=who).streaming_content)
            for name, content in found.items():
                text = f"{name} {content.decode(errors='replace')} {words(content) if b'%PDF' in content[:8] else ''}"
                for canary in (CHILD, "Canarywright", "Wrens", str(planted["child_id"])):
                    assert canary not in text, (place, name, canary)
            if place == OAK:
                assert "canary-of-oak" in text, "what may be told is there"


class TestThePage:
    def test_gives_the_paper_and_records_it(self, one, cast, browse, history, returned, take):
        page = browse(cast.head).get(OAK).text
        assert "Download the paper (PDF)" in page and "We put no child’s name in it." in page
        assert f'href="{OAK}"' in browse(cast.head).get("/schools/900001/").text
        answer = take("pdf")
        assert answer["Content-Disposition"] == 'attachment; filename="evidence-900001-2026-11-23.pdf"'
        text = words(b"".join(answer.streaming_content))
        assert "As it stood at the end of 23 November 2026." in text and "Hana Head" in text
        assert "(Must. Start date to be confirmed.)" in text, "a duty that has not begun never looks like law"
        with inside(one):
            entry = AuditEntry.objects.get(verb="took evidence for inspection")
            assert (entry.school_id, entry.fields) == (cast.oak.id, ["2026-11-23", "pdf"])
        assert "Took evidence for inspection" in browse(cast.head).get("/schools/900001/activity/").text

    def test_gives_the_paper_of_what_was_pasted_from_word(self, one, cast, at, on, returned, take):
        with inside(one):
            pasted = {"what": "\uf0b7 Write it \U0001f9d1\u200d\U0001f680\ufeff", "owner_name": "Olga"}
            answer = returned.answers.get(verdict="no")
            plan_action(answer=answer, **pasted, owner_email="o@oak.example", due_on=on, by=cast.head, at=at)
        text = words(b"".join(take("pdf").streaming_content))
        assert "• Write it □□ (Olga" in text
        assert SAID in text

    def test_is_for_those_who_see_the_schools_policies(self, one, cast, browse, policies, take):
        with inside(one):
            governor = person("gus@oak.example", Role.GOVERNOR, school=cast.oak)
            teacher = person("terry@oak.example", Role.SETTING_TEACHER, school=cast.oak)
        for who, status in ((governor, 200), (cast.officer, 200), (cast.neighbour, 404), (teacher, 403)):
            assert take(who=who).status_code == status
        for who, status in ((cast.officer, 200), (governor, 403), (cast.head, 403)):
            assert take(place="/inspection/", who=who).status_code == status

    def test_refuses_a_day_that_has_not_come(self, one, take, on):
        answer = take(on=on + DAY)
        assert "must be today or in the past" in answer.text
        with inside(one):
            assert not AuditEntry.objects.filter(verb="took evidence for inspection").exists()

    def test_refuses_a_day_before_anything_was_recorded(self, one, cast, browse, policies, take, on):
        """Who leads today did not lead years ago: of such a day there is nothing to tell."""
        joined_on = cast.oak.joined_on
        authority = {"place": "/inspection/", "who": cast.officer}
        for of in ({}, authority):
            assert "Day must be on or after 1 September 2026" in take(on=joined_on - DAY, **of).text
            assert take(on=joined_on, **of).streaming
        assert "Nothing was recorded before 1 September 2026." in browse(cast.head).get(OAK).text
        with inside(one):
            School.objects.filter(id=cast.elm.id).update(joined_on=on - 300 * DAY)
        assert take(on=joined_on - DAY, **authority).streaming, "there was a school"


class TestTheAuthoritys:
    def test_tells_of_its_schools_in_numbers_and_lists(self, cast, history, returned, take, on):
        found = files(take(place="/inspection/", who=cast.officer))
        text = words(found["evidence.pdf"])
        assert "Section 19 policy" in text and "1 of 2 schools had returned it, 1 with a governor’s signature." in text
        assert len(rows(found["policies.csv"])) == 7  # three of each of two schools, and its own
        [row] = rows(found["schools-returns.csv"])
        assert (row["URN"], row["Yes"], row["No"]) == ("900001", "8", "1")
        said = rows(found["schools-answers.csv"])
        assert [(row["URN"], row["Point"]) for row in said] == [("900001", f"ALG-ACT-0{each}") for each in range(1, 10)]
        [no] = [row for row in said if row["Answer"] == "No"]
        assert (no["Point"], no["Answered by"]) == ("ALG-ACT-03", "Hana Head")
        assert no["What is asked"] and no["Reason"] == "We are writing it."
        assert {row["How strongly"] for row in said} >= {"Must. Start date to be confirmed"}
        assert {row["How strongly"] for row in rows(found["findings.csv"])} <= {row["How strongly"] for row in said}
        assert "Allergy safety policy (start date to be confirmed)" in {
            row["Policy"] for row in rows(found["policies.csv"])
        }
        assert "Allergy safety policy (start date to be confirmed)" in text
        before = files(take(place="/inspection/", who=cast.officer, on=on - 21 * DAY))
        assert rows(before["schools-returns.csv"]) == rows(before["schools-answers.csv"]) == []
        assert "schools-answers.csv" not in files(take())

    def test_tells_what_it_found_of_which_answer_and_what_the_school_says_now(self, one, cast, returned, take, at, on):
        def told(days_ago=0):
            file = files(take(place="/inspection/", who=cast.officer, on=on - days_ago * DAY))["findings.csv"]
            return [(row["URN"], row["The authority found"], row["What the school says now"]) for row in rows(file)]

        with inside(one):
            about = {"cycle": returned.cycle, "school": cast.oak, "by": cast.head}
            save_answers(answers={"ALG-ACT-01": Wanted("partly")}, at=at - 3 * DAY, **about)
            submit(at=at - 3 * DAY, **about)
            save_answers(answers={"ALG-ACT-05": Wanted("partly")}, at=at - DAY, **about)
            submit(at=at - DAY, **about)
        assert told(6) == []
        assert told(4) == told(3) == told(2) == [("900001", "No", "The same")]
        assert told() == [("900001", "No", "Changed: Partly")]
        note = "The authority found{}: No. Not on the website."
        assert note.format("") in words(files(take(on=on - 2 * DAY))["evidence.pdf"])
        assert note.format(", about an earlier answer") in words(files(take())["evidence.pdf"])

    def test_tells_of_the_schools_that_were_open_on_the_day(self, one, cast, history, take, on):
        with inside(one):
            School.objects.filter(id=cast.oak.id).update(closed_on=on - 5 * DAY)
            School.objects.filter(id=cast.elm.id).update(joined_on=on - 3 * DAY)
        told = {}
        for days_ago in (6, 5, 3):
            found = files(take(place="/inspection/", who=cast.officer, on=on - days_ago * DAY))
            told[days_ago] = {row["URN"] for row in rows(found["policies.csv"])} - {""}
        assert told == {6: {cast.oak.urn}, 5: set(), 3: {cast.elm.urn}}
