"""Every address of the product, found by walking the URLconf, and a real row of Oak School for each argument.

A new address is covered by itself. One whose argument is not known here fails the walk: add a row of Oak School for
it to `plant()`, under `namespace:argument` or, when it means the same everywhere, under `argument`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from factories import AT, ContactFactory, PolicyFactory, PupilFactory, emergency, person

from handrail.absences.models import Case, CaseEntry, SicknessReturn
from handrail.accounts.actions import add_person
from handrail.accounts.models import Draft, Membership, Session, SignInService, User
from handrail.accounts.roles import Role
from handrail.care.models import Medicine, SpareKit, StaffTraining
from handrail.core import documents
from handrail.core.access import PUBLIC, Door
from handrail.core.audit import CLOCK
from handrail.core.reference import reference
from handrail.guidance.published import framework
from handrail.handovers.models import Handover, OnwardReturn, Pack, Setting
from handrail.imports.models import FileImport
from handrail.incidents.models import Incident
from handrail.notices.models import Notice
from handrail.plans.models import BreakGlass, PlanComment, PlanLink
from handrail.plans.readers import Reader
from handrail.plans.versions import write_emergency
from handrail.policies.models import Communication, Kind, Policy, PolicyVersion
from handrail.records.models import AuthorityExport, Deletion
from handrail.reporting.models import ApiKey, Scope
from handrail.returns import models as returns
from handrail.schools.models import School
from tenants.context import inside
from tenants.routing import Authority

SIGN_IN = {
    "account_request_login_code", "account_confirm_login_code", "account_login", "account_inactive",
    "account_reset_password", "account_confirm_password_reset_code", "account_complete_password_reset",
    "account_logout", "mfa_authenticate", "mfa_login_webauthn",
}  # fmt: skip
"""The sign-in package's own pages that anybody may open: they are about nobody."""

PACKAGES_OWN = SIGN_IN | {"account_change_password", "account_set_password"}
CANARY = "canary-of-"
OPENER = "named@{}.example"
"""The address of the officer who has just opened the emergency plan of a child."""

CHILD = "-child"
"""After a school's canary in the names of its children."""


@dataclass(frozen=True)
class Word:
    """An argument that by itself names no row: a table, a kind, a place in a list."""

    value: str


@dataclass(frozen=True)
class Address:
    """One entry of the URLconf."""

    name: str
    view: Any
    arguments: tuple[str, ...]

    @property
    def methods(self) -> tuple[str, ...]:
        """Those to ask with. A view of Django's answers a HEAD as a GET, unless it has a way of its own."""
        is_as_get = isinstance(self.view, type) and not hasattr(self.view, "head")
        return tuple(method for method in METHODS if method != "head" or not is_as_get)

    @property
    def is_public(self) -> bool:
        return self.name in SIGN_IN or getattr(self.view, "permission", None) == PUBLIC


@dataclass(frozen=True)
class Place:
    """An address with Oak School's rows in it."""

    address: Address
    path: str
    names_a_row: bool


class WalkError(AssertionError):
    """The walk cannot say what is behind an address."""


def addresses() -> list[Address]:
    """Every entry of the URLconf. Raises WalkError for one without a name or a door."""
    return list(_walk(get_resolver(), "", ()))


def _walk(resolver: URLResolver, namespace: str, before: tuple[str, ...]) -> Iterator[Address]:
    for entry in resolver.url_patterns:
        arguments = (*before, *entry.pattern.regex.groupindex)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, f"{namespace}{entry.namespace}:" if entry.namespace else namespace, arguments)
        elif isinstance(entry, URLPattern):
            if not entry.name:
                raise WalkError(f"The address {entry.pattern} has no name.")
            view = getattr(entry.callback, "view_class", entry.callback)
            if entry.name not in PACKAGES_OWN and not (isinstance(view, type) and issubclass(view, Door)):
                raise WalkError(f"The address {entry.pattern} is no Door: {view}.")
            if entry.name not in PACKAGES_OWN and not hasattr(view, "permission"):
                raise WalkError(f"The door at {entry.pattern} declares no permission.")
            yield Address(f"{namespace}{entry.name}", view, arguments)


