"""Pages of the plans of a school's children: the list, and emergency pages to print."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.models import AuthoritySettings, ReadEntry
from handrail.core.status import Status
from handrail.plans.models import WATCHED, HealthcarePlan, PlanVersion
from handrail.plans.paper.lists import Kind, list_of_children
from handrail.plans.reading import with_readers
from handrail.plans.views import as_pdf, paper, printed_by
from handrail.schools.forms import FindForm
from handrail.schools.models import Pupil, School

PAGE = 50


class PlansView(Door):
    """The plans of a school's children, and of those still to join: what is overdue first. What is searched for is
    posted.
    """

    permission, shows_child, needs_step_up = Permission.SEE_PLANS, True, True
    request: Request

    def get(self, request: Request, urn: str) -> HttpResponse:
        return self.page(urn, FindForm())

    def post(self, request: Request, urn: str) -> HttpResponse:
        form = FindForm(request.POST)
        return self.page(urn, form, letters=form.cleaned_data["letters"] if form.is_valid() else "")

    def page(self, urn: str, form: FindForm, letters: str = "") -> HttpResponse:
        request = self.request
        school: School = get_or_404(School.objects.visible_to(request.user), urn=urn)
        children = Pupil.objects.visible_to(request.user).filter(school=school).not_left(on=request.today)
        if letters:
            children = children.called(letters)
        plans: Any = (
            HealthcarePlan.objects.filter(pupil__in=children)
            .with_status(on=request.today, settings=AuthoritySettings.load())
            .select_related("pupil")
        )
        chosen = request.GET.get("status", "")
        if chosen in Status.values:
            plans = plans.filter(status=chosen)
        plans = with_readers(plans, on=request.today)
        page = Paginator(plans.order_by("due_on", "pupil__name", "id"), PAGE).get_page(request.GET.get("page"))
        self.shows(
            [plan.pupil_id for plan in page], ReadEntry.Group.PLAN, verb=ReadEntry.Verb.LIST, school_id=school.id
        )
        return render(
            request,
            "plans/plans.html",
            {"school": school, "form": form, "page": page, "chosen": chosen, "statuses": Status},
        )


class PrintPlansView(Door):
    """The emergency pages, or a list, of the children of a class, of a trip or of the whole school: a PDF to print. The
    first-aid list is of everybody. A plan that rests is in none of them.
    """

    permission, shows_child, needs_step_up = Permission.SEE_PLANS, True, True
    request: Request

    def get(self, request: Request, urn: str) -> HttpResponse:
        return self.ask(urn)

    def post(self, request: Request, urn: str) -> HttpResponse:
        school, children = self.of_school(urn)
        kind = request.POST.get("list")
        if "everybody" not in request.POST and kind != Kind.FIRST_AID:
            chosen = [each for each in request.POST.getlist("child") if is_uuid(each)]
            children = children.filter(Q(id__in=chosen) | Q(class_name__in=request.POST.getlist("class")))
        found = list(PlanVersion.objects.newest_of(children).select_related("plan__pupil__school"))
        found = [version for version in found if version.says]
        if not found:
            return self.ask(urn, [{"text": "Select the children whose pages you need", "href": "#everybody"}])
        self.shows(
            [version.plan.pupil_id for version in found],
            ReadEntry.Group.EMERGENCY,
            verb=ReadEntry.Verb.PRINT,
            school_id=school.id,
        )
        if kind in list(Kind):
            content = list_of_children(
                found, kind=Kind(kind), school=school, printed=printed_by(request), on=request.today
            )
            return as_pdf(request, content, name="children")
        return paper(request, found, name="emergency-plans")

    def of_school(self, urn: str) -> tuple[School, Any]:
        user = self.request.user
        school: School = get_or_404(School.objects.visible_to(user), urn=urn)
        there = Pupil.objects.visible_to(user).filter(school=school).on_roll(on=self.request.today)
        return school, there.filter(plan__stage__in=WATCHED)

    def ask(self, urn: str, page_errors: Any = ()) -> HttpResponse:
        school, children = self.of_school(urn)
        children = children.filter(plan__versions__emergency__isnull=False).distinct().order_by("class_name", "name")
        self.shows(
            [child.id for child in children], ReadEntry.Group.PLAN, verb=ReadEntry.Verb.LIST, school_id=school.id
        )
        classes: dict[str, list[Pupil]] = {}
        for child in children:
            classes.setdefault(child.class_name, []).append(child)
        return render(
            self.request,
            "plans/print_plans.html",
            {
                "school": school,
                "classes": classes,
                "is_chosen": set(self.request.POST.getlist("child") + self.request.POST.getlist("class")),
                "page_errors": page_errors,
            },
        )


def is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
