"""Guest pages: one side sends one; a named person on the other, which does not use Handrail, reads it and answers."""

from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.functional import cached_property

from handrail.accounts import guest_views
from handrail.accounts.guests import Tried
from handrail.accounts.middleware import KEEP
from handrail.accounts.roles import Permission
from handrail.accounts.sessions import IDLE
from handrail.core.access import Request
from handrail.core.forms.rendering import typed_before
from handrail.core.models import ReadEntry
from handrail.core.vault import VaultClosed
from handrail.handovers import actions, guests, pack, return_pack
from handrail.handovers.admissions import words_of
from handrail.handovers.by_hand import may_be_told
from handrail.handovers.guest_forms import AnswerForm, GuestForm, HomeForm
from handrail.handovers.guest_models import GuestPage
from handrail.handovers.models import Handover
from handrail.handovers.moves import MOVES, State
from handrail.handovers.views import CaseDoor
from handrail.plans.content import in_words
from handrail.plans.emergency import PARTS, Emergency
from handrail.plans.link_forms import WhoForm

PLACE = "handover_guest"
"""In a session: until when each guest page is open, by its id; nothing while nobody was let in."""


# -- the home side -------------------------------------------------------------------------------------------


class SendGuestView(CaseDoor):
    """Send a named person at the setting a guest page, and stop one that is out."""

    permission, asks_again = Permission.HAND_OVER, ("POST",)

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        return self.show(GuestForm())

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        if "withdraw" in request.POST:
            for page in self.handover.guest_pages.filter(withdrawn_at=None):
                guests.withdraw(page=page, **self.who)
            return self.back("Stopped. The page opens nothing any more.")
        form = GuestForm(request.POST)
        if form.is_valid():
            given = {name: form.cleaned_data[name] for name in ("name", "email")}
            try:
                guests.send(handover=self.handover, **given, **self.who)
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                return self.back("Sent. You see here when it has been opened.")
        return self.show(form)

    def show(self, form: GuestForm) -> HttpResponse:
        if not self.handover.has_no_other_side or self.handover.pupil_id is None:
            raise Http404
        return self.page("guest", form=form, lasts=GuestPage.LASTS.days)


# -- the guest -----------------------------------------------------------------------------------------------


class GuestDoor(guest_views.GuestDoor):
    """A page for whoever has opened the address of a guest page in this browser."""

    argument, what = "guest_id", "page"
    addresses: ClassVar[dict[str, str]] = {
        "code": "handovers:guest_code",
        "who": "handovers:guest_who",
        "inside": "handovers:guest_page",
        "closed": "handovers:guest_closed",
    }

    @cached_property
    def guest(self) -> GuestPage | None:
        if str(self.kwargs["guest_id"]) not in self.request.session.get(PLACE, {}):
            return None
        found: GuestPage | None = (
            GuestPage.objects.filter(id=self.kwargs["guest_id"]).select_related("handover__pupil__school").first()
        )
        return found

    @property
    def stands(self) -> bool:
        return self.guest is not None and self.guest.stands(self.request.now)

    @property
    def is_in(self) -> bool:
        """Whether they were let in, used it lately, and the page stands."""
        until = self.request.session.get(PLACE, {}).get(str(self.kwargs["guest_id"]))
        return bool(until) and self.request.now < datetime.fromisoformat(until) and self.stands

    def note(self, until: str) -> None:
        guest: Any = self.guest
        self.request.session[PLACE] = {**self.request.session.get(PLACE, {}), str(guest.id): until}

    def page(self, template: str, **more: Any) -> HttpResponse:
        return render(self.request, f"handovers/guest/{template}.html", {"guest": self.guest, **more})

    def new_code(self) -> str | None:
        try:
            return guests.make_code(page=cast(GuestPage, self.guest), at=self.request.now)
        except actions.Refused:
            return None


class OpenGuestView(GuestDoor):
    """Where the address in the message leads. It does nothing before a button is pressed: mail scanners open it too."""

    @cached_property
    def guest(self) -> GuestPage | None:
        found = guests.page_at(self.kwargs["token"])
        if found is None:
            raise Http404
        return found

    def get(self, request: Request, token: str) -> HttpResponse:
        return self.before("open") if self.stands else self.page("closed", stands=False)

    def post(self, request: Request, token: str) -> HttpResponse:
        if self.stands:
            self.note("")
            return self.send_code()
        return self.get(request, token)


class GuestCodeView(GuestDoor):
    def post(self, request: Request, guest_id: UUID) -> HttpResponse:
        return self.send_code()


class GuestWhoView(GuestDoor, guest_views.WhoDoor):
    form = WhoForm

    def try_to_get_in(self, **given: Any) -> Tried:
        return guests.try_to_get_in(page=cast(GuestPage, self.guest), at=self.request.now, **given)

    def let_in(self) -> None:
        self.request.session.cycle_key()
        self.note((self.request.now + IDLE).isoformat())


