"""The evidence of one case, and of one handover, as a file: for the named officer who answers a complaint, and for the
schools and settings that handed a child over or took one.
"""

from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render

from handrail.absences.models import Case
from handrail.accounts.roles import Permission
from handrail.core import audit
from handrail.core.access import Door, Request, get_or_404
from handrail.core.evidence import write_pack
from handrail.core.forms.dates import AsAtForm
from handrail.core.jinja import moment
from handrail.core.models import ReadEntry
from handrail.core.reference import reference
from handrail.handovers.models import Handover
from handrail.handovers.steps import school_id_of
from handrail.handovers.watch import watched_by
from handrail.records.evidence import evidence_pack
from handrail.records.handovers import Told


class EvidenceView(Door):
    """A ZIP, as at the end of today or of the day in `?on=`."""

    permission, needs_step_up, shows_child = Permission.DECIDE_CASES, True, True

    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        case: Case = get_or_404(Case.objects.visible_to(request.user).select_related("pupil__school"), id=case_id)
        on = self.day(request)
        self.shows([case.pupil_id], ReadEntry.Group.ABSENCE, verb=ReadEntry.Verb.EXPORT, school_id=case.pupil.school_id)
        printed = f"Made {moment(request.now)} by {request.user}."
        content = evidence_pack(case, on=on, authority=request.authority.name, printed=printed)
        name = f"evidence-{reference(case.id)}-{on}.zip"
        return HttpResponse(
            content, content_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    def day(self, request: Request) -> date:
        """The day asked for. Raises Http404 for one that has not come, or is none."""
        try:
            on = date.fromisoformat(request.GET.get("on", request.today.isoformat()))
        except ValueError:
            raise Http404 from None
        if on > request.today:
            raise Http404
        return on


class HandoverEvidenceView(Door):
    """A page that asks for the day, and gives a ZIP: for whoever sees the handover at its school or setting."""

    permission, needs_step_up, shows_child = Permission.SEE_HANDOVERS, True, True
    page = "handovers:handover"

    def visible(self, request: Request) -> QuerySet[Handover]:
        found: QuerySet[Handover] = Handover.objects.visible_to(request.user)
        return found

    def knows(self, handover: Handover) -> bool:
        """Whether the person may be told who the child is, and what was said of them."""
        return True

    def get(self, request: Request, **where: UUID) -> HttpResponse:
        return self.ask(request, AsAtForm(initial={"on": request.today}, today=request.today))

    def post(self, request: Request, **where: UUID) -> HttpResponse:
        form, handover = AsAtForm(request.POST, today=request.today), self.found(request)
        if not form.is_valid():
            return self.ask(request, form)
        on, packed = form.cleaned_data["on"], BytesIO()
        printed = f"Made {moment(request.now)} by {request.user}."
        knows, authority = self.knows(handover), request.authority.name
        told = Told(handover, on=on, authority=authority, printed=printed, knows=knows)
        write_pack(packed, told.files())
        self.looked_at(handover, ReadEntry.Verb.EXPORT)
        audit.record(
            "took the evidence of a handover",
            by=request.user,
            at=request.now,
            subject_kind="handover",
            subject_id=handover.id,
            school_id=school_id_of(handover),
            fields=[on.isoformat()],
        )
        return HttpResponse(
            packed.getvalue(),
            content_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="evidence-{told.name}-{on}.zip"'},
        )

    def found(self, request: Request) -> Handover:
        [asked] = self.kwargs.values()
        visible = self.visible(request).select_related("pupil__school", "setting")
        found: Handover = get_or_404(visible, id=asked)
        return found

    def ask(self, request: Request, form: Any) -> HttpResponse:
        handover = self.found(request)
        self.looked_at(handover, ReadEntry.Verb.PAGE)
        child = handover.pupil if self.knows(handover) else None
        told = {"form": form, "handover": handover, "child": child, "page": self.page}
        return render(request, "records/handover_evidence.html", told)

    def looked_at(self, handover: Handover, how: ReadEntry.Verb) -> None:
        child_id = handover.pupil_id if self.knows(handover) else None
        school_id = school_id_of(handover) if child_id else None
        self.shows([child_id] if child_id else [], ReadEntry.Group.PLAN, verb=how, school_id=school_id)


class WatchedEvidenceView(HandoverEvidenceView):
    """The same for the named officer, who is told nothing of a child who comes from elsewhere but that one came."""

    permission = Permission.DECIDE_CASES
    page = "handovers:watched"

    def visible(self, request: Request) -> QuerySet[Handover]:
        return watched_by(request.user)

    def knows(self, handover: Handover) -> bool:
        return handover.is_home and handover.pupil is not None
