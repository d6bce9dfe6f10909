"""Pages of a school's pack: when it was made, and the file itself."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.documents import NotFound, download
from handrail.core.models import ReadEntry
from handrail.packs import actions
from handrail.packs.models import Pack
from handrail.schools.models import School


class PackDoor(Door):
    """A page about the pack of a school whose plans the person keeps."""

    permission, needs_step_up = Permission.EDIT_PLANS, True
    request: Request

    @cached_property
    def school(self) -> School:
        found: School = get_or_404(School.objects.visible_to(self.request.user), urn=self.kwargs["urn"])
        return found

    @cached_property
    def pack(self) -> Pack | None:
        packs = Pack.objects.visible_to(self.request.user).select_related("document")
        found: Pack | None = packs.filter(school=self.school).first()
        return found


class PackView(PackDoor):
    """When the pack was made, of how many children, and what to do with it. It names nobody."""

    def get(self, request: Request, urn: str) -> HttpResponse:
        return render(request, "packs/pack.html", {"school": self.school, "pack": self.pack})


class DownloadPackView(PackDoor):
    """The file. That each child in it was shown is recorded first."""

    shows_child = True

    def post(self, request: Request, urn: str) -> HttpResponseBase:
        try:
            document = actions.take(self.pack)
        except actions.NoPack as refusal:
            messages.warning(request, str(refusal))
            return redirect("packs:pack", urn=urn)
        children: Any = self.pack and self.pack.child_ids
        self.shows(children, ReadEntry.Group.EMERGENCY, verb=ReadEntry.Verb.EXPORT, school_id=self.school.id)
        try:
            return download(document)
        except NotFound as error:
            raise Http404 from error
