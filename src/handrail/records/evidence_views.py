"""The evidence of one case as a file, for the named officer who answers a complaint."""

from datetime import date
from uuid import UUID

from django.http import Http404, HttpResponse

from handrail.absences.models import Case
from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.jinja import moment
from handrail.core.models import ReadEntry
from handrail.core.reference import reference
from handrail.records.evidence import evidence_pack


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
