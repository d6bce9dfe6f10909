"""What was seen until now at half of the addresses of the demo's policies. The worker looks at the others by itself."""

from datetime import datetime, timedelta
from random import Random

from handrail.policies.models import MISSING_AFTER, MISSING_LOOKS, Outcome, WebsiteCheck
from handrail.policies.website_checks import AGAIN, AGAIN_AFTER_FAILURE, follow_addresses
from workflows.demo_websites import status_of

COLUMNS = [
    *("looked_at", "due_at", "outcome", "why", "status", "content_type", "seen_at", "changed_at"),
    *("failures", "failing_since"),
]


def furnish(*, at: datetime) -> None:
    follow_addresses(at=at)
    checks = list(WebsiteCheck.objects.order_by("url"))
    for check in checks:
        random = Random(f"website {check.url}")  # noqa: S311 - invention, not secrecy
        if random.random() < 0.5:
            continue
        check.status = status_of(check.url)
        check.looked_at = at - timedelta(days=random.randrange(3), minutes=random.randrange(480))
        if check.status == 200:
            check.outcome, check.content_type, check.seen_at = Outcome.FOUND, "text/html", check.looked_at
            check.changed_at = check.looked_at if random.random() < 0.08 else None
            check.due_at = check.looked_at + AGAIN
        else:
            check.outcome, check.why = Outcome.NOT_FOUND, "answers that nothing is there (status 404)"
            check.failures, check.failing_since = MISSING_LOOKS, check.looked_at - MISSING_AFTER
            check.due_at = check.looked_at + AGAIN_AFTER_FAILURE
    WebsiteCheck.objects.save_changed((check, COLUMNS) for check in checks if check.looked_at)
