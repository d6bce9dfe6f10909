"""Who is bound: one published table from establishment type to the kind of body, and the bodies with a duty.

Sections 100 and 100A of the Children and Families Act 2014 bind maintained schools, academies, alternative
provision academies and pupil referral units. Codes are those of the register's published file.
"""

from django.db.models import TextChoices


class Body(TextChoices):
    MAINTAINED_SCHOOL = "maintained_school", "Maintained school"
    ACADEMY = "academy", "Academy or free school"
    AP_ACADEMY = "ap_academy", "Alternative provision academy"
    PRU = "pru", "Pupil referral unit"
    NON_MAINTAINED_SPECIAL = "nmss", "Non-maintained special school"
    INDEPENDENT = "independent_school", "Independent school"
    EARLY_YEARS = "early_years", "Early years provider"
    POST_16 = "post16", "16 to 19 institution"
    OTHER = "other", "Another kind of establishment"


TYPES: dict[int, tuple[str, Body]] = {
    1: ("Community school", Body.MAINTAINED_SCHOOL),
    2: ("Voluntary aided school", Body.MAINTAINED_SCHOOL),
    3: ("Voluntary controlled school", Body.MAINTAINED_SCHOOL),
    5: ("Foundation school", Body.MAINTAINED_SCHOOL),
    6: ("City technology college", Body.INDEPENDENT),
    7: ("Community special school", Body.MAINTAINED_SCHOOL),
    8: ("Non-maintained special school", Body.NON_MAINTAINED_SPECIAL),
    10: ("Other independent special school", Body.INDEPENDENT),
    11: ("Other independent school", Body.INDEPENDENT),
    12: ("Foundation special school", Body.MAINTAINED_SCHOOL),
    14: ("Pupil referral unit", Body.PRU),
    15: ("Local authority nursery school", Body.EARLY_YEARS),
    28: ("Academy sponsor led", Body.ACADEMY),
    33: ("Academy special sponsor led", Body.ACADEMY),
    34: ("Academy converter", Body.ACADEMY),
    35: ("Free schools", Body.ACADEMY),
    36: ("Free schools special", Body.ACADEMY),
    38: ("Free schools alternative provision", Body.AP_ACADEMY),
    39: ("Free schools 16 to 19", Body.POST_16),
    40: ("University technical college", Body.ACADEMY),
    41: ("Studio schools", Body.ACADEMY),
    42: ("Academy alternative provision converter", Body.AP_ACADEMY),
    43: ("Academy alternative provision sponsor led", Body.AP_ACADEMY),
    44: ("Academy special converter", Body.ACADEMY),
    45: ("Academy 16-19 converter", Body.POST_16),
    46: ("Academy 16 to 19 sponsor led", Body.POST_16),
    57: ("Academy secure 16 to 19", Body.POST_16),
}
"""Each establishment type by its code: the register's name for it, and the kind of body it is."""

BODY_OF_TYPE = {code: body for code, (_, body) in TYPES.items()}

BOUND = frozenset({Body.MAINTAINED_SCHOOL, Body.ACADEMY, Body.AP_ACADEMY, Body.PRU})
"""The bodies that must have the policies."""

SETTINGS = frozenset({7, 8, 10, 12, 14, 33, 36, 38, 42, 43, 44})
"""The types of which some are hospital schools or teach other schools' pupils: special, alternative, referral units."""

SCHOOL_GROUPS = (3, 4, 5, 10, 11)
"""Type groups that become an authority's schools: independent (no duty), maintained, special, academies, free."""

OPEN_STATUSES = (1, 3)
"""Open; Open, but proposed to close."""


def body_of(type_code: int) -> Body:
    """The kind of body an establishment type is."""
    return BODY_OF_TYPE.get(type_code, Body.OTHER)
