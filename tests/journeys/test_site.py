"""The site that the journeys are made on."""

import pytest

pytestmark = pytest.mark.browser


def test_answers_signed_out_people_with_the_sign_in_page(site):
    page = site.open("/account/login/")
    assert page.locator("body").count() == 1
