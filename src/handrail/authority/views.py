"""What the authority says about its service to anybody, and the settings only its administrators see."""

from hashlib import sha256
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response

from handrail.authority import rules
from handrail.authority.colour import OURS
from handrail.core.access import PUBLIC, Door
from handrail.core.models import AuthoritySettings


class BrandView(Door):
    """The authority's colour, as a stylesheet of one rule. A browser asks each time whether it has changed."""

    permission = PUBLIC

    def get(self, request: HttpRequest) -> HttpResponseBase | None:
        css = f":root{{--handrail-brand:{AuthoritySettings.load().brand_colour or OURS}}}\n"
        etag = f'"{sha256(css.encode()).hexdigest()[:16]}"'
        fresh = HttpResponse(css, content_type="text/css", headers={"ETag": etag, "Cache-Control": "no-cache"})
        return get_conditional_response(request, etag=etag, response=fresh)


class PublicPage(Door):
    """A page of words for anybody."""

    permission = PUBLIC
    template: str

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, self.template, {"settings": AuthoritySettings.load(), **self.facts(request)})

    def facts(self, request: HttpRequest) -> dict[str, Any]:
        return {}


class HelpView(PublicPage):
    template = "authority/help.html"


class CookiesView(PublicPage):
    template = "authority/cookies.html"

    def facts(self, request: HttpRequest) -> dict[str, Any]:
        return {
            "session_cookie": settings.SESSION_COOKIE_NAME,
            "csrf_cookie": settings.CSRF_COOKIE_NAME,
            "hours": settings.SESSION_COOKIE_AGE // 3600,
        }


class AccessibilityView(PublicPage):
    template = "authority/accessibility.html"


class HowWeWorkOutStatusView(PublicPage):
    template = "authority/how_we_work_out_status.html"

    def facts(self, request: HttpRequest) -> dict[str, Any]:
        today = request.today  # type: ignore[attr-defined]
        settings = AuthoritySettings.load()
        return {"examples": rules.examples(on=today, settings=settings), "duties": rules.duties()}
