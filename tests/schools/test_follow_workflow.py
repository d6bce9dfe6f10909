"""Every authority follows the register by the clock and by command."""

import argparse
import json
from datetime import UTC, date, datetime

import pytest
from celery.exceptions import Reject
from factories import PolicyFactory, SchoolFactory
from kombu.utils.json import dumps, loads

from handrail.core.models import AuditEntry
from handrail.policies.models import Kind, Policy
from handrail.schools.models import School
from tenants.context import inside
from workflows import register
from workflows.commands import follow_register

pytestmark = pytest.mark.django_db


class TestBringUpToDate:
    def test_opens_policies_and_changes_nothing_the_second_time(self, one, cast, at):
        with inside(one):
            done = register.bring_up_to_date(at=at)
            assert (done.policies_opened, done.policies_inherited) == (2 * 3 + 1, 0)
            entries = AuditEntry.objects.count()
            assert register.bring_up_to_date(at=at) == register.Brought()
            assert AuditEntry.objects.count() == entries

    def test_carries_policies_over_a_conversion(self, one, owner_sql, at):
        with inside(one):
            old = SchoolFactory(urn="900011", closed_on=date(2026, 8, 31))
            SchoolFactory(urn="900012")
            PolicyFactory(school=old, last_reviewed_on=date(2026, 3, 1), next_review_on=date(2027, 3, 1))
        owner_sql(
            "INSERT INTO public.tenants_establishmentlink (urn, link_urn, link_type) VALUES (%s, %s, 'Successor')",
            "900011",
            "900012",
        )
        with inside(one):
            assert register.bring_up_to_date(at=at).policies_inherited == 1
            carried = Policy.objects.get(school__urn="900012", kind=Kind.MEDICAL_CONDITIONS)
            assert (carried.last_reviewed_on, carried.is_inherited) == (date(2026, 3, 1), True)
            assert register.bring_up_to_date(at=at).policies_inherited == 0


class TestFollow:
    def test_works_inside_the_authority_it_names(self, one, two, cast, at):
        register.follow_for(authority=str(one.id), at=at)
        with inside(one):
            assert Policy.objects.count() == 7
        with inside(two):
            assert Policy.objects.count() == 0

    def test_is_refused_without_an_authority(self, db, at):
        with pytest.raises(Reject):
            register.follow_for(authority="nobody", at=at)

    def test_rings_once_for_each_authority_with_one_moment(self, one, two, monkeypatch):
        rung = []
        monkeypatch.setattr(register.follow_for, "apply_async", lambda kwargs: rung.append(kwargs))
        assert register.follow() == 2
        assert {ring["authority"] for ring in rung} == {str(one.id), str(two.id)}
        assert len({ring["at"] for ring in rung}) == 1


class TestCommand:
    def test_says_what_changed_in_each_authority(self, one, cast, capsys):
        assert follow_register.run(_options()) == 0
        assert capsys.readouterr().out.splitlines() == [
            "001  Barsetshire: 7 policies opened",
            "002  Borchester: 4 policies opened",
        ]
        assert follow_register.run(_options()) == 0
        assert "001  Barsetshire: nothing changed" in capsys.readouterr().out

    def test_reports_as_json(self, one, cast, capsys):
        follow_register.run(_options(json=True))
        first, _second = json.loads(capsys.readouterr().out)
        assert first["code"] == "001"
        assert first["policies_opened"] == 7
        with inside(one):
            assert School.objects.count() == 2


def _options(**given):
    return argparse.Namespace(**{"json": False, **given})


def test_a_moment_survives_the_doorbell():
    moment = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
    assert loads(dumps({"at": moment}))["at"] == moment
