"""An authority's and a school's front pages, and the lists that officers work through."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from handrail.accounts.roles import Permission
from handrail.core.access import SIGNED_IN, Door, Request, get_or_404
from handrail.core.models import AuthoritySettings, ReadEntry
from handrail.core.spreadsheet import csv_file
from handrail.core.status import Status
from handrail.overview.acting import acting_school, choose, schools_of
from handrail.overview.figures import KIND_HEADINGS, figures
from handrail.overview.forms import SchoolFilters
from handrail.overview.history import happenings, happenings_to_children, told
from handrail.overview.lists import SHORT_NAMES, TO_CHASE, policies_to_watch, schools_list
from handrail.overview.plan_counts import overdue
from handrail.overview.to_do import tasks
from handrail.plans.models import BreakGlass, HealthcarePlan
from handrail.plans.reading import to_be_read_by
from handrail.policies.models import SCHOOL_KINDS, Kind, Policy
from handrail.returns.standing import owed_by
from handrail.schools.forms import FindForm
from handrail.schools.models import Pupil, School
from tenants.models import RegisterImport

PAGE = 50
MOST_URGENT = 10
LATEST = 3
TELL_FOR = timedelta(days=14)
"""How long a school's first page tells of an emergency access."""

TO_DO = (Status.OVERDUE, Status.NOT_RECORDED, Status.DUE_SOON)
"""What a school has to do something about, in the order in which it matters."""


class HomeView(Door):
    """The first page: what needs attention, for whoever asks."""

    permission = SIGNED_IN

    def get(self, request: Request) -> HttpResponse:
        if request.user.is_at_authority:
            return self.at_authority(request)
        if request.user.school_ids:
            return self.at_school(request)
        if request.user.pupil_ids:
            return redirect("overview:asked_about")
        return render(request, "overview/no_role.html", {"who_can_help": request.user.who_can_help()})

    def at_authority(self, request: Request) -> HttpResponse:
        settings = AuthoritySettings.load()
        on = request.today
        return render(
            request,
            "overview/home.html",
            {
                "figures": figures(on=on, settings=settings),
                "plans_overdue": overdue(on=on),
                "most_urgent": policies_to_watch(on=on, settings=settings).filter(TO_CHASE)[:MOST_URGENT],
                "names": SHORT_NAMES,
                "kind_headings": KIND_HEADINGS,
                "due_soon_days": settings.due_soon_days,
                "to_review": BreakGlass.objects.waiting().count()
                if request.user.may(Permission.REVIEW_BREAK_GLASS)
                else 0,
                "closed": School.objects.closed_with_children().order_by("name", "urn")
                if request.user.may(Permission.IMPORT_SCHOOLS)
                else [],
                "register": RegisterImport.objects.order_by("-imported_at").first(),
            },
        )

    def at_school(self, request: Request) -> HttpResponse:
        wanted = request.GET.get("school")
        school: Any = choose(request, wanted) if wanted else acting_school(request)
        settings = AuthoritySettings.load()
        kept: list[Any] = list(
            Policy.objects.visible_to(request.user)
            .with_status(on=request.today, settings=settings)
            .select_related("school")
            .order_by("kind")
        )
        to_do = sorted(
            (policy for policy in kept if policy.school_id == school.id and policy.status in TO_DO),
            key=lambda policy: (TO_DO.index(policy.status), policy.next_review_on or date.max),
        )
        return render(
            request,
            "overview/things_to_do.html",
            {
                "school": school,
                "opened": self.opened(request, school),
                "to_read": to_be_read_by(
                    request.user, HealthcarePlan.objects.visible_to(request.user), on=request.today
                ).count(),
                "find": FindForm() if request.user.may(Permission.SEE_CHILDREN, school_id=school.id) else None,
                "schools": [
                    (each, sum(policy.school_id == each.id and policy.status in TO_DO for policy in kept))
                    for each in schools_of(request)
                ],
                "owed": owed_by(school, on=request.today) if school.is_bound else None,
                "to_do": to_do,
                "tasks": tasks(request.user, school, on=request.today, settings=settings),
                "rest": [policy for policy in kept if policy.school_id == school.id and policy not in to_do],
            },
        )

    def opened(self, request: Request, school: School) -> Any:
        """The emergency plans of this school's children that somebody at the authority opened lately."""
        if not request.user.may(Permission.SEE_READS, school_id=school.id):
            return []
        return BreakGlass.objects.filter(pupil__school=school, opened_at__gt=request.now - TELL_FOR).order_by(
            "-opened_at"
        )


class AskedAboutView(Door):
    """The children about whom schools have asked the person: the first page of a health professional."""

    permission, shows_child = Permission.SEE_EMERGENCY, True

    def get(self, request: Request) -> HttpResponse:
        children = Pupil.objects.filter(id__in=request.user.pupil_ids).select_related("school").order_by("name", "id")
        at_school: dict[Any, list[Any]] = {}
        for child in children:
            at_school.setdefault(child.school_id, []).append(child.id)
        # Each school sees who looked at its own.
        for school_id, child_ids in at_school.items() or [(None, [])]:
            self.shows(child_ids, ReadEntry.Group.IDENTITY, verb=ReadEntry.Verb.LIST, school_id=school_id)
        return render(request, "overview/asked_about.html", {"children": children})


