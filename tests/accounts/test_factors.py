"""The rule of two factors: which records of a session are enough, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest

from handrail.accounts.factors import BY_BOTH, has_two_factors, is_stepped_up, stepped_up_at

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def record(method, minutes_ago=0, **more):
    return {"method": method, "at": (NOON - timedelta(minutes=minutes_ago)).timestamp(), **more}


CODE, PASSWORD, RESET = record("code"), record("password"), record("password_reset")
APP = record("mfa", type="totp", id=1)
RECOVERY_CODE = record("mfa", type="recovery_codes", id=2)
PASSKEY = record("mfa", type="webauthn", id=3)
SERVICE = record("socialaccount", provider="entra", uid="x")
SERVICE_WITH_BOTH = record("socialaccount", provider="entra", uid="x", **BY_BOTH)


@pytest.mark.parametrize(
    ("records", "enough"),
    [
        ([], False),
        ([CODE], False),
        ([PASSWORD], False),
        ([CODE, PASSWORD], False),
        ([RESET, PASSWORD, CODE], False),
        ([SERVICE], False),
        ([SERVICE, CODE], False),
        ([APP], False),
        ([APP, RECOVERY_CODE], False),
        ([CODE, APP], True),
        ([APP, CODE], True),
        ([PASSWORD, RECOVERY_CODE], True),
        ([SERVICE, APP], True),
        ([PASSKEY], True),
        ([CODE, PASSKEY], True),
        ([SERVICE_WITH_BOTH], True),
        ([record("socialaccount", both_factors="true")], False),
        ([record("something new")], False),
    ],
)
def test_which_records_are_two_factors(records, enough):
    assert has_two_factors(records) == enough


@pytest.mark.parametrize(
    ("records", "at"),
    [
        ([], None),
        ([CODE, PASSWORD], None),
        ([SERVICE], None),
        ([CODE, APP], NOON),
        ([record("mfa", 3, type="totp"), record("code", 1)], NOON - timedelta(minutes=3)),
        ([record("mfa", 3, type="webauthn"), record("mfa", 40, type="totp")], NOON - timedelta(minutes=3)),
        ([record("socialaccount", 7, **BY_BOTH)], NOON - timedelta(minutes=7)),
    ],
)
def test_when_a_second_factor_was_last_shown(records, at):
    assert stepped_up_at(records) == at


@pytest.mark.parametrize(("minutes", "seconds", "is_fresh"), [(0, 0, True), (15, 0, True), (15, 1, False)])
def test_it_lasts_fifteen_minutes(minutes, seconds, is_fresh):
    later = NOON + timedelta(minutes=minutes, seconds=seconds)
    assert is_stepped_up([CODE, APP], at=later) == is_fresh


def test_nothing_shown_is_never_fresh():
    assert not is_stepped_up([CODE], at=NOON)
