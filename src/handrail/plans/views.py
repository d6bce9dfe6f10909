"""Pages about a child's plan."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.jinja import moment
from handrail.core.models import ReadEntry
from handrail.plans import versions
from handrail.plans.content import BY_NAME
from handrail.plans.emergency import PARTS, Emergency
from handrail.plans.forms import EmergencyForm, typed
from handrail.plans.models import PlanVersion
from handrail.plans.paper import emergency_pages
from handrail.plans.reading import Asked, asked_of
from handrail.schools.models import Pupil


class PlanDoor(Door):
    """A page about the plan of one child that the person may see."""

    shows_child = True
    group = ReadEntry.Group.EMERGENCY
    """What of the child such a page shows."""
    request: Request

    @cached_property
    def child(self) -> Pupil:
        visible = Pupil.objects.visible_to(self.request.user).select_related("school")
        found: Pupil = get_or_404(visible, id=self.kwargs["child_id"])
        return found

    @cached_property
    def newest(self) -> PlanVersion | None:
        newest: PlanVersion | None = (
            PlanVersion.objects.of_child(self.child).select_related("plan__pupil__school").first()
        )
        return newest

    @property
    def asked_of_me(self) -> Asked | None:
        """Whether the person must know the newest version of the plan, and has read it."""
        return asked_of(self.request.user, self.newest, on=self.request.today) if self.newest else None

    def may(self, permission: Permission) -> bool:
        return bool(self.request.user.may(permission, school_id=self.child.school_id, pupil_id=self.child.id))

    def page(self, template: str, **more: Any) -> HttpResponse:
        """The page, once it is recorded that it shows this child's plan."""
        self.shows([self.child.id], self.group, school_id=self.child.school_id)
        return render(self.request, f"plans/{template}.html", {"child": self.child, "parts": PARTS, **more})


class EmergencyView(PlanDoor):
    """What to do in an emergency. It asks for no second factor: somebody may be waiting for an ambulance."""

    permission = Permission.SEE_EMERGENCY

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        return self.page(
            "emergency",
            version=self.newest if self.newest and self.newest.says else None,
            mine=self.asked_of_me,
            may_edit=self.may(Permission.EDIT_PLANS),
            may_see_versions=self.may(Permission.SEE_PLANS),
            may_see_child=self.may(Permission.SEE_CHILDREN),
        )


class PrintEmergencyView(PlanDoor):
    """The emergency plan on one page of paper."""

    permission = Permission.SEE_EMERGENCY

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        version = self.newest
        if version is None or not version.says:
            raise Http404
        self.shows([self.child.id], self.group, verb=ReadEntry.Verb.PRINT, school_id=self.child.school_id)
        return paper(request, [version], name="emergency-plan")


def paper(request: Request, versions: Iterable[PlanVersion], *, name: str) -> HttpResponse:
    """Emergency plans as a PDF. Its name, which browsers keep, tells nobody whose they are."""
    return as_pdf(request, emergency_pages(versions, printed=printed_by(request), on=request.today), name=name)


def printed_by(request: Request) -> str:
    """What stands at the foot of each page."""
    return f"Printed {moment(request.now)} by {request.user}: check for a newer version."


def as_pdf(request: Request, content: bytes, *, name: str) -> HttpResponse:
    disposition = f'inline; filename="{name}-{request.today}.pdf"'
    return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": disposition})


class ChangeEmergencyView(PlanDoor):
    """Write or change the emergency plan. Whoever was overtaken sees both texts, and loses neither."""

    permission, needs_step_up = Permission.EDIT_PLANS, True

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        newest = self.newest
        known = typed(newest.says if newest else None, newest.number if newest else 0)
        return self.page("change_emergency", form=EmergencyForm(initial=known))

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form = EmergencyForm(request.POST)
        if not form.is_valid():
            return self.page("change_emergency", form=form)
        try:
            _, is_new = versions.write_emergency(
                pupil=self.child,
                says=form.says,
                based_on=form.cleaned_data["based_on"],
                by=request.user,
                at=request.now,
            )
        except versions.ChangedMeanwhile as meanwhile:
            return self.both(form, meanwhile.newest)
        messages.success(request, "Saved the emergency plan." if is_new else "Nothing was changed.")
        return redirect("plans:emergency", child_id=child_id)

    def both(self, form: EmergencyForm, newest: PlanVersion) -> HttpResponse:
        """What was typed, which the next saving puts above theirs, and what they wrote where it differs."""
        theirs, mine = newest.says or Emergency(condition=""), form.says
        data = self.request.POST.copy()
        data["based_on"] = str(newest.number)
        form.data = data
        form.add_error(None, f"{newest.made_by_name} saved a newer version while you were writing")
        return self.page(
            "change_emergency",
            form=form,
            newest=newest,
            theirs=[(PARTS[part], theirs.lines(part)) for part in theirs.changed_from(mine)],
        )


class VersionsView(PlanDoor):
    """Every version of the emergency plan: who saved it, when, and what changed."""

    permission, needs_step_up = Permission.SEE_PLANS, True

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        titles = PARTS | {name: section.title for name, section in BY_NAME.items()}
        return self.page("versions", versions=PlanVersion.objects.of_child(self.child), titles=titles)


class VersionView(PlanDoor):
    """What the emergency plan said once."""

    permission, needs_step_up = Permission.SEE_PLANS, True

    def get(self, request: Request, child_id: Any, number: int) -> HttpResponse:
        version = get_or_404(PlanVersion.objects.of_child(self.child), number=number)
        is_newest = self.newest is not None and self.newest.number == number
        return self.page("version", version=version, is_newest=is_newest)
