"""What the law and guidance ask, in a real browser, on a phone and on a desk."""

import pytest
from django.utils import timezone

from handrail.authority.actions import set_preview
from handrail.guidance.published import framework
from tenants.context import inside

pytestmark = pytest.mark.browser


def test_every_page_of_guidance(site, width):
    draft = framework("MCAS-2026")
    page = site.open("/guidance/", by=site.cast.officer, width=width)
    site.check(page)
    for name, status in (
        ("SPMC-2015", "In force unless replaced"),
        ("CFA-100A", "Start date to be confirmed"),
        (draft.id, "Draft, not law"),
    ):
        page.goto(site.address(f"/guidance/{name}/"))
        site.check(page)
        assert status in page.locator("main").inner_text()
    site.press(page, "Switch on a preview")
    site.check(page)
    assert page.get_by_role("button", name="Stop the preview").count() == 1
    page.goto(site.address(f"/guidance/{draft.id}/changes/"))
    site.check(page)
    with inside(site.one):
        set_preview(framework=draft, is_on=False, by=site.cast.officer, at=timezone.now())
