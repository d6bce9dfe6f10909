"""The school's pages of links: sending one, withdrawing one, and answering what was said through it."""

from typing import Any

from django.forms import Form
from django.http import HttpResponse
from django.utils.functional import cached_property

from handrail.core.access import get_or_404
from handrail.core.jinja import long_date
from handrail.plans import links
from handrail.plans.link_forms import AnswerForm, LinkForm
from handrail.plans.models import SHARED, PlanComment, PlanLink
from handrail.plans.plan_views import AskingDoor
from handrail.schools.models import Contact


class SendLinkView(AskingDoor):
    """Send one of the child's contacts a link to the plan as it is now."""

    template = "send_link"

    @cached_property
    def contacts(self) -> Any:
        return Contact.objects.of_child(self.child).exclude(email="")

    def form(self, *data: Any) -> LinkForm:
        return LinkForm(*data, contacts=self.contacts)

    def show(self, form: Any = None, **more: Any) -> HttpResponse:
        if self.begun.stage not in SHARED or self.newest is None:
            return self.back()
        return super().show(form, has_contacts=self.contacts.exists(), version=self.newest, **more)

    def act(self, form: LinkForm) -> str:
        link = links.send(plan=self.begun, **form.cleaned_data, **self.who)
        return f"A message is on its way to {link.name}. The link works until {long_date(link.ends_at)}."


class WithdrawLinkView(AskingDoor):
    """Asks first: there is no way back but another link."""

    template = "withdraw_link"

    @cached_property
    def link(self) -> PlanLink:
        found: PlanLink = get_or_404(PlanLink.objects.filter(pupil=self.child), id=self.kwargs["link_id"])
        return found

    def form(self, *data: Any) -> Form:
        return Form(*data)

    def show(self, form: Any = None, **more: Any) -> HttpResponse:
        return super().show(form, link=self.link, **more)

    def act(self, form: Form) -> str:
        links.withdraw(link=self.link, **self.who)
        return f"The link of {self.link.name} opens nothing any more."


class AnswerCommentView(AskingDoor):
    """Answer what somebody said through their link."""

    template = "answer_comment"

    @cached_property
    def comment(self) -> PlanComment:
        of_child = PlanComment.objects.filter(link__pupil=self.child).select_related("link")
        found: PlanComment = get_or_404(of_child, id=self.kwargs["comment_id"])
        return found

    def form(self, *data: Any) -> AnswerForm:
        return AnswerForm(*data, initial={"words": self.comment.answer or ""})

    def show(self, form: Any = None, **more: Any) -> HttpResponse:
        return super().show(form, comment=self.comment, **more)

    def act(self, form: AnswerForm) -> str:
        is_told = links.answer(comment=self.comment, words=form.cleaned_data["words"], **self.who)
        name = self.comment.link.name
        return f"Answered {name}." if is_told else f"Saved. Tell {name} yourself: their link has stopped working."