class GuestPageView(GuestDoor):
    """What the other side sent, and the guest's answer: at a setting the pack, the emergency steps first; at a home
    school the notice of an admission, and the return pack. Each look is recorded. Nothing typed is lost.
    """

    shows_child = keeps_typed = True

    def get(self, request: Request, guest_id: UUID) -> HttpResponse:
        guest = self.guest
        if guest is None or not self.is_in:
            return self.go_to("closed")
        if guest.draft:
            typed = QueryDict(mutable=True)
            typed.update(guest.draft)
            typed_before.set(typed)
        return self.show(self.form())

    def post(self, request: Request, guest_id: UUID) -> HttpResponse:
        guest = self.guest
        if guest is None:
            return self.go_to("closed")
        if not self.is_in or KEEP in request.headers or "keep" in request.POST:
            return self.keep(guest)
        try:
            if "read" in request.POST:
                guests.read_steps(page=guest, at=request.now)
                return self.done("Recorded that you have read the emergency steps.")
            if "tell" in request.POST:
                guests.tell(page=guest, name=request.POST["tell"], at=request.now)
                return self.done("Recorded. Whoever sent this page sees it.")
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
            return self.go_to("inside")
        form = self.form(request.POST)
        if form.is_valid():
            try:
                self.act(form)
            except actions.GapsLeft as refusal:
                form.miss(refusal.missing)
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                return self.done("Sent." if isinstance(form, HomeForm) else "Sent to the school.")
        return self.show(form)

    def form(self, *data: Any) -> Any:
        guest: Any = self.guest
        return AnswerForm(*data, roll=guest.handover.roll) if guest.handover.is_home else HomeForm(*data)

    def act(self, form: Any) -> None:
        page, at = cast(GuestPage, self.guest), self.request.now
        if isinstance(form, HomeForm):
            guests.send_pack(page=page, at=at, **form.answers)
        else:
            given = form.cleaned_data
            guests.answer(page=page, name=given["answer"], said=form.said, starts_on=given["starts_on"], at=at)

    def done(self, words: str) -> HttpResponse:
        messages.success(self.request, words)
        del self.guest
        return self.go_to("inside" if self.stands else "closed")

    def keep(self, guest: GuestPage) -> HttpResponse:
        """Keep what was typed instead of sending it: the page was closed or left alone, or its reader goes on later."""
        typed = {name: str(text) for name, text in self.request.POST.items() if name not in NOT_TYPED}
        try:
            is_kept = guests.keep_draft(page=guest, typed=typed, at=self.request.now)
        except VaultClosed:
            is_kept = False
        if KEEP in self.request.headers:
            return HttpResponse(status=204)
        if is_kept:
            messages.info(self.request, "We have kept what you typed. It is not sent yet.")
        return self.go_to("inside" if self.is_in else "closed")

    def show(self, form: Any) -> HttpResponse:
        guest: Any = self.guest
        child = guest.handover.pupil
        if child is None:
            raise Http404
        self.note((self.request.now + IDLE).isoformat())
        self.shows(
            [child.id],
            ReadEntry.Group.PLAN,
            by=guest,
            school_id=child.school_id,
            why=ReadEntry.Why.LINK,
            why_id=guest.id,
        )
        shared = {"handover": guest.handover, "form": form, "closes_at": self.request.now + IDLE}
        return self._setting(guest, **shared) if guest.handover.is_home else self._home(guest, **shared)

    def _setting(self, guest: Any, *, handover: Handover, **shared: Any) -> HttpResponse:
        """For a setting: the pack as it was sent."""
        newest: Any = handover.newest_pack()
        content = newest.content
        plan = content["plan"]
        return self.page(
            "page",
            child=content["child"],
            contacts=content["contacts"],
            home=content["home"],
            pack=newest,
            says=Emergency.from_json(plan["emergency"]),
            parts=PARTS,
            sections=in_words(plan["sections"] or {}),
            items=pack.in_words(content, is_lead=True),  # the named person of the setting, who leads the case there
            has_read=newest.read_by.filter(by=guest.id).exists(),
            may_answer=guests.may_answer(handover),
            handover=handover,
            **shared,
        )

    def _home(self, guest: Any, *, handover: Handover, **shared: Any) -> HttpResponse:
        """For a home school: who was admitted and what is asked, and later what comes back with the child."""
        back = handover.newest_pack(is_return=True)
        plan = back.content["plan"] if back else {}
        asked = handover.steps.filter(move="ask_for_more").last()
        return self.page(
            "home",
            child=handover.pupil,
            said=words_of(handover.notice),
            asked=asked.said if asked and handover.state == State.MORE_ASKED else None,
            may_send=handover.state in MOVES["submit"].of,
            sent=handover.newest_pack(),
            back=back,
            back_says=return_pack.in_words(back.content, is_lead=True) if back else [],
            says=Emergency.from_json(plan["emergency"]) if plan.get("emergency") else None,
            parts=PARTS,
            sections=in_words(plan.get("sections") or {}),
            tells=[move.name for move in may_be_told(handover) if move.name in guests.TELLS],
            handover=handover,
            **shared,
        )


NOT_TYPED = frozenset({"csrfmiddlewaretoken", "keep", "read", "tell"})


class GuestStayView(GuestDoor):
    """Asked by a page whose reader is still there, without opening it anew."""

    def get(self, request: Request, guest_id: UUID) -> HttpResponse:
        if not self.is_in:
            return self.go_to("closed")
        self.note((request.now + IDLE).isoformat())
        return HttpResponse(status=204)


class GuestClosedView(GuestDoor):
    """Where everything leads that is not open: how to open it again."""

    def get(self, request: Request, guest_id: UUID) -> HttpResponse:
        return self.page("closed", stands=self.stands)
