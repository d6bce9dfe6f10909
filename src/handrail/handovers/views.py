"""Pages of handovers: who comes and goes at a school or setting, one case, its pack and its moves."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.models import ReadEntry
from handrail.handovers import actions, admissions, by_hand, ceased, guests, pack, post, return_pack, steps
from handrail.handovers.due import asked_of, passed_on, with_older_steps, with_steps_to_take_over
from handrail.handovers.finance import flags_of
from handrail.handovers.forms import PackForm, PrepareForm, SearchForm
from handrail.handovers.models import Handover, Setting
from handrail.handovers.move_forms import MoveForm
from handrail.handovers.move_words import BUTTONS, called
from handrail.handovers.moves import MOVES, OVER, RETURN_FOLLOWS, Move, State
from handrail.handovers.own_copy import others
from handrail.handovers.pack_content import content_of, known_of
from handrail.handovers.places import Place, closed_place, place_of, places_called
from handrail.schools.models import Pupil, School
from handrail.schools.own_schools import NO_SCHOOL
from tenants import exchange

Group = ReadEntry.Group


class HandoversView(Door):
    """Who is being handed over by a school, or comes to it as a setting: what is due first."""

    permission, shows_child, needs_step_up = Permission.SEE_HANDOVERS, True, True

    def get(self, request: Request, urn: str) -> HttpResponse:
        school: School = get_or_404(School.objects.visible_to(request.user), urn=urn)
        found = (
            Handover.objects.visible_to(request.user)
            .filter(Q(pupil__school=school) | Q(setting__school=school) | Q(pupil=None, school=school))
            .select_related("pupil", "setting")
        )
        handovers = sorted(found.under_way(), key=lambda each: (each.next_on is None, each.next_on, each.started_at))
        inbox = sorted((each for each in handovers if each.waits_for_an_answer), key=lambda each: each.since_on)
        asks = asked_of(school.id, on=request.today)
        ended = found.filter(state__in=OVER).order_by("-since_on")
        over = [*ended.filter(id__in=asks), *ended.exclude(id__in=asks)[:20]]
        self.shows(
            [each.pupil_id for each in (*handovers, *over) if each.pupil_id],
            Group.PLAN,
            verb=ReadEntry.Verb.LIST,
            school_id=school.id,
        )
        facts = {
            "school": school,
            "is_setting": Setting.objects.filter(school=school).exists(),
            "inbox": inbox,
            "handovers": [each for each in handovers if each not in inbox],
            "over": over,
            "asks": asks,
        }
        return render(request, "handovers/handovers.html", facts)


class CaseDoor(Door):
    """A page about one handover that the person may see."""

    shows_child, needs_step_up = True, True
    argument: ClassVar[str] = "pk"
    request: Request

    @cached_property
    def handover(self) -> Handover:
        visible = Handover.objects.visible_to(self.request.user).select_related(
            "pupil__school", "school", "setting__school", "earlier"
        )
        found: Handover = get_or_404(visible, id=self.kwargs[self.argument])
        return found

    @cached_property
    def school(self) -> School:
        """This side's school: the child's own, or the setting's."""
        handover = self.handover
        if handover.pupil:
            return handover.pupil.school
        if handover.school:
            return handover.school
        if handover.setting is None or handover.setting.school is None:
            raise Http404
        return handover.setting.school

    @property
    def may_move(self) -> bool:
        return bool(self.request.user.may(Permission.HAND_OVER, school_id=self.school.id))

    @property
    def must_reissue(self) -> bool:
        """Whether other emergency steps came back than the school's own, and nobody has said which stand."""
        return bool(with_steps_to_take_over(on=self.request.today).filter(id=self.handover.id).exists())

    @property
    def who(self) -> dict[str, Any]:
        return {"by": self.request.user, "at": self.request.now}

    def page(self, template: str, **more: Any) -> HttpResponse:
        handover = self.handover
        self.shows([handover.pupil_id] if handover.pupil_id else [], Group.PLAN, school_id=self.school.id)
        return render(
            self.request,
            f"handovers/{template}.html",
            {"handover": handover, "child": handover.pupil, "school": self.school, **more},
        )

    def back(self, words: str) -> HttpResponse:
        messages.success(self.request, words)
        return redirect("handovers:handover", pk=self.handover.id)


