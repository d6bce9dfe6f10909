"""Pages about messages: the demo's mailbox, and what could not be delivered."""

from itertools import islice
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from handrail.accounts.roles import Permission
from handrail.accounts.second_step.demo import codes_now
from handrail.core.access import PUBLIC, Door, Request, get_or_404
from handrail.core.suppression import SMALLEST_SHOWN
from handrail.notices import actions
from handrail.notices.mailbox import Mailbox
from handrail.notices.models import Notice
from handrail.schools.models import School


class MailboxView(Door):
    """What the demo would have sent, newest first. Open to all, because codes to sign in with are read here; so it
    is not there at all outside a demo.
    """

    permission = PUBLIC
    shown = 100

    def get(self, request: Request) -> HttpResponse:
        mailbox = mailbox_of(request)
        context = {
            "codes": [each for each in islice(mailbox.letters(about_signing_in=True), 2) if each.code],
            "app_codes": codes_now(at=request.now),
            "letters": list(islice(mailbox.letters(), self.shown)),
            "shown": self.shown,
        }
        return render(request, "notices/mailbox.html", context)


class LetterView(MailboxView):
    def get(self, request: Request, reference: UUID) -> HttpResponse:  # type: ignore[override]
        letter = mailbox_of(request).letter(reference)
        if letter is None:
            raise Http404
        return render(request, "notices/letter.html", {"letter": letter})


class UndeliveredView(Door):
    """The messages that only a person can help, and whether messages leave at all. Of those about children it says
    how many there are, as other pages count children.
    """

    permission = Permission.CHASE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        undelivered = Notice.objects.undelivered()
        page = Paginator(undelivered.visible_to(request.user), 50).get_page(request.GET.get("page"))
        schools = School.objects.in_bulk({each.school_id for each in page if each.school_id})
        context = {
            "page": page,
            "rows": [(each, schools.get(each.school_id)) for each in page],
            "about_children": undelivered.about_children().count(),
            "smallest_shown": SMALLEST_SHOWN,
            "waiting": Notice.objects.waiting().count(),
            "has_provider": settings.MAIL_PROVIDER != "none",
        }
        return render(request, "notices/undelivered.html", context)


class ReplayView(Door):
    permission = Permission.CHASE_SCHOOLS

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        notice = get_or_404(Notice.objects.visible_to(request.user), id=pk)
        try:
            actions.replay(notice=notice, by=request.user, at=request.now)
        except actions.MayNotBeReplayed:
            messages.info(request, "This message is already being tried again, or has been sent.")
        else:
            messages.success(request, f"The message to {notice.recipient} will be tried again within a few minutes.")
        return redirect("notices:undelivered")


class ReplayAboutChildrenView(Door):
    """All of those about children: nobody here is shown one of them."""

    permission = Permission.CHASE_SCHOOLS

    def post(self, request: Request) -> HttpResponse:
        actions.replay_about_children(by=request.user, at=request.now)
        messages.success(request, "The messages about children will be tried again within a few minutes.")
        return redirect("notices:undelivered")


def mailbox_of(request: Request) -> Mailbox:
    """The post of this authority. Raises Http404 outside a demo."""
    if not settings.IS_DEMO:
        raise Http404
    return Mailbox(settings.MAILBOX / str(request.authority.id))
