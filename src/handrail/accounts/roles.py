"""Who may do what: one table. Roles at the authority see every school; roles at a school see that school."""

from enum import StrEnum

from django.db.models import TextChoices


class Role(TextChoices):
    AUTHORITY_ADMINISTRATOR = "authority_administrator", "Authority administrator"
    POLICY_OFFICER = "policy_officer", "Policy officer"
    SCHOOL_LEAD = "school_lead", "School lead"

    @property
    def is_at_authority(self) -> bool:
        return self in AUTHORITY_ROLES


AUTHORITY_ROLES = frozenset({Role.AUTHORITY_ADMINISTRATOR, Role.POLICY_OFFICER})
SCHOOL_ROLES = frozenset(Role) - AUTHORITY_ROLES


class Permission(StrEnum):
    SEE_SCHOOLS = "see_schools"  # the list, records and chase list of all the authority's schools
    CHASE_SCHOOLS = "chase_schools"  # send reminders by hand
    SEE_SCHOOL = "see_school"  # a school's record that is visible to the person
    EDIT_SCHOOL = "edit_school"  # contacts of a school that is visible to the person
    SEE_POLICIES = "see_policies"
    RECORD_REVIEWS = "record_reviews"
    DECIDE_NOT_NEEDED = "decide_not_needed"
    IMPORT_SCHOOLS = "import_schools"
    EDIT_AUTHORITY_POLICY = "edit_authority_policy"
    EDIT_SETTINGS = "edit_settings"
    SEE_PEOPLE = "see_people"
    SEE_ACTIVITY = "see_activity"


_SCHOOL = {
    Permission.SEE_SCHOOL,
    Permission.EDIT_SCHOOL,
    Permission.SEE_POLICIES,
    Permission.RECORD_REVIEWS,
    Permission.SEE_PEOPLE,
    Permission.SEE_ACTIVITY,
}
_OFFICER = _SCHOOL | {
    Permission.SEE_SCHOOLS,
    Permission.CHASE_SCHOOLS,
    Permission.DECIDE_NOT_NEEDED,
    Permission.IMPORT_SCHOOLS,
    Permission.EDIT_AUTHORITY_POLICY,
}
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.AUTHORITY_ADMINISTRATOR: frozenset(_OFFICER | {Permission.EDIT_SETTINGS}),
    Role.POLICY_OFFICER: frozenset(_OFFICER),
    Role.SCHOOL_LEAD: frozenset(_SCHOOL),
}
