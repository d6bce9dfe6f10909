"""Recording a review: a page for what happened, what changed, where people can read it, and a check."""

import logging
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import linebreaksbr
from django.urls import reverse
from django.utils.functional import cached_property

from handrail.core.access import Request
from handrail.core.documents import StoreUnavailable
from handrail.core.file_kinds import UnusableFile
from handrail.core.jinja import long_date, moment
from handrail.core.models import AuthoritySettings, Document
from handrail.policies import actions, journey
from handrail.policies.cycle import next_review
from handrail.policies.forms import ChangesForm, NextForm, OutcomeForm, PlaceForm
from handrail.policies.journey import Answers
from handrail.policies.models import Involved, PolicyReview
from handrail.policies.views import PolicyDoor

log = logging.getLogger(__name__)
Outcome = PolicyReview.Outcome


class ReviewDoor(PolicyDoor):
    """A page of the journey. One that is asked for too early sends back to the first that has not been answered."""

    name: str

    @cached_property
    def answers(self) -> Answers:
        return Answers(self.request.session, self.policy)

    @property
    def document(self) -> Document | None:
        """The file that was uploaded on the way, if any."""
        kept = self.answers.document_id
        return Document.objects.filter(id=kept).first() if kept else None

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        return self.on_the_way() or self.show(self.form())

    def post(self, request: Request, **_place: Any) -> HttpResponse:
        wrong_way = self.on_the_way()
        if wrong_way:
            return wrong_way
        form = self.form(request.POST, request.FILES)
        if self.keep(form):
            return redirect(self.address(self.answers.next_page))
        return self.show(form)

    def on_the_way(self) -> HttpResponse | None:
        """Where to go instead, if this page cannot be answered yet."""
        if self.answers.may_open(self.name):
            return None
        return redirect(self.address(self.answers.next_page))

    def show(self, form: Any, **more: Any) -> HttpResponse:
        back = self.answers.before(self.name) or "policy"
        return self.page(self.name, form=form, back=self.address(back), **more)

    def form(self, *data: Any) -> Any:
        raise NotImplementedError

    def keep(self, form: Any) -> bool:
        """Keep what was answered. False when it has to be asked again."""
        if form.is_valid():
            self.answers.keep(self.name, **form.cleaned_data)
        return bool(form.is_valid())


class RecordReviewView(ReviewDoor):
    """What happened, and when."""

    name = journey.OUTCOME

    def on_the_way(self) -> None:
        self.answers.begin()

    def form(self, *data: Any) -> OutcomeForm:
        known: dict[str, Any] = {}
        if self.answers.outcome:
            on = self.answers.reviewed_on
            is_today = on == self.request.today
            known = {
                "outcome": self.answers.outcome,
                "day": "today" if is_today else "another",
                "reviewed_on": None if is_today else on,
            }
        return OutcomeForm(*data, initial=known, policy=self.policy, today=self.request.today)

    def keep(self, form: OutcomeForm) -> bool:
        if form.is_valid():
            reviewed_on = form.cleaned_data["reviewed_on"].isoformat()
            self.answers.keep(self.name, outcome=form.cleaned_data["outcome"], reviewed_on=reviewed_on)
        return form.is_valid()


class RecordReviewChangesView(ReviewDoor):
    """What changed, and who took part."""

    name = journey.CHANGES

    def form(self, *data: Any) -> ChangesForm:
        last_time = self.policy.reviews.exclude(involved=[]).values_list("involved", flat=True).first() or []
        return ChangesForm(
            *data,
            initial=self.answers[self.name],
            policy=self.policy,
            outcome=self.answers.outcome,
            last_time=last_time,
        )


class RecordReviewPlaceView(ReviewDoor):
    """Where people can read the policy. A file is kept at once, so that nobody has to select it twice."""

    name = journey.PLACE

    def form(self, *data: Any) -> PlaceForm:
        known = {"published_url": self.answers[self.name].get("published_url", self.policy.published_url)}
        return PlaceForm(*data, initial=known, has_file=bool(self.answers.document_id))

    def show(self, form: Any, **more: Any) -> HttpResponse:
        return super().show(form, document=self.document, **more)

    def keep(self, form: PlaceForm) -> bool:
        form.is_valid()
        file = form.cleaned_data.get("document")
        if file:
            self._keep_file(form, file)
        elif form.cleaned_data.get("take_off"):
            self.answers.keep(journey.DOCUMENT, id=None)
        if form.is_valid():
            self.answers.keep(self.name, published_url=form.cleaned_data["published_url"])
        return form.is_valid()

    def _keep_file(self, form: PlaceForm, file: Any) -> None:
        by, at = self.request.user, self.request.now
        try:
            document = actions.keep_document(policy=self.policy, by=by, at=at, file=file, name=file.name)
        except UnusableFile as refusal:
            form.add_error("document", str(refusal))
        except StoreUnavailable:
            log.exception("a document could not be stored")
            form.add_error("document", "The selected file could not be saved. Try again, or continue without it")
        else:
            self.answers.keep(journey.DOCUMENT, id=str(document.id))


