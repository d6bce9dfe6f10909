"""Pages for people without an account: a link leads one of them to one version of one child's plan."""

from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.accounts import guest_views
from handrail.accounts.guests import Tried
from handrail.accounts.middleware import KEEP
from handrail.accounts.sessions import IDLE
from handrail.core.access import Request
from handrail.core.jinja import FOOTER
from handrail.core.models import ReadEntry
from handrail.core.vault import VaultClosed
from handrail.plans import guests, link_mail, links
from handrail.plans.content import in_words
from handrail.plans.emergency import PARTS
from handrail.plans.link_forms import SayForm, WhoForm
from handrail.plans.models import Agreement, Party, PlanLink
from handrail.plans.standing import Standing

ELSEWHERE = {href for _, href in FOOTER}
"""Where the buttons at the foot of the page lead."""


class GuestDoor(guest_views.GuestDoor):
    """A page for whoever has opened a link in this browser."""

    argument, what = "shared_id", "link"
    addresses: ClassVar[dict[str, str]] = {
        "code": "plans:new_code",
        "who": "plans:who",
        "inside": "plans:shared",
        "closed": "plans:closed",
    }

    @cached_property
    def guest(self) -> PlanLink | None:
        return guests.known(self.request.session, self.kwargs["shared_id"])

    @property
    def standing(self) -> Standing | None:
        return self.guest.standing(self.request.now) if self.guest else None

    @property
    def stands(self) -> bool:
        return self.standing == Standing.STANDS

    @property
    def is_in(self) -> bool:
        link = self.guest
        return link is not None and guests.is_in(self.request.session, link, at=self.request.now)

    def page(self, template: str, **more: Any) -> HttpResponse:
        return render(self.request, f"plans/guest/{template}.html", {"link": self.guest, **more})

    def new_code(self) -> str | None:
        try:
            return links.make_code(link=cast(PlanLink, self.guest), at=self.request.now)
        except links.NoLongerOpen:
            return None


class OpenLinkView(GuestDoor):
    """Where the address in the message leads. It does nothing before a button is pressed: mail scanners open it too."""

    @cached_property
    def guest(self) -> PlanLink | None:
        found = link_mail.link_at(self.kwargs["token"])
        if found is None:
            raise Http404
        return found

    def get(self, request: Request, token: str) -> HttpResponse:
        return self.before("open") if self.stands else self.page("closed", standing=self.standing)

    def post(self, request: Request, token: str) -> HttpResponse:
        if self.guest is not None and self.stands:
            guests.begin(request.session, self.guest)
            return self.send_code()
        return self.get(request, token)


class NewCodeView(GuestDoor):
    def post(self, request: Request, shared_id: UUID) -> HttpResponse:
        return self.send_code()


class WhoView(GuestDoor, guest_views.WhoDoor):
    form = WhoForm

    def try_to_get_in(self, **given: Any) -> Tried:
        return links.try_to_get_in(link=cast(PlanLink, self.guest), at=self.request.now, **given)

    def let_in(self) -> None:
        guests.let_in(self.request.session, cast(PlanLink, self.guest), at=self.request.now)


class SharedView(GuestDoor):
    """The plan as it was sent, and what its reader thinks of it. One form: no button loses what was typed."""

    shows_child = keeps_typed = True

    def get(self, request: Request, shared_id: UUID) -> HttpResponse:
        link = self.guest
        if link is None or not self.is_in:
            return self.go_to("closed")
        known = link.draft or {}
        return self.show(link, SayForm(initial=known), is_kept=bool(known))

    def post(self, request: Request, shared_id: UUID) -> HttpResponse:
        link = self.guest
        if link is None:
            return self.go_to("closed")
        if not self.is_in or KEEP in request.headers or {"close", "go"} & set(request.POST):
            return self.keep(link)
        form = SayForm(request.POST)
        if not form.is_valid():
            return self.show(link, form)
        try:
            is_agreed = SayForm.IS_AGREED[form.cleaned_data["answer"]]
            links.say(link=link, is_agreed=is_agreed, words=form.cleaned_data["words"], at=request.now)
        except links.NoLongerOpen:
            return self.keep(link)
        messages.success(request, "Sent to the school.")
        return self.go_to("inside")

    def keep(self, link: PlanLink) -> HttpResponse:
        """Keep what was typed instead of sending it: the page was closed, was left alone, or is about to be; or its
        reader goes to one of the pages that anybody may open.
        """
        request = self.request
        typed = {name: request.POST.get(name, "") for name in ("answer", "words")}
        try:
            is_kept = links.keep_draft(link=link, typed=typed, at=request.now)
        except VaultClosed:
            is_kept = False
        if KEEP in request.headers:
            return HttpResponse(status=204)
        if is_kept:
            messages.info(request, "We have kept what you typed. It is not sent yet.")
        if request.POST.get("go") in ELSEWHERE:
            return redirect(request.POST["go"])
        if "close" in request.POST:
            guests.leave(request.session, link)
        return self.go_to("closed")

    def show(self, link: PlanLink, form: SayForm, *, is_kept: bool = False) -> HttpResponse:
        """The page, once it is recorded that it shows this child's plan, to whom, and through which link."""
        child, version, now = link.pupil, link.version, self.request.now
        guests.go_on(self.request.session, link, at=now)
        self.shows(
            [child.id],
            ReadEntry.Group.PLAN,
            by=link,
            school_id=child.school_id,
            why=ReadEntry.Why.LINK,
            why_id=link.id,
        )
        said = version.agreements.filter(how=Agreement.How.LINK, recorded_by=link.contact_id)
        return self.page(
            "shared",
            child=child,
            version=version,
            parts=PARTS,
            sections=in_words(version.answers, for_parents=link.party == Party.PARENT),
            said=said,
            comments=link.comments.all(),
            form=form,
            is_kept=is_kept,
            closes_at=now + IDLE,
        )


class StayView(GuestDoor):
    """Asked by a page whose reader is still there, without opening it anew."""

    def get(self, request: Request, shared_id: UUID) -> HttpResponse:
        link = self.guest
        if link is None or not self.is_in:
            return self.go_to("closed")
        guests.go_on(request.session, link, at=request.now)
        return HttpResponse(status=204)


class ClosedView(GuestDoor):
    """Where everything leads that is not open: what was opened here last, and how to open it again."""

    def get(self, request: Request, shared_id: UUID) -> HttpResponse:
        if self.is_in:
            return self.go_to("inside")
        return self.page("closed", standing=self.standing)
