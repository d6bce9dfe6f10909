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
from handrail.imports import actions, invitations, invitations_file
from handrail.imports.forms import ConfirmForm, PeopleForm, RegisterForm, StarterForm
from handrail.imports.models import FileImport
from handrail.imports.starter import template_rows
from handrail.imports.starter_file import HEADINGS
from handrail.people.invitations import example
from handrail.schools.models import School

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

    def upload(self, kind: str, form: forms.Form) -> HttpResponse | None:
        """Keep the file of a form and go to its page; nothing, and the form says why, when it cannot be kept."""
        if not form.is_valid():
            return None
        file, by, at = form.cleaned_data["file"], self.request.user, self.request.now
        try:
            return self.to_file(actions.upload(kind=kind, file=file, name=file.name, by=by, at=at))
        except actions.Refused as refusal:
            form.add_error("file", str(refusal))
            return None


class HomeView(ImportDoor):
    """The two forms, and the files that were uploaded before."""

    def get(self, request: Request) -> HttpResponse:
        return self.page(RegisterForm(), StarterForm())

    def post(self, request: Request) -> HttpResponse:
        kind = request.POST.get("kind", "")
        sent: dict[str, Any] = {"data": request.POST, "files": request.FILES}
        register = RegisterForm(**sent if kind == FileImport.Kind.REGISTER else {})
        starter = StarterForm(**sent if kind == FileImport.Kind.STARTER else {})
        return self.upload(kind, register if register.is_bound else starter) or self.page(register, starter)

    def page(self, register: forms.Form, starter: forms.Form) -> HttpResponse:
        files = FileImport.objects.visible_to(self.request.user).without_contents()[:FILES_SHOWN]
        facts = {"register": register, "starter": starter, "forms": [register, starter], "files": files}
        return render(self.request, "imports/home.html", facts)


class StarterTemplateView(ImportDoor):
    """The starter spreadsheet with the authority's own schools, to be filled in."""

    def get(self, request: Request) -> FileResponse:
        return csv_file("starter-spreadsheet.csv", HEADINGS, template_rows())


class InvitationsView(ImportDoor):
    """Asks whom to invite: those on a list that is brought, or the offices of schools nobody has signed in for."""

    permission = Permission.INVITE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        return self.page(PeopleForm())

    def post(self, request: Request) -> HttpResponse:
        if "offices" in request.POST:
            return self.to_file(actions.gather_office_addresses(by=request.user, at=request.now))
        form = PeopleForm(request.POST, request.FILES)
        return self.upload(FileImport.Kind.PEOPLE, form) or self.page(form)

    def page(self, form: forms.Form) -> HttpResponse:
        silent = School.objects.open().never_signed_in(on=self.request.today).count()
        return render(self.request, "imports/invitations.html", {"form": form, "silent": silent})


class InvitationsTemplateView(ImportDoor):
    """The list of people to invite with the authority's own schools, to be filled in."""

    permission = Permission.INVITE_SCHOOLS

    def get(self, request: Request) -> FileResponse:
        return csv_file("people-to-invite.csv", invitations_file.HEADINGS, invitations.template_rows())


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
            "letter": self.letter(file) if file.kind == FileImport.Kind.PEOPLE else None,
        }
        answer = render(self.request, "imports/show.html", facts)
        if file.is_in_hand:
            answer["Refresh"] = f"{REFRESH_SECONDS}; url={reverse('imports:show', args=[file.id])}"
        return answer

    def letter(self, file: FileImport) -> tuple[str, str] | None:
        """What the first whom it would invite would read."""
        if file.state != FileImport.State.CHECKED or not file.changes:
            return None
        first = file.changes[0]
        _, email, role = (detail["becomes"] for detail in first["details"])
        by, at = self.request.user, self.request.now
        return example(email=email, whose=first["name"], as_role=role, by=by, at=at)


class CancelView(ImportDoor):
    """Puts a checked file away."""

    def post(self, request: Request, pk: Any) -> HttpResponse:
        file = self.file()
        try:
            actions.cancel(file=file, by=self.request.user, at=self.request.now)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
            return self.to_file(file)
        done = "Nobody was invited" if file.kind == FileImport.Kind.PEOPLE else "Nothing was imported"
        messages.success(request, f"{file} was put away. {done}.")
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
                each["line"] or "",
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
