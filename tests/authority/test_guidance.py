"""What the law and guidance ask, on pages: a draft is off until somebody switches it on, and never looks like law."""

import re
from shutil import copytree

import pytest
from editions import SUPERSEDED, new_edition
from factories import person
from reading import text_of

from handrail.accounts.roles import Role
from handrail.authority.actions import NotADraft, set_preview
from handrail.authority.guidance_words import told
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.guidance import published
from handrail.guidance.frameworks import AUTHORITY
from handrail.guidance.published import editions, framework, frameworks
from handrail.guidance.reading import TEXTS, add_digests
from tenants.context import inside

pytestmark = pytest.mark.django_db

WOULD = "Would be a must"
A_WISH_OF_THE_DRAFT = "The school keeps spare adrenaline devices, in date, for emergencies."


@pytest.fixture
def governor(one, cast):
    with inside(one):
        return person("gus@oak.example", Role.GOVERNOR, school=cast.oak)


class TestTheList:
    def test_shows_every_framework_with_its_status_and_whom_it_asks(self, cast, browse):
        page = browse(cast.head).get("/guidance/").text
        for each in frameworks():
            assert each.title in page
            assert each.certainty.replace("'", "&#39;") in page
        for words in ("Start date to be confirmed", "In force unless replaced", "Draft, not law", "Benchmark, not law"):
            assert words in page
        assert "Academy or free school" in page
        assert "What it would ask is not shown." in page

    def test_is_for_everybody_who_signs_in(self, browse, cast, governor, two):
        assert browse(governor).get("/guidance/").status_code == 200
        assert browse(cast.stranger, authority=two).get("/guidance/").status_code == 200
        assert browse().get("/guidance/")["Location"] == "/sign-in/?next=/guidance/"


class TestAFramework:
    @pytest.mark.parametrize("framework_id", [each.id for each in frameworks() if not each.is_draft])
    def test_shows_every_requirement_with_its_source_and_how_sure_we_are(self, cast, browse, framework_id):
        page = browse(cast.head).get(f"/guidance/{framework_id}/").text
        one = framework(framework_id)
        for each in one.requirements:
            assert f'id="{each.id}"' in page
        assert all(source in page for source in one.sources)
        assert ("Studio schools" in page) == any({*each.applies_to} != {AUTHORITY} for each in one.requirements)
        assert "It is not law." not in page
        assert WOULD not in page

    def test_that_is_enacted_never_says_must_without_its_start(self, cast, browse):
        page = browse(cast.head).get("/guidance/CFA-100A/").text
        assert "Start date to be confirmed" in page
        assert page.count("Must, once it starts.") == 9
        assert not re.search(r">(Must|Should)\.", page)

    def test_that_is_not_there_is_not_found(self, cast, browse):
        for place in ("/guidance/NONE/", "/guidance/NONE/changes/"):
            assert browse(cast.officer).get(place).status_code == 404
        assert browse(cast.officer).post("/guidance/NONE/preview/", {"preview": "on"}).status_code == 404


class TestADraft:
    def test_is_off_and_says_that_it_is_no_law(self, cast, browse):
        client = browse(cast.head)
        page = client.get("/guidance/MCAS-2026/").text
        assert "This is a draft. It is not law." in page
        assert "Nobody has to do what it says" in page
        assert A_WISH_OF_THE_DRAFT not in page
        assert "Switch on a preview" not in page
        assert client.get("/guidance/MCAS-2026/changes/")["Location"] == "/guidance/MCAS-2026/"

    def test_is_shown_when_an_officer_switches_it_on_and_never_looks_like_law(self, one, cast, browse):
        officer = browse(cast.officer)
        assert "Switch on a preview" in officer.get("/guidance/MCAS-2026/").text
        answer = officer.post("/guidance/MCAS-2026/preview/", {"preview": "on"}, follow=True).text
        assert "People can now look at this draft." in answer and "Stop the preview" in answer
        page = browse(cast.head).get("/guidance/MCAS-2026/").text
        assert A_WISH_OF_THE_DRAFT in page
        assert "This is a draft. It is not law." in page
        assert not re.search(r">(Must|Should)\.", page)
        musts = [each for each in framework("MCAS-2026").requirements if each.strength == "must"]
        assert page.count(WOULD) == len(musts)
        changes = browse(cast.head).get("/guidance/MCAS-2026/changes/").text
        assert "This is a draft. It is not law." in changes
        assert "Would be added: 24 requirements" in changes
        assert "Not in what we know of the draft: 109 requirements" in changes and "may well stay" in changes
        assert "may be in both lists" in changes and "would stay the same" not in changes
        with inside(one):
            entry = AuditEntry.objects.get(subject_kind="settings")
        assert (entry.verb, entry.by) == ("switched a draft’s preview on", cast.officer.id)

    def test_is_hidden_again(self, one, cast, browse, at):
        with inside(one):
            for _ in range(2):
                set_preview(framework=framework("MCAS-2026"), is_on=True, by=cast.officer, at=at)
        browse(cast.officer).post("/guidance/MCAS-2026/preview/", {"preview": "off"})
        assert A_WISH_OF_THE_DRAFT not in browse(cast.head).get("/guidance/MCAS-2026/").text
        with inside(one):
            assert AuthoritySettings.load().previewed == []
            assert AuditEntry.objects.filter(subject_kind="settings").count() == 2

    def test_is_shown_in_one_authority_alone(self, one, cast, browse, at, two):
        with inside(one):
            set_preview(framework=framework("MCAS-2026"), is_on=True, by=cast.officer, at=at)
        assert A_WISH_OF_THE_DRAFT not in browse(cast.stranger, authority=two).get("/guidance/MCAS-2026/").text

    def test_is_switched_on_by_no_school_and_no_analyst(self, one, cast, browse):
        with inside(one):
            analyst = person("ana@barsetshire.example", Role.ANALYST)
        for each in (cast.head, analyst):
            assert browse(each).post("/guidance/MCAS-2026/preview/", {"preview": "on"}).status_code == 403
        with inside(one):
            assert AuthoritySettings.load().previewed == []

    def test_is_the_only_thing_to_preview(self, one, cast, browse, at):
        assert browse(cast.officer).post("/guidance/CFA-100A/preview/", {"preview": "on"}).status_code == 404
        with inside(one), pytest.raises(NotADraft):
            set_preview(framework=framework("CFA-100A"), is_on=True, by=cast.officer, at=at)

    def test_is_never_said_to_ask(self):
        about = told(framework("MCAS-2026"))
        said = {about.strength(each) for each in about.framework.requirements}
        assert said == {"Would be a must", "Would be a should"}