class FiguresCsvView(Door):
    """The numbers of the overview's two tables."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request, table: str) -> HttpResponseBase:
        found = figures(on=request.today, settings=AuthoritySettings.load())
        if table == "ageing":
            return csv_file(
                f"overdue-by-age-{request.today}.csv",
                ["Overdue by", *KIND_HEADINGS, "All policies"],
                ([row.label, *(kind.value for kind in row.kinds), row.total.value] for row in found.ages),
            )
        return csv_file(
            f"weeks-ahead-{request.today}.csv",
            ["Week beginning", "Reviews due"],
            ([week.monday, week.due.value] for week in found.weeks),
        )


# -- schools ---------------------------------------------------------------------------------------------


def school_filters(request: Request) -> SchoolFilters:
    """The filters in the address, with the phases and trusts that this authority's schools have."""
    pairs = set(School.objects.open().order_by().values_list("phase_name", "trust_name").distinct())
    return SchoolFilters(
        request.GET,
        phases=sorted({phase for phase, _ in pairs if phase}),
        trusts=sorted({trust for _, trust in pairs if trust}),
    )


def cells(school: School) -> dict[str, Any]:
    """A school's policies by kind, and the earliest of the next reviews that it needs."""
    kept = {policy.kind: policy for policy in school.kept}  # type: ignore[attr-defined]
    due = [policy.next_review_on for policy in kept.values() if policy.status != Status.NOT_NEEDED]
    return {
        "school": school,
        # Special schools and units have no phase in the register; what they are says more.
        "phase": school.phase_name if school.phase_name != "Not applicable" else school.type_name,
        "policies": [kept.get(kind) for kind in SCHOOL_KINDS],
        "next_due_on": min((day for day in due if day), default=None),
    }


class SchoolsView(Door):
    """Every open school of the authority."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        form = school_filters(request)
        found: dict[str, Any] = {"form": form, "kind_headings": KIND_HEADINGS}
        if form.is_valid():
            schools = schools_list(form.cleaned_data, on=request.today, settings=AuthoritySettings.load())
            page = Paginator(schools, PAGE).get_page(request.GET.get("page"))
            found |= {"page": page, "rows": [cells(school) for school in page], "chosen": form.chosen(request)}
        return render(request, "overview/schools.html", found)


class SchoolsCsvView(Door):
    """The same list as a file."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponseBase:
        form = school_filters(request)
        if not form.is_valid():
            return redirect(f"{reverse('overview:schools')}?{request.GET.urlencode()}")
        schools = schools_list(form.cleaned_data, on=request.today, settings=AuthoritySettings.load())
        headings: list[str] = ["URN", "School", "Phase", "Type", "Trust", "Town", "Postcode"]
        for name in KIND_HEADINGS:
            headings += [name, f"{name}: next review"]
        return csv_file(f"schools-{request.today}.csv", headings, self.rows(schools))

    def rows(self, schools: QuerySet[School]) -> Iterator[list[Any]]:
        for school in schools.iterator(chunk_size=1000):
            row: list[Any] = [
                school.urn,
                school.name,
                school.phase_name,
                school.type_name,
                school.trust_name,
                school.town,
            ]
            row.append(school.postcode)
            for policy in cells(school)["policies"]:
                row += [Status(policy.status).label, policy.next_review_on] if policy else ["", None]
            yield row


class SchoolDoor(Door):
    """A page of one school's record, found by its URN among the schools that the person may see."""

    def school(self, request: Request, urn: str) -> School:
        school: School = get_or_404(School.objects.visible_to(request.user), urn=urn)
        return school


class SchoolView(SchoolDoor):
    """A school's record at a glance."""

    permission = Permission.SEE_SCHOOL

    def get(self, request: Request, urn: str) -> HttpResponse:
        school = self.school(request, urn)
        may_see_activity = request.user.may(Permission.SEE_ACTIVITY, school_id=school.id)
        policies = (
            Policy.objects.visible_to(request.user)
            .filter(school=school)
            .select_related("school")
            .with_status(on=request.today, settings=AuthoritySettings.load())
        )
        return render(
            request,
            "overview/school.html",
            {
                "school": school,
                "policies": sorted(policies, key=lambda policy: SCHOOL_KINDS.index(Kind(policy.kind))),
                "activity": told(happenings(school, by=request.user)[:LATEST]) if may_see_activity else [],
                "may_see_activity": may_see_activity,
                "may_move_children": request.user.may(Permission.IMPORT_SCHOOLS)
                and School.objects.closed_with_children().filter(id=school.id).exists(),
            },
        )


class ActivityView(SchoolDoor):
    """What happened at a school, by day, newest first."""

    permission = Permission.SEE_ACTIVITY

    def get(self, request: Request, urn: str) -> HttpResponse:
        school = self.school(request, urn)
        page = Paginator(happenings(school, by=request.user), PAGE).get_page(request.GET.get("page"))
        facts = {
            "school": school,
            "page": page,
            "activity": told(page),
            "may_see_whom": request.user.may(Permission.SEE_READS, school_id=school.id),
        }
        return render(request, "overview/activity.html", facts)


class ChildrensActivityView(SchoolDoor):
    """The same of what was about children, with whom each was about."""

    permission, needs_step_up, shows_child = Permission.SEE_READS, True, True

    def get(self, request: Request, urn: str) -> HttpResponse:
        school = self.school(request, urn)
        page = Paginator(happenings_to_children(school, by=request.user), PAGE).get_page(request.GET.get("page"))
        activity = told(page, to=request.user)
        shown = {each["child"].id for each in activity if "child" in each}
        self.shows(shown, ReadEntry.Group.IDENTITY, verb=ReadEntry.Verb.LIST, school_id=school.id)
        facts = {"school": school, "page": page, "activity": activity}
        return render(request, "overview/childrens_activity.html", facts)
