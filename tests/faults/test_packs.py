"""A worker that is killed while it makes the night's packs: the one it was at is made again, the others stay."""

import signal
import subprocess
import sys
from typing import Any

import pytest
from databases import ROOT
from factories import PupilFactory, emergency
from running import environment_of

from handrail.core.audit import CLOCK
from handrail.core.models import Document
from handrail.packs import actions
from handrail.packs.models import Pack
from handrail.plans.models import HealthcarePlan, Stage
from handrail.plans.versions import write_emergency
from tenants.context import inside
from workflows.packs import work_on_packs

SCHOOLS, DIES_AT = 5, 3


@pytest.fixture
def schools(ground: Any, settings: Any, tmp_path: Any) -> Any:
    """Five schools with a child each, whose plan is active."""
    settings.DOCUMENT_STORE = tmp_path / "documents"
    with inside(ground.one):
        for _ in range(SCHOOLS):
            version, _ = write_emergency(pupil=PupilFactory(), says=emergency(), based_on=0, by=CLOCK, at=ground.at)
            HealthcarePlan.objects.filter(id=version.plan_id).update(stage=Stage.ACTIVE, due_on=ground.on)
    return ground


class TestKilled:
    def test_half_way_it_costs_the_pack_it_was_at(self, schools: Any, tmp_path: Any) -> None:
        died = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "faults.dying", schools.at.isoformat()],
            env=environment_of(schools.database, tmp_path),
            cwd=ROOT,
            check=False,
        )
        assert died.returncode == -signal.SIGKILL
        with inside(schools.one):
            kept = set(Pack.objects.exclude(document=None).values_list("document_id", flat=True))
        assert len(kept) == DIES_AT - 1
        assert work_on_packs(schools.one, now=lambda: schools.at) == SCHOOLS - DIES_AT
        assert work_on_packs(schools.one, now=lambda: schools.at + actions.LEASE) == 1
        with inside(schools.one):
            documents = set(Pack.objects.values_list("document_id", flat=True))
            assert len(documents) == SCHOOLS
            assert kept < documents, "what was finished is not made again"
            assert Document.objects.count() == SCHOOLS
