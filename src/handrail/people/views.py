"""Pages about who works with Handrail: at a school, and at the authority."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property

from handrail.accounts.actions import LastOne, NoLongerAllowed, end_all_sessions, end_sessions
from handrail.accounts.models import Membership, User
from handrail.accounts.roles import AUTHORITY_ROLES, Permission, Role
from handrail.core.access import SIGNED_IN, Door, Request, get_or_404
from handrail.notices.models import Notice
from handrail.people import actions
from handrail.people.forms import InviteForm, RoleForm, SuccessorForm
from handrail.people.invitations import Person, officers, people_at, ran_out_at, with_messages
from handrail.schools.models import School

AT_AUTHORITY = [role for role in Role if role in AUTHORITY_ROLES]
AT_SCHOOLS = [Role.SCHOOL_LEAD, Role.SCHOOL_ADMINISTRATOR, Role.GOVERNOR]
AT_SETTINGS = [*AT_SCHOOLS, Role.SETTING_LEAD, Role.SETTING_TEACHER]


@dataclass(frozen=True)
class Place:
    """Where people have roles: a school, or the authority when there is none."""

    name: str
    school: School | None = None

    @property
    def school_id(self) -> UUID | None:
        return self.school.id if self.school else None

    @property
    def roles(self) -> list[Role]:
        """Those that can be given here by hand. Health professionals are asked from a child's plan."""
        if self.school is None:
            return AT_AUTHORITY
        return AT_SETTINGS if self.school.may_be_a_setting else AT_SCHOOLS

    @property
    def people(self) -> str:
        """The address of the list of its people."""
        return reverse("people:school", args=[self.school.urn]) if self.school else reverse("people:authority")

    @property
    def invite(self) -> str:
        return reverse("people:invite", args=[self.school.urn]) if self.school else reverse("people:invite_officer")


class PlaceDoor(Door):
    """A page about the people of one place that the person may see."""

    request: Request

    @cached_property
    def place(self) -> Place:
        """The school of the address, or the authority where it names none. Raises Http404."""
        user = self.request.user
        if "urn" in self.kwargs:
            school = get_or_404(School.objects.visible_to(user), urn=self.kwargs["urn"])
            return Place(school.name, school)
        if not user.is_at_authority:
            raise Http404
        return Place(self.request.authority.name)

    def page(self, template: str, **more: Any) -> HttpResponse:
        facts = {"place": self.place, "school": self.place.school, **more}
        return render(self.request, f"people/{template}.html", facts)


class SchoolView(PlaceDoor):
    """Who can see a school's record, at the school and at the authority, and whom reminders go to."""

    permission = Permission.SEE_PEOPLE

    def get(self, request: Request, urn: str) -> HttpResponse:
        user, on, school_id = request.user, request.today, self.place.school_id
        may_manage = user.may(Permission.MANAGE_PEOPLE, school_id=school_id)
        return self.page(
            "school",
            at_school=people_at(school_id, by=user, on=on),
            at_authority=officers(on=on),
            ran_out=ran_out_at(school_id, by=user, at=request.now) if may_manage else [],
            came_back=Notice.objects.filter(school_id__in=[school_id]).addresses_that_came_back(),
            may_manage=may_manage,
            may_edit=user.may(Permission.EDIT_SCHOOL, school_id=school_id),
        )


class AuthorityView(PlaceDoor):
    """Who works at the authority; people at a school are led to their own."""

    permission = Permission.SEE_PEOPLE

    def get(self, request: Request) -> HttpResponse:
        user = request.user
        if not user.is_at_authority:
            return redirect("people:school", urn=School.objects.visible_to(user).values_list("urn", flat=True)[0])
        may_manage = user.may(Permission.MANAGE_PEOPLE)
        return self.page(
            "authority",
            people=people_at(None, by=user, on=request.today),
            ran_out=ran_out_at(None, by=user, at=request.now) if may_manage else [],
            may_manage=may_manage,
        )


class InviteView(PlaceDoor):
    """Invites a colleague to a school, or an officer to the authority."""

    permission = Permission.MANAGE_PEOPLE
    asks_again = ("GET", "POST")

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        return self.page("invite", form=InviteForm(roles=self.place.roles))

    def post(self, request: Request, **_place: Any) -> HttpResponse:
        form = InviteForm(request.POST, roles=self.place.roles)
        if form.is_valid():
            wanted = {**form.cleaned_data, "role": Role(form.cleaned_data["role"])}
            try:
                invited = actions.invite(**wanted, school_id=self.place.school_id, by=request.user, at=request.now)
            except actions.Refused as refusal:
                form.add_error("email", str(refusal))
            else:
                messages.success(request, f"Invited {invited.called}. The message to {invited.user.email} leaves now.")
                return redirect(self.place.people)
        return self.page("invite", form=form)