class HandoverView(CaseDoor):
    """Where one handover stands, whose move it is, what was sent, and its story."""

    permission = Permission.SEE_HANDOVERS

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        handover = self.handover
        newest = handover.newest_pack()
        waiting = handover.messages.filter(way="in", kind="pack", done_at=None).exists()
        return self.page(
            "handover",
            moves=[(move, called(move, handover)) for move in self._on_offer() if move.name in BUTTONS],
            told=[
                (move, called(move, handover, is_theirs=True))
                for move in by_hand.may_be_told(handover)
                if self.may_move
            ],
            guest=handover.guest_pages.first(),
            may_have_guest=guests.may_have_one(handover),
            looks=self._looks(),
            is_rung=handover.has_no_other_side,
            may_move=self.may_move,
            may_keep=self.may_move and by_hand.may_keep_pack(handover),
            may_send=bool(handover.pupil_id) and any(each.name in ("submit", "correct") for each in self._on_offer()),
            said=admissions.words_of(handover.notice),
            others=others(handover),
            waits_to_be_opened=waiting and not handover.is_over,
            newest=newest,
            plan_number=newest.plan_number if newest else 0,
            items=pack.in_words(newest.content, is_lead=self.may_move) if newest and not handover.is_home else [],
            read_by=(read_by := list(newest.read_by.of_now().order_by("at")) if newest else []),
            has_read=any(each.by == request.user.id for each in read_by),
            steps=handover.steps.all(),
            again=ceased.where_to(handover, at=request.now) if self.may_move else [],
            why_gone=ceased.why_gone(handover, at=request.now),
            is_by_hand=any((each.said or {}).get("told") for each in handover.steps.filter(move="go_on_alone")),
            later=list(handover.later.all()),
            is_passed_on=passed_on(on=self.request.today).filter(id=handover.id).exists(),
            must_reissue=self.must_reissue,
            has_older_steps=with_older_steps(on=self.request.today).filter(id=handover.id).exists(),
            waits_since=post.not_taken_up_since(handover, at=request.now),
            troubles=[each.trouble for each in handover.messages.filter(way="in").exclude(trouble="")],
            held_up=handover.why_held_up,
            words=steps.VERBS,
            finance=flags_of([handover])[handover.id] if self.may_move else [],
            **self._back(),
        )

    def _looks(self) -> list[ReadEntry]:
        """Each time somebody has read the pack through a guest page."""
        pages = [each.id for each in self.handover.guest_pages.all()]
        return list(ReadEntry.objects.filter(why=ReadEntry.Why.LINK, why_id__in=pages).order_by("-at")[:20])

    def _back(self) -> dict[str, Any]:
        """The way back: what is being written, what came, and whether the plan was re-issued since."""
        handover = self.handover
        came = handover.newest_pack(is_return=True)
        writes = not handover.is_home and (
            handover.state == State.ACTIVE or handover.takes_return(on=self.request.today)
        )
        return {
            "may_write_back": writes and self.may_move,
            "return_until": handover.since_on + RETURN_FOLLOWS,
            "back_waits": handover.return_waits(on=self.request.today),
            "back": came,
            "back_says": return_pack.in_words(came.content, is_lead=self.may_move) if came else [],
        }

    def _on_offer(self) -> list[Move]:
        return self.handover.may_be_made() if self.may_move else []


class PrepareView(Door):
    """Hand a child over: find the setting in the register, then say what its staff must know to ring back."""

    permission, shows_child, needs_step_up = Permission.HAND_OVER, True, True
    request: Request
    case: Any = None

    @cached_property
    def child(self) -> Pupil:
        visible = Pupil.objects.visible_to(self.request.user).select_related("school")
        found: Pupil = get_or_404(visible, id=self.kwargs["child_id"])
        return found

    def get(self, request: Request, **where: UUID) -> HttpResponse:
        return self.page(self.form(initial={"home_authority": self.child.lives_in}))

    def post(self, request: Request, **where: UUID) -> HttpResponse:
        form, place = self.form(request.POST), self.place
        if place and form.is_valid():
            try:
                given = {"pupil": self.child, "to": place.as_destination(), **form.cleaned_data}
                return self.begin(by=request.user, at=request.now, **given)
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
        return self.page(form)

    def begin(self, **given: Any) -> HttpResponse:
        return redirect("handovers:pack", pk=actions.prepare(**given).id)

    def form(self, *data: Any, **more: Any) -> PrepareForm:
        return PrepareForm(*data, has_school=self.child.school.urn != NO_SCHOOL, **more)

    @cached_property
    def place(self) -> Place | None:
        urn = self.request.GET.get("urn", "")
        return place_of(urn) if urn else None

    def page(self, form: PrepareForm) -> HttpResponse:
        search = SearchForm(self.request.GET if "q" in self.request.GET else None)
        words = search.cleaned_data["q"].strip() if search.is_bound and search.is_valid() else ""
        found = places_called(words) if words else None
        self.shows([self.child.id], Group.PLAN, school_id=self.child.school_id)
        about = {"child": self.child, "case": self.case, "place": self.place, "closed": closed_place(words)}
        return render(self.request, "handovers/prepare.html", about | {"search": search, "found": found, "form": form})


