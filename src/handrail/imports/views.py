"""Pages about the files an authority brings: upload, check, confirm, undo."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.spreadsheet import csv_file
from handrail.imports import actions
from handrail.imports.forms import ConfirmForm, RegisterForm, StarterForm
from handrail.imports.models import FileImport
from handrail.imports.starter import template_rows
from handrail.imports.starter_file import HEADINGS

FILES_SHOWN = 50
ROWS_SHOWN = 100
REFRESH_SECONDS = 3


class ImportDoor(Door):
    """A page for people who may import, about one file or none."""

    permission = Permission.IMPORT_SCHOOLS
    request: Any

    def file(self) -> FileImport:
        """The file of this address. Raises Http404."""
        found: FileImport = get_or_404(FileImport.objects.visible_to(self.request.user), id=self.kwargs["pk"])
        return found

    def to_file(self, file: FileImport) -> HttpResponse:
        return redirect("imports:show", pk=file.id)


class HomeView(ImportDoor):
    """The two forms, and the files that were uploaded before."""

    def get(self, request: Request) -> HttpResponse:
        return self.page(RegisterForm(), StarterForm())

    def post(self, request: Request) -> HttpResponse:
        kind = request.POST.get("kind", "")
        sent: dict[str, Any] = {"data": request.POST, "files": request.FILES}
        register = RegisterForm(**sent if kind == FileImport.Kind.REGISTER else {})
        starter = StarterForm(**sent if kind == FileImport.Kind.STARTER else {})
        form: forms.Form = register if register.is_bound else starter
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                return self.to_file(
                    actions.upload(kind=kind, file=file, name=file.name, by=self.request.user, at=self.request.now)
                )
            except actions.Refused as refusal:
                form.add_error("file", str(refusal))
        return self.page(register, starter)

    def page(self, register: forms.Form, starter: forms.Form) -> HttpResponse:
        files = FileImport.objects.visible_to(self.request.user).without_contents()[:FILES_SHOWN]
        facts = {"register": register, "starter": starter, "forms": [register, starter], "files": files}
        return render(self.request, "imports/home.html", facts)


class StarterTemplateView(ImportDoor):
    """The starter spreadsheet with the authority's own schools, to be filled in."""

    def get(self, request: Request) -> FileResponse:
        return csv_file("starter-spreadsheet.csv", HEADINGS, template_rows())


class ShowView(ImportDoor):
    """One file, as far as it has come; when it is ready, the question whether to import it."""

    def get(self, request: Request, pk: Any) -> HttpResponse:
        return self.page(self.file(), ConfirmForm())

    def post(self, request: Request, pk: Any) -> HttpResponse:
        file, form = self.file(), ConfirmForm(request.POST)
        form.is_valid()
        try:
            actions.confirm(
                file=file,
                has_understood=form.cleaned_data["has_understood"],
                by=self.request.user,
                at=self.request.now,
            )
        except actions.NotConfirmed as refusal:
            form.add_error("has_understood", str(refusal))
            return self.page(file, form)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
        return self.to_file(file)

    def page(self, file: FileImport, form: forms.Form) -> HttpResponse:
        facts = {
            "file": file,
            "form": form,
            "changes": file.changes[:ROWS_SHOWN],
            "problems_shown": file.problems[:ROWS_SHOWN],
            "may_be_undone": file.may_be_undone(at=self.request.now),
        }
        answer = render(self.request, "imports/show.html", facts)
        if file.is_in_hand:
            answer["Refresh"] = f"{REFRESH_SECONDS}; url={reverse('imports:show', args=[file.id])}"
        return answer


class CancelView(ImportDoor):
    """Puts a checked file away."""

    def post(self, request: Request, pk: Any) -> HttpResponse:
        file = self.file()
        try:
            actions.cancel(file=file, by=self.request.user, at=self.request.now)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
            return self.to_file(file)
        messages.success(request, f"{file} was put away. Nothing was imported.")
        return redirect("imports:home")


class UndoView(ImportDoor):
    """Asks for an import to be undone."""

    def post(self, request: Request, pk: Any) -> HttpResponse:
        file = self.file()
        try:
            actions.ask_to_undo(file=file, by=self.request.user, at=self.request.now)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
        return self.to_file(file)


class ProblemsCsvView(ImportDoor):
    """Every row with a problem."""

    def get(self, request: Request, pk: Any) -> FileResponse:
        rows = (
            [
                each["line"],
                each["urn"],
                each["column"],
                each["value"],
                each["advice"],
                "Row skipped" if each["skipped"] else "Row kept",
            ]
            for each in self.file().problems
        )
        return csv_file("problems.csv", ["Line", "URN", "Column", "Value", "What to do", "What happens"], rows)


class ChangesCsvView(ImportDoor):
    """Everything that the file changes, a line for each value."""

    def get(self, request: Request, pk: Any) -> FileResponse:
        rows = (
            [each["urn"], each["name"], each["what"], detail["column"], detail["was"], detail["becomes"]]
            for each in self.file().changes
            for detail in each["details"] or [{"column": "", "was": "", "becomes": ""}]
        )
        return csv_file("changes.csv", ["URN", "School", "What changes", "Column", "Before", "After"], rows)
