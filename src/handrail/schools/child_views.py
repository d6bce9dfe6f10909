"""Pages about the children of a school: who they are, never how they are."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.models import ReadEntry
from handrail.schools import actions
from handrail.schools.authorities import called
from handrail.schools.forms import ChildContactForm, ChildForm, FindForm, LeftForm
from handrail.schools.models import Contact, Pupil, School

PAGE = 50
Group, Verb = ReadEntry.Group, ReadEntry.Verb


class SchoolsDoor(Door):
    """A page about the children of one of the schools that the person acts for."""

    request: Request

    @cached_property
    def school(self) -> School:
        found: School = get_or_404(School.objects.visible_to(self.request.user), urn=self.kwargs["urn"])
        return found


class ChildrenView(SchoolsDoor):
    """The children at a school, and those who are still to join it. What is searched for is posted: a name belongs in
    no address.
    """

    permission, shows_child = Permission.SEE_CHILDREN, True

    def get(self, request: Request, urn: str) -> HttpResponse:
        return self.page(request, FindForm(), self.children(request))

    def post(self, request: Request, urn: str) -> HttpResponse:
        form = FindForm(request.POST)
        if form.is_valid():
            return self.page(request, form, self.children(request).called(form.cleaned_data["letters"]))
        return self.page(request, form, Pupil.objects.none())

    def children(self, request: Request) -> Any:
        return Pupil.objects.visible_to(request.user).filter(school=self.school).not_left(on=request.today)

    def page(self, request: Request, form: FindForm, children: Any) -> HttpResponse:
        page = Paginator(children, PAGE).get_page(request.GET.get("page"))
        self.shows([child.id for child in page], Group.IDENTITY, verb=Verb.LIST, school_id=self.school.id)
        return render(
            request,
            "schools/children.html",
            {
                "school": self.school,
                "form": form,
                "page": page,
                "may_edit": request.user.may(Permission.EDIT_CHILDREN, school_id=self.school.id),
            },
        )


class AddChildView(SchoolsDoor):
    permission = Permission.EDIT_CHILDREN

    def get(self, request: Request, urn: str) -> HttpResponse:
        return self.page(request, ChildForm(today=request.today, initial={"joined_on": request.today}))

    def post(self, request: Request, urn: str) -> HttpResponse:
        school, form = self.school, ChildForm(request.POST, today=request.today)
        if form.is_valid():
            try:
                pupil = actions.add_pupil(school=school, by=request.user, at=request.now, **form.cleaned_data)
            except actions.Refused as refusal:
                form.add_error(refusal.field, str(refusal))
            else:
                return saved(request, "Added the child.", form.warning, pupil)
        return self.page(request, form)

    def page(self, request: Request, form: ChildForm) -> HttpResponse:
        return render(request, "schools/add_child.html", {"school": self.school, "form": form})


class ChildDoor(Door):
    """A page about one child that the person may see."""

    shows_child = True
    request: Request

    @cached_property
    def child(self) -> Pupil:
        visible = Pupil.objects.visible_to(self.request.user).select_related("school")
        found: Pupil = get_or_404(visible, id=self.kwargs["child_id"])
        return found

    def may(self, permission: Permission) -> bool:
        """Whether the person may do this where the child is, or for the child."""
        return bool(self.request.user.may(permission, school_id=self.child.school_id, pupil_id=self.child.id))

    def page(self, template: str, group: ReadEntry.Group, **more: Any) -> HttpResponse:
        """The page, once it is recorded that it shows this child."""
        self.shows([self.child.id], group, school_id=self.child.school_id)
        return render(self.request, template, {"child": self.child, "school": self.child.school, **more})


class ChildView(ChildDoor):
    permission = Permission.SEE_CHILDREN

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        may = {
            name: self.may(permission)
            for name, permission in (
                ("edit", Permission.EDIT_CHILDREN),
                ("see_plan", Permission.SEE_PLANS),
                ("see_reads", Permission.SEE_READS),
                ("keep_rights", Permission.KEEP_CHILD_RIGHTS),
            )
        }
        contacts = Contact.objects.of_child(self.child)
        lives_in = called(self.child.lives_in) if self.child.lives_in else ""
        return self.page("schools/child.html", Group.IDENTITY, may=may, contacts=contacts, lives_in=lives_in)


class ChangeChildView(ChildDoor):
    permission = Permission.EDIT_CHILDREN

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        known = {name: getattr(self.child, name) for name in actions.FACTS}
        return self.form_page(ChildForm(today=request.today, initial=known))

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form = ChildForm(request.POST, today=request.today)
        if form.is_valid():
            try:
                actions.change_pupil(pupil=self.child, by=request.user, at=request.now, **form.cleaned_data)
            except actions.Refused as refusal:
                form.add_error(refusal.field, str(refusal))
            else:
                return saved(request, "Saved the child’s details.", form.warning, self.child)
        return self.form_page(form)

    def form_page(self, form: ChildForm) -> HttpResponse:
        return self.page("schools/change_child.html", Group.IDENTITY, form=form)


class ChildLeftView(ChildDoor):
    permission = Permission.EDIT_CHILDREN

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        return self.page("schools/child_left.html", Group.IDENTITY, form=LeftForm())

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form = LeftForm(request.POST)
        if form.is_valid():
            try:
                actions.pupil_left(pupil=self.child, by=request.user, at=request.now, **form.cleaned_data)
            except actions.Refused as refusal:
                form.add_error(refusal.field, str(refusal))
            else:
                return saved(request, "Recorded when the child left.", "", self.child)
        return self.page("schools/child_left.html", Group.IDENTITY, form=form)


class ContactDoor(ChildDoor):
    """A page about one of a child's contacts, or a new one."""

    permission = Permission.EDIT_CHILDREN

    @cached_property
    def contact(self) -> Contact:
        of_child = Contact.objects.of_child(self.child).select_related("pupil")
        found: Contact = get_or_404(of_child, id=self.kwargs["contact_id"])
        return found


