"""Who may do what: one table. The permission tests are made from it.

Roles at the authority see every school; roles at a school see that school. Schools are separate controllers: nothing
here lets one see another's children, and an authority's officers see counts. The law has schools report children whom
illness keeps away: those the named officer sees.
"""

from enum import StrEnum

from django.db.models import TextChoices


class Role(TextChoices):
    AUTHORITY_ADMINISTRATOR = "authority_administrator", "Authority administrator"
    POLICY_OFFICER = "policy_officer", "Policy officer"
    NAMED_OFFICER = "named_officer", "Named officer (section 19)"
    ANALYST = "analyst", "Analyst"
    DATA_PROTECTION_LEAD = "data_protection_lead", "Data protection lead"
    SCHOOL_LEAD = "school_lead", "School lead"
    SCHOOL_ADMINISTRATOR = "school_administrator", "School administrator"
    GOVERNOR = "governor", "Governor"
    SETTING_LEAD = "setting_lead", "Lead at a hospital school or alternative provision"
    SETTING_TEACHER = "setting_teacher", "Teacher at a hospital school or alternative provision"
    HEALTH_PROFESSIONAL = "health_professional", "Health professional"

    @property
    def is_at_authority(self) -> bool:
        return self in AUTHORITY_ROLES

    @property
    def is_about_one_child(self) -> bool:
        """Whether a membership names a child, and lets its holder see nobody else."""
        return self == Role.HEALTH_PROFESSIONAL


AUTHORITY_ROLES = frozenset(
    {
        Role.AUTHORITY_ADMINISTRATOR,
        Role.POLICY_OFFICER,
        Role.NAMED_OFFICER,
        Role.ANALYST,
        Role.DATA_PROTECTION_LEAD,
    }
)
SCHOOL_ROLES = frozenset(Role) - AUTHORITY_ROLES


class Permission(StrEnum):
    SEE_SCHOOLS = "see_schools"  # the list, records and figures of all the authority's schools
    CHASE_SCHOOLS = "chase_schools"  # the chase list, and reminders by hand
    SEE_SCHOOL = "see_school"  # a school's record that is visible to the person
    EDIT_SCHOOL = "edit_school"  # contacts of a school that is visible to the person
    SEE_POLICIES = "see_policies"
    RECORD_REVIEWS = "record_reviews"
    DECIDE_NOT_NEEDED = "decide_not_needed"
    ASK_RETURNS = "ask_returns"  # open the yearly return of all schools, and move its dates
    ASSESS_RETURNS = "assess_returns"  # the authority’s own finding beside a school’s answer
    ANSWER_RETURNS = "answer_returns"
    SUBMIT_RETURNS = "submit_returns"
    COUNTERSIGN_RETURNS = "countersign_returns"  # for the governors
    ANSWER_OWN_RETURN = "answer_own_return"  # the authority’s self-assessment, which no school sees
    SUBMIT_OWN_RETURN = "submit_own_return"
    COUNTERSIGN_OWN_RETURN = "countersign_own_return"  # as a second person of the authority
    IMPORT_SCHOOLS = "import_schools"
    EDIT_AUTHORITY_POLICY = "edit_authority_policy"
    PREVIEW_GUIDANCE = "preview_guidance"  # let the authority's people look at a draft
    EDIT_SETTINGS = "edit_settings"
    SEE_PEOPLE = "see_people"
    MANAGE_PEOPLE = "manage_people"  # invite, change and end roles
    INVITE_SCHOOLS = "invite_schools"  # all schools' people at once, from a file
    SET_UP_SIGN_IN = "set_up_sign_in"  # the authority's own sign-in service
    SEE_ACTIVITY = "see_activity"  # who did what at a school
    SEE_CHILDREN = "see_children"  # names and classes of the children of a school
    EDIT_CHILDREN = "edit_children"
    SEE_EMERGENCY = "see_emergency"  # what to do in an emergency, for a child of a school
    SEE_PLANS = "see_plans"  # a child's whole plan
    EDIT_PLANS = "edit_plans"
    KEEP_KITS = "keep_kits"  # a school’s spare kits and their checks, and who is trained
    KEEP_INCIDENTS = "keep_incidents"  # a school’s log of incidents and near misses
    SEE_HANDOVERS = "see_handovers"  # who comes to a setting, or is handed over by a school
    ADMIT_CHILDREN = "admit_children"  # give notice that a child has arrived at a setting unannounced
    HAND_OVER = "hand_over"  # make the moves of a handover
    CONFIRM_SETTINGS = "confirm_settings"  # which schools and provision teach children who are too ill for school
    KEEP_EXCHANGE = "keep_exchange"  # let the authority write to others and be written to
    MAKE_RETURNS = "make_returns"  # what a school reports of children whom illness keeps away
    DECIDE_CASES = "decide_cases"  # what the authority decides about children whom a school has reported
    BREAK_GLASS = "break_glass"  # the emergency section of any child, for 30 minutes, with a reason
    REVIEW_BREAK_GLASS = "review_break_glass"
    SEE_READS = "see_reads"  # who looked at a child of a school
    KEEP_CHILD_RIGHTS = "keep_child_rights"  # export, correct and erase what is held about a child
    EXTRACT_AUDIT = "extract_audit"  # the authority's activity, and the record of changes and reads as a file
    KEEP_RETENTION = "keep_retention"  # how long records are kept, and deleting what is past it
    KEEP_KEYS = "keep_keys"  # keys with which other programs read the authority's tables
    KEEP_CHILD_KEYS = "keep_child_keys"  # those of them that are about single children
    EXPORT_AUTHORITY = "export_authority"  # everything of the authority, in open formats


