"""Pages about incidents: a school's log, which only the school reads, and the authority's counts."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.calendar import LONDON, day_of
from handrail.core.models import ReadEntry
from handrail.incidents import actions
from handrail.incidents.figures import years
from handrail.incidents.forms import IncidentForm, LaterForm
from handrail.incidents.models import Harm, Incident
from handrail.plans.cycle import Trigger
from handrail.plans.models import ReviewTrigger
from handrail.policies.models import Kind as PolicyKind
from handrail.policies.models import PolicyReview
from handrail.schools.child_views import ChildDoor
from handrail.schools.models import School

PAGE = 50
Group, Verb = ReadEntry.Group, ReadEntry.Verb


class LogDoor(Door):
    """A page of a school's log. It may show children, so each look is recorded."""

    permission, needs_step_up, shows_child = Permission.KEEP_INCIDENTS, True, True
    request: Request

    @cached_property
    def school(self) -> School:
        found: School = get_or_404(School.objects.visible_to(self.request.user), urn=self.kwargs["urn"])
        return found

    @cached_property
    def incident(self) -> Incident:
        of_school = Incident.objects.visible_to(self.request.user).filter(school=self.school).select_related("pupil")
        found: Incident = get_or_404(of_school, id=self.kwargs["incident_id"])
        return found

    def page(
        self, template: str, children: list[Any], shown_as: ReadEntry.Verb = Verb.PAGE, **more: Any
    ) -> HttpResponse:
        self.shows(children, Group.INCIDENT, verb=shown_as, school_id=self.school.id)
        return render(self.request, f"incidents/{template}.html", {"school": self.school, **more})

    def about(self, template: str, **more: Any) -> HttpResponse:
        """A page about one incident."""
        child = self.incident.pupil_id
        return self.page(template, [child] if child else [], incident=self.incident, **more)


class LogView(LogDoor):
    """The school's incidents and near misses, the newest first."""

    def get(self, request: Request, urn: str) -> HttpResponse:
        found = Incident.objects.visible_to(request.user).filter(school=self.school).select_related("pupil")
        page = Paginator(found, PAGE).get_page(request.GET.get("page"))
        return self.page("log", [each.pupil_id for each in page if each.pupil_id], Verb.LIST, page=page)


class IncidentView(LogDoor):
    """One incident, and the reviews that it asked for."""

    def get(self, request: Request, urn: str, incident_id: Any) -> HttpResponse:
        incident = self.incident
        plan = ReviewTrigger.objects.filter(
            plan__pupil=incident.pupil_id, kind=Trigger.INCIDENT, happens_on=day_of(incident.happened_at)
        ).first()
        policy = PolicyReview.objects.filter(
            policy__school=self.school,
            policy__kind=PolicyKind.MEDICAL_CONDITIONS,
            outcome=PolicyReview.Outcome.ASKED,
            reviewed_on=day_of(incident.recorded_at),
        ).first()
        return self.about("incident", plan=plan, policy=policy)


class AddToIncidentView(LogDoor):
    def get(self, request: Request, urn: str, incident_id: Any) -> HttpResponse:
        told = self.incident.parents_told_at and self.incident.parents_told_at.astimezone(LONDON)
        known = {
            "told_on": told and told.date(),
            "told_clock": told and f"{told:%H:%M}",
            "what_is_learnt": self.incident.what_is_learnt or "",
        }
        return self.about("add_to_incident", form=LaterForm(today=request.today, initial=known))

    def post(self, request: Request, urn: str, incident_id: Any) -> HttpResponse:
        incident, form = self.incident, LaterForm(request.POST, today=request.today)
        if form.is_valid():
            try:
                actions.add_to_incident(incident=incident, by=request.user, at=request.now, **form.cleaned_data)
            except actions.Refused as refusal:
                form.add_error(refusal.field, str(refusal))
            else:
                messages.success(request, "Added to the incident.")
                return redirect("incidents:incident", urn=urn, incident_id=incident_id)
        return self.about("add_to_incident", form=form)


class RecordIncidentView(LogDoor):
    """An incident that is about no child in particular."""

    shows_child = False

    def get(self, request: Request, urn: str) -> HttpResponse:
        return self.form_page(IncidentForm(today=request.today, initial={"happened_on": request.today}))

    def post(self, request: Request, urn: str) -> HttpResponse:
        school, form = self.school, IncidentForm(request.POST, today=request.today)
        if form.is_valid():
            made = write_down(request, form, school=school, pupil=None)
            if made:
                return redirect("incidents:incident", urn=urn, incident_id=made.id)
        return self.form_page(form)

    def form_page(self, form: IncidentForm) -> HttpResponse:
        return render(self.request, "incidents/record_incident.html", {"school": self.school, "form": form})


class RecordChildIncidentView(ChildDoor):
    """An incident about one child."""

    permission, needs_step_up = Permission.KEEP_INCIDENTS, True

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        form = IncidentForm(today=request.today, initial={"happened_on": request.today})
        return self.page("incidents/record_child_incident.html", Group.IDENTITY, form=form)

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        child, form = self.child, IncidentForm(request.POST, today=request.today)
        if form.is_valid():
            made = write_down(request, form, school=child.school, pupil=child)
            if made:
                return redirect("incidents:incident", urn=child.school.urn, incident_id=made.id)
        return self.page("incidents/record_child_incident.html", Group.IDENTITY, form=form)


def write_down(request: Request, form: IncidentForm, **about: Any) -> Incident | None:
    """The incident that a form describes, or nothing when it is refused: the form then says why."""
    try:
        made = actions.record_incident(by=request.user, at=request.now, **about, **form.cleaned_data)
    except actions.Refused as refusal:
        form.add_error(refusal.field, str(refusal))
        return None
    messages.success(request, "Recorded the incident.")
    return made


class CountsView(Door):
    """How many incidents of which kind all schools together have recorded. No school and no child is named."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        return render(request, "incidents/counts.html", {"years": years(on=request.today), "harms": Harm.labels})
