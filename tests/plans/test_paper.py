"""Emergency plans on paper: what stands on the page, how many pages it takes, and the record of the print."""

from dataclasses import replace
from datetime import date
from io import BytesIO

import pypdf
import pytest
from django.test import Client
from factories import PupilFactory, emergency, person, sign_in

from handrail.accounts.roles import Role
from handrail.care.actions import add_kit, record_training
from handrail.core.models import ReadEntry
from handrail.core.pdf import SAID
from handrail.plans.emergency import Medicine
from handrail.plans.models import HealthcarePlan
from handrail.plans.versions import write_emergency, write_section
from tenants.context import inside

pytestmark = pytest.mark.django_db
LONG = "Give the second dose after five minutes if there is no change, and write the time on the child’s hand".ljust(
    120, "."
)


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def browse(one):
    def browser_of(user):
        browser = Client(HTTP_HOST=one.host)
        with inside(one):
            sign_in(browser, user)
        return browser

    return browser_of


@pytest.fixture
def poppy(one, cast):
    with inside(one):
        return PupilFactory(school=cast.oak, name="Poppy Canarywright", known_as="Pip", class_name="Kestrels")


def write(one, cast, at, child, says):
    with inside(one):
        write_emergency(pupil=child, says=says, based_on=0, by=cast.head, at=at)


def words(answer):
    """The words of each page."""
    assert answer.headers["Content-Type"] == "application/pdf"
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(BytesIO(answer.content)).pages]


class TestOnePage:
    def test_is_made_of_letters_that_the_typeface_lacks(self, one, cast, at, browse):
        with inside(one):
            child = PupilFactory(school=cast.oak, name="বাংলা Canarywright")
        write(one, cast, at, child, emergency(steps=["\uf0b7 Call 999"]))
        page = words(browse(cast.head).get(f"/children/{child.id}/emergency/print/"))
        assert "□□□□□ Canarywright" in page[0]
        assert "• Call 999" in page[0]
        assert SAID in page[0]

    def test_says_everything_with_seven_steps_of_120_characters(self, one, cast, at, browse, poppy):
        write(one, cast, at, poppy, replace(emergency(), steps=(LONG,) * 7))
        answer = browse(cast.head).get(f"/children/{poppy.id}/emergency/print/")
        [page] = words(answer)
        assert page.count("Give the second dose") == 7
        for said in (
            "Pip (Poppy Canarywright)",
            "Kestrels",
            "Oak School",
            "What to do now",
            "Call 999 if",
            "Version 1",
        ):
            assert said in page
        assert "by Hana Head: check for a newer version." in page
        assert "Poppy" not in answer.headers["Content-Disposition"]
        with inside(one):
            read = ReadEntry.objects.latest("written_at")
            assert (read.group, read.verb, read.child_ids) == ("emergency", "print", [poppy.id])

    def test_can_be_read_by_assistive_technology(self, one, cast, at, browse, poppy):
        write(one, cast, at, poppy, emergency())
        answer = browse(cast.head).get(f"/children/{poppy.id}/emergency/print/")
        catalogue = pypdf.PdfReader(BytesIO(answer.content)).trailer["/Root"]
        assert catalogue["/MarkInfo"]["/Marked"]
        assert catalogue["/Lang"] == "en-GB"

    def test_is_set_in_the_typeface_that_we_ship(self, one, cast, at, browse, poppy):
        write(one, cast, at, poppy, emergency())
        answer = browse(cast.head).get(f"/children/{poppy.id}/emergency/print/")
        [page] = pypdf.PdfReader(BytesIO(answer.content)).pages
        fonts = {font.get_object()["/BaseFont"].split("+")[1] for font in page["/Resources"]["/Font"].values()}
        assert fonts == {"DejaVuSansCondensed", "DejaVuSansCondensed-Bold"}

    def test_says_first_what_is_out_of_date(self, one, cast, at, browse, poppy):
        pen = Medicine("Pen", "0.3 mg", "Office", date(2026, 11, 22))
        write(one, cast, at, poppy, replace(emergency(), medicines=(pen,)))
        [page] = words(browse(cast.head).get(f"/children/{poppy.id}/emergency/print/"))
        assert "OUT OF DATE; Pen; dose 0.3 mg; kept: Office; expires 22 November 2026" in page

    def test_takes_what_people_typed_as_words(self, one, cast, at, browse, poppy):
        typed = "#panic(1) $x$ *bold* _x_ @ref <a> \\ #let x = 1 // end"
        write(one, cast, at, poppy, replace(emergency(), steps=(typed,)))
        [page] = words(browse(cast.head).get(f"/children/{poppy.id}/emergency/print/"))
        assert "#panic(1) $x$ *bold* _x_ @ref <a>" in page

    def test_is_not_there_before_anything_is_written(self, cast, browse, poppy):
        assert browse(cast.head).get(f"/children/{poppy.id}/emergency/print/").status_code == 404

    def test_is_not_there_for_another_school(self, one, cast, at, browse, poppy):
        write(one, cast, at, poppy, emergency())
        assert browse(cast.neighbour).get(f"/children/{poppy.id}/emergency/print/").status_code == 404


