"""Pages about policies: what is on them, and who may not see them."""

import pytest

from handrail.policies.actions import open_policies
from handrail.policies.models import Kind, Policy
from tenants.context import inside

pytestmark = pytest.mark.django_db


@pytest.fixture
def policies(one, cast, on, at):
    with inside(one):
        open_policies(on=on, at=at)
        return {policy.kind: policy for policy in Policy.objects.filter(school=cast.oak).select_related("school")}


@pytest.fixture
def policy(policies):
    return policies[Kind.MEDICAL_CONDITIONS]


def at_policy(policy, page=""):
    return f"/schools/{policy.school.urn}/policies/{policy.id}/{page}"


PAGES = (
    "",
    "details/",
    "published/",
    "approval/",
    "review/",
    "review/changes/",
    "review/place/",
    "review/next/",
    "review/check/",
)


@pytest.mark.parametrize("page", PAGES)
def test_x(page, policy, browse, cast):
    answer = browse(cast.head).get(at_policy(policy, page))
    assert answer.status_code in (200, 302), page
