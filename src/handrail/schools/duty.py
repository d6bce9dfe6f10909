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


BODY_OF_TYPE: dict[int, Body] = {
    1: Body.MAINTAINED_SCHOOL,  # community
    2: Body.MAINTAINED_SCHOOL,  # voluntary aided
    3: Body.MAINTAINED_SCHOOL,  # voluntary controlled
    5: Body.MAINTAINED_SCHOOL,  # foundation
    6: Body.INDEPENDENT,  # city technology college
    7: Body.MAINTAINED_SCHOOL,  # community special
    8: Body.NON_MAINTAINED_SPECIAL,
    10: Body.INDEPENDENT,  # other independent special
    11: Body.INDEPENDENT,  # other independent
    12: Body.MAINTAINED_SCHOOL,  # foundation special
    14: Body.PRU,
    15: Body.EARLY_YEARS,  # local authority nursery
    28: Body.ACADEMY,  # sponsor led
    33: Body.ACADEMY,  # special sponsor led
    34: Body.ACADEMY,  # converter
    35: Body.ACADEMY,  # free school
    36: Body.ACADEMY,  # special free school
    38: Body.AP_ACADEMY,  # alternative provision free school
    39: Body.POST_16,  # 16 to 19 free school
    40: Body.ACADEMY,  # university technical college
    41: Body.ACADEMY,  # studio school
    42: Body.AP_ACADEMY,  # alternative provision converter
    43: Body.AP_ACADEMY,  # alternative provision sponsor led
    44: Body.ACADEMY,  # special converter
    45: Body.POST_16,  # 16 to 19 converter
    46: Body.POST_16,  # 16 to 19 sponsor led
    57: Body.POST_16,  # secure 16 to 19
}

BOUND = frozenset({Body.MAINTAINED_SCHOOL, Body.ACADEMY, Body.AP_ACADEMY, Body.PRU})
"""The bodies that must have the policies."""

SCHOOL_GROUPS = (3, 4, 5, 10, 11)
"""Type groups that become an authority's schools: independent (no duty), maintained, special, academies, free."""

OPEN_STATUSES = (1, 3)
"""Open; Open, but proposed to close."""


def body_of(type_code: int) -> Body:
    """The kind of body an establishment type is."""
    return BODY_OF_TYPE.get(type_code, Body.OTHER)
