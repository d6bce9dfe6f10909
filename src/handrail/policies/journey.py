"""Recording a review takes a few pages. What was answered waits in the session until it is recorded."""

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

from handrail.policies.models import Policy, PolicyReview

Outcome = PolicyReview.Outcome

OUTCOME = "record_review"
CHANGES = "record_review_changes"
PLACE = "record_review_place"
NEXT = "record_review_next"
CHECK = "record_review_check"
DOCUMENT = "document"
RECORDED = "recorded"


class Answers:
    """One person's answers about one policy, by the page that asked; and whether they have been recorded."""

    def __init__(self, session: SessionBase, policy: Policy) -> None:
        self.session = session
        self.key = f"review {policy.id}"
        self.by_page: dict[str, dict[str, Any]] = session.get(self.key, {})

    def __getitem__(self, page: str) -> dict[str, Any]:
        """What the page was answered: nothing yet, or nothing that counts while other answers lead past it."""
        leads_past = page in (CHANGES, PLACE) and page not in self.path
        return {} if leads_past else self.by_page.get(page, {})

    def keep(self, page: str, **answers: Any) -> None:
        """Keep a page's answers. Another day of review takes back the next date that was worked out from it."""
        if page == OUTCOME and answers["reviewed_on"] != self[OUTCOME].get("reviewed_on"):
            self.by_page.pop(NEXT, None)
        self.by_page[page] = answers
        self.session[self.key] = self.by_page

    def begin(self) -> None:
        """Forget answers that have been recorded: what comes now is another review."""
        if self.recorded:
            self.by_page = {}
            self.session.pop(self.key, None)

    def finish(self) -> None:
        """Forget the answers but not that they were recorded, so that a second tap can be told from a lost session."""
        self.by_page = {RECORDED: {}}
        self.session[self.key] = self.by_page

    @property
    def recorded(self) -> bool:
        return RECORDED in self.by_page

    @property
    def outcome(self) -> str:
        return str(self[OUTCOME].get("outcome", ""))

    @property
    def reviewed_on(self) -> date:
        return date.fromisoformat(self[OUTCOME]["reviewed_on"])

    @property
    def next_review_on(self) -> date | None:
        """The date asked for, or None for the usual one."""
        asked = self[NEXT].get("next_review_on")
        return date.fromisoformat(asked) if asked else None

    @property
    def document_id(self) -> UUID | None:
        """The file uploaded on the way: kept even when the page it came with has to be asked again."""
        kept = self[DOCUMENT].get("id")
        return UUID(kept) if kept else None

    @property
    def path(self) -> list[str]:
        """The pages that these answers lead through, the check last."""
        pages = [OUTCOME]
        if self.outcome in (Outcome.UPDATED, Outcome.NEW):
            pages.append(CHANGES)
        if self.outcome != Outcome.IN_PROGRESS:
            pages.append(PLACE)
        return [*pages, CHECK]

    @property
    def next_page(self) -> str:
        """The first page of the path that has not been answered; the check when all have."""
        return next(page for page in self.path if page == CHECK or page not in self.by_page)

    def before(self, page: str) -> str:
        """The page to go back to; empty at the first."""
        pages = self.path
        place = pages.index(page) if page in pages else len(pages)
        return pages[place - 1] if place else ""

    def may_open(self, page: str) -> bool:
        """Whether everything that comes before the page has been answered."""
        pages = self.path
        earlier = pages[: pages.index(page)] if page in pages else pages[:-1]
        return (page in pages or page == NEXT) and all(each in self.by_page for each in earlier)
