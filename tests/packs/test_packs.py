"""A school's pack: all its emergency pages in one sealed file, made each night, given to its leads, recorded."""

from datetime import timedelta
from io import BytesIO

import pypdf
import pytest
from django.test import Client
from factories import PupilFactory, emergency, person

from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry, Document, ReadEntry
from handrail.packs import actions
from handrail.packs.models import MOST_ATTEMPTS, Pack
from handrail.plans.models import HealthcarePlan, Stage
from handrail.plans.versions import write_emergency
from handrail.records.actions import erase_child
from handrail.schools.models import Pupil, School
from tenants.context import inside
from workflows import packs
from workflows.packs import work_on_packs

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DOCUMENT_STORE = tmp_path
    return tmp_path


@pytest.fixture
def child(cast, one, at):
    """Makes a child with an active plan."""

    def made(name, school=None, stage=Stage.ACTIVE, **more):
        with inside(one):
            child = PupilFactory(school=school or cast.oak, name=name, **more)
            version, _ = write_emergency(pupil=child, says=emergency(f"Of {name}"), based_on=0, by=cast.head, at=at)
            due_on = None if stage == Stage.CLOSED else at.date()
            HealthcarePlan.objects.filter(id=version.plan_id).update(stage=stage, due_on=due_on)
        return child

    return made


def work(one, at):
    return work_on_packs(one, now=lambda: at)


def pages(answer):
    return [page.extract_text() for page in pypdf.PdfReader(BytesIO(b"".join(answer.streaming_content))).pages]


@pytest.fixture
def download(cast, browse):
    return lambda who=None: browse(who or cast.head).post("/schools/900001/pack/download/")


class TestMaking:
    def test_puts_every_active_plan_of_the_school_in_it_by_class(self, cast, one, at, child, download):
        child("Poppy Canarywright", class_name="Wrens")
        child("Ash Canarywright", class_name="Robins")
        child("Draft Canarywright", stage=Stage.DRAFT)
        child("Closed Canarywright", stage=Stage.CLOSED)
        child("Elm Canarywright", school=cast.elm)
        left = child("Left Canarywright")
        with inside(one):
            Pupil.objects.filter(id=left.id).update(left_on=at.date())
        assert work(one, at) == 2
        contents, first, second = pages(download())
        assert "Ash Canarywright" in contents
        assert "Poppy Canarywright" in contents
        assert "Of Ash Canarywright" in first
        assert "Of Poppy Canarywright" in second
        assert "Made 23 November 2026 at 9:05am by Handrail" in second

    def test_is_done_once_a_day_and_the_next_takes_its_place(self, one, at, child):
        child("Poppy Canarywright")
        assert work(one, at) == 1
        with inside(one):
            before = Pack.objects.get().document_id
        assert work(one, at + timedelta(hours=3)) == 0
        assert work(one, at + A_DAY) == 1
        with inside(one):
            [document] = Document.objects.filter(content_type="application/pdf")
            assert document.id == Pack.objects.get().document_id != before
            assert AuditEntry.objects.filter(verb="asked for packs of emergency pages").count() == 2

    def test_seals_the_file(self, one, at, child, folder):
        child("Poppy Canarywright")
        work(one, at)
        [kept] = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
        assert not kept.startswith(b"%PDF")
        with inside(one):
            assert Pack.objects.get().document.is_sealed

    def test_lets_the_pack_of_a_school_without_plans_go(self, one, at, child):
        poppy = child("Poppy Canarywright")
        work(one, at)
        with inside(one):
            HealthcarePlan.objects.filter(pupil=poppy).update(stage=Stage.CLOSED, due_on=None)
        assert work(one, at + A_DAY) == 0
        with inside(one):
            assert not Pack.objects.exists()
            assert not Document.objects.exists()

    def test_of_a_closed_school_goes_too(self, cast, one, at, child):
        child("Poppy Canarywright")
        work(one, at)
        with inside(one):
            School.objects.filter(id=cast.oak.id).update(closed_on=at.date())
        work(one, at + A_DAY)
        with inside(one):
            assert not Pack.objects.exists()

    def test_that_fails_leaves_the_others_alone_and_is_given_up_for_the_night(self, cast, one, at, child, monkeypatch):
        child("Poppy Canarywright")
        child("Elm Canarywright", school=cast.elm)
        real = actions.emergency_pages

        def breaks_at_oak(versions, **more):
            if versions[0].plan.pupil.school_id == cast.oak.id:
                raise RuntimeError("broken")
            return real(versions, **more)

        monkeypatch.setattr(actions, "emergency_pages", breaks_at_oak)
        made = [work(one, at + number * actions.LEASE) for number in range(MOST_ATTEMPTS + 2)]
        assert made == [1] + [0] * (MOST_ATTEMPTS + 1)
        monkeypatch.setattr(actions, "emergency_pages", real)
        assert work(one, at + timedelta(hours=5)) == 0
        assert work(one, at + A_DAY) == 2

    def test_waits_while_the_vault_is_closed(self, one, at, child, settings):
        child("Poppy Canarywright")
        keys, settings.VAULT_KEYS = settings.VAULT_KEYS, ()
        assert work(one, at) == 0
        settings.VAULT_KEYS = keys
        assert work(one, at) == 1

    def test_by_a_worker_that_was_overtaken_writes_nothing(self, one, at, child):
        child("Poppy Canarywright")
        with inside(one):
            actions.ask_for_packs(on=at.date(), at=at)
            late = actions.claim(at=at)
            assert actions.claim(at=at) is None
            newer = actions.claim(at=at + actions.LEASE)
            with pytest.raises(actions.LeaseLost):
                actions.make(late, at=at)
            assert actions.make(newer, at=at).document

    def test_makes_so_many_at_once_and_the_rest_at_the_next_ring(self, cast, one, at, child, monkeypatch):
        child("Poppy Canarywright")
        child("Elm Canarywright", school=cast.elm)
        monkeypatch.setattr(packs, "AT_ONCE", 1)
        assert [work(one, at) for _ in range(3)] == [1, 1, 0]


