"""A new edition of a framework, or another in its place, in a folder of texts that is a copy of ours."""

from pathlib import Path

from handrail.guidance.published import framework
from handrail.guidance.reading import add_digests

ADDED = """
[[sections.requirements]]
id = "ADDED-01"
strength = "should"
says = "Something new is done."
source = "A new page"
read = "source"
confidence = "high"
is_of_plans = false
applies_to = ["maintained_school"]
"""

SUPERSEDED = 'status = "superseded"\neffective_to = 2028-09-01'


def new_edition(folder: Path, framework_id: str, *, changed: int, added: str = "") -> None:
    """A second edition beside the first, which it supersedes: the first requirements that are asked of maintained
    schools, as many as `changed`, say something else.
    """
    old = folder / f"{framework_id}-1.toml"
    first = old.read_text()
    second = first.replace("edition = 1", "edition = 2", 1)
    one = framework(framework_id)
    assert one is not None
    for each in one.of("maintained_school")[:changed]:
        assert each.says in second
        second = second.replace(each.says, f"From this year on: {each.says}", 1)
    (folder / f"{framework_id}-2.toml").write_text(second + added)
    status = next(line for line in first.splitlines() if line.startswith("status"))
    old.write_text(first.replace(status, SUPERSEDED, 1))
    add_digests(folder)


def come_into_force(folder: Path, framework_id: str, *, replacing: str) -> None:
    """The draft of a framework is made law, and what it replaces ends."""
    draft = (folder / f"{framework_id}-1.toml").read_text()
    law = draft.replace("edition = 1", "edition = 2", 1).replace('status = "draft"', 'status = "in_force"', 1)
    (folder / f"{framework_id}-2.toml").write_text(law)
    old = folder / f"{replacing}-1.toml"
    old.write_text(old.read_text().replace('status = "in_force"', SUPERSEDED, 1))
    add_digests(folder)
