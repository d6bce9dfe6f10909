"""Sealed fields: read and saved with their row, found by nothing, and opened nowhere else."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from core.notes import Note, store, stored
from django.apps.registry import Apps
from django.core.exceptions import FieldError
from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Upper
from django.db.transaction import atomic
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.fields import Sealed, SealedTextField
from handrail.core.models import DataKey
from handrail.core.vault import CannotOpen, VaultClosed
from tenants.context import inside

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("notes_table")]

TEXT = "Poppy has epilepsy: call 999 after five minutes."
ANSWERS = {"triggers": ["light", "tiredness"], "minutes": 5, "is_new": False, "note": None}


@pytest.fixture
def note(here: Any) -> Any:
    return Note.objects.create(title="Poppy", text=TEXT, answers=ANSWERS)


def again(note: Any) -> Any:
    return Note.objects.get(id=note.id)


class TestASealedField:
    def test_gives_back_what_was_saved(self, note):
        found = again(note)
        assert (found.text, found.answers) == (TEXT, ANSWERS)
        assert (note.text, note.answers) == (TEXT, ANSWERS)

    def test_is_unreadable_in_the_database(self, note):
        for column, words in (("text", "epilepsy"), ("answers", "tiredness")):
            assert words.encode() not in stored(note, column)
        assert stored(Note.objects.create(text=TEXT))[29:] != stored(note)[29:]

    def test_seals_the_empty_string_and_leaves_null(self, here):
        note = again(Note.objects.create(text=""))
        assert (note.text, note.answers) == ("", None)
        assert len(stored(note)) == 1 + 16 + 12 + 16
        assert Note.objects.filter(answers__isnull=True).count() == 1
        assert Note.objects.filter(text__isnull=False).count() == 1

    def test_is_sealed_for_its_own_row_when_many_are_saved_at_once(self, note):
        other = Note.objects.create(title="Sam", text="")
        note.text, other.text = "Asthma", "Diabetes"
        assert Note.objects.save_changed([(note, ["text"]), (other, ["text"])]) == 2
        assert (again(note).text, again(other).text) == ("Asthma", "Diabetes")
        assert b"Asthma" not in stored(note)

    def test_saves_named_columns_alone(self, note):
        before = stored(note), stored(note, "answers")
        note.title, note.text, note.answers = "Other", "Other", {}
        note.save(update_fields=["title", "answers"])
        assert stored(note) == before[0]
        assert (again(note).title, again(note).text, again(note).answers) == ("Other", TEXT, {})

    def test_saves_what_nobody_read(self, note):
        found = again(note)
        found.title = "Other"
        found.save()
        assert (again(note).text, again(note).answers) == (TEXT, ANSWERS)

    def test_saves_what_was_changed_inside_it(self, note):
        found = again(note)
        found.answers["minutes"] = 10
        found.save()
        assert again(note).answers["minutes"] == 10

    def test_saves_many_at_once(self, here, django_assert_num_queries):
        Note.objects.create()
        with django_assert_num_queries(1):
            Note.objects.bulk_create(Note(title=str(n), text=f"{TEXT} {n}") for n in range(20))
        assert {each.text for each in Note.objects.exclude(title="")} == {f"{TEXT} {n}" for n in range(20)}

    def test_is_changed_in_many_rows_at_once(self, note):
        other = Note.objects.create(text="Other")
        note.text, other.text, other.answers = "One", "Two", {"n": 2}
        Note.objects.save_changed([(note, ["text"]), (other, ["text", "answers"])])
        assert (again(note).text, again(other).text, again(other).answers) == ("One", "Two", {"n": 2})

    def test_refuses_to_take_the_place_of_another_rows(self, note):
        clash: Any = {"update_conflicts": True, "unique_fields": ["id"]}
        with pytest.raises(FieldError, match="would not open in the one that is there"):
            Note.objects.bulk_create([Note(text="Other")], update_fields=["title", "text"], **clash)
        Note.objects.bulk_create([Note(id=note.id, title="Other", text="x")], update_fields=["title"], **clash)
        assert (again(note).title, again(note).text) == ("Other", TEXT)

    def test_is_made_or_changed_by_what_finds_the_row(self, note):
        _, made = Note.objects.update_or_create(id=note.id, defaults={"text": "Other"})
        assert (again(note).text, made) == ("Other", False)
        assert Note.objects.get_or_create(id=uuid4(), defaults={"text": "New"})[0].text == "New"

    def test_is_read_anew(self, note):
        other = again(note)
        other.text = "Other"
        other.save()
        note.refresh_from_db()
        assert note.text == "Other"
        note.text = "lost"
        note.refresh_from_db(fields=["text"])
        assert note.text == "Other"

    def test_is_read_later(self, note):
        assert Note.objects.defer("text").get().text == TEXT
        assert Note.objects.only("text").get().text == TEXT
        deferred = Note.objects.only("title").get()
        deferred.title = "Other"
        deferred.save()
        assert (again(note).title, again(note).text) == ("Other", TEXT)

    def test_is_opaque_in_a_column(self, note):
        [row] = Note.objects.values("text", "answers")
        [listed] = Note.objects.values_list("text", flat=True)
        annotated = Note.objects.annotate(copy=F("text")).get().copy
        for value in (*row.values(), listed, annotated):
            assert isinstance(value, Sealed)
            assert {repr(value), str(value), f"{value}"} == {"<sealed>"}

    def test_of_an_unread_row_shows_nothing(self, note):
        assert "epilepsy" not in repr(vars(again(note)))
        assert repr(vars(again(note))["text"]) == "<sealed>"

    def test_is_listed_and_saved_beside_while_the_vault_is_closed(self, note, process):
        process()
        found = again(note)
        found.title = "Other"
        found.save(update_fields=["title"])
        assert again(note).title == "Other"
        for use in (lambda: found.text, found.save, Note(text="").save):
            with pytest.raises(VaultClosed), atomic():
                use()

    def test_refuses_to_be_asked_for(self, note):
        notes = Note.objects.all()
        for ask in (
            lambda: notes.filter(text=TEXT),
            lambda: notes.exclude(text__contains="epilepsy"),
            lambda: notes.filter(answers__minutes=5),
            lambda: notes.filter(text=None),
            lambda: list(notes.order_by("text")),
            lambda: list(notes.order_by("-answers")),
            lambda: notes.get(text__in=[TEXT]),
        ):
            with pytest.raises(FieldError, match="is sealed"):
                ask()

    @pytest.mark.parametrize("value", ["Other", b"Other", F("answers"), F("title"), Value("x"), Upper("title")])
    def test_refuses_to_be_set_without_its_row(self, note, value):
        with pytest.raises(FieldError, match="is sealed"), atomic():
            Note.objects.update(text=value)
        assert again(note).text == TEXT

    def test_refuses_a_value_of_another_row(self, note):
        other = Note.objects.create(text="Other")
        [sealed] = Note.objects.filter(id=note.id).values_list("text", flat=True)
        with pytest.raises(FieldError), atomic():
            Note.objects.filter(id=other.id).update(text=sealed)
        with pytest.raises(FieldError), atomic():
            Note.objects.bulk_update([other], ["text"])
        Note.objects.filter(id=note.id).update(answers=None)
        assert again(note).answers is None

    def test_refuses_what_is_not_text_without_repeating_it(self, here):
        with pytest.raises(TypeError, match="takes text, not date"), atomic():
            Note.objects.create(text=date(2026, 11, 23))

    def test_wants_a_row_whose_key_is_a_uuid(self):
        class Numbered(models.Model):
            text = SealedTextField()

            class Meta:
                app_label = "core"
                apps = Apps()

        assert [each.id for each in Numbered._meta.get_field("text").check()] == ["handrail.E001"]
        assert Note._meta.get_field("text").check() == []


class TestWhatWasMovedOrChanged:
    def test_does_not_open_in_another_row(self, note):
        other = Note.objects.create(text="Other")
        store(other, stored(note))
        with pytest.raises(CannotOpen):
            again(other).text  # noqa: B018

    def test_does_not_open_in_another_column(self, note):
        store(note, stored(note), "answers")
        with pytest.raises(CannotOpen):
            again(note).answers  # noqa: B018

    def test_does_not_open_in_another_table(self, note):
        class Letter(Note):
            class Meta:
                app_label = "core"
                apps = Apps()
                proxy = True

        letter = Letter.objects.get()
        assert letter.text == TEXT
        letter = Letter.objects.get()
        letter._meta.db_table = "core_letter"
        with pytest.raises(CannotOpen):
            letter.text  # noqa: B018

    def test_does_not_open_in_another_authority(self, one, two):
        with inside(one):
            note, content = Note.objects.create(text=TEXT), b""
            content, [key] = stored(note), DataKey.objects.all()
        with inside(two):
            carried = Note.objects.create(id=note.id, text="Other")
            store(carried, content)
            with pytest.raises(CannotOpen):
                again(carried).text  # noqa: B018
            DataKey.objects.create(id=key.id, number=7, wrapped=key.wrapped, wrapped_by=key.wrapped_by)
            with pytest.raises(CannotOpen):
                again(carried).text  # noqa: B018

    def test_does_not_open_in_another_authority_that_has_the_same_key(self, one, two, monkeypatch):
        """Were the key itself carried over, what it sealed would still be bound to its authority."""
        from handrail.core import vault

        with inside(one):
            note = Note.objects.create(text=TEXT)
            content = stored(note)
            [(place, key)] = [(place, key) for place, key in vault._unwrapped.items() if place[1] == _key_of(content)]
        monkeypatch.setitem(vault._unwrapped, (two.id, place[1]), key)
        with inside(two):
            carried = Note.objects.create(id=note.id, text="Other")
            store(carried, content)
            with pytest.raises(CannotOpen):
                again(carried).text  # noqa: B018

    def test_does_not_open_when_any_byte_differs_or_is_missing(self, note):
        content = stored(note)
        for at in range(len(content)):
            store(note, content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            with pytest.raises(CannotOpen):
                again(note).text  # noqa: B018
            store(note, content[:at])
            with pytest.raises(CannotOpen):
                again(note).text  # noqa: B018
        store(note, content)
        assert again(note).text == TEXT

    def test_says_so_without_a_word_of_it(self, note):
        store(note, stored(note)[:-1] + b"x")
        with pytest.raises(CannotOpen) as failed:
            again(note).text  # noqa: B018
        assert str(failed.value) == "this was changed, or sealed for another place"


def _key_of(content: bytes) -> Any:
    return UUID(bytes=content[1:17])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


class TestAnything:
    @given(text=st.text(), answers=ANYTHING)
    def test_comes_back_as_it_was(self, here, text, answers):
        found = again(Note.objects.create(text=text, answers=answers))
        assert (found.text, found.answers) == (text, answers)
        assert len(stored(found)) == 45 + len(text.encode())
