"""A page of a return that was open when guidance changed, or when somebody else answered: nobody's word is put under
what they did not see, nobody's is undone by who did not mean to, and what was typed is lost by neither.
"""

from dataclasses import replace

import pytest
from reading import hidden_of, text_of

from handrail.guidance import published
from handrail.guidance.published import framework
from handrail.returns.actions import Wanted
from handrail.returns.models import Draft
from handrail.returns.standing import sections_of
from tenants.context import inside

pytestmark = pytest.mark.django_db

PLACE = "/schools/900001/return/sections/1/"
CHANGED = "The guidance changed after you opened this page."
OURS = {"verdict": "no", "reason": "Ours"}


@pytest.fixture
def opened(cast, browse, cycle):
    """`opened()` opens the section; what it gives sends it, `opened()({point: {box: what}})`, as Oak School's lead."""

    def opens():
        client = browse(cast.head)
        page = client.get(PLACE)
        shown = hidden_of(page)

        def send(typed=None, *, first=None, place=PLACE, **more):
            boxes = {f"{id}-{box}": said for id, by_box in (typed or {}).items() for box, said in by_box.items()}
            return client.post(place, (shown if first is None else hidden_of(first)) | boxes | more)

        return send

    return opens


@pytest.fixture
def drafts(one):
    def now():
        with inside(one):
            return {each.requirement_id: (each.verdict, each.reason) for each in Draft.objects.all()}

    return now


class TestWhenGuidanceChangesWhileThePageIsOpen:
    def test_an_answer_to_the_words_before_is_asked_again_and_kept_in_its_box(
        self, opened, drafts, ids, new_edition, one, cast, cycle
    ):
        send = opened()
        changed, _, _ = new_edition()
        page = send({changed: OURS, ids[2]: {"verdict": "yes"}})
        assert CHANGED in page.text and "It names who wrote it." in page.text
        assert "Nothing on this page is saved yet" in page.text and ">Ours</textarea>" in page.text
        assert drafts() == {}
        send({changed: OURS, ids[2]: {"verdict": "yes"}}, first=page)
        assert drafts() == {changed: ("no", "Ours"), ids[2]: ("yes", "")}
        with inside(one):
            points = [point for section in sections_of(cycle, cast.oak) for point in section.points]
            assert next(point for point in points if point.requirement.id == changed).answer.reason == "Ours"

    def test_one_that_was_left_open_keeps_nothing_from_being_saved(self, opened, drafts, ids, new_edition):
        send = opened()
        new_edition()
        assert send({ids[2]: {"verdict": "yes"}}).status_code == 302
        assert drafts() == {ids[2]: ("yes", "")}

    def test_what_was_typed_to_a_point_that_went_is_shown_to_be_copied(self, opened, drafts, ids, new_edition):
        send = opened()
        _, removed, _ = new_edition()
        page = send({removed: OURS, ids[2]: {"verdict": "partly", "evidence": "The minutes"}})
        said = text_of(page)
        assert "Some of what you answered is not asked any more." in said and "Reason: Ours" in said
        assert "You said: No" in said and "The minutes" in said
        assert drafts() == {}
        assert send({ids[2]: {"verdict": "partly"}}, first=page).status_code == 302
        assert drafts() == {ids[2]: ("partly", "")}

    @pytest.mark.parametrize("number", [1, 2, 7])
    def test_a_point_that_moved_to_another_part_is_saved_where_it_is_asked_now(
        self, opened, drafts, ids, monkeypatch, number
    ):
        send = opened()
        old = framework("CFA-100A")
        first = replace(old.requirements[0], section="A part that is new")
        found = (*published.editions(), replace(old, edition=2, requirements=(first, *old.requirements[1:])))
        monkeypatch.setattr(published, "editions", lambda: found)
        place = PLACE.replace("/1/", f"/{number}/")
        page = send({ids[0]: {"verdict": "yes", "evidence_url": "no address"}}, place=place)
        assert page.status_code == 200 and "no address" in page.text, "what is wrong is said beside what was typed"
        assert send({ids[0]: OURS, ids[5]: {"verdict": "yes"}}, place=place).status_code == 302
        assert drafts() == {ids[0]: ("no", "Ours"), ids[5]: ("yes", "")}


