"""Whether the texts of guidance ask anything of bodies that there are. `guidance` lies below and does not know them."""

from handrail.guidance.frameworks import AUTHORITY, HEALTH_PROVIDER
from handrail.guidance.published import editions
from handrail.guidance.reading import TEXTS, TextsAreWrong, problems
from handrail.schools.duty import Body

BODIES = {*Body.values, AUTHORITY, HEALTH_PROVIDER}


def check_texts() -> None:
    """Raise TextsAreWrong, which says all that is wrong, when the texts cannot be relied on."""
    if wrong := problems(editions(), TEXTS, BODIES):
        raise TextsAreWrong(wrong)