class TestManyPages:
    @pytest.fixture
    def children(self, one, cast, at, poppy):
        with inside(one):
            others = [PupilFactory(school=cast.oak, name=f"Child {n}", class_name="Wrens") for n in (2, 1)]
            elsewhere = PupilFactory(school=cast.elm, name="Otto Other")
        for child in (poppy, *others, elsewhere):
            write(one, cast, at, child, emergency())
        return others, elsewhere

    def test_has_a_page_for_each_child_chosen_by_class_and_name(self, one, cast, browse, poppy, children):
        others, elsewhere = children
        address = f"/schools/{cast.oak.urn}/plans/print/"
        pages = words(browse(cast.head).post(address, {"child": [child.id for child in (*others, elsewhere)]}))
        assert [page[:7] for page in pages] == ["Child 1", "Child 2"]
        with inside(one):
            read = ReadEntry.objects.latest("written_at")
            assert (read.verb, set(read.child_ids)) == ("print", {child.id for child in others})

    def test_has_everybody_when_asked(self, cast, browse, children):
        pages = words(browse(cast.head).post(f"/schools/{cast.oak.urn}/plans/print/", {"everybody": "yes"}))
        assert len(pages) == 3

    def test_asks_whose_when_nobody_is_chosen(self, cast, browse, children):
        page = browse(cast.head).post(f"/schools/{cast.oak.urn}/plans/print/", {"child": "x"})
        assert "Select the children whose pages you need" in page.text

    def test_is_for_people_who_see_plans(self, one, cast, browse, children):
        with inside(one):
            office = person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
        assert browse(office).post(f"/schools/{cast.oak.urn}/plans/print/", {"everybody": "1"}).status_code == 403
        assert browse(cast.neighbour).get(f"/schools/{cast.oak.urn}/plans/print/").status_code == 404