class TestAnotherEdition:
    """The Act has a second edition, which counts, and a draft of a third."""

    NEXT = "The school keeps two spare adrenaline devices."

    @pytest.fixture(autouse=True)
    def texts(self, tmp_path, monkeypatch):
        folder = copytree(TEXTS, tmp_path / "texts")
        monkeypatch.setattr(published, "TEXTS", folder)
        new_edition(folder, "CFA-100A", changed=1)
        second = (folder / "CFA-100A-2.toml").read_text()
        third = second.replace("edition = 2", "edition = 3", 1).replace('status = "enacted"', 'status = "draft"', 1)
        first_words = framework("CFA-100A").requirements[0].says
        (folder / "CFA-100A-3.toml").write_text(third.replace(f"From this year on: {first_words}", self.NEXT, 1))
        add_digests(folder)
        editions.cache_clear()
        yield
        editions.cache_clear()

    def test_that_is_a_draft_is_off_and_says_that_it_is_no_law(self, cast, browse):
        client = browse(cast.head)
        listed = client.get("/guidance/").text
        assert '"/guidance/CFA-100A/?edition=3"' in listed and "What it would ask is not shown." in listed
        assert "(edition 3, draft, not law)" in client.get("/guidance/CFA-100A/").text
        page = client.get("/guidance/CFA-100A/?edition=3").text
        assert "This is a draft. It is not law." in page and self.NEXT not in page
        for asked in ("edition=3", "since=3"):
            assert client.get(f"/guidance/CFA-100A/changes/?{asked}")["Location"].startswith("/guidance/CFA-100A/")

    def test_that_is_a_draft_is_shown_once_it_is_switched_on_for_this_edition(self, one, cast, browse, at):
        officer, switch = browse(cast.officer), {"preview": "on"}
        assert officer.post("/guidance/CFA-100A/preview/", switch).status_code == 404
        answer = officer.post("/guidance/CFA-100A/preview/?edition=3", switch, follow=True).text
        assert "People can now look at this draft." in answer and self.NEXT in answer
        page = browse(cast.head).get("/guidance/CFA-100A/?edition=3").text
        assert "This is a draft. It is not law." in page and self.NEXT in page
        assert WOULD in page and not re.search(r">(Must|Should)\.", page)
        changes = browse(cast.head).get("/guidance/CFA-100A/changes/?edition=3").text
        assert "Would be changed: 1 requirement" in changes and "This is a draft. It is not law." in changes
        assert "would stay the same" in changes and "may be in both lists" not in changes
        assert self.NEXT not in browse(cast.head).get("/guidance/CFA-100A/").text, "the second counts"
        with inside(one):
            assert AuthoritySettings.load().previewed == ["CFA-100A-3"]

    def test_that_was_replaced_can_be_read_and_compared(self, cast, browse):
        client = browse(cast.head)
        assert "From this year on:" not in client.get("/guidance/CFA-100A/?edition=1").text
        assert "From this year on:" in client.get("/guidance/CFA-100A/").text
        assert "Changed: 1 requirement" in client.get("/guidance/CFA-100A/changes/?since=1").text

    def test_that_was_taken_back_before_it_began_is_nowhere_said_to_be_in_force(self, cast, browse):
        folder = published.TEXTS
        text = (folder / "CFA-100A-2.toml").read_text()
        back = 'status = "superseded"\neffective_to = 2026-11-20'
        (folder / "CFA-100A-2.toml").write_text(text.replace('status = "enacted"', back, 1))
        first = (folder / "CFA-100A-1.toml").read_text()
        (folder / "CFA-100A-1.toml").write_text(first.replace(SUPERSEDED, 'status = "enacted"', 1))
        editions.cache_clear()
        said = text_of(browse(cast.head).get("/guidance/CFA-100A/?edition=2"))
        assert "Replaced or taken back from 20 November 2026. No day on which it began is recorded here." in said
        assert "In force" not in said

    @pytest.mark.parametrize("asked", ["edition=4", "edition=x", "edition=", "since=9", "edition=1&since=²"])
    def test_that_is_not_there_is_not_found(self, cast, browse, asked):
        assert browse(cast.head).get(f"/guidance/CFA-100A/changes/?{asked}").status_code == 404
