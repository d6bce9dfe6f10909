"""Pages about what is held as a whole: exports of everything, how long records are kept, and deleting them."""

from typing import Any, ClassVar

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.documents import NotFound, download
from handrail.core.models import ReadEntry
from handrail.records import actions
from handrail.records.child import as_json, for_parents, has_hidden, in_words
from handrail.records.forms import EraseForm, HandOverForm, HoldForm, PeriodForm
from handrail.records.models import AuthorityExport, Deletion, LegalHold
from handrail.records.retention import BY_KEY, CLASSES, RecordClass, counts
from handrail.records.retention import in_words as amount
from handrail.schools.models import Pupil

SHOWN = 20
REFRESH_SECONDS = 5


class HomeView(Door):
    """What a person can do about records."""

    permission = Permission.KEEP_RETENTION

    def get(self, request: Request) -> HttpResponse:
        return render(request, "records/home.html")


class DecideView(Door):
    """One button about something that one person asked for."""

    page: ClassVar[str]

    def post(self, request: Request, **row: Any) -> HttpResponse:
        try:
            self.decide(request, **row)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
        return redirect(self.page)

    def decide(self, request: Request, **row: Any) -> None:
        """Call the action. Raises Http404, Refused."""
        raise NotImplementedError


# -- exports ---------------------------------------------------------------------------------------------


class ExportDoor(Door):
    """A page for people who may take everything out, about one export or all."""

    permission = Permission.EXPORT_AUTHORITY
    needs_step_up = True

    def export(self, request: Request, export_id: Any) -> AuthorityExport:
        """Raises Http404."""
        found: AuthorityExport = get_or_404(AuthorityExport.objects.visible_to(request.user), id=export_id)
        return found


class ExportsView(ExportDoor):
    """The exports so far, and the button that asks for another."""

    def get(self, request: Request) -> HttpResponse:
        exports = list(AuthorityExport.objects.visible_to(request.user)[:SHOWN])
        states = {each.state for each in exports}
        answer = render(
            request,
            "records/exports.html",
            {"exports": exports, "is_under_way": bool(states & {AuthorityExport.State.ASKED, "confirmed"})},
        )
        if AuthorityExport.State.CONFIRMED in states:
            answer["Refresh"] = f"{REFRESH_SECONDS}; url={reverse('records:exports')}"
        return answer

    def post(self, request: Request) -> HttpResponse:
        try:
            actions.ask_for_export(by=request.user, at=request.now)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, "Asked for an export. Somebody else must now agree to it on this page.")
        return redirect("records:exports")


class ConfirmExportView(ExportDoor, DecideView):
    """The second person's agreement."""

    page = "records:exports"

    def decide(self, request: Request, **row: Any) -> None:
        actions.confirm_export(export=self.export(request, **row), by=request.user, at=request.now)


class CancelExportView(ExportDoor, DecideView):
    """Puts an export away that nobody has agreed to."""

    page = "records:exports"

    def decide(self, request: Request, **row: Any) -> None:
        actions.cancel_export(export=self.export(request, **row), by=request.user, at=request.now)


class DownloadExportView(ExportDoor):
    """The finished file. It holds every child, so it is recorded for every child."""

    shows_child = True

    def post(self, request: Request, **row: Any) -> HttpResponseBase:
        self.shows(Pupil.objects.values_list("id", flat=True), ReadEntry.Group.RIGHTS, verb=ReadEntry.Verb.EXPORT)
        try:
            return download(actions.take_export(export=self.export(request, **row), by=request.user, at=request.now))
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
            return redirect("records:exports")
        except NotFound as error:
            raise Http404 from error


# -- keeping ---------------------------------------------------------------------------------------------


class KeepingDoor(Door):
    """A page about how long records are kept."""

    permission = Permission.KEEP_RETENTION

    def deletion(self, request: Request, deletion_id: Any) -> Deletion:
        """Raises Http404."""
        found: Deletion = get_or_404(Deletion.objects.visible_to(request.user), id=deletion_id)
        return found


class KeepingView(KeepingDoor):
    """The periods, what is past them today, and the button that asks for it to be deleted."""

    def get(self, request: Request) -> HttpResponse:
        periods = actions.periods()
        past = counts(periods, on=request.today)
        deletions = list(Deletion.objects.visible_to(request.user)[:SHOWN])
        return render(
            request,
            "records/keeping.html",
            {
                "classes": [(each, periods[each.key], amount(each, past)) for each in CLASSES],
                "past": any(past.values()),
                "is_under_way": any(each.state in ("asked", "confirmed") for each in deletions),
                "deletions": [
                    (each, [(one.label, amount(one, each.deleted or each.expected)) for one in CLASSES])
                    for each in deletions
                ],
            },
        )

    def post(self, request: Request) -> HttpResponse:
        try:
            actions.ask_for_deletion(by=request.user, on=request.today, at=request.now)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, "Asked for a deletion. Somebody else must now agree to it on this page.")
        return redirect("records:keeping")