class RecordReviewNextView(ReviewDoor):
    """When the next review is, if not when it usually would be."""

    name = journey.NEXT

    def form(self, *data: Any) -> NextForm:
        asked = self.answers.next_review_on
        known = {"choice": "another" if asked else "usual", "next_review_on": asked}
        on = self.answers.reviewed_on
        return NextForm(*data, initial=known, policy=self.policy, reviewed_on=on, usual=usual_next_review(self))

    def keep(self, form: NextForm) -> bool:
        if form.is_valid():
            asked = form.cleaned_data["next_review_on"]
            self.answers.keep(self.name, next_review_on=asked and asked.isoformat())
        return form.is_valid()


class RecordReviewCheckView(ReviewDoor):
    """Everything that was answered, each with a way to change it; then it is recorded."""

    name = journey.CHECK

    def on_the_way(self) -> HttpResponse | None:
        if self.answers.recorded:
            return redirect(self.home)
        return super().on_the_way()

    def form(self, *_data: Any) -> None:
        return None

    def show(self, form: None, **more: Any) -> HttpResponse:
        return super().show(form, rows=self.rows, is_in_progress=self.answers.outcome == Outcome.IN_PROGRESS, **more)

    def post(self, request: Request, **_place: Any) -> HttpResponse:
        wrong_way = self.on_the_way()
        if wrong_way:
            return wrong_way
        answers = self.answers
        try:
            review, is_new = actions.record_review(
                policy=self.policy,
                by=request.user,
                at=request.now,
                reviewed_on=answers.reviewed_on,
                outcome=answers.outcome,
                involved=answers[journey.CHANGES].get("involved", []),
                changed=answers[journey.CHANGES].get("changed", ""),
                next_review_on=answers.next_review_on,
                published_url=answers[journey.PLACE].get("published_url"),
                document=self.document,
            )
        except actions.Refused as refusal:
            return self.show(None, page_errors=[{"text": str(refusal), "href": self.address(journey.OUTCOME)}])
        answers.finish()
        say(request, review, is_new)
        return redirect(self.home)

    @property
    def rows(self) -> list[dict[str, str]]:
        """What was answered, on the pages that the answers led through."""
        answers = self.answers
        rows = [
            (journey.OUTCOME, "What happened", Outcome(answers.outcome).label),
            (journey.OUTCOME, "Date of review", long_date(answers.reviewed_on)),
        ]
        if journey.CHANGES in answers.path:
            changes = answers[journey.CHANGES]
            if "changed" in changes:
                rows.append((journey.CHANGES, "Which points changed", linebreaksbr(changes["changed"])))
            involved = ", ".join(Involved(each).label for each in changes["involved"])
            rows.append((journey.CHANGES, "Who was involved", involved or "Nobody named"))
        if journey.PLACE in answers.path:
            place = answers[journey.PLACE]["published_url"]
            rows.append((journey.PLACE, "Where people can read it", place or "Not on a website"))
            document = self.document
            rows.append((journey.PLACE, "File", document.name if document else "No new file"))
            due = answers.next_review_on or usual_next_review(self)
            rows.append((journey.NEXT, "Next review", long_date(due)))
        return [{"key": key, "value": value, "href": self.address(page)} for page, key, value in rows]

    @property
    def home(self) -> str:
        """The front page of whoever recorded it."""
        if self.policy.school is None:
            return self.address("policy")
        if self.request.user.is_at_authority:
            return reverse("policies:school", kwargs={"urn": self.policy.school.urn})
        return f"/?school={self.policy.school.urn}"


def usual_next_review(door: ReviewDoor) -> date:
    months = AuthoritySettings.load().review_months
    return next_review(door.policy.kind, reviewed_on=door.answers.reviewed_on, months=months)


def say(request: Request, review: PolicyReview, is_new: bool) -> None:
    """Tell what was recorded on the next page."""
    policy = review.policy
    if not is_new:
        when = moment(review.recorded_at)
        messages.info(request, f"{policy}: {review.recorded_by_name} recorded this review on {when}. Nothing changed.")
    elif review.next_review_on:
        when = long_date(review.next_review_on)
        messages.success(request, f"{policy}: review recorded. The next one is due on {when}.")
    else:
        messages.success(request, f"{policy}: review in progress. Its dates stay as they are until you finish it.")