class AddContactView(ContactDoor):
    def get(self, request: Request, child_id: Any) -> HttpResponse:
        return self.form_page(ChildContactForm(places=self.places, initial={"place": self.places}))

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form = ChildContactForm(request.POST, places=self.places)
        if form.is_valid():
            actions.add_contact(pupil=self.child, by=request.user, at=request.now, **form.cleaned_data)
            return saved(request, "Added the contact.", "", self.child)
        return self.form_page(form)

    @cached_property
    def places(self) -> int:
        return int(Contact.objects.of_child(self.child).count()) + 1

    def form_page(self, form: ChildContactForm) -> HttpResponse:
        return self.page("schools/add_contact.html", Group.IDENTITY, form=form)


class ChangeContactView(ContactDoor):
    def get(self, request: Request, child_id: Any, contact_id: Any) -> HttpResponse:
        known = {name: getattr(self.contact, name) for name in actions.OF_CONTACT}
        return self.form_page(ChildContactForm(places=self.places, initial={**known, "place": self.contact.priority}))

    def post(self, request: Request, child_id: Any, contact_id: Any) -> HttpResponse:
        contact, form = self.contact, ChildContactForm(request.POST, places=self.places)
        if form.is_valid():
            actions.change_contact(contact=contact, by=request.user, at=request.now, **form.cleaned_data)
            return saved(request, "Saved the contact.", "", self.child)
        return self.form_page(form)

    @cached_property
    def places(self) -> int:
        return int(Contact.objects.of_child(self.child).count())

    def form_page(self, form: ChildContactForm) -> HttpResponse:
        return self.page("schools/change_contact.html", Group.IDENTITY, form=form, contact=self.contact)


class RemoveContactView(ContactDoor):
    """Asks first: there is no way back."""

    def get(self, request: Request, child_id: Any, contact_id: Any) -> HttpResponse:
        return self.page("schools/remove_contact.html", Group.IDENTITY, contact=self.contact)

    def post(self, request: Request, child_id: Any, contact_id: Any) -> HttpResponse:
        actions.remove_contact(contact=self.contact, by=request.user, at=request.now)
        return saved(request, "Removed the contact.", "", self.child)


def saved(request: Request, words: str, warning: str, child: Pupil) -> HttpResponse:
    """Back to the child's page, with what was done and what to look at again."""
    messages.success(request, words)
    if warning:
        messages.warning(request, warning)
    return redirect("schools:child", child_id=child.id)