class PersonDoor(PlaceDoor):
    """A page about one role of one person, among those that the person who asks may change."""

    permission = Permission.MANAGE_PEOPLE

    @cached_property
    def person(self) -> Person:
        found = with_messages(Membership.objects.visible_to(self.request.user).filter(id=self.kwargs["pk"]))
        if not found:
            raise Http404
        return found[0]

    @property
    def membership(self) -> Membership:
        return self.person.membership

    @cached_property
    def place(self) -> Place:
        school = self.membership.school
        return Place(school.name if school else self.request.authority.name, school)

    @property
    def is_own(self) -> bool:
        return bool(self.membership.user_id == self.request.user.id)

    def page(self, template: str, **more: Any) -> HttpResponse:
        return super().page(template, person=self.person, membership=self.membership, is_own=self.is_own, **more)

    @property
    def may_be_closed(self) -> Any:
        """The person, if their account is for who asks to close. Nobody closes their own.

        Nor that of somebody awaited: it must not be told of them that they have a role elsewhere.
        """
        theirs = User.objects.managed_alone_by(self.request.user).exclude(id=self.request.user.id)
        return theirs.none() if self.membership.is_awaited else theirs.filter(id=self.membership.user_id)

    def successor_form(self, data: Any = None) -> SuccessorForm:
        here = people_at(self.place.school_id, by=self.request.user, on=self.request.today)
        colleagues = [each.membership for each in here if each.membership.id != self.membership.id]
        return SuccessorForm(data, colleagues=[each for each in colleagues if not each.pupil_id])

    def ended(self) -> HttpResponse | None:
        """The list instead of a page about a role that somebody has ended in the meantime."""
        if self.membership.to_on is None:
            return None
        messages.info(self.request, f"The role of {self.membership.called} has ended already.")
        return redirect(self.place.people)

    def successor(self, form: SuccessorForm) -> actions.Successor:
        said = form.cleaned_data
        if colleague := said.get("colleague"):
            return actions.Successor(colleague)
        return actions.Successor(name=said["name"], email=said["email"])

    def name_another(self, form: SuccessorForm, why: str, **more: Any) -> HttpResponse:
        """The refusal that offers what is missing: who leads from now on."""
        return self.page("name_another", form=form, why=why, **more)


class PersonView(PersonDoor):
    """One person's role, and what can be done about it."""

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        managed = User.objects.managed_by(request.user).exclude(id=request.user.id)
        may_reset = managed.filter(id=self.membership.user_id).exists()
        return self.ended() or self.page(
            "person",
            may_reset=may_reset and not self.membership.is_awaited,
            may_close=self.may_be_closed.exists(),
        )


class ChangeRoleView(PersonDoor):
    """Gives a person another role at the same place."""

    asks_again = ("GET", "POST")

    def form(self, data: Any = None) -> RoleForm:
        now = Role(self.membership.role)
        roles = self.place.roles if now in self.place.roles else [now, *self.place.roles]
        return RoleForm(data, roles=roles, now=now)

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        return self.ended() or self.page("role", form=self.form())

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        form, naming = self.form(request.POST), "naming" in request.POST
        if not form.is_valid():
            return self.page("role", form=form)
        role = Role(form.cleaned_data["role"])
        successor = self.successor_form(request.POST if naming else None)
        if naming and not successor.is_valid():
            return self.name_another(successor, "", role=role)
        try:
            actions.change_role(
                membership=self.membership,
                role=role,
                by=request.user,
                at=request.now,
                successor=self.successor(successor) if naming else None,
            )
        except LastOne as refusal:
            return self.name_another(successor, str(refusal), role=role)
        except actions.Refused as refusal:
            successor.add_error("email", str(refusal))
            return self.name_another(successor, "", role=role)
        except NoLongerAllowed as refusal:
            messages.warning(request, str(refusal))
            return redirect("overview:home")
        messages.success(request, f"{self.membership.called} is now {role.label.lower()} at {self.place.name}.")
        return redirect("overview:home" if self.is_own else self.place.people)


