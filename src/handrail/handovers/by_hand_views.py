"""What cannot be sent: somebody says whom they have told, and the case goes on by hand."""

from uuid import UUID

from django.http import HttpResponse

from handrail.accounts.roles import Permission
from handrail.core.access import Request
from handrail.handovers import actions, ceased
from handrail.handovers.forms import ByHandForm
from handrail.handovers.views import CaseDoor


class ByHandView(CaseDoor):
    """Say whom one has told of what cannot be sent, and go on without the exchange."""

    permission = Permission.HAND_OVER

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        return self.show(ByHandForm())

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        form = ByHandForm(request.POST)
        if form.is_valid():
            try:
                ceased.go_on_by_hand(handover=self.handover, **form.cleaned_data, **self.who)
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                return self.back("Recorded. Nothing more goes there through Handrail: ring them.")
        return self.show(form)

    def show(self, form: ByHandForm) -> HttpResponse:
        return self.page("move", form=form, words="Record whom you have told")
