"""Pages about plans ask the database as often however many plans there are."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from factories import ContactFactory, PupilFactory, emergency

from handrail.care.models import Medicine, StaffTraining
from handrail.overview.plan_counts import STANDS_FOR, count_plans
from handrail.plans import reading
from handrail.plans.models import HealthcarePlan, Stage
from handrail.plans.versions import write_emergency
from tenants.context import inside

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    """Pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def more(one, cast, at, on):
    """Gives Oak School so many more active plans, with all that stands behind them."""

    def made(number):
        with inside(one):
            for each in range(number):
                child = PupilFactory(school=cast.oak, name=f"Ash {each}", class_name=f"Class {each}")
                ContactFactory(pupil=child)
                version, _ = write_emergency(pupil=child, says=emergency(), based_on=0, by=cast.head, at=at)
                reading.choose_readers(plan=version.plan, people=[cast.head], names=["Mo"], by=cast.head, at=at)
                Medicine.objects.create(
                    pupil=child, kind="medicine", name="Salbutamol", dose="1", place="Office", given_by="Ann",
                    received_on=on, expires_on=on + each * A_DAY,
                )  # fmt: skip
                StaffTraining.objects.create(
                    school=cast.oak, pupil=child, person="Ann", procedure="inhaler", trainer="Nell",
                    trained_on=on, expires_on=on + each * A_DAY, is_confirmed=True,
                )  # fmt: skip
            HealthcarePlan.objects.update(stage=Stage.ACTIVE, due_on=on - A_DAY)

    return made


def asked(client, path, data):
    """How often a page asks, the second time, when all that is kept between requests is there."""
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(path, data) if data else client.get(path)
        assert answer.status_code == 200
        assert b"".join(answer)
    return len(queries)


@pytest.mark.parametrize(
    ("who", "path", "data"),
    [
        ("head", "/", None),
        ("head", "/schools/900001/plans/", None),
        ("head", "/schools/900001/plans/?status=overdue", None),
        ("head", "/schools/900001/plans/", {"letters": "as"}),
        ("head", "/schools/900001/plans/print/", None),
        ("head", "/schools/900001/plans/print/", {"everybody": "yes"}),
        ("head", "/schools/900001/plans/print/", {"list": "first_aid"}),
        ("head", "/schools/900001/medicines/", None),
        ("head", "/plans-to-read/", None),
        ("officer", "/", None),
        ("officer", "/plan-reviews/", None),
        ("officer", "/plan-reviews/schools/", None),
        ("officer", "/plan-reviews/counts.csv", None),
    ],
)
def test_ask_as_often_however_many_plans(one, cast, on, more, browse, who, path, data):
    client = browse(getattr(cast, who))
    more(2)
    with inside(one):
        count_plans(on=on - STANDS_FOR)
    few = asked(client, path, data)
    more(5)
    with inside(one):
        for times in range(2, 6):
            count_plans(on=on - times * STANDS_FOR)
    assert asked(client, path, data) == few


@pytest.mark.parametrize("page", ["plan/", "plan/review/", "emergency/", "medicines/"])
def test_ask_as_often_about_one_of_them(one, cast, more, browse, page):
    client = browse(cast.head)
    more(1)
    with inside(one):
        child = HealthcarePlan.objects.get().pupil_id
    path = f"/children/{child}/{page}"
    few = asked(client, path, None)
    more(5)
    assert asked(client, path, None) == few
