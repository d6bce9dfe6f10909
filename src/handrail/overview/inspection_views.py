"""Evidence for inspection: a page that asks for the day, and gives the paper or the ZIP."""

import tempfile
from typing import Any

from django.db.models import Min
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from handrail.accounts.roles import Permission
from handrail.core import audit
from handrail.core.access import Door, Request, get_or_404
from handrail.core.evidence import write_pack
from handrail.core.forms.dates import AsAtForm
from handrail.core.jinja import moment
from handrail.overview.inspection import Evidence
from handrail.schools.models import School

BYTES_IN_MEMORY = 1 << 20


class InspectionView(Door):
    """A school's evidence, as at the end of a day. That it was taken is recorded."""

    permission = Permission.SEE_POLICIES

    def school(self, request: Request) -> School | None:
        found: School = get_or_404(School.objects.visible_to(request.user), urn=self.kwargs["urn"])
        return found

    def form(self, request: Request, school: School | None, **more: Any) -> AsAtForm:
        """It asks for no day before the school, or the first school of the authority, joined Handrail."""
        since = school.joined_on if school else School.objects.aggregate(Min("joined_on"))["joined_on__min"]
        return AsAtForm(today=request.today, since=since, **more)

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        school = self.school(request)
        form = self.form(request, school, initial={"on": request.today})
        return render(request, "overview/inspection.html", {"form": form, "school": school})

    def post(self, request: Request, **_place: Any) -> HttpResponseBase:
        school = self.school(request)
        form = self.form(request, school, data=request.POST)
        if not form.is_valid():
            return render(request, "overview/inspection.html", {"form": form, "school": school})
        on, kind = form.cleaned_data["on"], "pdf" if request.POST.get("kind") == "pdf" else "zip"
        printed = f"Made {moment(request.now)} by {request.user}."
        evidence = Evidence(school, on=on, authority=request.authority.name, printed=printed)
        file: Any = tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY)  # noqa: SIM115 - the answer closes it
        if kind == "pdf":
            file.write(evidence.paper())
        else:
            write_pack(file, evidence.pack())
        file.seek(0)
        school_id = school.id if school else None
        audit.record(
            "took evidence for inspection",
            by=request.user,
            at=request.now,
            subject_kind="school" if school else "authority",
            subject_id=school_id,
            school_id=school_id,
            fields=[on.isoformat(), kind],
        )
        name = f"evidence-{school.urn if school else request.authority.code}-{on}.{kind}"
        return FileResponse(file, as_attachment=True, filename=name, content_type=f"application/{kind}")


class AuthorityInspectionView(InspectionView):
    """The authority's own."""

    permission = Permission.SEE_SCHOOLS

    def school(self, request: Request) -> None:
        return None
