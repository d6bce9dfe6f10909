"""Where pages are and what they say."""

import re
from typing import Any


def at_policy(policy: Any, page: str = "") -> str:
    """The address of a page about a school's policy."""
    return f"/schools/{policy.school.urn}/policies/{policy.id}/{page}"


def text_of(answer: Any) -> str:
    """What a page says, without its markup."""
    words = re.sub(r"<(script|style|svg)\b.*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", words).replace(" .", ".")


def hidden_of(answer: Any) -> dict[str, str]:
    """What a page sends besides what is typed: its hidden boxes."""
    boxes = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.content.decode())
    return {name: value for name, value in boxes if name != "csrfmiddlewaretoken"}
