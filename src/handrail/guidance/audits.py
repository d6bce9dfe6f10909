"""What two audits of schools' policies published, to be read beside an authority's own figures. Pure."""

from typing import NamedTuple


class Audit(NamedTuple):
    """One published figure: what it counts, how sure we are of it, and where it stands."""

    when: str
    percent: str
    says: str
    caution: str
    source: str


AUDITS = (
    Audit(
        when="Early 2017",
        percent="11.5",
        says="Schools whose policy was adequate: it met the guidance on all nine points.",
        caution="Somebody else read the policies, of 200 schools. We know the nine points from a published account.",
        source="https://www.healthpolicypartnership.com/schools-england-failing-children-medical-conditions/",
    ),
    Audit(
        when="November 2021",
        percent="27",
        says="Schools whose policy was adequate and could be found by everybody.",
        caution="It was done in another way than in 2017, so the two figures make no trend.",
        source="http://medicalconditionsatschool.org.uk/Our-Work.html",
    ),
)
