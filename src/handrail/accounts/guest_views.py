"""Doors for people without an account: what is the same wherever an address in a message leads.

No address says what is behind it, and until somebody has shown who they are no page names the child. The first address
alone holds what opens the page; those that follow name it by an id, which means something only in the browser where
that was opened: somebody may have two of them open, and answers each by itself.
"""

from typing import Any, ClassVar

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from handrail.accounts.floods import count_try
from handrail.accounts.guests import NoCodeNow, Tried
from handrail.core.access import PUBLIC, Door, Request

CODE = "account/email/guest_code"
WORDS = {
    Tried.TOO_SOON: "Wait a few seconds, then try again",
    Tried.NO_CODE: "That code has run out. Send a new code",
    Tried.WRONG: "The code or the date of birth is wrong. Check both and try again",
}


class GuestDoor(Door):
    """A page for whoever has opened such an address in this browser. A room says what it is and where it leads."""

    permission = PUBLIC
    request: Request
    argument: ClassVar[str]
    addresses: ClassVar[dict[str, str]]
    """Of `code`, `who`, `inside` and `closed`."""
    what: ClassVar[str]
    """What stops working, in words."""

    @property
    def guest(self) -> Any:
        """What was opened here, whether or not anybody was let in; None where nothing was."""
        raise NotImplementedError

    @property
    def stands(self) -> bool:
        """Whether it opens anything now."""
        raise NotImplementedError

    def new_code(self) -> str | None:
        """A code for the person; None where it opens nothing any more. Raises NoCodeNow."""
        raise NotImplementedError

    def go_to(self, name: str) -> HttpResponse:
        """On to another page of the same."""
        which = self.guest.id if self.guest else self.kwargs[self.argument]
        return redirect(self.addresses[name], **{self.argument: which})

    def before(self, template: str, **more: Any) -> HttpResponse:
        """A page from before anybody was let in."""
        of = {self.argument: self.guest.id} if self.guest else {}
        facts = {"guest": self.guest, "what": self.what, "code_address": self.addresses["code"], "of": of}
        return render(self.request, f"guests/{template}.html", facts | more)

    def send_code(self) -> HttpResponse:
        """A new code to the person's address, and on to where it is entered."""
        if self.guest is None:
            return self.go_to("closed")
        count_try(self.request)
        try:
            code = self.new_code()
        except NoCodeNow as refusal:
            messages.warning(self.request, f"{refusal}.")
        else:
            if code is None:
                return self.go_to("closed")
            get_adapter().send_mail(CODE, self.guest.email, {"code": code})
        return self.go_to("who")


class WhoDoor(GuestDoor):
    """The code, and the child's date of birth. Which of them was wrong is not said."""

    form: Any

    def try_to_get_in(self, **given: Any) -> Tried:
        raise NotImplementedError

    def let_in(self) -> None:
        raise NotImplementedError

    def get(self, request: Request, **of: Any) -> HttpResponse:
        if not self.stands:
            return self.go_to("closed")
        return self.before("who", form=self.form(today=request.today))

    def post(self, request: Request, **of: Any) -> HttpResponse:
        if self.guest is None:
            return self.go_to("closed")
        form = self.form(request.POST, today=request.today)
        if form.is_valid():
            count_try(request)
            tried = self.try_to_get_in(**form.cleaned_data)
            if tried == Tried.IN:
                self.let_in()
                return self.go_to("inside")
            if tried == Tried.STOPPED:
                return self.go_to("closed")
            form.add_error(None, WORDS[tried])
        return self.before("who", form=form)
