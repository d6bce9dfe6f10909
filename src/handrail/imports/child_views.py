"""Pages about a school's lists of its children: upload, check, confirm, undo. What they show is recorded as read."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.models import ReadEntry
from handrail.core.spreadsheet import csv_file
from handrail.imports import actions
from handrail.imports.absences_file import HEADINGS as OF_ABSENCES
from handrail.imports.children import BACK, CHANGED, LEFT, NEW
from handrail.imports.children_file import HEADINGS, same_name
from handrail.imports.forms import ChildrenForm, ConfirmChildrenForm
from handrail.imports.models import FileImport
from handrail.schools.models import Pupil, School

FILES_SHOWN = 20
ROWS_SHOWN = 100
REFRESH_SECONDS = 3


class SchoolDoor(Door):
    """A page for people who may edit the children of one school."""

    permission = Permission.EDIT_CHILDREN
    needs_step_up = True
    request: Request

    @cached_property
    def school(self) -> School:
        found: School = get_or_404(School.objects.visible_to(self.request.user), urn=self.kwargs["urn"])
        return found


class ChildrenView(SchoolDoor):
    """The form, and the lists that were uploaded before. No child is named here."""

    kind, template = FileImport.Kind.CHILDREN, "imports/children.html"

    def get(self, request: Request, urn: str) -> HttpResponse:
        return self.page(ChildrenForm())

    def post(self, request: Request, urn: str) -> HttpResponse:
        school, form = self.school, ChildrenForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                found = actions.upload_list(
                    kind=self.kind, school=school, file=form.cleaned_data["file"], by=request.user, at=request.now
                )
            except actions.Refused as refusal:
                form.add_error("file", str(refusal))
            else:
                return redirect("imports:list", list_id=found.id)
        return self.page(form)

    def page(self, form: ChildrenForm) -> HttpResponse:
        lists = FileImport.objects.visible_to(self.request.user).without_contents()
        lists = lists.filter(school=self.school, kind=self.kind)
        facts = {"school": self.school, "form": form, "files": lists[:FILES_SHOWN]}
        return render(self.request, self.template, facts)


class AbsencesView(ChildrenView):
    """The same for sickness returns."""

    permission = Permission.MAKE_RETURNS
    kind, template = FileImport.Kind.ABSENCES, "imports/absences.html"


class AbsencesTemplateView(SchoolDoor):
    """The columns of a file of sickness returns, to be filled in."""

    permission = Permission.MAKE_RETURNS

    def get(self, request: Request, urn: str) -> FileResponse:
        return csv_file(f"returns-of-{self.school.urn}.csv", OF_ABSENCES, [])


class TemplateView(SchoolDoor):
    """The columns of a list, to be filled in."""

    def get(self, request: Request, urn: str) -> FileResponse:
        return csv_file(f"children-of-{self.school.urn}.csv", HEADINGS, [])


class ListDoor(Door):
    """A page about one list."""

    permission = Permission.EDIT_CHILDREN
    needs_step_up = True
    request: Request

    @cached_property
    def uploaded(self) -> FileImport:
        visible = FileImport.objects.visible_to(self.request.user).exclude(school=None).select_related("school")
        found: FileImport = get_or_404(visible, id=self.kwargs["list_id"])
        return found

    def show(self, how: ReadEntry.Verb, *, changes: Iterable[dict[str, Any]] = (), named: Iterable[str] = ()) -> None:
        """Record which children of the school the page shows: those of `changes`, and everybody whose name or UPN is
        one of `named`. One who is not added yet is nobody we hold.
        """
        ids, names = {UUID(each["child"]) for each in changes}, {same_name(each) for each in named}
        children = Pupil.objects.visible_to(self.request.user).filter(Q(id__in=ids) | Q(school=self.uploaded.school))
        known = [
            child_id
            for child_id, name, upn in children.values_list("id", "name", "upn")
            if child_id in ids or same_name(name) in names or (upn and same_name(upn) in names)
        ]
        is_absence = self.uploaded.kind == FileImport.Kind.ABSENCES
        group = ReadEntry.Group.ABSENCE if is_absence else ReadEntry.Group.IDENTITY
        self.shows(known, group, verb=how, school_id=self.uploaded.school_id)

    @staticmethod
    def named_in(problems: Iterable[dict[str, Any]]) -> list[str]:
        """The names and numbers that the rows with a problem give."""
        return [each[said] for each in problems for said in ("child", "value") if each[said]]

    def to_list(self) -> HttpResponse:
        return redirect("imports:list", list_id=self.uploaded.id)


class ListView(ListDoor):
    """One list, as far as it has come; when it is ready, the question whether to import it."""

    shows_child = True

    def get(self, request: Request, list_id: Any) -> HttpResponse:
        return self.page(self.form())

    def post(self, request: Request, list_id: Any) -> HttpResponse:
        form = self.form(request.POST)
        if not form.is_valid():
            return self.page(form)
        try:
            actions.confirm(
                file=self.uploaded, has_understood=True, by=request.user, at=request.now, **form.cleaned_data
            )
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
        return self.to_list()

    def form(self, data: Any = None) -> ConfirmChildrenForm:
        return ConfirmChildrenForm(data, left=self.uploaded.counts.get("left", 0))

    def page(self, form: ConfirmChildrenForm) -> HttpResponse:
        kinds = ((NEW,), (CHANGED, BACK), (LEFT,))
        shown = [[each for each in self.uploaded.changes if each["what"] in kind][:ROWS_SHOWN] for kind in kinds]
        problems = self.uploaded.problems[:ROWS_SHOWN]
        self.show(
            ReadEntry.Verb.LIST,
            changes=[change for changes in shown for change in changes],
            named=[*self.named_in(problems), *(each.partition(": ")[0] for each in self.uploaded.left)],
        )
        facts = {
            "file": self.uploaded,
            "school": self.uploaded.school,
            "form": form,
            "new": shown[0],
            "changed": shown[1],
            "left": shown[2],
            "problems_shown": problems,
            "may_be_undone": self.uploaded.may_be_undone(at=self.request.now),
        }
        answer = render(self.request, "imports/list.html", facts)
        if self.uploaded.is_in_hand:
            answer["Refresh"] = f"{REFRESH_SECONDS}; url={reverse('imports:list', args=[self.uploaded.id])}"
        return answer


class CancelListView(ListDoor):
    """Puts a checked list away."""

    def post(self, request: Request, list_id: Any) -> HttpResponse:
        try:
            actions.cancel(file=self.uploaded, by=request.user, at=request.now)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
            return self.to_list()
        messages.success(request, "The list was put away. Nothing was imported.")
        school: Any = self.uploaded.school  # a list of children is always a school's
        return redirect(f"imports:{self.uploaded.kind}", urn=school.urn)


class UndoListView(ListDoor):
    """Asks for an import to be undone."""

    def post(self, request: Request, list_id: Any) -> HttpResponse:
        try:
            actions.ask_to_undo(file=self.uploaded, by=request.user, at=request.now)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
        return self.to_list()


class ListProblemsView(ListDoor):
    """Every row with a problem, as a file."""

    shows_child = True

    def get(self, request: Request, list_id: Any) -> FileResponse:
        self.show(ReadEntry.Verb.EXPORT, named=self.named_in(self.uploaded.problems))
        rows = (
            [
                each["line"],
                each["child"],
                each["column"],
                each["value"],
                each["advice"],
                "Row skipped" if each["skipped"] else "Row kept",
            ]
            for each in self.uploaded.problems
        )
        return csv_file("problems.csv", ["Row", "Child", "Column", "Value", "What to do", "What happens"], rows)


class ListChangesView(ListDoor):
    """Everything that the list changes, a line for each value, as a file."""

    shows_child = True

    def get(self, request: Request, list_id: Any) -> FileResponse:
        self.show(ReadEntry.Verb.EXPORT, changes=self.uploaded.changes)
        rows = (
            [each["name"], each["what"], detail["column"], detail["was"], detail["becomes"]]
            for each in self.uploaded.changes
            for detail in each["details"] or [{"column": "", "was": "", "becomes": ""}]
        )
        return csv_file("changes.csv", ["Child", "What changes", "Column", "Before", "After"], rows)
