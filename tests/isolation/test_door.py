"""The door itself: nobody bound, one at a time, nothing left behind, nothing swallowed."""

from contextlib import suppress
from threading import Thread

import pytest
from django.db import IntegrityError, connection, transaction

from handrail.accounts.models import User
from handrail.core.models import AuthoritySettings
from tenants.context import inside
from tenants.database import bound, execute
from tenants.errors import AlreadyInside, NobodyBound, SwallowedError, WallError, WrongAuthority

pytestmark = pytest.mark.django_db


class TestInside:
    def test_shows_each_authority_its_own_rows(self, one, two):
        with inside(one):
            assert list(User.objects.values_list("email", flat=True)) == ["admin@barsetshire.example"]
        with inside(two):
            assert list(User.objects.values_list("email", flat=True)) == ["admin@borchester.example"]

    def test_takes_the_role_and_gives_it_back(self, one):
        with inside(one):
            assert execute("SELECT current_user")[0][0] == one.schema_name
        assert bound() is None
        assert connection.route("SELECT current_user")[0][0] == "handrail_app"

    def test_refuses_a_query_outside(self, one):
        with pytest.raises(NobodyBound):
            User.objects.count()
        with pytest.raises(NobodyBound), transaction.atomic():
            User.objects.count()

    def test_waits_for_nothing_when_a_half_read_list_is_dropped_in_the_midst_of_a_statement(self, one):
        with inside(one):
            rows = User.objects.iterator(chunk_size=1)
            next(rows)
            dropping = Thread(target=rows.close, daemon=True)
            with connection.connection.lock:  # as while a statement is under way
                dropping.start()
                dropping.join(20)
                assert not dropping.is_alive()
            assert User.objects.count() == 1

    def test_refuses_a_second_door(self, one, two):
        with inside(one), pytest.raises(AlreadyInside), inside(two):
            pass

    def test_refuses_django_tenants_way_in(self, one):
        with pytest.raises(WallError):
            connection.set_schema_to_public()

    @pytest.mark.django_db(transaction=True)
    def test_refuses_to_lose_writes_after_a_swallowed_error(self, one):
        with pytest.raises(SwallowedError), inside(one):
            AuthoritySettings.objects.create()
            with suppress(IntegrityError):
                AuthoritySettings.objects.create()
        with inside(one):
            assert not AuthoritySettings.objects.exists()

    def test_refuses_a_swallowed_error_under_a_savepoint(self, one):
        with inside(one):
            AuthoritySettings.objects.create()
            with pytest.raises(SwallowedError), transaction.atomic():
                try:
                    with transaction.atomic(savepoint=False):
                        AuthoritySettings.objects.create()
                except IntegrityError:
                    pass


class TestTripwires:
    def test_refuses_an_instance_of_another_authority(self, one, two):
        with inside(one):
            user = User.objects.get()
        with inside(two):
            for use in (user.refresh_from_db, user.save, user.delete, lambda: user.memberships.count()):
                with pytest.raises(WrongAuthority):
                    use()

    def test_refuses_a_queryset_of_another_authority(self, one, two):
        with inside(one):
            everybody = User.objects.all()
        with inside(two), pytest.raises(WrongAuthority):
            list(everybody)
