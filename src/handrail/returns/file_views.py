"""Pages of the files that show what a school answered: a page of their own each, so that nothing typed hangs on one."""

import logging
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Request, get_or_404
from handrail.core.documents import StoreUnavailable, download_or_say
from handrail.core.file_kinds import UnusableFile
from handrail.core.models import Document
from handrail.returns import actions
from handrail.returns.forms import EvidenceFileForm
from handrail.returns.models import Answer, Draft
from handrail.returns.questions import Point, Section
from handrail.returns.refusals import Refused
from handrail.returns.views import ReturnDoor

log = logging.getLogger(__name__)


class FileView(ReturnDoor):
    """Add a file to an answer, put another in its place, or take it off."""

    permission = Permission.ANSWER_RETURNS

    @cached_property
    def found(self) -> tuple[Section, Point]:
        self.open_cycle()
        for section in self.sections:
            for point in section.points:
                if point.requirement.id == self.kwargs["requirement_id"] and point.answer:
                    return section, point
        raise Http404

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        return self.shown(EvidenceFileForm())

    def post(self, request: Request, **_place: Any) -> HttpResponse:
        section, point = self.found
        about: dict[str, Any] = {"cycle": self.open_cycle(), "school": self.school}
        about["requirement_id"] = point.requirement.id
        about |= {"by": request.user, "at": request.now}
        form = EvidenceFileForm(request.POST, request.FILES)
        if self.of_another:
            form.add_error("document", self.of_another)
            return self.shown(form)
        try:
            if "take_off" in request.POST:
                actions.take_off_file(**about)
                messages.success(request, "The file is taken off.")
            elif form.is_valid():
                file = form.cleaned_data["document"]
                document = actions.attach_file(file=file, name=file.name, **about)
                messages.success(request, f"Saved {document.name} with your answer.")
            else:
                return self.shown(form)
        except (UnusableFile, Refused) as refusal:
            form.add_error("document", str(refusal))
            return self.shown(form)
        except StoreUnavailable:
            log.exception("a document could not be stored")
            form.add_error("document", "The selected file could not be saved. Your answer is. Try the file again")
            return self.shown(form)
        return redirect(self.address("section", number=section.number))

    def shown(self, form: EvidenceFileForm) -> HttpResponse:
        section, point = self.found
        return self.page("file", form=form, section=section, point=point)


class DownloadView(ReturnDoor):
    """A file of an answer that was submitted or that the return begins with, to be saved; of one that is being written
    too, for those who write it.
    """

    def get(self, request: Request, document_id: Any, **_place: Any) -> HttpResponseBase:
        submitted = Answer.objects.filter(returned__in=self.returns)
        writing = Draft.objects.filter(school=self.school)
        if not self.may("answer"):
            writing = writing.none()
        begun = [each for section in self.sections for each in section.points if each.is_carried]
        stands = [each.file_id for each in begun if not each.is_unsubmitted or self.may("answer")]
        seen = Q(id__in=submitted.values("evidence_file")) | Q(id__in=writing.values("evidence_file"))
        seen |= Q(id__in=[each for each in stands if each])
        document = get_or_404(Document.objects.filter(seen), id=document_id)
        return download_or_say(request, document, back=self.address("home"))