class TestErasing:
    def test_a_child_takes_the_pack_with_it(self, cast, one, at, child):
        poppy = child("Poppy Canarywright")
        child("Ash Canarywright")
        work(one, at)
        with inside(one):
            erase_child(pupil=poppy, by=cast.head, at=at)
            assert not Document.objects.exists()
        work(one, at)
        with inside(one):
            assert len(Pack.objects.get().child_ids) == 1


class TestThePage:
    def test_gives_the_file_and_records_each_child_in_it(self, cast, one, at, child, browse, download):
        poppy, ash = child("Poppy Canarywright"), child("Ash Canarywright")
        lead = browse(cast.head)
        assert "There is no pack yet" in lead.get("/schools/900001/pack/").text
        work(one, at)
        page = lead.get("/schools/900001/pack/").text
        assert "with the pages of 2 children" in page
        assert "Canarywright" not in page
        answer = download()
        assert answer.headers["Content-Disposition"] == 'attachment; filename="emergency-pages-2026-11-23.pdf"'
        assert len(pages(answer)) == 3
        with inside(one):
            read = ReadEntry.objects.get(verb="export")
            assert read.child_ids == sorted([poppy.id, ash.id])
            assert (read.by, read.group, read.school_id) == (cast.head.id, "emergency", cast.oak.id)

    def test_says_when_there_is_no_file(self, cast, browse):
        answer = browse(cast.head).post("/schools/900001/pack/download/", follow=True)
        assert "It is made in the night after a plan becomes active" in answer.text

    def test_is_for_the_leads_of_the_school(self, cast, one, at, child, browse, download):
        child("Poppy Canarywright")
        work(one, at)
        with inside(one):
            office = person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
        assert download(office).status_code == 403
        assert download(cast.officer).status_code == 403
        assert download(cast.neighbour).status_code == 404

    def test_asks_for_the_second_step(self, cast, one, at, child):
        child("Poppy Canarywright")
        work(one, at)
        client = Client(HTTP_HOST=one.host)
        with inside(one):
            client.force_login(cast.head)
        answer = client.post("/schools/900001/pack/download/")
        assert answer.status_code == 302
        assert "pack" not in answer.headers["Location"].partition("?")[0]