class PeriodView(KeepingDoor):
    """How long one class of records is kept."""

    def get(self, request: Request, record_class: str) -> HttpResponse:
        chosen = self.record_class(record_class)
        return self.page(request, chosen, PeriodForm(initial={"years": actions.periods()[chosen.key]}))

    def post(self, request: Request, record_class: str) -> HttpResponse:
        chosen, form = self.record_class(record_class), PeriodForm(request.POST)
        if form.is_valid():
            try:
                actions.set_period(record_class=chosen, by=request.user, at=request.now, **form.cleaned_data)
            except actions.PeriodRefused as refusal:
                form.add_error("years", str(refusal))
            else:
                messages.success(request, f"{chosen.label}: the period is saved. Nothing was deleted.")
                return redirect("records:keeping")
        return self.page(request, chosen, form)

    def record_class(self, key: str) -> RecordClass:
        """Raises Http404."""
        if key not in BY_KEY:
            raise Http404
        return BY_KEY[key]

    def page(self, request: Request, record_class: RecordClass, form: PeriodForm) -> HttpResponse:
        return render(request, "records/period.html", {"record_class": record_class, "form": form})


class ConfirmDeletionView(KeepingDoor, DecideView):
    """The second person's agreement."""

    page = "records:keeping"

    def decide(self, request: Request, **row: Any) -> None:
        actions.confirm_deletion(deletion=self.deletion(request, **row), by=request.user, at=request.now)


class CancelDeletionView(KeepingDoor, DecideView):
    """Puts a deletion away that nobody has agreed to."""

    page = "records:keeping"

    def decide(self, request: Request, **row: Any) -> None:
        actions.cancel_deletion(deletion=self.deletion(request, **row), by=request.user, at=request.now)


# -- one child -------------------------------------------------------------------------------------------


class HeldDoor(Door):
    """A page about everything that is held about one child of the person's school."""

    permission = Permission.KEEP_CHILD_RIGHTS
    needs_step_up = True
    shows_child = True
    request: Request

    @cached_property
    def child(self) -> Pupil:
        visible = Pupil.objects.visible_to(self.request.user).select_related("school")
        found: Pupil = get_or_404(visible, id=self.kwargs["child_id"])
        return found

    @property
    def legal_hold(self) -> LegalHold | None:
        return LegalHold.objects.filter(pupil=self.child, lifted_at=None).first()

    def page(self, template: str, **more: Any) -> HttpResponse:
        """The page, once it is recorded that it shows this child."""
        self.shows([self.child.id], ReadEntry.Group.RIGHTS, school_id=self.child.school_id)
        facts = {"child": self.child, "school": self.child.school, "hold": self.legal_hold, **more}
        return render(self.request, template, facts)


class HeldView(HeldDoor):
    """All of it, to be read or printed."""

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        told, is_for_parents = in_words(self.child), request.GET.get("for") == HandOverForm.PARENTS
        return self.page(
            "records/held.html",
            tables=for_parents(told) if is_for_parents else told,
            has_hidden=has_hidden(told),
            is_for_parents=is_for_parents,
        )


class HeldFileView(HeldDoor):
    """All of it as a JSON file. Where parents must not be told of something, it asks first who gets the file."""

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        return self.ask(HandOverForm()) if has_hidden(in_words(self.child)) else self.file()

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form = HandOverForm(request.POST)
        if not has_hidden(in_words(self.child)):
            return self.file()
        if not form.is_valid():
            return self.ask(form)
        if form.cleaned_data["who"] == HandOverForm.PARENTS:
            return self.file(to_parents=True)
        actions.give_out_hidden(pupil=self.child, by=request.user, at=request.now)
        return self.file()

    def ask(self, form: HandOverForm) -> HttpResponse:
        return self.page("records/hand_over.html", form=form)

    def file(self, *, to_parents: bool = False) -> HttpResponse:
        self.shows([self.child.id], ReadEntry.Group.RIGHTS, verb=ReadEntry.Verb.EXPORT, school_id=self.child.school_id)
        held = as_json(self.child, to_parents=to_parents)
        answer = JsonResponse(held, json_dumps_params={"indent": 2, "ensure_ascii": False})
        answer["Content-Disposition"] = 'attachment; filename="held-about-a-child.json"'
        return answer


class HoldView(HeldDoor):
    """Why nothing about the child may be deleted."""

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        return self.page("records/hold.html", form=HoldForm())

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form = HoldForm(request.POST)
        if form.is_valid():
            try:
                actions.place_hold(pupil=self.child, by=request.user, at=request.now, **form.cleaned_data)
            except actions.UnderWay as refusal:
                messages.warning(request, str(refusal))
            else:
                messages.success(request, "Placed a legal hold. Nothing about this child is deleted.")
            return redirect("records:held", child_id=child_id)
        return self.page("records/hold.html", form=form)


class LiftHoldView(HeldDoor):
    """Ends the legal hold."""

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        actions.lift_hold(pupil=self.child, by=request.user, at=request.now)
        messages.success(request, "Lifted the legal hold.")
        return redirect("records:held", child_id=child_id)


class EraseView(HeldDoor):
    """Deletes all of it, once the name is typed."""

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        return self.page("records/erase.html", form=EraseForm(expected=self.child.name))

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form = EraseForm(request.POST, expected=self.child.name)
        if form.is_valid():
            try:
                actions.erase_child(pupil=self.child, by=request.user, at=request.now)
            except actions.Refused as refusal:
                messages.warning(request, str(refusal))
                return redirect("records:held", child_id=child_id)
            messages.success(request, "Erased everything that was held about the child.")
            return redirect("schools:children", urn=self.child.school.urn)
        return self.page("records/erase.html", form=form)