class EndView(PersonDoor):
    """Ends a person's role, after asking; and first asks who leads from then on, where nobody else does."""

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        return self.ended() or self.page("end")

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        naming = "naming" in request.POST
        successor = self.successor_form(request.POST if naming else None)
        if naming and not successor.is_valid():
            return self.name_another(successor, "")
        try:
            actions.end_role(
                membership=self.membership,
                by=request.user,
                at=request.now,
                successor=self.successor(successor) if naming else None,
            )
        except LastOne as refusal:
            return self.name_another(successor, str(refusal))
        except actions.Refused as refusal:
            successor.add_error("email", str(refusal))
            return self.name_another(successor, "")
        except NoLongerAllowed as refusal:
            messages.warning(request, str(refusal))
            return redirect("overview:home")
        if self.is_own and not request.user.as_at(request.today).current_memberships:
            logout(request)  # the session has ended with the last role
            return redirect("overview:home")
        messages.success(request, f"Ended the role of {self.membership.called} at {self.place.name}.")
        return redirect("overview:home" if self.is_own else self.place.people)


class CloseAccountView(PersonDoor):
    """Closes the account of somebody who has left, after asking."""

    asks_again = ("GET", "POST")

    def user(self) -> User:
        """Raises Http404 for somebody whose account it is not theirs to close."""
        found: User = get_or_404(self.may_be_closed)
        return found

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        if ended := self.ended():
            return ended
        mine = Membership.objects.visible_to(request.user).filter(user=self.user(), to_on=None)
        return self.page("close", ends=mine.select_related("school").order_by("from_on", "id"))

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        if ended := self.ended():
            return ended
        try:
            actions.close_account(user=self.user(), by=request.user, at=request.now)
        except LastOne as refusal:
            messages.error(request, str(refusal))
            return redirect("people:person", pk=pk)
        except NoLongerAllowed as refusal:
            messages.warning(request, str(refusal))
            return redirect("overview:home")
        messages.success(request, f"The account of {self.membership.called} is closed.")
        return redirect(self.place.people)


class SignOutView(PersonDoor):
    """Signs somebody out everywhere, after asking: a device of theirs may be lost, or left open."""

    asks_again = ("GET", "POST")

    def user(self) -> User:
        """Raises Http404 for somebody whom the person does not manage, and for one who was only invited."""
        managed = User.objects.managed_by(self.request.user).exclude(id=self.request.user.id)
        if self.membership.is_awaited:
            raise Http404
        found: User = get_or_404(managed, id=self.membership.user_id)
        return found

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        self.user()
        return self.ended() or self.page("sign_out")

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        if end_sessions(user=self.user(), by=request.user, at=request.now):
            messages.success(request, f"{self.membership.called} is signed out everywhere.")
        else:
            messages.info(request, f"{self.membership.called} was not signed in.")
        return redirect("people:person", pk=pk)


class SignEverybodyOutView(PlaceDoor):
    """Signs everybody of the authority out, but whoever asks for it: for when nobody knows who has got in."""

    permission = Permission.MANAGE_PEOPLE
    asks_again = ("GET", "POST")

    def get(self, request: Request) -> HttpResponse:
        return self.page("sign_everybody_out", membership=None)

    def post(self, request: Request) -> HttpResponse:
        back = self.place.people
        people = end_all_sessions(by=request.user, at=request.now, but=request.session.row_id)
        said = "1 person was" if people == 1 else f"{people} people were"
        messages.success(request, f"{said} signed out. You are signed in here, and nowhere else.")
        return redirect(back)


class InviteAgainView(PersonDoor):
    """Sends the message once more."""

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        try:
            invited = actions.invite_again(membership=self.membership, by=request.user, at=request.now)
        except actions.Refused as refusal:
            messages.info(request, f"{refusal}.")
        else:
            messages.success(
                request, f"Invited {invited.called} again. The message to {invited.user.email} leaves now."
            )
        return redirect(self.place.people)


class InvitationView(Door):
    """Where the message leads: to the place it invites to, for the person whom it invites and nobody else."""

    permission = SIGNED_IN

    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        mine = Membership.objects.filter(user_id=request.user.id, id=membership_id).select_related("school").first()
        if mine is None:
            return render(request, "people/not_yours.html", status=404)
        if mine.to_on is not None:
            return render(request, "people/ran_out.html", {"membership": mine})
        home = reverse("overview:home")
        return redirect(f"{home}?school={mine.school.urn}" if mine.school and not mine.pupil_id else home)
