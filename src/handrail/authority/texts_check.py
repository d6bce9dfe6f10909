"""What Django is told at start when the texts of guidance cannot be relied on."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import Error

from handrail.guidance.frameworks import AUTHORITY, HEALTH_PROVIDER
from handrail.guidance.reading import TEXTS, TextsAreWrong, problems, read
from handrail.schools.duty import Body

BODIES = {*Body.values, AUTHORITY, HEALTH_PROVIDER}


def check_texts(**_asked: Any) -> Sequence[Error]:
    """An error for each thing that is wrong, in words."""
    try:
        wrong = problems(read(TEXTS), TEXTS, BODIES)
    except TextsAreWrong as unreadable:
        wrong = unreadable.problems
    return [Error(each, id="handrail.E002") for each in wrong]