class TestAList:
    def test_of_a_class_says_what_is_needed_first_and_who_is_trained(self, one, cast, at, on, browse, poppy):
        steps = ("Stay calm.", "Give the pen.", "Call 999.", "Ring home.")
        write(one, cast, at, poppy, replace(emergency("Nut allergy"), steps=steps))
        with inside(one):
            other = PupilFactory(school=cast.oak, name="Otto Other", class_name="Wrens")
            trained = {"school": cast.oak, "trained_on": on, "trainer": "Nurse Nell", "confirmed_by": "Nurse Nell"}
            who = {"by": cast.head, "at": at}
            record_training(person="Ann Able", procedure="adrenaline", pupil=poppy, is_cover=True, **trained, **who)
            record_training(person="Fay First", procedure="first_aid", **trained, **who)
            record_training(person="Una Unproven", procedure="first_aid", **trained | {"confirmed_by": ""}, **who)
            add_kit(school=cast.oak, kind="adrenaline", place="Dining hall", expires_on=on, **who)
        write(one, cast, at, other, emergency())
        [page] = words(
            browse(cast.head).post(f"/schools/{cast.oak.urn}/plans/print/", {"class": "Kestrels", "list": "class"})
        )
        for said in (
            *("Class list", "Pip", "Kestrels", "Nut allergy", "Stay calm. Give the pen. Then 2 more steps: see the"),
            *("Ann Able (stands in)", "Pat Parent", "Dining hall", "Fay First First aid"),
        ):
            assert said in page
        assert "Otto" not in page
        assert "Una" not in page
        with inside(one):
            read = ReadEntry.objects.latest("written_at")
            assert (read.verb, read.child_ids) == ("print", [poppy.id])

    def test_asks_whose_when_nobody_is_chosen(self, one, cast, at, browse, poppy):
        write(one, cast, at, poppy, emergency())
        page = browse(cast.head).post(f"/schools/{cast.oak.urn}/plans/print/", {"class": "Nowhere", "list": "class"})
        assert "Select the children whose pages you need" in page.text

    @pytest.fixture
    def wanted(self, one, cast, at, poppy, browse):
        """Prints a list, of Poppy and one other child, of which the form says more."""
        pen = Medicine("Pen", "0.3 mg", "Red bag", date(2026, 11, 22))
        first = {"signs": ("Swollen lips.",), "steps": ("Lie down.", "Give the pen.", "Call 999."), "medicines": (pen,)}
        write(one, cast, at, poppy, replace(emergency("Nut allergy"), **first))
        with inside(one):
            other = PupilFactory(school=cast.oak, name="Otto Other", class_name="Wrens")
            trips = {"trips": "Ms Reed carries the red bag."}
            write_section(pupil=poppy, section="trips", answers=trips, based_on=1, by=cast.head, at=at)
        write(one, cast, at, other, emergency("Asthma"))

        def printed(**said):
            answer = browse(cast.head).post(f"/schools/{cast.oak.urn}/plans/print/", said)
            with inside(one):
                return words(answer), ReadEntry.objects.latest("written_at"), {poppy.id, other.id}

        return printed

    def test_for_first_aiders_has_everybody_with_signs_and_where_the_medicine_is(self, wanted):
        [page], read, everybody = wanted(list="first_aid")
        for said in (
            "First-aid list",
            "Pip Kestrels",
            "Otto Other Wrens",
            "Swollen lips.",
            "kept: Red bag",
            "1 more step",
        ):
            assert said in page, said
        assert "OUT OF DATE; Pen" in page
        assert "Ms Reed" not in page
        assert (read.verb, read.group, set(read.child_ids)) == ("print", "emergency", everybody)

    def test_for_a_trip_has_what_to_take_and_whom_to_ring(self, wanted, poppy):
        [page], read, _ = wanted(list="trip", child=poppy.id)
        for said in ("Trip list", "☐ OUT OF DATE; Pen", "Ms Reed carries the red bag.", "Pat Parent"):
            assert said in page, said
        assert "Otto" not in page
        assert read.child_ids == [poppy.id]

    @pytest.mark.parametrize("stage", ["closed", "transferred", "suspended", "not_needed"])
    def test_leaves_out_a_plan_that_rests(self, one, wanted, poppy, stage):
        with inside(one):
            HealthcarePlan.objects.filter(pupil=poppy).update(stage=stage, due_on=None)
        [page], read, everybody = wanted(list="first_aid")
        assert "Pip" not in page
        assert set(read.child_ids) == everybody - {poppy.id}

    def test_says_what_nobody_has_agreed_to_yet(self, one, wanted, on):
        assert wanted(list="first_aid")[0][0].count("Not agreed yet") == 2
        with inside(one):
            HealthcarePlan.objects.update(stage="active", due_on=on)
        assert "Not agreed yet" not in wanted(list="first_aid")[0][0]

    def test_of_many_children_repeats_its_headings_on_each_page(self, one, cast, at, on, browse, wanted):
        with inside(one):
            for number in range(12):
                child = PupilFactory(school=cast.oak, name=f"Child {number}", class_name="Wrens")
                says = replace(emergency(f"Condition {number}"), steps=(LONG,) * 7, signs=(LONG,) * 3)
                write_emergency(pupil=child, says=says, based_on=0, by=cast.head, at=at)
        pages, *_ = wanted(list="first_aid")
        assert len(pages) > 1
        assert all("Medicine, and where it is" in page for page in pages)

    def test_is_refused_to_whom_plans_are_not_shown(self, one, cast, browse, wanted):
        with inside(one):
            office = person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
        address = f"/schools/{cast.oak.urn}/plans/print/"
        assert browse(office).post(address, {"list": "first_aid"}).status_code == 403
        assert browse(cast.neighbour).post(address, {"list": "first_aid"}).status_code == 404
