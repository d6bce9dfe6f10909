"""Pages about what the law and guidance ask: every framework, how sure we are of it, and what a new one changes."""

import re
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from handrail.accounts.roles import Permission
from handrail.authority.actions import NotADraft, set_preview
from handrail.authority.guidance_words import Told, told
from handrail.core.access import SIGNED_IN, Door, Request
from handrail.core.models import AuthoritySettings
from handrail.guidance.changes import Became, difference
from handrail.guidance.frameworks import Framework
from handrail.guidance.published import drafts, edition, editions, framework, frameworks


class GuidanceView(Door):
    """Every framework that Handrail knows: what it is, how far it has come, and whom it is asked of."""

    permission = SIGNED_IN

    def get(self, request: Request) -> HttpResponse:
        found = [told(each.as_at(request.today)) for each in frameworks()]
        facts = {
            "laws": [each for each in found if each.framework.is_law],
            "others": [each for each in found if not each.framework.is_law and not each.framework.is_draft],
            "drafts": [(told(each), query(each)) for each in drafts()],
            "previewed": AuthoritySettings.load().previewed,
        }
        return render(request, "authority/guidance.html", facts)


class FrameworkDoor(Door):
    """A page about one framework: about the edition that counts, or the one that the address names."""

    permission = SIGNED_IN
    request: Request

    def found(self) -> Framework:
        one = self.named("edition") or framework(self.kwargs["framework_id"])
        if one is None:
            raise Http404
        return one

    def named(self, what: str) -> Framework | None:
        """The edition of this framework whose number the address gives under a name. Raises Http404 if it is none."""
        number = self.request.GET.get(what)
        if number is None:
            return None
        one = edition(self.kwargs["framework_id"], int(number)) if re.fullmatch("[0-9]{1,4}", number) else None
        if one is None:
            raise Http404
        return one

    def may_look_at(self, one: Framework) -> bool:
        return not one.is_draft or one.preview in AuthoritySettings.load().previewed

    def page(self, template: str, one: Framework, **more: Any) -> HttpResponse:
        about: Told = told(one.as_at(self.request.today))
        facts = {
            "about": about,
            "framework": one,
            "counts_from": about.counts_from,
            "is_shown": self.may_look_at(one),
            "query": query(one),
            **more,
        }
        return render(self.request, f"authority/{template}.html", facts)


class FrameworkView(FrameworkDoor):
    """What one framework asks, of whom, and where it says so. What a draft would ask is shown only as a preview."""

    def get(self, request: Request, framework_id: str) -> HttpResponse:
        one = self.found()
        others = [(each, query(each)) for each in editions() if each.id == one.id and each.edition != one.edition]
        return self.page("framework", one, earlier=earlier(one), others=others)


class ChangesView(FrameworkDoor):
    """What an edition changed, requirement by requirement, since the one before or what it would replace, or else
    `since` the edition that the address names.

    Where there is nothing to compare, or a draft may not be looked at, it leads to the framework's own page.
    """

    def get(self, request: Request, framework_id: str) -> HttpResponse:
        one = self.found()
        before = self.named("since") or earlier(one)
        if before is None or not (self.may_look_at(one) and self.may_look_at(before)):
            return redirect(address(one))
        found = difference(before.requirements, one.requirements)
        changes = {str(became): found.that(became) for became in Became}
        return self.page("changes", one, before=before, changes=changes)


class PreviewView(FrameworkDoor):
    """Let people look at a draft, or stop it."""

    permission = Permission.PREVIEW_GUIDANCE

    def post(self, request: Request, framework_id: str) -> HttpResponse:
        one, is_on = self.found(), request.POST.get("preview") == "on"
        try:
            set_preview(framework=one, is_on=is_on, by=request.user, at=request.now)
        except NotADraft:
            raise Http404 from None
        words = "People can now look at this draft." if is_on else "Nobody can look at this draft any more."
        messages.success(request, words)
        return redirect(address(one))


def query(one: Framework) -> str:
    """What an address says besides the framework, where this is not the edition that counts."""
    return "" if one == framework(one.id) else f"?edition={one.edition}"


def address(one: Framework) -> str:
    return reverse("authority:framework", kwargs={"framework_id": one.id}) + query(one)


def earlier(one: Framework) -> Framework | None:
    """The edition before this one that was no draft, or else what it replaces."""
    before = [each for each in editions() if each.id == one.id and each.edition < one.edition and not each.is_draft]
    return max(before, key=lambda each: each.edition, default=framework(one.replaces))