_GOVERNOR = {Permission.SEE_SCHOOL, Permission.SEE_POLICIES, Permission.SEE_PEOPLE}
_OFFICE = _GOVERNOR | {
    Permission.EDIT_SCHOOL,
    Permission.RECORD_REVIEWS,
    Permission.ANSWER_RETURNS,
    Permission.SEE_ACTIVITY,
    Permission.SEE_CHILDREN,
    Permission.EDIT_CHILDREN,
    Permission.SEE_EMERGENCY,
    Permission.KEEP_KITS,
    Permission.KEEP_INCIDENTS,
    Permission.MAKE_RETURNS,
}
_LEAD = _OFFICE | {
    Permission.SUBMIT_RETURNS,
    Permission.MANAGE_PEOPLE,
    Permission.SEE_PLANS,
    Permission.EDIT_PLANS,
    Permission.SEE_READS,
    Permission.KEEP_CHILD_RIGHTS,
    Permission.SEE_HANDOVERS,
    Permission.ADMIT_CHILDREN,
    Permission.HAND_OVER,
}
_AT_AUTHORITY = _GOVERNOR | {Permission.SEE_SCHOOLS}
_OFFICER = _AT_AUTHORITY | {
    Permission.EDIT_SCHOOL,
    Permission.RECORD_REVIEWS,
    Permission.SEE_ACTIVITY,
    Permission.CHASE_SCHOOLS,
    Permission.DECIDE_NOT_NEEDED,
    Permission.IMPORT_SCHOOLS,
    Permission.EDIT_AUTHORITY_POLICY,
    Permission.INVITE_SCHOOLS,
    Permission.PREVIEW_GUIDANCE,
    Permission.CONFIRM_SETTINGS,
    Permission.ASK_RETURNS,
    Permission.ASSESS_RETURNS,
    Permission.ANSWER_OWN_RETURN,
    Permission.COUNTERSIGN_OWN_RETURN,
}
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.AUTHORITY_ADMINISTRATOR: frozenset(
        _OFFICER
        | {
            Permission.SUBMIT_OWN_RETURN,
            Permission.EDIT_SETTINGS,
            Permission.MANAGE_PEOPLE,
            Permission.SET_UP_SIGN_IN,
            Permission.KEEP_KEYS,
            Permission.KEEP_RETENTION,
            Permission.EXPORT_AUTHORITY,
        }
    ),
    Role.POLICY_OFFICER: frozenset(_OFFICER),
    Role.NAMED_OFFICER: frozenset(
        _AT_AUTHORITY
        | {
            Permission.SEE_ACTIVITY,
            Permission.BREAK_GLASS,
            Permission.CONFIRM_SETTINGS,
            Permission.DECIDE_CASES,
            Permission.ANSWER_OWN_RETURN,
            Permission.SUBMIT_OWN_RETURN,
            Permission.COUNTERSIGN_OWN_RETURN,
        }
    ),
    Role.ANALYST: frozenset(_AT_AUTHORITY - {Permission.SEE_PEOPLE}),
    Role.DATA_PROTECTION_LEAD: frozenset(
        _AT_AUTHORITY
        | {
            Permission.SEE_ACTIVITY,
            Permission.REVIEW_BREAK_GLASS,
            Permission.EXTRACT_AUDIT,
            Permission.KEEP_EXCHANGE,
            Permission.KEEP_RETENTION,
            Permission.KEEP_KEYS,
            Permission.KEEP_CHILD_KEYS,
            Permission.EXPORT_AUTHORITY,
        }
    ),
    Role.SCHOOL_LEAD: frozenset(_LEAD),
    Role.SCHOOL_ADMINISTRATOR: frozenset(_OFFICE),
    Role.GOVERNOR: frozenset(_GOVERNOR | {Permission.COUNTERSIGN_RETURNS}),
    Role.SETTING_LEAD: frozenset(_LEAD),
    Role.SETTING_TEACHER: frozenset(
        {
            Permission.SEE_SCHOOL,
            Permission.SEE_CHILDREN,
            Permission.SEE_EMERGENCY,
            Permission.SEE_PLANS,
            Permission.SEE_HANDOVERS,
            Permission.ADMIT_CHILDREN,
        }
    ),
    Role.HEALTH_PROFESSIONAL: frozenset({Permission.SEE_EMERGENCY, Permission.SEE_PLANS}),
}

LEADS = frozenset(role for role in Role if Permission.MANAGE_PEOPLE in PERMISSIONS[role])
"""The roles that decide who else may: the authority, and every school that has one, always keeps somebody with one."""

IN_WORDS: dict[Role, str] = {
    Role.AUTHORITY_ADMINISTRATOR: "Sees policies and people of every school, and decides who else may. Sees no child.",
    Role.POLICY_OFFICER: "Sees and records policies of every school, and reminds schools of them. Sees no child.",
    Role.NAMED_OFFICER: "Sees policies of every school, and children whom illness keeps away. Each look is recorded.",
    Role.ANALYST: "Sees policies and numbers of every school. Sees no child.",
    Role.DATA_PROTECTION_LEAD: "Sees policies of every school, and the record of who did what. Sees no child.",
    Role.SCHOOL_LEAD: "Sees everything about the school, with its children’s plans, and decides who else may.",
    Role.SCHOOL_ADMINISTRATOR: "Records reviews. Sees the children’s names and what to do in an emergency.",
    Role.GOVERNOR: "Sees the school’s policies and who works with them, and signs its returns. Sees no child.",
    Role.SETTING_LEAD: "Sees everything about the setting, with its children’s plans, and decides who else may.",
    Role.SETTING_TEACHER: "Sees the children at the setting, their plans and what to do in an emergency.",
    Role.HEALTH_PROFESSIONAL: "Sees one child’s plan and nothing else.",
}
"""What each role may see, for the people who give it and those whom it concerns."""