def plant(authority: Authority, school: School, word: str) -> dict[str, Any]:
    """Rows of every kind about a school, each with the canary; by argument name."""
    canary = f"{CANARY}{word}"
    with inside(authority):
        School.objects.filter(id=school.id).update(
            name=canary,
            lead_name=canary,
            head_name=canary,
            town=canary,
            trust_name=canary,
            office_email=f"{canary}@x.example",
        )
        policy = Policy.objects.filter(school=school, kind=Kind.MEDICAL_CONDITIONS).first() or PolicyFactory(
            school=school, kind=Kind.MEDICAL_CONDITIONS
        )
        Policy.objects.filter(id=policy.id).update(
            lead_name=canary, last_reviewed_on=AT.date(), next_review_on=AT.date()
        )
        allergy = Policy.objects.filter(school=school, kind=Kind.ALLERGY_SAFETY).first() or PolicyFactory(
            school=school, kind=Kind.ALLERGY_SAFETY
        )
        Communication.objects.create(
            policy=allergy, audience="pupils", told_on=AT.date(), due_on=AT.date(), how=canary, recorded_at=AT
        )
        document = documents.keep(
            BytesIO(canary.encode()), name=f"{canary}.pdf", content_type="application/pdf", by=CLOCK, at=AT
        )
        version = PolicyVersion.objects.create(
            policy=policy, number=1, document=document, change_note=canary, made_at=AT
        )
        notice = Notice.objects.create(
            subject_kind="policy",
            subject_id=policy.id,
            school_id=school.id,
            cycle="1",
            step="1",
            step_on=AT.date(),
            recipient=f"{canary}@x.example",
            recipient_role="lead",
            wording="policy_due",
            owed_at=AT,
            not_before=AT,
            state=Notice.State.DEAD,
        )
        user = add_person(
            email=f"{canary}@people.example",
            name=canary,
            role=Role.GOVERNOR,
            school_id=school.id,
            by=CLOCK,
            at=AT,
            is_invited=True,
        )
        of_invited = Membership.objects.get(user=user)
        of_lead = Membership.objects.filter(school=school, role=Role.SCHOOL_LEAD).order_by("-user__email")[
            0
        ]  # the head
        child = PupilFactory(school=school, name=f"{canary}{CHILD}", class_name=f"{canary}{CHILD}")
        contact = ContactFactory(pupil=child, name=f"{canary}{CHILD}")
        write_emergency(pupil=child, says=emergency(f"{canary}{CHILD}"), based_on=0, by=CLOCK, at=AT)
        link = PlanLink.objects.create(
            pupil=child,
            contact=contact,
            version=child.plan.versions.get(),
            party="parent",
            name=contact.name,
            email=contact.email,
            sent_at=AT,
            sent_by=document.id,
            sent_by_name=canary,
            ends_at=AT.replace(year=2100),
        )
        comment = PlanComment.objects.create(link=link, made_at=AT, words=f"{canary}{CHILD}")
        reader = Reader.objects.create(plan=child.plan, name=canary, asked_at=AT)
        medicine = Medicine.objects.create(
            pupil=child,
            kind=Medicine.Kind.MEDICINE,
            name=f"{canary}{CHILD}",
            dose="5 ml",
            place="Office",
            given_by="Ann",
            received_on=AT.date(),
        )
        incident = Incident.objects.create(
            school=school,
            pupil=child,
            kind="near_miss",
            harm="none",
            happened_at=AT,
            place=f"{canary}{CHILD}",
            what_happened=f"{canary}{CHILD}",
            what_was_done=canary,
            recorded_at=AT,
        )
        kit = SpareKit.objects.create(
            school=school, kind=SpareKit.Kind.INHALER, place=canary, expires_on=AT.date(), placed_on=AT.date()
        )
        trained = {"school": school, "person": canary, "trainer": canary, "procedure": "medicines"}
        days = {"trained_on": AT.date(), "expires_on": AT.date()}
        training = StaffTraining.objects.create(**trained, **days)
        child_training = StaffTraining.objects.create(**trained, **days, pupil=child)
        case = Case.objects.create(pupil=child, school_year=2026, opened_at=AT)
        returned = SicknessReturn.objects.create(
            case=case, first_on=AT.date(), says={"address": f"{canary}{CHILD}"}, made_at=AT, made_by_name=canary
        )
        CaseEntry.objects.create(
            case=case,
            number=1,
            kind="decision",
            outcome="more",
            happened_on=AT.date(),
            trigger="0 days",
            reasons=f"{canary}{CHILD}",
            made_at=AT,
        )
        now = timezone.now()
        access = BreakGlass.objects.create(
            pupil=child,
            opened_at=now,
            ends_at=now + BreakGlass.LASTS,
            opened_by=person(OPENER.format(word), Role.NAMED_OFFICER).id,
            opened_by_name="Nora Named",
            reason=f"{canary}{CHILD}",
        )
        file = FileImport.objects.create(
            kind=FileImport.Kind.REGISTER,
            state=FileImport.State.CHECKED,
            document=document,
            file_name=f"{canary}.csv",
            uploaded_at=AT,
            uploaded_by=document.id,
            uploaded_by_name=canary,
            asked_by=document.id,
            problems=[{"line": 2, "urn": "", "column": "", "value": canary, "advice": "", "skipped": True}],
            changes=[{"urn": school.urn, "name": canary, "what": "New", "details": []}],
        )
        children = FileImport.objects.create(
            kind=FileImport.Kind.CHILDREN,
            school=school,
            state=FileImport.State.CHECKED,
            file_name=canary,
            uploaded_at=AT,
            uploaded_by=document.id,
            uploaded_by_name=canary,
            asked_by=document.id,
            problems=[{"line": 2, "child": canary, "column": "", "value": "", "advice": "", "skipped": True}],
            counts={"good": 1, "skipped": 1, "new": 0, "changed": 1, "unchanged": 0, "left": 0},
            changes=[{"child": str(child.id), "name": canary, "what": "Changed", "details": []}],
        )
        handover = Handover.objects.create(
            reference=uuid4(),
            side="home",
            pupil=child,
            setting_name=f"{canary}{CHILD}",
            other_role="la_00000000",
            other_name=canary,
            state="draft",
            since_on=AT.date(),
            about={"fitness": f"{canary}{CHILD}"},
            started_at=AT,
        )
        Handover.objects.filter(id=handover.id).update(other_role="")  # of an authority without Handrail
        plan = {"emergency": None, "sections": None}
        content = {"said": {"work": f"{canary}{CHILD}"}, "hours": "", "attendance": {}, "plan": plan}
        for is_return in (False, True):
            Pack.objects.create(
                handover=handover, number=1, is_return=is_return, content=content, sha256="0" * 64, made_at=AT
            )
        setting = Setting.objects.create(school=school, name=canary, kind="hospital", confirmed_at=AT)
        told = {
            "child": {"name": canary, "born_on": AT.date().isoformat()},
            "admitted_on": AT.date().isoformat(),
            "school": {"name": canary, "urn": ""},
            "ring": canary,
            "telephone": "",
        }
        begun = {
            "setting_name": canary,
            "other_role": "la_00000000",
            "other_name": canary,
            "since_on": AT.date(),
            "started_at": AT,
        }
        unplaced = Handover.objects.create(reference=uuid4(), side="home", notice=told, state="pack_asked", **begun)
        admitted = Handover.objects.create(
            reference=uuid4(), side="home", notice=told, school=school, state="pack_asked", **begun
        )
        taught = Handover.objects.create(
            reference=uuid4(), side="setting", setting=setting, pupil=child, state="active", **begun
        )
        rung = Handover.objects.create(
            reference=uuid4(),
            side="setting",
            setting=setting,
            pupil=child,
            state="admitted",
            **begun | {"other_role": ""},
        )
        onward = OnwardReturn.objects.create(
            way="in",
            reference=uuid4(),
            other_role="la_00000000",
            other_name=canary,
            says={
                **dict.fromkeys(("address", "school", "urn", "last_on", "by"), ""),
                "name": canary,  # of a child whom this authority has no row of
                "born_on": "2016-05-01",
                "first_on": "2026-11-16",
                "is_likely": True,
            },
            owed_at=AT,
            expires_at=AT,
            done_at=AT,
            done_by_name=canary,
        )
        held = OnwardReturn.objects.create(
            way="out",
            returned=returned,
            lives_in="999",
            reference=uuid4(),
            other_role="",
            other_name="",
            owed_at=AT,
            trouble="That authority has not joined the exchange.",
        )
        asked = {"state": "cancelled", "asked_at": AT, "asked_by": document.id, "asked_by_name": canary}
        export = AuthorityExport.objects.create(**asked)
        deletion = Deletion.objects.create(**asked, on=AT.date(), periods={}, expected={})
        cycle, _ = returns.Cycle.objects.get_or_create(
            school_year=2026,
            defaults={
                "framework_ids": ["CFA-100A"],
                "opened_on": AT.date(),
                "due_on": AT.date(),
                "closes_on": AT.date().replace(year=2100),
            },
        )
        yearly = returns.Return.objects.create(
            cycle=cycle, school=school, number=1, submitted_at=AT, submitted_by_name=canary
        )
        planned = returns.PlannedAction.objects.create(
            cycle=cycle,
            school=school,
            requirement_id="ALG-ACT-01",
            what=canary,
            owner_name=canary,
            owner_email="o@oak.example",
            due_on=AT.date(),
        )
        said = {"verdict": "yes", "evidence": canary, "evidence_file": document}
        for each in framework("CFA-100A").requirements:
            asked_as = {"requirement_id": each.id, "digest": each.digest}
            returns.Answer.objects.create(returned=yearly, **asked_as, **said, answered_at=AT, answered_by_name=canary)
        before = returns.Return.objects.filter(school=None).count()
        own = returns.Return.objects.create(cycle=cycle, number=before + 1, submitted_at=AT, submitted_by_name=canary)
        [asked_first, *_] = framework("HEALTHED-2023").of("local_authority")
        asked_as = {"requirement_id": asked_first.id, "digest": asked_first.digest}
        returns.Answer.objects.create(returned=own, **asked_as, **said, answered_at=AT, answered_by_name=canary)
        seen_to = {"what": canary, "owner_name": canary, "owner_email": "o@x.example", "due_on": AT.date()}
        own_planned = returns.PlannedAction.objects.create(cycle=cycle, requirement_id=asked_first.id, **seen_to)
        service, _ = SignInService.objects.get_or_create(
            issuer="https://127.0.0.1:9",  # nobody answers there; the name is for everybody to see
            defaults={"name": "Council", "client_id": canary, "client_secret": canary, "is_on": True, "added_at": AT},
        )
        lead = User.objects.filter(memberships__school=school).order_by("-email").first()
        session = Session.objects.create(
            user=lead, device=canary, expire_date=AT.replace(year=2100), began_at=AT, last_used_at=AT
        )
        key = ApiKey.objects.create(
            name=canary, scopes=[Scope.SCHOOL], digest=canary, expires_on=AT.date(), made_at=AT, made_by_name=canary
        )
        draft = Draft.objects.create(user=lead, path="/", typed={"words": [canary]}, kept_at=AT)
    return {
        "session_id": session.id,
        "draft_id": draft.id,
        "key_id": key.id,
        "table_name": Word("schools"),
        "urn": school.urn,
        "table": Word("ageing"),
        "counted": Word("phases"),
        "school_id": school.id,
        "person_id": user.id,
        "child_id": child.id,
        "contact_id": contact.id,
        "medicine_id": medicine.id,
        "incident_id": incident.id,
        "case_id": case.id,
        "return_id": returned.id,
        "absences:what": Word("decision"),
        "kit_id": kit.id,
        "training_id": training.id,
        "child_training_id": child_training.id,
        "care:pk": medicine.id,
        "plans:number": Word("1"),
        "plans:name": Word("daily"),
        "plans:outcome": Word("left"),
        "reader_id": reader.id,
        "plans:pk": access.id,
        "link_id": link.id,
        "comment_id": comment.id,
        "shared_id": Word(str(link.id)),  # it names nothing but where the link was opened
        "plans:token": Word("nothing"),  # a real one is an address for anybody: see tests/plans/test_guests.py
        "plans:called": reference(child.plan.id),
        "handovers:pk": handover.id,
        "onward_id": onward.id,
        "held_id": held.id,
        "handovers:name": Word("withdraw"),
        "notice_id": unplaced.id,
        "asked_id": admitted.id,
        "taught_id": taught.id,
        "told_id": taught.id,
        "watched_id": handover.id,
        "admitted_id": rung.id,
        "guest_id": Word(str(unplaced.id)),  # it means something only in the browser where it was opened
        "handovers:token": Word("nothing"),
        "policy_id": policy.id,
        "document_id": document.id,
        "version_id": version.id,
        "policies:pk": policy.id,
        "policies:number": Word(str(version.number)),
        "notices:pk": notice.id,
        "notices:reference": Word(str(notice.reference)),  # of a letter in the demo's mailbox: not there otherwise
        "imports:pk": file.id,
        "list_id": children.id,
        "authority:year": Word("2026"),
        "authority:number": Word("1"),
        "framework_id": Word("MCAS-2026"),
        "returns:return_id": yearly.id,
        "own returns:return_id": own.id,
        "own returns:planned_id": own_planned.id,
        "own returns:requirement_id": Word(asked_first.id),
        "planned_id": planned.id,
        "requirement_id": Word("ALG-ACT-01"),
        "returns:number": Word("1"),
        "export_id": export.id,
        "deletion_id": deletion.id,
        "record_class": Word("messages"),
        "sign_in_services:pk": service.id,
        # Everybody of the authority signs in with it; that others do not know it is for the service's own tests.
        "sign_in_services:service_id": Word(str(service.id)),
        "people:pk": of_invited.id,
        "people:membership_id": of_lead.id,
    }


