"""Every write about people."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Greatest, Lower

from handrail.accounts.addresses import plain_address
from handrail.accounts.calendar_actions import stop_key
from handrail.accounts.models import KEPT_FOR, Draft, Membership, Session, User
from handrail.accounts.roles import LEADS, Role
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.models import CacheEntry

A_DAY = timedelta(days=1)
NEVER_KEPT = re.compile(
    r"csrfmiddlewaretoken|password|(^|[_-])(code|otp|pin|secret|token|credential)s?([_-]|\d|$)", re.IGNORECASE
)
"""The names of fields that hold a secret."""


class WrongPlace(ValueError):
    """A role of a school was given at no school, one of the authority at a school, or one about a child to none."""


class LastOne(ValueError):
    """Without this person a school would have no lead, or the authority no administrator."""


class NoLongerAllowed(ValueError):
    """Whoever asked has lost the right to it in the same moment."""


@dataclass(frozen=True)
class Newcomer:
    """Somebody who is to have a role; at the authority when no school is given."""

    email: str
    name: str
    role: Role
    school_id: UUID | None = None
    pupil_id: UUID | None = None


def add_person(
    *,
    email: str,
    name: str,
    role: Role,
    by: audit.Actor,
    at: datetime,
    school_id: UUID | None = None,
    pupil_id: UUID | None = None,
    is_invited: bool = False,
) -> User:
    """Give a person a role from today: see `add_people`."""
    one = Newcomer(email, name, role, school_id, pupil_id)
    [user] = add_people([one], by=by, at=at, is_invited=is_invited)
    return user


@transaction.atomic
def add_people(people: Sequence[Newcomer], *, by: audit.Actor, at: datetime, is_invited: bool = False) -> list[User]:
    """Give people roles from today, making accounts for those who have none, and opening closed ones again. Doing it
    twice changes nothing.

    The addresses count as proved: they can only sign in with a code sent to it. Those who are `is_invited` are called
    by the name given here until they have signed in. Gives a user for each of `people`. Raises NotAnEmailAddress and
    WrongPlace.
    """
    for each in people:
        _check_place(each.role, school_id=each.school_id, pupil_id=each.pupil_id)
    people = [replace(each, email=plain_address(each.email)) for each in people]
    # Locked, so that two who add the same person wait for each other; the second then finds the role there.
    known = User.objects.alias(known_as=Lower("email")).filter(known_as__in={each.email for each in people})
    known = known.order_by("id").select_for_update(no_key=True)
    held = {user.email.lower() for user in known}
    made: dict[str, User] = {}
    for each in people:
        if each.email not in held and each.email not in made:
            made[each.email] = User(email=each.email, name=each.name, joined_at=at)
            made[each.email].set_unusable_password()
    if made:
        User.objects.bulk_create(made.values(), ignore_conflicts=True)
    users: dict[str, User] = {user.email.lower(): user for user in known.all()}
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=email, verified=True, primary=True)
        for email, user in made.items()
        if users[email].id == user.id  # else somebody else has just made the account
    )
    _open_again([user for user in users.values() if not user.is_active], by=by, at=at)
    invitation: dict[str, Any] = {"invited_at": at} if is_invited else {}
    wanted = {
        (users[each.email].id, str(each.role), each.school_id, each.pupil_id): Membership(
            user=users[each.email],
            role=each.role,
            school_id=each.school_id,
            pupil_id=each.pupil_id,
            from_on=day_of(at),
            invited_as=each.name if is_invited else "",
            **invitation,
        )
        for each in people
    }
    open_ones = Membership.objects.filter(user__in=users.values(), to_on=None)
    there = set(open_ones.values_list("user_id", "role", "school_id", "pupil_id"))
    new = [membership for role, membership in wanted.items() if role not in there]
    Membership.objects.bulk_create(new)
    _record_roles("invited a person" if is_invited else "added a person", new, by=by, at=at)
    return [users[each.email] for each in people]


@transaction.atomic
def change_role(*, membership: Membership, role: Role, by: audit.Actor, at: datetime) -> Membership:
    """Give a person another role at the same place from today, and end the one they have. Gives the one they have now.

    Raises LastOne, NoLongerAllowed and WrongPlace.
    """
    _check_place(role, school_id=membership.school_id, pupil_id=membership.pupil_id)
    mine = _held(membership, by=by, at=at, still_leads=role in LEADS)
    if mine is None or mine.role == role:
        return mine or membership
    mine.to_on = max(day_of(at), mine.from_on)
    mine.save(update_fields=["to_on"])
    changed: Membership = Membership.objects.create(
        user=mine.user,
        role=role,
        school=mine.school,
        from_on=mine.to_on,
        invited_at=mine.invited_at,
        invited_as=mine.invited_as,
    )
    _record_roles("changed a role", [mine], by=by, at=at)
    return changed


@transaction.atomic
def end_membership(*, membership: Membership, by: audit.Actor, at: datetime) -> None:
    """Take a role from a person at once. The account stays, so that what they did keeps its name.

    Whoever has no role left is signed out everywhere, and their calendar's address stops. Ending it twice changes
    nothing. Raises NoLongerAllowed, and LastOne: a school keeps a lead and the authority an administrator.
    """
    mine = _held(membership, by=by, at=at)
    if mine is None:
        return
    mine.to_on = max(day_of(at), mine.from_on)
    mine.save(update_fields=["to_on"])
    _record_roles("ended a role", [mine], by=by, at=at)
    if not mine.user.memberships.current(on=mine.to_on).exists():
        stop_key(user=mine.user, by=by, at=at)
        end_sessions(user=mine.user, by=by, at=at)


@transaction.atomic
def end_awaited(ids: Collection[UUID], *, by: audit.Actor, at: datetime) -> list[Membership]:
    """End at once those of these roles that nobody has taken up. Gives those that stay.

    Those stay that somebody has taken up, and where somebody led before them the last who leads there now: nobody
    takes the last lead from a school. Ending them twice changes nothing.
    """
    held = Membership.objects.filter(id__in=ids, to_on=None).select_related("user", "school").order_by("id")
    open_ones = list(held.select_for_update(of=("self",)))
    awaited = [each for each in open_ones if each.is_awaited]
    stay = _last_leads(awaited)
    gone = [each for each in awaited if each not in stay]
    on = day_of(at)
    Membership.objects.filter(id__in=[each.id for each in gone]).update(to_on=Greatest("from_on", Value(on)))
    _record_roles("ended a role", gone, by=by, at=at)
    without_a_role = User.objects.filter(id__in={each.user_id for each in gone}, sessions__isnull=False)
    for user in without_a_role.exclude(memberships__in=Membership.objects.current(on=on)).distinct():
        end_sessions(user=user, by=by, at=at)
    return [each for each in open_ones if each not in gone]


def _last_leads(roles: Sequence[Membership]) -> list[Membership]:
    """Of these roles those without which a school that somebody has led would have no lead: one of each such school."""
    ids = {each.id for each in roles}
    schools = {each.school_id for each in roles if each.role in LEADS and each.school_id}
    others = Membership.objects.filter(role__in=LEADS, school__in=schools).exclude(id__in=ids).select_related("user")
    held = list(others.order_by("id").select_for_update(of=("self",)))
    has_lead = {each.school_id for each in held if each.to_on is None and each.user.is_active}
    had_one = {each.school_id for each in held if not each.is_awaited} - has_lead
    first = {each.school_id: each for each in reversed(roles) if each.role in LEADS}
    return [each for school_id, each in first.items() if school_id in had_one]


@transaction.atomic
def take_back_leads(
    leads: Sequence[tuple[UUID, UUID]], *, since: datetime, by: audit.Actor, at: datetime
) -> set[tuple[UUID, UUID]]:
    """Undo `add_people` done at the moment `since` for school leads, by user's and school's id, who have not signed in
    from then on.

    An account that it made goes too when no other role is left. Gives those who are leads still.
    """
    held = Membership.objects.filter(role=Role.SCHOOL_LEAD, to_on=None, user_id__in={user for user, _ in leads})
    there = {(each.user_id, each.school_id): each for each in held.select_related("user")}
    asked = {key: there[key] for key in leads if key in there}
    stay = {key for key, each in asked.items() if each.user.last_login and each.user.last_login >= since}
    gone = [each for key, each in asked.items() if key not in stay]
    Membership.objects.filter(id__in=[each.id for each in gone]).delete()
    made = User.objects.filter(id__in={each.user_id for each in gone}, joined_at__gte=since, memberships=None)
    made.delete()
    _record_roles("took back a person", gone, by=by, at=at)
    return stay


@transaction.atomic
def close_account(*, user: User, by: audit.Actor, at: datetime) -> None:
    """End everything that a person may do, and let them in no more, by whatever way. What they did keeps their name.

    Whoever is given a role again begins anew, with a code by e-mail. Closing it twice changes nothing.

    Raises LastOne: a school keeps a lead and the authority an administrator.
    """
    if not User.objects.select_for_update().filter(id=user.id, is_active=True).exists():
        return
    for membership in user.memberships.filter(to_on=None):
        end_membership(membership=membership, by=by, at=at)
    user.is_active = False
    user.set_unusable_password()
    user.save(update_fields=["is_active", "password"])
    Authenticator.objects.filter(user_id=user.id).delete()
    SocialAccount.objects.filter(user_id=user.id).delete()
    stop_key(user=user, by=by, at=at)
    end_sessions(user=user, by=by, at=at)
    audit.record("closed an account", by=by, at=at, subject_kind="user", subject_id=user.id, fields=["is_active"])


@transaction.atomic
def end_sessions(*, user: User, by: audit.Actor, at: datetime, but: UUID | None = None) -> int:
    """Sign a person out everywhere at once, but in the session `but`. Gives the number of sessions."""
    others = user.sessions.exclude(id=but)  # type: ignore[misc]
    return _end(others, user_id=user.id, by=by, at=at)


@transaction.atomic
def end_session(*, session: Session, by: audit.Actor, at: datetime) -> None:
    """Sign a person out of one session. What its browser asks for next is asked for by nobody."""
    _end(Session.objects.filter(id=session.id), user_id=session.user_id, by=by, at=at)


@transaction.atomic
def end_all_sessions(*, by: audit.Actor, at: datetime, but: UUID | None = None) -> int:
    """Sign everybody of the authority out everywhere at once, but in the session `but`. Gives how many people it were.

    Who has a link to one child's plan and is in it, and who has begun to sign in, begins anew too.
    """
    others = Session.objects.exclude(id=but) if but else Session.objects.all()
    people = others.open(at=at).exclude(user=None).values("user").distinct().count()
    others.delete()
    audit.record("signed everybody out", by=by, at=at, subject_kind="session")
    return int(people)


def _end(sessions: Any, *, user_id: UUID | None, by: audit.Actor, at: datetime) -> int:
    """Those that are open. They go at once, so that nothing is kept for somebody who may be gone."""
    was_open = sessions.filter(expire_date__gt=at).count()
    sessions.all().delete()
    if was_open:
        audit.record("ended sessions", by=by, at=at, subject_kind="user", subject_id=user_id)
    return int(was_open)


@transaction.atomic
def keep_draft(*, user_id: UUID, path: str, typed: Mapping[str, Sequence[str]], at: datetime) -> bool:
    """Keep what was typed into the page at `path`, instead of what was kept there before, for 24 hours.

    Secrets are left out. False when nothing is left that somebody typed. Raises VaultClosed. Not recorded: it is
    seen by the person alone, and changes nothing.
    """
    kept = {name: list(values) for name, values in typed.items() if not NEVER_KEPT.search(name)}
    if not any(value.strip() for values in kept.values() for value in values):
        return False
    Draft.objects.update_or_create(user_id=user_id, path=path, defaults={"typed": kept, "kept_at": at})
    return True


@transaction.atomic
def forget_draft(*, user: User, path: str) -> None:
    """Forget what was kept for the person at `path`: they have sent it again, or thrown it away."""
    user.drafts.filter(path=path).delete()


@transaction.atomic
def forget_what_ended(*, at: datetime) -> int:
    """Delete sessions a day after they ended, and drafts and counts of tries that no longer mean anything.

    Gives their number.

    Not recorded: nothing that anybody did or could see is changed by it.
    """
    sessions, _ = Session.objects.filter(expire_date__lt=at - A_DAY).delete()
    drafts, _ = Draft.objects.exclude(kept_at__gt=at - KEPT_FOR).delete()
    counts, _ = CacheEntry.objects.filter(expires__lt=at).delete()
    return sessions + drafts + counts


def _open_again(users: Sequence[User], *, by: audit.Actor, at: datetime) -> None:
    for user in users:
        user.is_active = True
    User.objects.bulk_update(users, ["is_active"])
    about = [audit.Subject(user.id, None, ["is_active"]) for user in users]
    audit.record_each("opened an account again", about, by=by, at=at, subject_kind="user")


def _check_place(role: Role, *, school_id: UUID | None, pupil_id: UUID | None) -> None:
    """Raises WrongPlace."""
    if role.is_at_authority != (school_id is None):
        place = "the authority: give no school" if role.is_at_authority else "a school: say which"
        raise WrongPlace(f"{role.label} is a role at {place}.")
    if role.is_about_one_child != (pupil_id is not None):
        raise WrongPlace(f"{role.label} is a role about {'one child: say which' if not pupil_id else 'no child'}.")


def _held(membership: Membership, *, by: audit.Actor, at: datetime, still_leads: bool = False) -> Membership | None:
    """The membership, locked, while it is open; with it all who lead at its place or at the authority.

    Two people who end each other's roles come one after the other, and the second has no right to it any more.
    Raises NoLongerAllowed; and LastOne when nobody else leads there and the person will not do so either.
    """
    on = day_of(at)
    open_ones = Membership.objects.filter(to_on=None).select_related("user", "school")
    there = Q(role__in=LEADS, school=None) | Q(role__in=LEADS, school_id=membership.school_id) | Q(id=membership.id)
    found = {each.id: each for each in open_ones.filter(there).order_by("id").select_for_update(of=("self",))}
    mine: Membership | None = found.get(membership.id)
    if mine is None:
        return None
    leads = [each for each in found.values() if each.role in LEADS and each.user.is_active and each.from_on <= on]
    if by.actor_id and all(each.user_id != by.actor_id for each in leads):
        raise NoLongerAllowed("Your own role has ended, so nothing was changed.")
    others = [each for each in leads if each.id != mine.id and each.school_id == mine.school_id]
    if mine.role in LEADS and not others and not still_leads:
        where = f"at {mine.school}" if mine.school else "at the authority"
        raise LastOne(f"Add another {Role(mine.role).label.lower()} {where} before you remove {mine.called}.")
    return mine


def _record_roles(verb: str, memberships: Iterable[Membership], *, by: audit.Actor, at: datetime) -> None:
    about = [audit.Subject(each.user_id, each.school_id, ["role"]) for each in memberships]
    audit.record_each(verb, about, by=by, at=at, subject_kind="user")
