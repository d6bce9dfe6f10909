"""An administrator sets up the authority's own sign-in service; people connect it and sign in with it."""

import pytest
from oidc_provider import CLIENT_ID, CLIENT_SECRET, provider_process

from handrail.accounts.models import SignInService
from tenants.context import inside

pytestmark = pytest.mark.browser

PHONE = 320


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    with provider_process(tmp_path_factory.mktemp("provider") / "log") as running:
        yield running


def heading(page):
    return page.get_by_role("heading", level=1).inner_text()


def set_up(site, provider, page):
    """As the administrator does it, with a mistake on the way."""
    site.check(page)
    page.get_by_role("link", name="Let people sign in with your own service").click()
    site.check(page)
    page.get_by_role("button", name="Add a sign-in service").click()
    site.check(page)
    page.get_by_label("Name on the button").fill("Barsetshire Council")
    page.get_by_label("Address of the service").fill("http://127.0.0.1:9")
    page.get_by_label("Client id").fill(CLIENT_ID)
    page.get_by_label("Client secret", exact=True).fill(CLIENT_SECRET)
    page.get_by_label("Yes, when amr contains").check()
    page.get_by_label("Value of amr").fill("mfa")
    site.press(page, "Add this service")
    site.check(page)
    assert page.get_by_role("link", name="does not answer").is_visible()
    page.get_by_label("Address of the service").fill(provider.issuer)
    page.get_by_label("Client secret", exact=True).fill(CLIENT_SECRET)
    site.press(page, "Add this service")
    site.check(page)
    with inside(site.one):
        service = SignInService.objects.get()
    assert page.get_by_text(site.address(f"/sign-in/with/{service.id}/back/"), exact=True).is_visible()
    site.press(page, "Check it")
    site.check(page)
    assert page.get_by_text("Barsetshire Council answers.").is_visible()
    site.press(page, "Switch it on")
    site.check(page)
    page.get_by_role("link", name="Change client id").click()
    site.check(page)
    return service


def test_it_is_set_up_connected_and_used(site, provider, width):
    provider.behave(claims={"amr": ["pwd", "mfa"]})
    set_up(site, provider, site.open("/settings/", by=site.cast.admin, width=width))

    page = site.open("/account/", width=width)
    site.check(page)
    page.get_by_role("button", name="Sign in with Barsetshire Council").click()
    page.wait_for_url("**/sign-in/?next=**")
    assert page.get_by_text("We do not know this sign-in yet.").is_visible()
    site.check(page)

    page = site.open("/account/", by=site.cast.head, width=width)
    page.get_by_role("button", name="Connect Barsetshire Council").click()
    page.get_by_text("Barsetshire Council is connected.").wait_for()
    assert page.url == site.address("/account/")
    site.check(page)

    page = site.open("/account/", width=width)
    page.get_by_role("button", name="Sign in with Barsetshire Council").click()
    page.wait_for_url(site.address("/account/"))
    assert page.get_by_role("link", name="Hana Head").is_visible()
    site.press(page, "Disconnect Barsetshire Council")
    site.check(page)

    provider.behave(error="access_denied")
    page = site.open("/sign-in/", width=width)
    page.get_by_role("button", name="Sign in with Barsetshire Council").click()
    page.get_by_text("Barsetshire Council did not let you in").wait_for()
    site.check(page)


def test_without_javascript_and_with_the_page_between(site, provider):
    provider.behave()
    service = set_up(site, provider, site.open("/settings/", by=site.cast.admin))
    page = site.open("/account/", by=site.cast.head, width=PHONE, java_script_enabled=False)
    page.get_by_role("button", name="Connect Barsetshire Council").click()
    page.get_by_text("Barsetshire Council is connected.").wait_for()

    page = site.open("/sign-in/", width=PHONE)
    page.route(f"{provider.issuer}/**", lambda route: route.fulfill(status=204))
    page.get_by_role("button", name="Sign in with Barsetshire Council").click()
    page.wait_for_url(site.address(f"/sign-in/with/{service.id}/"))
    assert heading(page) == "Going to Barsetshire Council"
    site.check(page)
    page.unroute(f"{provider.issuer}/**")
    page.get_by_role("button", name="Continue to Barsetshire Council").click()
    page.wait_for_url(site.address("/"))
    assert page.get_by_role("link", name="Hana Head").is_visible()