def places(arguments: dict[str, Any]) -> list[Place]:
    """Every address with these arguments. Raises WalkError when one takes something that is not among them."""
    found = []
    for address in addresses():
        namespace = address.name.rpartition(":")[0]
        given = {}
        if "urn" not in address.arguments:
            own = f"own {namespace}:"  # what is the authority's, where a school's has the same name
            given = {each: arguments[own + each] for each in address.arguments if own + each in arguments}
        for argument in set(address.arguments) - set(given):
            value = arguments.get(f"{namespace}:{argument}", arguments.get(argument))
            if value is None:
                raise WalkError(
                    f"{address.name} takes `{argument}`: plant a row for it in tests/isolation/walk.py, plant()."
                )
            given[argument] = value
        path = reverse(
            address.name, kwargs={key: each.value if isinstance(each, Word) else each for key, each in given.items()}
        )
        found.append(Place(address, path, any(not isinstance(each, Word) for each in given.values())))
    return found


METHODS = ("get", "head", "options", "post")


@dataclass(frozen=True)
class Answer:
    """What came back: its status, where it leads, and everything in it as text."""

    status: int
    leads_to: str
    text: str


def ask(client: Client, method: str, path: str) -> Answer:
    """One request, whose writes are undone."""
    request: Callable[[str], Any] = getattr(client, method)
    with undone():
        answer = request(path)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = body.decode(errors="replace") + repr(answer.headers)
    return Answer(answer.status_code, answer.headers.get("Location", ""), text)


@contextmanager
def undone() -> Iterator[None]:
    """What is written in this block is gone after it."""
    block: Any = transaction.atomic()
    block._from_testcase = True  # the door insists on being outermost, but for a test's own blocks
    with block:
        yield
        transaction.set_rollback(True)


# -- forms

BOX = re.compile(r'<(?:input(?![^>]*type="hidden")|textarea|select)[^>]*\sname="([^"]+)"')
KEPT = re.compile(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"')


def main_of(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


def filled(page: str, text: str) -> dict[str, str]:
    """Every box with this text, and what the page itself keeps in hidden ones."""
    return dict.fromkeys(BOX.findall(page), text) | dict(KEPT.findall(page))
