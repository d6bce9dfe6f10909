# ruff: noqa: E501 - one mistake a line
"""The exchange, with two authorities that write to each other and a third that must see nothing.

Each probe runs twice: with the policies, when it gets nothing, and with them switched off, when it must get something;
a probe that passes either way proves nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from databases import as_superuser, clone, connected, drop, handrail, scratch
from django.db import Error

from tenants import exchange
from tenants.context import inside
from tenants.database import execute, execute_count
from tenants.errors import NobodyBound
from tenants.exchange import CannotOpen, Card, Envelope, Refused
from tenants.routing import Authority, authority_by_code

AT = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
EXPIRES = AT + timedelta(days=28)
CANARY = b"Wren Canary has diabetes"
CARD = Card(
    setting="Felpersham Hospital School", urn="900009", is_urgent=True, ring="Ina Moss", telephone="01632 960001"
)
TABLES = ("member", "block", "envelope", "envelopebody")


@dataclass
class Exchange:
    """Three authorities, all joined, and the private keys of each."""

    database: str
    one: Authority
    two: Authority
    three: Authority
    keys: dict[str, bytes]

    def send(self, *, reference: UUID | None = None, content: bytes = CANARY, to: Authority | None = None) -> Envelope:
        to = to or self.two
        with inside(self.one):
            return exchange.deposit(
                recipient=exchange.member(to.code),
                reference=reference or uuid4(),
                kind="handover",
                card=CARD,
                content=content,
                at=AT,
                expires_at=EXPIRES,
            )

    def collected(self) -> Envelope:
        """One that two has collected."""
        sent = self.send()
        with inside(self.two):
            [card] = [each for each in exchange.collect(at=AT) if each.id == sent.id]
        return card

    def open(self, envelope: Envelope, *, by: Authority | None = None, key: str = "two", at: datetime = LATER) -> bytes:
        with inside(by or self.two):
            return exchange.open_envelope(envelope.id, private_key=self.keys[key], at=at)

    def bodies(self) -> int:
        with as_superuser(self.database) as admin:
            [count] = admin.execute("SELECT count(*) FROM exchange.envelopebody").fetchone() or (0,)
        return int(count)


@pytest.fixture(scope="module")
def three_authorities() -> Iterator[str]:
    with scratch("test_exchange") as name:
        made = handrail(
            *("create-authority", "--code", "003", "--name", "Casterbridge", "--host", "casterbridge.localhost"),
            *("--admin", "admin@casterbridge.example"),
            HANDRAIL_DB_NAME=name,
        )
        assert made.returncode == 0, made.stderr
        yield name


@pytest.fixture(scope="module")
def unguarded(three_authorities: str) -> Iterator[str]:
    """The same without policies, trigger and narrow rights, as if somebody had shared plain tables."""
    name = f"{three_authorities}_off"
    clone(three_authorities, name)
    with as_superuser(name) as admin:
        roles = ", ".join(role for (role,) in admin.execute("SELECT role FROM exchange.member").fetchall())
        for table in TABLES:
            admin.execute(f"ALTER TABLE exchange.{table} DISABLE ROW LEVEL SECURITY")
            admin.execute(f"GRANT ALL ON exchange.{table} TO {roles}")
        admin.execute("ALTER TABLE exchange.envelope DISABLE TRIGGER only_legal_moves")
    yield name
    drop(name)


@pytest.fixture
def post(three_authorities: str, django_db_blocker: Any) -> Iterator[Exchange]:
    with django_db_blocker.unblock(), exchange_in(three_authorities) as made:
        yield made


@pytest.fixture
def loose(unguarded: str, django_db_blocker: Any) -> Iterator[Exchange]:
    with django_db_blocker.unblock(), exchange_in(unguarded) as made:
        yield made


@contextmanager
def exchange_in(database: str) -> Iterator[Exchange]:
    """Nothing under way, and all three joined with new keys."""
    with connected(database):
        authorities = [authority_by_code(code) for code in ("001", "002", "003")]
        made = Exchange(database, *authorities, keys={})
        with as_superuser(database) as admin:
            admin.execute("TRUNCATE exchange.envelope, exchange.envelopebody, exchange.block")
        for name, authority in zip(("one", "two", "three"), authorities, strict=True):
            made.keys[name], public = exchange.new_key()
            with inside(authority):
                exchange.join(key_id=uuid4(), public_key=public, at=AT)
        yield made


class TestTheWay:
    def test_of_one_envelope(self, post: Exchange) -> None:
        card = post.collected()
        assert (card.sender, card.recipient, card.card, card.state) == (
            *(post.one.schema_name, post.two.schema_name, CARD, "collected"),
        )
        assert post.open(card) == CANARY
        assert post.bodies() == 0
        with inside(post.two):
            assert exchange.end(card.id, at=LATER)
            theirs = list(exchange.ledger())
        with inside(post.one):
            assert list(exchange.ledger()) == theirs
        assert [(each.state, each.ended_at) for each in theirs] == [("ended", LATER)]

    def test_gives_each_card_once(self, post: Exchange) -> None:
        post.send()
        with inside(post.two):
            assert len(exchange.collect(at=AT)) == 1
            assert exchange.collect(at=AT) == []

    def test_holds_no_word_of_the_content(self, post: Exchange) -> None:
        post.send()
        with as_superuser(post.database) as admin:
            for table in TABLES:
                for (row,) in admin.execute(f"SELECT {table}::text FROM exchange.{table}").fetchall():
                    assert "Wren" not in row and CANARY.hex() not in row

    def test_of_one_within_an_authority(self, post: Exchange) -> None:
        sent = post.send(to=post.one)
        with inside(post.one):
            exchange.collect(at=AT)
        assert post.open(sent, by=post.one, key="one") == CANARY

    def test_of_one_after_a_new_key(self, post: Exchange) -> None:
        card = post.collected()
        with inside(post.two):
            exchange.join(key_id=uuid4(), public_key=exchange.new_key()[1], at=LATER)
        assert post.open(card) == CANARY, "what is under way keeps its key"


class TestIsRefusedInWords:
    def test_when_the_recipient_has_not_joined(self, post: Exchange) -> None:
        with inside(post.two):
            exchange.leave(at=AT)
        with pytest.raises(Refused, match="has not joined the exchange"):
            post.send()
        assert post.bodies() == 0

    def test_when_the_sender_has_not(self, post: Exchange) -> None:
        with inside(post.one):
            exchange.leave(at=AT)
        with pytest.raises(Refused, match="Your authority has not joined"):
            post.send()

    def test_when_the_recipient_blocks_the_sender_until_it_does_no_more(self, post: Exchange) -> None:
        with inside(post.two):
            exchange.block(post.one.schema_name)
            assert exchange.blocked() == {post.one.schema_name}
        with pytest.raises(Refused, match="takes nothing new from your authority"):
            post.send()
        with inside(post.two):
            exchange.unblock(post.one.schema_name)
        assert post.send().state == "deposited"

    def test_when_it_is_too_large(self, post: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(exchange, "LARGEST", 10)
        with pytest.raises(Refused, match="more than 40 MB"):
            post.send()

    def test_when_it_was_opened_before(self, post: Exchange) -> None:
        card = post.collected()
        post.open(card)
        with pytest.raises(Refused, match="already opened"):
            post.open(card)

    def test_when_it_has_not_been_collected(self, post: Exchange) -> None:
        with pytest.raises(Refused, match="not arrived"):
            post.open(post.send())

    def test_when_it_was_taken_back(self, post: Exchange) -> None:
        card = post.collected()
        with inside(post.one):
            assert exchange.recall(card.reference, at=LATER)
            assert not exchange.recall(card.reference, at=LATER)
        assert post.bodies() == 0
        with pytest.raises(Refused, match="taken this back"):
            post.open(card)

    def test_when_its_time_is_over(self, post: Exchange) -> None:
        card = post.collected()
        with pytest.raises(Refused, match="not opened in time"):
            post.open(card, at=EXPIRES)
        with inside(post.one):
            assert exchange.expire(at=EXPIRES - timedelta(seconds=1)) == 0
            assert exchange.expire(at=EXPIRES) == 1
        assert post.bodies() == 0
        with pytest.raises(Refused, match="not opened in time"):
            post.open(card)

    def test_when_it_is_taken_back_too_late(self, post: Exchange) -> None:
        card = post.collected()
        post.open(card)
        with inside(post.one):
            assert not exchange.recall(card.reference, at=LATER)

    def test_when_it_is_not_for_this_authority(self, post: Exchange) -> None:
        card = post.collected()
        for other, key in ((post.one, "one"), (post.three, "three")):
            with pytest.raises(Refused, match="no such envelope"):
                post.open(card, by=other, key=key)

    def test_when_the_key_is_another(self, post: Exchange) -> None:
        card = post.collected()
        with pytest.raises(CannotOpen, match="cannot be opened with your authority's key"):
            post.open(card, key="three")
        assert post.open(card) == CANARY, "a wrong key uses nothing up"

    def test_when_a_byte_was_changed(self, post: Exchange) -> None:
        card = post.collected()
        with as_superuser(post.database) as admin:
            admin.execute(
                "UPDATE exchange.envelopebody SET ciphertext = set_byte(ciphertext, 40, get_byte(ciphertext, 40) # 1)"
            )
        with pytest.raises(CannotOpen, match="not what was sent"):
            post.open(card)
        with as_superuser(post.database) as admin:
            admin.execute(
                "ALTER TABLE exchange.envelope DISABLE TRIGGER only_legal_moves;"
                "UPDATE exchange.envelope SET sha256 = (SELECT encode(sha256(ciphertext), 'hex') FROM exchange.envelopebody);"
                "ALTER TABLE exchange.envelope ENABLE TRIGGER only_legal_moves"
            )
        with pytest.raises(CannotOpen, match="cannot be opened"):
            post.open(card)

    def test_when_a_body_was_moved_to_another_envelope(self, post: Exchange) -> None:
        first, second = post.collected(), post.collected()
        with as_superuser(post.database) as admin:
            admin.execute(
                "ALTER TABLE exchange.envelope DISABLE TRIGGER only_legal_moves;"
                "UPDATE exchange.envelopebody a SET ciphertext = b.ciphertext FROM exchange.envelopebody b WHERE a.envelope_id <> b.envelope_id;"
                "UPDATE exchange.envelope e SET sha256 = encode(sha256(b.ciphertext), 'hex') FROM exchange.envelopebody b WHERE b.envelope_id = e.id;"
                "ALTER TABLE exchange.envelope ENABLE TRIGGER only_legal_moves"
            )
        for card in (first, second):
            with pytest.raises(CannotOpen):
                post.open(card)


class TestSendingTwice:
    def test_the_same_reference_is_one_envelope(self, post: Exchange) -> None:
        reference = uuid4()
        assert post.send(reference=reference) == post.send(reference=reference, content=b"changed")
        assert post.bodies() == 1

    def test_the_same_reference_is_refused_past_the_code_that_knows_it(self, post: Exchange) -> None:
        card = post.send()
        with pytest.raises(Error, match="reference"), inside(post.one):
            execute(
                """INSERT INTO exchange.envelope (recipient, reference, kind, card, key_id, sha256, deposited_at, expires_at)
                   SELECT recipient, reference, kind, card, key_id, sha256, deposited_at, expires_at
                   FROM exchange.envelope WHERE reference = %s""",
                (card.reference,),
            )

    def test_the_same_reference_of_two_senders_is_two(self, post: Exchange) -> None:
        reference = uuid4()
        first = post.send(reference=reference)
        with inside(post.three):
            second = exchange.deposit(
                recipient=exchange.member("002"), reference=reference, kind="handover", card=CARD,
                content=CANARY, at=AT, expires_at=EXPIRES,
            )  # fmt: skip
        assert first.id != second.id


# -- what the policies refuse, without the help of tenants.exchange ------------------------------------------

Probe = Callable[[Exchange, Envelope], Any]
ALL = "SELECT id::text FROM exchange.envelope UNION ALL SELECT envelope_id::text FROM exchange.envelopebody"


def body_before_opening(post: Exchange, card: Envelope) -> Any:
    with inside(post.two):
        return execute("SELECT ciphertext FROM exchange.envelopebody WHERE envelope_id = %s", (card.id,))


def third_party_reads(post: Exchange, card: Envelope) -> Any:
    with inside(post.three):
        return execute(ALL)


def third_party_takes(post: Exchange, card: Envelope) -> Any:
    with inside(post.three):
        return execute("DELETE FROM exchange.envelopebody RETURNING ciphertext")


def sender_forged(post: Exchange, card: Envelope) -> Any:
    with inside(post.three):
        return execute(
            """INSERT INTO exchange.envelope (sender, recipient, reference, kind, card, key_id, sha256, deposited_at, expires_at)
               SELECT %s, role, gen_random_uuid(), 'handover', '{}', key_id, repeat('0', 64), now(), now() + '1 day'::interval
               FROM exchange.member WHERE role = %s RETURNING id""",
            (post.one.schema_name, post.two.schema_name),
        )


def body_slipped_into_anothers(post: Exchange, card: Envelope) -> Any:
    with as_superuser(post.database) as admin:
        admin.execute("DELETE FROM exchange.envelopebody")
    with inside(post.three):
        return execute("INSERT INTO exchange.envelopebody VALUES (%s, 'forged') RETURNING envelope_id", (card.id,))


def sender_opens_its_own(post: Exchange, card: Envelope) -> Any:
    with inside(post.one):
        return execute_count(
            "UPDATE exchange.envelope SET state = 'opened', opened_at = %s WHERE id = %s", (LATER, card.id)
        )


def sender_collects_for_the_recipient(post: Exchange, card: Envelope) -> Any:
    with inside(post.one):
        sent = exchange.deposit(
            recipient=exchange.member("002"),
            reference=uuid4(),
            kind="handover",
            card=CARD,
            content=b"",
            at=AT,
            expires_at=EXPIRES,
        )
        return execute_count(
            "UPDATE exchange.envelope SET state = 'collected', collected_at = %s WHERE id = %s", (AT, sent.id)
        )


def opened_twice(post: Exchange, card: Envelope) -> Any:
    post.open(card)
    with inside(post.two):
        return execute_count(
            "UPDATE exchange.envelope SET state = 'opened', opened_at = %s WHERE id = %s", (LATER, card.id)
        )


def recipient_recalls(post: Exchange, card: Envelope) -> Any:
    with inside(post.two):
        return execute_count(
            "UPDATE exchange.envelope SET state = 'recalled', ended_at = %s WHERE id = %s", (LATER, card.id)
        )


def recalled_when_opened(post: Exchange, card: Envelope) -> Any:
    post.open(card)
    with inside(post.one):
        return execute_count(
            "UPDATE exchange.envelope SET state = 'recalled', ended_at = %s WHERE id = %s", (LATER, card.id)
        )


def opened_after_its_time(post: Exchange, card: Envelope) -> Any:
    with inside(post.two):
        return execute_count(
            "UPDATE exchange.envelope SET state = 'opened', opened_at = %s WHERE id = %s", (EXPIRES, card.id)
        )


def opened_after_it_was_recalled(post: Exchange, card: Envelope) -> Any:
    with inside(post.one):
        exchange.recall(card.reference, at=AT)
    with inside(post.two):
        return execute_count(
            "UPDATE exchange.envelope SET state = 'opened', opened_at = %s WHERE id = %s", (LATER, card.id)
        )


def expired_before_its_time(post: Exchange, card: Envelope) -> Any:
    with inside(post.one):
        return execute_count(
            "UPDATE exchange.envelope SET state = 'expired', ended_at = %s WHERE id = %s", (LATER, card.id)
        )


def moment_rewritten(post: Exchange, card: Envelope) -> Any:
    with inside(post.two):
        return execute_count(
            "UPDATE exchange.envelope SET state = 'opened', opened_at = %s, collected_at = %s WHERE id = %s",
            (LATER, LATER, card.id),
        )


def card_rewritten(post: Exchange, card: Envelope) -> Any:
    with inside(post.two):
        return execute_count("UPDATE exchange.envelope SET card = '{}' WHERE id = %s", (card.id,))


def envelope_deleted(post: Exchange, card: Envelope) -> Any:
    with inside(post.two):
        return execute_count("DELETE FROM exchange.envelope WHERE id = %s", (card.id,))


def body_changed(post: Exchange, card: Envelope) -> Any:
    with inside(post.one):
        return execute_count("UPDATE exchange.envelopebody SET ciphertext = 'x'")


def anothers_key_replaced(post: Exchange, card: Envelope) -> Any:
    with inside(post.three):
        return execute_count(
            "UPDATE exchange.member SET key_id = gen_random_uuid(), public_key = public_key WHERE role = %s",
            (post.two.schema_name,),
        )


def own_name_changed(post: Exchange, card: Envelope) -> Any:
    with inside(post.three):
        return execute_count(
            "UPDATE exchange.member SET name = 'Borchester' WHERE role = %s", (post.three.schema_name,)
        )


def block_lifted_by_the_blocked(post: Exchange, card: Envelope) -> Any:
    with inside(post.two):
        exchange.block(post.three.schema_name)
    with inside(post.three):
        return execute_count("DELETE FROM exchange.block")


def blocks_of_others_read(post: Exchange, card: Envelope) -> Any:
    with inside(post.two):
        exchange.block(post.one.schema_name)
    with inside(post.three):
        return execute("SELECT * FROM exchange.block")


PROBES: list[Probe] = [
    body_before_opening, third_party_reads, third_party_takes, sender_forged, body_slipped_into_anothers,
    sender_opens_its_own, sender_collects_for_the_recipient, opened_twice, recipient_recalls, recalled_when_opened,
    opened_after_its_time, opened_after_it_was_recalled, expired_before_its_time, moment_rewritten, card_rewritten, envelope_deleted, body_changed,
    anothers_key_replaced, own_name_changed, block_lifted_by_the_blocked, blocks_of_others_read,
]  # fmt: skip


class TestThePolicies:
    @pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
    def test_refuse(self, post: Exchange, probe: Probe) -> None:
        card = post.collected()
        try:
            got = probe(post, card)
        except (Error, psycopg.Error):
            return
        assert not got

    @pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
    def test_are_what_refuses(self, loose: Exchange, probe: Probe) -> None:
        assert probe(loose, loose.collected())

    def test_show_nothing_with_nobody_bound(self, post: Exchange) -> None:
        post.send()
        with pytest.raises(NobodyBound):
            execute(ALL)

    def test_show_the_app_login_nothing_by_itself(self, post: Exchange) -> None:
        from django.db import connections

        from handrail.config.env import whole_environment

        place = connections["default"].settings_dict
        with (
            psycopg.connect(
                host=place["HOST"], port=place["PORT"], dbname=post.database, user="handrail_app",
                password=whole_environment()["HANDRAIL_APP_PASSWORD"],
            ) as app,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):  # fmt: skip
            app.execute("SELECT * FROM exchange.envelope")


# -- the cases of the design, by their names there -----------------------------------------------------------

THE_TWELVE: dict[str, tuple[Callable[..., Any], ...]] = {
    "same reference twice": (
        TestSendingTwice.test_the_same_reference_is_one_envelope,
        TestSendingTwice.test_the_same_reference_is_refused_past_the_code_that_knows_it,
    ),
    "card only before opening": (body_before_opening,),
    "third party": (third_party_reads, third_party_takes),
    "forged sender": (sender_forged, body_slipped_into_anothers),
    "sender opening its own": (sender_opens_its_own,),
    "opening twice": (opened_twice, TestIsRefusedInWords.test_when_it_was_opened_before),
    "no role": (
        TestThePolicies.test_show_nothing_with_nobody_bound,
        TestThePolicies.test_show_the_app_login_nothing_by_itself,
    ),
    "update": (card_rewritten, moment_rewritten, body_changed),
    "delete": (envelope_deleted,),
    "wrong key": (TestIsRefusedInWords.test_when_the_key_is_another,),
    "tampered ciphertext": (
        TestIsRefusedInWords.test_when_a_byte_was_changed,
        TestIsRefusedInWords.test_when_a_body_was_moved_to_another_envelope,
    ),
    "expired or recalled": (opened_after_its_time, opened_after_it_was_recalled),
}


def test_each_of_the_twelve_cases_is_tried() -> None:
    assert len(THE_TWELVE) == 12
    for case, tries in THE_TWELVE.items():
        assert all(each in PROBES or each.__name__.startswith("test_") for each in tries), case
