"""Pages about a school's own facts."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.schools import actions
from handrail.schools.forms import ContactsForm
from handrail.schools.models import School


class ContactsView(Door):
    """Whom to write to at a school."""

    permission = Permission.EDIT_SCHOOL

    def get(self, request: Request, urn: str) -> HttpResponse:
        school = self.school(request, urn)
        known = {name: getattr(school, name) for name in actions.CONTACTS}
        return self.page(request, school, ContactsForm(initial=known))

    def post(self, request: Request, urn: str) -> HttpResponse:
        school, form = self.school(request, urn), ContactsForm(request.POST)
        if not form.is_valid():
            return self.page(request, school, form)
        actions.set_contacts(school=school, by=request.user, at=request.now, **form.cleaned_data)
        messages.success(request, "Saved the contacts.")
        return redirect("people:school", urn=urn)

    def school(self, request: Request, urn: str) -> Any:
        return get_or_404(School.objects.visible_to(request.user), urn=urn)

    def page(self, request: Request, school: School, form: forms.Form) -> HttpResponse:
        return render(request, "schools/contacts.html", {"school": school, "form": form})