class PackView(CaseDoor):
    """What goes into the pack, and what is missing of it. Saved as it goes; sent by a button of its own."""

    permission = Permission.HAND_OVER

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        known = known_of(self.handover.pupil) if self.handover.pupil else {}
        return self.show(PackForm(initial={**known, **(self.handover.about or {})}))

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        form = PackForm(request.POST)
        if not form.is_valid():
            return self.show(form)
        try:
            actions.write(handover=self.handover, said=form.cleaned_data, **self.who)
            if "send" not in request.POST:
                messages.success(request, "Saved. Nothing has been sent.")
                return redirect("handovers:pack", pk=pk)
            send = actions.submit if self.handover.is_home else by_hand.keep_pack
            send(handover=self.handover, **self.who)
        except actions.GapsLeft:
            return redirect("handovers:pack", pk=pk)
        except actions.Refused as refusal:
            form.add_error(None, str(refusal))
            return self.show(form)
        if not self.handover.is_home:
            return self.back("Kept as the pack. Now read the emergency steps.")
        if self.handover.has_no_other_side:
            return self.back("The pack is ready. Now send a page of it to one named person there.")
        return self.back("Sent. You see here when it has been opened.")

    def show(self, form: PackForm) -> HttpResponse:
        handover = Handover.objects.select_related("pupil__school").get(id=self.handover.id)
        if handover.pupil is None or not (handover.is_home or by_hand.may_keep_pack(handover)):
            raise Http404
        content = content_of(handover, handover.pupil, on=self.request.today)
        return self.page("pack", form=form, needed=pack.gaps(content, 1), later=pack.gaps(content, 2))


class SendAgainView(CaseDoor):
    """Send what came back to the authority that now has the setting."""

    permission = Permission.HAND_OVER

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        try:
            made = ceased.send_again(handover=self.handover, code=request.POST.get("code", ""), **self.who)
        except actions.Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("handovers:handover", pk=pk)
        if made.state == State.DRAFT:
            messages.success(request, "Prepared. Fill in what is missing, and send it.")
            return redirect("handovers:pack", pk=made.id)
        messages.success(request, f"Sent to {made.other_name}. You see here when it has been opened.")
        return redirect("handovers:handover", pk=made.id)


class OpenView(CaseDoor):
    """Open what was sent: the child becomes known at this setting, and the sender hears that it arrived."""

    permission = Permission.HAND_OVER

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        return self.page("open")

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        try:
            post.open_pack(handover=self.handover, **self.who)
        except (actions.Refused, exchange.CannotOpen) as refusal:
            return self.page("open", refusal=str(refusal))
        return self.back("Opened. The sender is told that it has arrived.")


class StepsReadView(CaseDoor):
    """Say that one has read the emergency steps and knows where the medicine is."""

    permission = Permission.SEE_HANDOVERS

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        try:
            actions.read_steps(handover=self.handover, **self.who)
        except actions.Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("handovers:handover", pk=pk)
        if "from" in request.POST:
            messages.success(request, "Recorded that you have read the emergency steps.")
            return redirect("handovers:today", urn=self.school.urn)
        return self.back("Recorded that you have read the emergency steps.")


class MoveView(CaseDoor):
    """Make one move: what it asks, and its button."""

    permission = Permission.HAND_OVER

    def get(self, request: Request, pk: UUID, name: str) -> HttpResponse:
        return self.show(self.form())

    def post(self, request: Request, pk: UUID, name: str) -> HttpResponse:
        form = self.form(request.POST)
        make = by_hand.note_theirs if self.is_theirs else actions.make_move
        if form.is_valid():
            try:
                make(handover=self.handover, name=name, said=form.said, seen=self.seen, **self.who, **form.dates)
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                return self.back("Recorded." if self.is_rung else "Recorded. The other side is told.")
        return self.show(form)

    @cached_property
    def is_rung(self) -> bool:
        return self.handover.has_no_other_side

    @property
    def is_theirs(self) -> bool:
        """Whether it is a move of a side without Handrail, which this one notes."""
        return self.is_rung and self.kwargs["name"] in by_hand.TOLD[by_hand.theirs(self.handover)]

    @property
    def seen(self) -> int | None:
        """The number of the newest step when the page was opened that this answers."""
        number = self.request.POST.get("seen", "")[:9]
        return int(number) if number.isdecimal() else None

    def form(self, *data: Any) -> MoveForm:
        if self.kwargs["name"] not in BUTTONS and not self.is_theirs:
            raise Http404
        name, handover = self.kwargs["name"], self.handover
        asks = self.is_theirs and by_hand.asks_who_read(handover, name)
        return MoveForm(
            *data,
            move=name,
            handover=handover,
            today=self.request.today,
            asks_who_read=asks,
            elsewhere=self.is_theirs,
        )

    def show(self, form: MoveForm) -> HttpResponse:
        words = called(MOVES[self.kwargs["name"]], self.handover, is_theirs=self.is_theirs)
        warns = self.kwargs["name"] == "confirm_return" and self.must_reissue
        return self.page("move", form=form, words=words, must_reissue=warns, seen=self.handover.steps.count())