class TestWhenSomebodyElseAnswersMeanwhile:
    def test_what_was_left_alone_undoes_nothing(self, opened, drafts, answer, cast, ids):
        answer(only=ids[:2])
        send = opened()
        answer({ids[0]: Wanted("no", reason="Theirs")}, only=[], by=cast.colleague)
        done = send({ids[0]: {"verdict": "yes"}, ids[1]: {"verdict": "partly"}})
        assert done.status_code == 302
        assert drafts() == {ids[0]: ("no", "Theirs"), ids[1]: ("partly", "")}

    def test_what_both_changed_is_asked_again_beside_theirs(self, opened, drafts, answer, cast, ids):
        send = opened()
        answer({ids[0]: Wanted("yes", evidence="Their minutes")}, only=[], by=cast.colleague)
        page = send({ids[0]: OURS})
        said = text_of(page)
        assert f"{cast.colleague.actor_name} answered this after you opened this page." in said
        assert "What shows it: Their minutes" in said and ">Ours</textarea>" in page.text
        assert drafts() == {ids[0]: ("yes", "")}
        assert send({ids[0]: OURS}, first=page).status_code == 302
        assert drafts() == {ids[0]: ("no", "Ours")}

    def test_the_same_answer_twice_is_one(self, opened, drafts, answer, cast, ids):
        send = opened()
        answer({ids[0]: Wanted("no", reason="Ours")}, only=[], by=cast.colleague)
        assert send({ids[0]: OURS}).status_code == 302
        assert drafts() == {ids[0]: ("no", "Ours")}

    def test_what_is_wrong_elsewhere_on_the_page_makes_nobody_forget_it(self, opened, drafts, answer, cast, ids):
        send = opened()
        answer({ids[0]: Wanted("yes")}, only=[], by=cast.colleague)
        page = send({ids[0]: OURS, ids[1]: {"verdict": "yes", "evidence_url": "no address"}})
        page = send({ids[0]: OURS, ids[1]: {"verdict": "yes"}}, first=page)
        assert "answered this after you opened this page." in page.text
        assert drafts() == {ids[0]: ("yes", "")}


class TestWhatAPageSends:
    @pytest.mark.parametrize("seen", [None, "", "x", "-", "\0", "x" * 10_000, "0123456789abcdef-x"])
    def test_without_what_it_showed_is_refused_in_words_and_kept_in_its_box(
        self, cast, browse, cycle, drafts, ids, seen
    ):
        boxes = {f"{ids[0]}-{box}": said for box, said in OURS.items()}
        boxes |= {} if seen is None else {f"{ids[0]}-shown": seen}
        page = browse(cast.head).post(PLACE, boxes)
        assert page.status_code == 200 and "Nothing on this page is saved yet" in page.text
        assert ">Ours</textarea>" in page.text and drafts() == {}

    def test_about_a_point_that_nobody_asked_is_shown_and_not_kept(self, cast, browse, cycle, drafts):
        page = browse(cast.head).post(
            PLACE, {"NONE-1-shown": "x", "NONE-1-verdict": "huge", "NONE-1-reason": "<b>Ours"}
        )
        assert "NONE-1: this release of Handrail does not know" in page.text and "Reason: &lt;b&gt;Ours" in page.text
        assert drafts() == {}

    def test_that_changes_nothing_writes_nothing(self, opened, answer, ids, drafts):
        answer({ids[0]: Wanted("no", reason="One\nand two")}, only=[])
        send = opened()
        done = send({ids[0]: {"verdict": "no", "reason": "One\r\nand two"}})
        assert done.status_code == 302
        assert drafts() == {ids[0]: ("no", "One\nand two")}
