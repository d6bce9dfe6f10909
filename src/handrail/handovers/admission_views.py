"""Pages about a child who arrived unannounced: the setting's notice, and the home side's answer."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.models import ReadEntry
from handrail.handovers import actions, admissions, homes
from handrail.handovers.admission_forms import AdmitForm, SchoolOfForm, ToldForm, WhoForm
from handrail.handovers.homes import Home
from handrail.handovers.models import Handover, Setting
from handrail.handovers.move_forms import MoveForm
from handrail.handovers.views import CaseDoor
from handrail.schools.models import Pupil, School
from handrail.schools.own_schools import NO_SCHOOL

Group, Verb = ReadEntry.Group, ReadEntry.Verb


class AdmitView(Door):
    """A child has arrived whom nobody announced: who it is and where from. The pack is asked for by that."""

    permission, needs_step_up = Permission.ADMIT_CHILDREN, True
    request: Request

    @cached_property
    def setting(self) -> Setting:
        school = get_or_404(School.objects.visible_to(self.request.user), urn=self.kwargs["urn"])
        found: Setting = get_or_404(Setting.objects.select_related("school"), school=school)
        return found

    def get(self, request: Request, urn: str) -> HttpResponse:
        return self.page(self.form(initial={"admitted_on": request.today}))

    def post(self, request: Request, urn: str) -> HttpResponse:
        form = self.form(request.POST)
        if not form.is_valid():
            return self.page(form)
        try:
            home, found = self._home(form)
        except homes.NotFound as refusal:
            form.add_error("home", str(refusal))
            return self.page(form)
        if home is None:
            return self.page(self.form(request.POST, found=found))
        given = {name: form.cleaned_data[name] for name in ("name", "born_on", "admitted_on")}
        try:
            handover = admissions.admit(
                setting=self.setting, home=home, is_urgent=True, by=request.user, at=request.now, **given
            )
        except actions.Refused as refusal:
            form.add_error("name", str(refusal))
            return self.page(form)
        told = f"{home.school or home.authority} is asked for the pack."
        messages.success(request, f"Recorded. {told if home.role else 'Now ring them: see below.'}")
        return redirect("handovers:handover", pk=handover.id)

    def form(self, *data: Any, **more: Any) -> AdmitForm:
        return AdmitForm(*data, today=self.request.today, authorities=homes.authorities(), **more)

    def _home(self, form: AdmitForm) -> tuple[Home | None, list[Home]]:
        """Where the child comes from, or the schools among which it has still to be said. Raises NotFound."""
        words = form.cleaned_data["home"]
        if not words:
            return homes.authority(form.cleaned_data["authority"]), []
        found = homes.schools_called(words)
        chosen = [each for each in found if each.urn == self.request.POST.get("urn", words)]
        return (chosen[0] if chosen else None), found

    def page(self, form: AdmitForm) -> HttpResponse:
        return render(self.request, "handovers/admit.html", {"school": self.setting.school, "form": form})


class ToldView(CaseDoor):
    """The home side does not use Handrail: say whom one has told, and on which day."""

    permission, argument = Permission.ADMIT_CHILDREN, "admitted_id"

    def get(self, request: Request, admitted_id: UUID) -> HttpResponse:
        known = {"home_authority": self.handover.home_authority, "told_on": request.today}
        return self.show(ToldForm(today=request.today, initial=known))

    def post(self, request: Request, admitted_id: UUID) -> HttpResponse:
        form = ToldForm(request.POST, today=request.today)
        if form.is_valid():
            try:
                admissions.home_told(handover=self.handover, **form.cleaned_data, **self.who)
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                return self.back("Recorded. Write down what they send you.")
        return self.show(form)

    def show(self, form: ToldForm) -> HttpResponse:
        if self.handover.is_home or self.handover.other_role:
            raise Http404
        return self.page("move", form=form, words="Record whom you have told")


class WhoView(CaseDoor):
    """A setting asks for the pack of a child who is there already: say which child of the school it is."""

    permission, argument = Permission.HAND_OVER, "asked_id"

    def get(self, request: Request, asked_id: UUID) -> HttpResponse:
        return self.show(self.form())

    def post(self, request: Request, asked_id: UUID) -> HttpResponse:
        form = self.form(request.POST)
        if form.is_valid():
            given = dict(form.cleaned_data)
            child = get_or_404(Pupil.objects.visible_to(request.user), id=given.pop("child"))
            try:
                admissions.say_who(handover=self.handover, pupil=child, **given, **self.who)
            except admissions.NotTheSame as refusal:
                form.add_error("is_same", str(refusal))
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, "Recorded. Now write the pack.")
                return redirect("handovers:pack", pk=asked_id)
        return self.show(form)

    def form(self, *data: Any, **more: Any) -> WhoForm:
        return WhoForm(*data, children=self.children, has_school=self.school.urn != NO_SCHOOL, **more)

    @cached_property
    def children(self) -> list[Pupil]:
        if not self.handover.is_home or self.handover.pupil_id:
            raise Http404
        return admissions.candidates(self.handover, on=self.request.today)

    def show(self, form: WhoForm) -> HttpResponse:
        self.shows([each.id for each in self.children], Group.IDENTITY, verb=Verb.LIST, school_id=self.school.id)
        return self.page("who", form=form, children=self.children, said=admissions.words_of(self.handover.notice))


# -- the authority -------------------------------------------------------------------------------------------


class OfficerDoor(Door):
    """A page for the named officer about children whom no school here has. Each look is recorded."""

    permission, shows_child, needs_step_up = Permission.DECIDE_CASES, True, True
    request: Request


class NoticesView(OfficerDoor):
    """Notices of admissions that found no school of the authority, the oldest first."""

    def get(self, request: Request) -> HttpResponse:
        waiting = Handover.objects.of_no_school().under_way().order_by("since_on", "started_at")
        rows = [(each, admissions.words_of(each.notice)) for each in waiting]
        self.shows([], Group.IDENTITY, verb=Verb.LIST)
        return render(request, "handovers/notices.html", {"rows": rows})


class NoticeView(OfficerDoor):
    """One of them: lead it to the school where the child is, or answer that the child is not of this authority."""

    @cached_property
    def handover(self) -> Handover:
        found: Handover = get_or_404(Handover.objects.of_no_school().under_way(), id=self.kwargs["notice_id"])
        return found

    def get(self, request: Request, notice_id: UUID) -> HttpResponse:
        return self.page(SchoolOfForm(), MoveForm(move="withdraw", handover=self.handover))

    def post(self, request: Request, notice_id: UUID) -> HttpResponse:
        if "not_ours" in request.POST:
            return self._answer(MoveForm(request.POST, move="withdraw", handover=self.handover))
        form = SchoolOfForm(request.POST)
        if "list" in request.POST and self.list_of_none:
            return self._lead(self.list_of_none, form)
        if form.is_valid():
            school = School.objects.open().filter(urn=form.cleaned_data["urn"]).first()
            if school:
                return self._lead(school, form)
            form.add_error("urn", "There is no open school with this URN in your authority")
        return self.page(form, MoveForm(move="withdraw", handover=self.handover))

    @cached_property
    def list_of_none(self) -> School | None:
        found: School | None = School.objects.open().filter(urn=NO_SCHOOL).first()
        return found

    def _lead(self, school: School, form: SchoolOfForm) -> HttpResponse:
        try:
            admissions.pass_to_school(handover=self.handover, school=school, by=self.request.user, at=self.request.now)
        except actions.Refused as refusal:
            form.add_error(None, str(refusal))
            return self.page(form, MoveForm(move="withdraw", handover=self.handover))
        messages.success(self.request, f"{school} sees the notice now.")
        return redirect("handovers:notices")

    def _answer(self, form: MoveForm) -> HttpResponse:
        if form.is_valid():
            try:
                actions.make_move(
                    handover=self.handover,
                    name="withdraw",
                    said=form.said,
                    by=self.request.user,
                    at=self.request.now,
                )
            except actions.Refused as refusal:
                form.add_error("reason", str(refusal))
            else:
                messages.success(self.request, "Answered. The setting is told.")
                return redirect("handovers:notices")
        return self.page(SchoolOfForm(), form)

    def page(self, form: SchoolOfForm, answer: MoveForm) -> HttpResponse:
        self.shows([], Group.IDENTITY)
        said = admissions.words_of(self.handover.notice)
        facts = {"handover": self.handover, "said": said, "form": form, "answer": answer, "forms": [form, answer]}
        facts["list_of_none"] = self.list_of_none
        return render(self.request, "handovers/notice.html", facts)
