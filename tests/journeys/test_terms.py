"""An administrator gives the dates of a term."""

import pytest

pytestmark = pytest.mark.browser


def test_the_dates_of_a_term_with_mistakes_on_the_way(site):
    page = site.open("/settings/", by=site.cast.admin)
    site.press(page, "Give the term dates", role="link")
    site.check_at_each_width(page)
    site.press(page, "Enter autumn term", role="link")
    site.press(page, "Save these dates")
    site.check_at_each_width(page)
    year = page.inner_text("h1 .govuk-caption-l")[:4]
    for group, day, month in (("First day of term", "3", "9"), ("Last day of term", "18", "12")):
        boxes = page.get_by_role("group", name=group)
        for box, typed in (("Day", day), ("Month", month), ("Year", year)):
            boxes.get_by_label(box).fill(typed)
    site.press(page, "Save these dates")
    site.check(page)
    assert f"3 September {year} to 18 December {year}" in page.inner_text("main")
