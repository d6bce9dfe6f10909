"""The calendar that other programs fetch, by its owner's secret address."""

from django.http import Http404, HttpResponse

from handrail.accounts.calendar_actions import whose
from handrail.core.access import PUBLIC, Door, Request
from handrail.overview.calendar_feed import as_calendar, due


class FeedView(Door):
    """What falls due to whoever has the key. It comes behind the address, where no log keeps it."""

    permission = PUBLIC
    http_method_names = ["get", "head"]

    def get(self, request: Request) -> HttpResponse:
        user = whose(request.GET.get("key", ""), on=request.today)
        if user is None:
            raise Http404
        site = request.build_absolute_uri("/").rstrip("/")
        answer = HttpResponse(
            as_calendar(due(user, on=request.today), site=site, at=request.now), content_type="text/calendar"
        )
        answer["Cache-Control"] = "no-store"
        return answer
