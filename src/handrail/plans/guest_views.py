"""Pages for people without an account: a link leads one of them to one version of one child's plan.

None of the addresses says what is behind it, and until somebody has shown who they are no page names the child. The
first address alone holds what opens the link. Those that follow name it by an id, which means something only in the
browser where that was opened: a mother of two may have two of them open, and answers each by itself.
"""

from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.accounts.floods import count_try
from handrail.accounts.guests import NoCodeNow, Tried
from handrail.accounts.middleware import KEEP
from handrail.accounts.sessions import IDLE
from handrail.core.access import PUBLIC, Door, Request
from handrail.core.jinja import FOOTER
from handrail.core.models import ReadEntry
from handrail.core.vault import VaultClosed
from handrail.plans import guests, link_mail, links
from handrail.plans.content import in_words
from handrail.plans.emergency import PARTS
from handrail.plans.link_forms import SayForm, WhoForm
from handrail.plans.models import Agreement, Party, PlanLink
from handrail.plans.standing import Standing

CODE = "account/email/guest_code"
ELSEWHERE = {href for _, href in FOOTER}
"""Where the buttons at the foot of the page lead."""
WRONG = "The code or the date of birth is wrong. Check both and try again"
WORDS = {
    Tried.TOO_SOON: "Wait a few seconds, then try again",
    Tried.NO_CODE: "That code has run out. Send a new code",
    Tried.WRONG: WRONG,
}


class GuestDoor(Door):
    """A page for whoever has opened a link in this browser."""

    permission = PUBLIC
    request: Request

    @cached_property
    def link(self) -> PlanLink | None:
        return guests.known(self.request.session, self.kwargs["shared_id"])

    @property
    def standing(self) -> Standing | None:
        return self.link.standing(self.request.now) if self.link else None

    @property
    def is_in(self) -> bool:
        link = self.link
        return link is not None and guests.is_in(self.request.session, link, at=self.request.now)

    def page(self, template: str, **more: Any) -> HttpResponse:
        return render(self.request, f"plans/guest/{template}.html", {"link": self.link, **more})

    def go_to(self, name: str) -> HttpResponse:
        """On to another page of the same link."""
        return redirect(f"plans:{name}", shared_id=self.link.id if self.link else self.kwargs["shared_id"])

    def send_code(self) -> HttpResponse:
        """A new code to the contact's address, and on to where it is entered."""
        link, request = self.link, self.request
        if link is None:
            return self.go_to("closed")
        count_try(request)
        try:
            code = links.make_code(link=link, at=request.now)
        except links.NoLongerOpen:
            return self.go_to("closed")
        except NoCodeNow as refusal:
            messages.warning(request, f"{refusal}.")
        else:
            get_adapter().send_mail(CODE, link.email, {"code": code})
        return self.go_to("who")


class OpenLinkView(GuestDoor):
    """Where the address in the message leads. It does nothing before a button is pressed: mail scanners open it too."""

    @cached_property
    def link(self) -> PlanLink | None:
        found = link_mail.link_at(self.kwargs["token"])
        if found is None:
            raise Http404
        return found

    def get(self, request: Request, token: str) -> HttpResponse:
        return self.page("open" if self.standing == Standing.STANDS else "closed", standing=self.standing)

    def post(self, request: Request, token: str) -> HttpResponse:
        if self.link is not None and self.standing == Standing.STANDS:
            guests.begin(request.session, self.link)
            return self.send_code()
        return self.get(request, token)


class NewCodeView(GuestDoor):
    def post(self, request: Request, shared_id: UUID) -> HttpResponse:
        return self.send_code()


class WhoView(GuestDoor):
    """The code, and the child's date of birth. Which of them was wrong is not said."""

    def get(self, request: Request, shared_id: UUID) -> HttpResponse:
        if self.standing != Standing.STANDS:
            return self.go_to("closed")
        return self.page("who", form=WhoForm(today=request.today))

    def post(self, request: Request, shared_id: UUID) -> HttpResponse:
        link = self.link
        if link is None:
            return self.go_to("closed")
        form = WhoForm(request.POST, today=request.today)
        if form.is_valid():
            count_try(request)
            tried = links.try_to_get_in(link=link, at=request.now, **form.cleaned_data)
            if tried == Tried.IN:
                guests.let_in(request.session, link, at=request.now)
                return self.go_to("shared")
            if tried == Tried.STOPPED:
                return self.go_to("closed")
            form.add_error(None, WORDS[tried])
        return self.page("who", form=form)


class SharedView(GuestDoor):
    """The plan as it was sent, and what its reader thinks of it. One form: no button loses what was typed."""

    shows_child = keeps_typed = True

    def get(self, request: Request, shared_id: UUID) -> HttpResponse:
        link = self.link
        if link is None or not self.is_in:
            return self.go_to("closed")
        known = link.draft or {}
        return self.show(link, SayForm(initial=known), is_kept=bool(known))

    def post(self, request: Request, shared_id: UUID) -> HttpResponse:
        link = self.link
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
        return self.go_to("shared")

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
        link = self.link
        if link is None or not self.is_in:
            return self.go_to("closed")
        guests.go_on(request.session, link, at=request.now)
        return HttpResponse(status=204)


class ClosedView(GuestDoor):
    """Where everything leads that is not open: what was opened here last, and how to open it again."""

    def get(self, request: Request, shared_id: UUID) -> HttpResponse:
        if self.is_in:
            return self.go_to("shared")
        return self.page("closed", standing=self.standing)
