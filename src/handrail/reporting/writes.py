"""What programs write: three facts, each known by what it is about and a day, so that the same again changes nothing.

The body says which school by URN and which child by UPN. Nothing else names a child: no address, no answer and no
refusal. A page and a program call the same action.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from handrail.absences import actions as absences
from handrail.absences.forms import LONGEST
from handrail.absences.returns import CATEGORIES, EVIDENCE, LABELS, YES_NO
from handrail.core.audit import Actor
from handrail.core.calendar import day_of
from handrail.core.problems import Wrong
from handrail.plans import actions as plans
from handrail.plans.models import HealthcarePlan, Stage
from handrail.policies import actions as policies
from handrail.policies.models import Kind, Policy, PolicyReview
from handrail.reporting.filters import DAY, Refused, shown
from handrail.reporting.models import Scope
from handrail.schools import upn
from handrail.schools.authorities import authorities
from handrail.schools.models import Pupil

Done = dict[str, Any]
"""What came of it, and by when the next review is due."""

# -- bodies ----------------------------------------------------------------------------------------------


class Day(serializers.DateField):
    """A day as JSON has it, in the years that a page takes. None of the other ways to write one."""

    takes = "takes a day, like 2026-11-23"

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not DAY.fullmatch(value) or not "1900" <= value[:4] <= "2199":
            self.fail("invalid", format="")
        day: date = super().to_internal_value(value)
        return day


class Truth(serializers.BooleanField):
    takes = "takes true or false"

    def to_internal_value(self, value: Any) -> bool:
        if not isinstance(value, bool):
            self.fail("invalid", input="")
        return value


class Text(serializers.CharField):
    @property
    def takes(self) -> str:
        return f"takes a text of up to {self.max_length} characters"

    def to_internal_value(self, value: Any) -> str:
        if not isinstance(value, str):
            self.fail("invalid")
        text: str = super().to_internal_value(value)
        return text


class Word(serializers.ChoiceField):
    @property
    def takes(self) -> str:
        return f"takes one of {', '.join(self.choices)}"

    def to_internal_value(self, value: Any) -> str:
        if not isinstance(value, str):
            self.fail("invalid_choice", input="")
        word: str = super().to_internal_value(value)
        return word


class Urn(Text):
    takes = "takes the school’s URN: six digits, as text"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(help_text="The school.", validators=[RegexValidator("^[0-9]{6}$")], **kwargs)


class ChildsNumber(Text):
    takes = "takes the child’s UPN, like A123456789012"

    def __init__(self) -> None:
        super().__init__(max_length=40, help_text="The child, by the unique pupil number that the school has.")

    def to_internal_value(self, value: Any) -> str:
        try:
            return upn.read(super().to_internal_value(value)).text
        except upn.NotAUpn as error:
            raise serializers.ValidationError("not a UPN", code="invalid") from error


def _day(says: str, *, is_needed: bool = False) -> Day:
    return Day(help_text=says) if is_needed else Day(help_text=says, required=False, allow_null=True, default=None)


def _text(says: str, most: int, *, is_needed: bool = False) -> Text:
    more = {} if is_needed else {"allow_blank": True, "default": ""}
    return Text(help_text=says, max_length=most, **more)


def _word(says: str, words: Any, *, is_needed: bool = False) -> Word:
    more = {} if is_needed else {"allow_blank": True, "default": ""}
    return Word(help_text=says, choices=[(word, word) for word in words], **more)


class PolicyReviewBody(serializers.Serializer):
    urn = Urn(required=False, allow_null=True, default=None)
    kind = _word("Which policy. The authority’s own, section_19, takes no URN.", Kind.values, is_needed=True)
    reviewed_on = _day("The day of the review.", is_needed=True)
    outcome = _word(
        "What came of it.", [each for each in PolicyReview.Outcome.values if each != "asked"], is_needed=True
    )
    changed = _text("Which points changed, in a few words. Needed with “updated”. Do not name a child.", 2000)
    next_review_on = _day("By when the next is due. Left out, the authority’s number of months later.")
    published_url = _text("Where people can read it. Left out, as it was.", 500)


class PlanReviewBody(serializers.Serializer):
    urn = Urn()
    upn = ChildsNumber()
    reviewed_on = _day("The day of the review.", is_needed=True)
    outcome = _word("What came of it.", ["no_change", "updated"], is_needed=True)
    next_review_on = _day("By when the next is due, if sooner than a year.")


class SicknessReturnBody(serializers.Serializer):
    urn = Urn()
    upn = ChildsNumber()
    first_on = _day("The first day away.", is_needed=True)
    from_pm = Truth(help_text="Whether the child was at school that morning.", default=False)
    last_on = _day("The last day away. Left out while the child is away.")
    until_am = Truth(help_text="Whether the child was back for that afternoon.", default=False)
    is_likely = Truth(help_text="Whether 15 school days will be lost, on end or together in this school year.")
    address = _text("The child’s address. The law asks for it.", LONGEST, is_needed=True)
    lives_in = _text(
        "The three-digit code of the authority where the child lives. Left out, as it was said of the child before; "
        "needed while nobody has.",
        3,
    )
    work = _text("What work is sent home.", LONGEST)
    expected_on = _day("When the child is expected back.")
    category = _word("The kind of need. Never send a diagnosis.", CATEGORIES)
    evidence = _word("What the school has seen.", EVIDENCE)
    has_plan = _word("Whether the child has a healthcare plan.", YES_NO)
    has_ehcp = _word("Whether the child has an education, health and care plan.", YES_NO)
    family_view = _text("What the family wants.", LONGEST)
    wants_help = Truth(help_text="Whether the school asks the authority to call.", default=False)


class Written(serializers.Serializer):
    result = serializers.ChoiceField(
        choices=["made", "changed", "unchanged"], help_text="What came of it. Sent again, a fact is unchanged."
    )
    next_review_on = serializers.DateField(
        allow_null=True, help_text="By when the next review is due. Empty where none is."
    )


# -- facts -----------------------------------------------------------------------------------------------


def _policy_review(given: dict[str, Any], *, by: Actor, at: datetime) -> Done:
    urn, kind = given.pop("urn"), given.pop("kind")
    if given["outcome"] == PolicyReview.Outcome.UPDATED and not given["changed"]:
        raise Refused(Wrong("missing", "/changed", "Say which points changed."))
    policy = Policy.objects.filter(school__urn=urn, kind=kind) if urn else Policy.objects.filter(school=None, kind=kind)
    found = policy.first()
    if found is None:
        raise Refused(Wrong("not_found", "/urn", "The authority has no such policy of a school with this URN."))
    given["published_url"] = given["published_url"] or None
    review, is_new = policies.record_review(policy=found, by=by, at=at, **given)
    return _done("made" if is_new else "unchanged", review.next_review_on)


def _plan_review(given: dict[str, Any], *, by: Actor, at: datetime) -> Done:
    """One refusal for a child who is not there and for one without a plan: it tells neither."""
    plan = HealthcarePlan.objects.filter(pupil=_child(given, at=at), stage=Stage.ACTIVE).first()
    if plan is None:
        raise Refused(NO_SUCH_PLAN)
    review, is_new = plans.record_review(
        plan=plan,
        reviewed_on=given["reviewed_on"],
        outcome=given["outcome"],
        next_due_on=given["next_review_on"],
        by=by,
        at=at,
    )
    return _done("made" if is_new else "unchanged", review.next_due_on)


def _sickness_return(given: dict[str, Any], *, by: Actor, at: datetime) -> Done:
    child = _child(given, at=at)
    if child is None:
        raise Refused(NO_SUCH_CHILD)
    if given["until_am"] and not given["last_on"]:
        raise Refused(Wrong("missing", "/last_on", "Say which was the last day away."))
    if given["lives_in"] and given["lives_in"] not in authorities():
        raise Refused(NO_SUCH_AUTHORITY)
    says = {name: given.pop(name) for name in LABELS}
    says |= {"expected_on": str(says["expected_on"] or ""), "wants_help": "yes" if says["wants_help"] else ""}
    told = {name: given[name] for name in ("first_on", "from_pm", "last_on", "until_am", "is_likely", "lives_in")}
    _, result = absences.report(pupil=child, says=says, by=by, at=at, **told)
    return _done(result, None)


def _child(given: dict[str, Any], *, at: datetime) -> Pupil | None:
    """The child whom the school knows by this UPN and who has not left it."""
    known = Pupil.objects.filter(school__urn=given["urn"], upn=given["upn"])
    found: Pupil | None = known.not_left(on=day_of(at)).first()
    return found


def _done(result: str, next_review_on: date | None) -> Done:
    return {"result": result, "next_review_on": next_review_on and next_review_on.isoformat()}


NO_SUCH_CHILD = Wrong("not_found", "/upn", "No child at a school with this URN has this UPN.")
NO_SUCH_PLAN = Wrong("not_found", "/upn", "No child at a school with this URN has this UPN and an active plan.")

NO_SUCH_AUTHORITY = Wrong(
    "not_found",
    "/lives_in",
    "No authority has this code.",
)


@dataclass(frozen=True, eq=False)
class Write:
    """One fact that programs may write: at which address, with which right, and what to send."""

    name: str
    title: str
    says: str
    scope: Scope
    body: type[serializers.Serializer]
    act: Callable[..., Done]


WRITES = {
    each.name: each
    for each in (
        Write(
            "policy-reviews",
            "Record a review of a policy",
            "Known by its policy, day and outcome: the same again changes nothing.",
            Scope.WRITE_POLICIES,
            PolicyReviewBody,
            _policy_review,
        ),
        Write(
            "plan-reviews",
            "Record that a child’s plan was reviewed",
            "Known by its child, day and outcome: the same again changes nothing.",
            Scope.WRITE_PLANS,
            PlanReviewBody,
            _plan_review,
        ),
        Write(
            "sickness-returns",
            "Send a sickness return",
            "Known by its child and first day away. Send all of it each time: what is different then is changed, and "
            "the same again changes nothing. It is sent on where the child lives in another authority.",
            Scope.WRITE_RETURNS,
            SicknessReturnBody,
            _sickness_return,
        ),
    )
}
"""Every fact, by its name in the address."""


def write(fact: Write, body: Any, *, by: Actor, at: datetime) -> Done:
    """Write one fact as the body says. Raises Refused, with everything that is wrong, and repeats nothing of it."""
    try:
        return fact.act(_understood(fact, body), by=by, at=at)
    except plans.WrongStage as refusal:
        raise Refused(NO_SUCH_PLAN) from refusal
    except absences.ReportedAlready as refusal:
        says = "Another return about this child is about some of these days. Change that one on its page."
        raise Refused(Wrong("refused", "/first_on", says)) from refusal
    except (policies.Refused, plans.Refused, absences.Refused) as refusal:
        raise Refused(Wrong("refused", _pointer(refusal), f"{refusal}.")) from refusal


def _understood(fact: Write, body: Any) -> dict[str, Any]:
    if not isinstance(body, Mapping):
        raise Refused(Wrong("invalid_value", "/", "The body is one object."))
    known = fact.body(data=body)
    fields = known.fields
    errors = [
        Wrong("unknown_field", f"/{shown(name)}", f"“{shown(name)}” is not known here; there are {', '.join(fields)}.")
        for name in body
        if name not in fields
    ]
    if not known.is_valid():
        errors += [
            Wrong(
                "missing" if name not in body else "invalid_value", f"/{name}", f"“{name}” {_takes(fields[name], why)}."
            )
            for name, why in known.errors.items()
        ]
    if errors:
        raise Refused(*errors)
    given: dict[str, Any] = known.validated_data
    return given


def _takes(field: Any, why: list[Any]) -> str:
    return f"is missing: it {field.takes}" if why[0].code == "required" else field.takes


POINTERS: tuple[tuple[type[Exception], str], ...] = (
    (policies.NextReviewNotAfterReview, "/next_review_on"),
    (policies.NextReviewTooLate, "/next_review_on"),
    (plans.TooLate, "/next_review_on"),
    (policies.NotAWebAddress, "/published_url"),
    (policies.Refused, "/reviewed_on"),
    (plans.Refused, "/reviewed_on"),
)
"""What each refusal is about."""


def _pointer(refusal: Exception) -> str:
    if isinstance(refusal, absences.Refused):
        return f"/{refusal.field or 'upn'}"
    return next(pointer for kind, pointer in POINTERS if isinstance(refusal, kind))
