"""A plan that can be relied on: each part missing by itself, in words and in counts alike."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from factories import PupilFactory

from handrail.care.models import Medicine, StaffTraining
from handrail.plans.coverage import MISSING, Part, coverage_of, is_covered
from handrail.plans.models import HealthcarePlan, Stage
from tenants.context import inside

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def here(one):
    with inside(one):
        yield one


@pytest.fixture
def covered(cast, here, on):
    """Makes a plan with everything behind it."""

    def make(**changes):
        pupil = PupilFactory(school=cast.oak)
        plan = HealthcarePlan.objects.create(
            **{"pupil": pupil, "stage": Stage.ACTIVE, "last_reviewed_on": on, "due_on": on} | changes
        )
        for person, is_cover in (("Ann Able", False), ("Bo Bell", True)):
            StaffTraining.objects.create(
                school=cast.oak,
                pupil=pupil,
                person=person,
                procedure="seizure",
                trainer="Nora Nurse",
                trained_on=on,
                expires_on=on,
                is_confirmed=True,
                is_cover=is_cover,
            )
        Medicine.objects.create(
            pupil=pupil,
            kind="medicine",
            name="Midazolam",
            dose="5 mg",
            place="Office",
            given_by="Ann Able",
            received_on=on,
            expires_on=on,
            consent_on=on,
        )
        return plan

    return make


def missing(plan, on):
    """What is missing in words, once it is known that the count says the same."""
    found = coverage_of(plan, on=on)
    assert HealthcarePlan.objects.filter(id=plan.id).filter(is_covered(on=on)).exists() == (not found)
    return found


class TestACoveredPlan:
    def test_lacks_nothing(self, covered, on):
        assert missing(covered(), on) == []

    def test_needs_no_medicine(self, covered, on):
        plan = covered()
        Medicine.objects.all().delete()
        assert missing(plan, on) == []

    def test_is_covered_by_what_is_in_use_alone(self, covered, on):
        plan = covered()
        Medicine.objects.update(expires_on=on - DAY, consent_on=None, returned_on=on, gone="returned")
        assert missing(plan, on) == []

    def test_is_no_more_the_day_after(self, covered, on):
        assert missing(covered(), on + DAY) == [
            words for part, words in MISSING.items() if part not in (Part.ACTIVE, Part.CONSENTS)
        ]


class TestAPart:
    @pytest.mark.parametrize(
        ("change", "parts"),
        [
            (lambda on: HealthcarePlan.objects.update(stage=Stage.DRAFT), [Part.ACTIVE]),
            (
                lambda on: HealthcarePlan.objects.update(stage=Stage.CLOSED, due_on=None),
                [Part.ACTIVE, Part.IN_DATE],
            ),
            (lambda on: HealthcarePlan.objects.update(due_on=on - DAY), [Part.IN_DATE]),
            (lambda on: StaffTraining.objects.filter(is_cover=False).update(ended_on=on), [Part.TRAINED]),
            (lambda on: StaffTraining.objects.filter(is_cover=True).update(is_confirmed=False), [Part.COVER]),
            (lambda on: StaffTraining.objects.update(pupil=None), [Part.TRAINED, Part.COVER]),
            (lambda on: Medicine.objects.update(expires_on=on - DAY), [Part.MEDICINES]),
            (lambda on: Medicine.objects.update(consent_on=None), [Part.CONSENTS]),
        ],
    )
    def test_is_missing_by_itself(self, covered, on, change, parts):
        plan = covered()
        change(on)
        assert missing(plan, on) == [MISSING[part] for part in parts]

    def test_is_not_missing_where_a_young_person_agreed_alone(self, covered, on):
        plan = covered()
        Medicine.objects.update(is_hidden_from_parents=True)
        assert missing(plan, on) == []
        Medicine.objects.update(consent_on=None)
        assert missing(plan, on) == [MISSING[Part.CONSENTS]]

    def test_is_not_another_childs(self, covered, on):
        plan = covered()
        covered()
        StaffTraining.objects.filter(pupil=plan.pupil).delete()
        assert missing(plan, on) == [MISSING[Part.TRAINED], MISSING[Part.COVER]]


class TestCounting:
    def test_asks_once_however_many_there_are(self, covered, on):
        for _ in range(3):
            covered()
        covered(due_on=on - DAY)
        with CaptureQueriesContext(connection) as queries:
            assert HealthcarePlan.objects.filter(is_covered(on=on)).count() == 3
        assert len(queries) == 1
