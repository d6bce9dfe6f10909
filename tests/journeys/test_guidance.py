"""What the law and guidance ask, in a real browser, on a phone and on a desk."""

from shutil import copytree

import pytest
from django.utils import timezone
from editions import new_edition

from handrail.authority.actions import set_preview
from handrail.guidance.published import framework
from handrail.guidance.reading import TEXTS, add_digests
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


def test_a_draft_of_a_later_edition_is_never_taken_for_what_counts(site, width, tmp_path):
    texts = copytree(TEXTS, tmp_path / "texts")
    new_edition(texts, "CFA-100A", changed=1)
    third = (texts / "CFA-100A-2.toml").read_text().replace("edition = 2", "edition = 3", 1)
    third = third.replace('status = "enacted"', 'status = "draft"', 1).replace("As enacted", "Draft, after that", 1)
    third = third.replace('id = "ALG-ACT-02"\n', 'id = "ALG-ACT-02"\napplies_to = ["academy", "pru"]\n', 1)
    (texts / "CFA-100A-3.toml").write_text(third)
    add_digests(texts)
    with site.by_texts(texts):
        page = site.open("/guidance/CFA-100A/", by=site.cast.officer, width=width)
        site.check(page)
        site.press(page, "Draft, after that", role="link")
        assert "This is a draft. It is not law." in page.locator("main").inner_text()
        site.press(page, "Switch on a preview")
        site.check(page)
        site.press(page, "What would change since", role="link")
        assert "Would be asked of: Academy or free school, Pupil referral unit." in page.locator("main").inner_text()
        site.check(page)
        page.goto(site.address("/guidance/CFA-100A/changes/?since=1"))
        assert "Changed: 1 requirement" in page.locator("main").inner_text()
        site.check(page)
