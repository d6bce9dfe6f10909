"""The named officer's pages of returns that another authority sent on, and the question that a school is asked."""

import re
from datetime import date

import pytest
from factories import AT, PupilFactory, person

from handrail.absences.actions import make_return, withdraw_return
from handrail.absences.models import SicknessReturn
from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from handrail.core.models import ReadEntry
from handrail.handovers import onward, post
from handrail.handovers.models import OnwardReturn
from handrail.notices.actions import NoLongerDue
from handrail.notices.models import Notice
from tenants.context import inside

pytestmark = pytest.mark.django_db
CHILD, LIST = "Wren Elsewhere", "/returns-from-elsewhere/"


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def nora(one, cast):
    with inside(one):
        return person("nora@barsetshire.example", Role.NAMED_OFFICER, name="Nora Named")


@pytest.fixture
def joined(one, two):
    for authority in (one, two):
        with inside(authority):
            post.join_exchange(by=CLOCK, at=AT)


def reported(authority, school, by, *, lives_in):
    with inside(authority):
        says = {"address": "3 Mid Street", "family_view": "A rare illness"}
        make_return(
            pupil=PupilFactory(school=school, name=CHILD), first_on=date(2026, 11, 16), is_likely=True, says=says,
            by=by, at=AT, lives_in=lives_in,
        )  # fmt: skip
        onward.send_on(at=AT)


@pytest.fixture
def came(one, two, cast, joined):
    reported(two, cast.far, cast.hospital, lives_in="001")
    with inside(one):
        post.collect(at=AT)
        return OnwardReturn.objects.get()


class TestWhatCame:
    def test_is_opened_by_the_named_officer(self, one, cast, browse, nora, came):
        client, address = browse(nora), f"{LIST}{came.id}/"
        assert 'href="/returns-from-elsewhere/"' in client.get("/handover-board/").text
        listed = client.get(LIST).text
        assert "Borchester" in listed and "Nobody yet" in listed
        assert CHILD not in client.get(address).text
        page = client.post(address, follow=True).text
        for words in (CHILD, "3 Mid Street", "Far Hospital School", "16 November 2026", "Nora Named"):
            assert words in page
        assert "rare illness" not in page
        case = client.get(re.search("/cases/[0-9a-f-]+/", page)[0]).text
        assert "Opened by" in case and "Sent by" not in case
        assert "Nora Named has opened this already" in client.post(address).text
        with inside(one):
            assert {each.group for each in ReadEntry.objects.filter(by=nora.id)} == {"absence"}

    def test_is_for_nobody_else(self, cast, browse, came):
        for who in (cast.officer, cast.admin, cast.head):
            for path in (LIST, f"{LIST}{came.id}/"):
                assert browse(who).get(path).status_code == 403

    def test_too_late_says_whom_to_ring(self, one, browse, nora, came):
        with inside(one):
            OnwardReturn.objects.update(expires_at=AT)
        page = browse(nora).get(f"{LIST}{came.id}/").text
        assert "Ring Borchester" in page and "Open this return" not in page


class TestWhatItsSenderErased:
    def test_is_looked_at_and_deleted_by_the_named_officer(self, one, cast, browse, nora, came):
        client, address = browse(nora), f"{LIST}{came.id}/"
        assert "Delete your copy" not in client.post(address, follow=True).text
        assert "still holds this child" in client.post(address, {"delete": "yes"}).text
        with inside(one):
            onward.sender_erased(came.about, sender=came.other_role, at=AT)
        assert "Returns to keep or delete" in client.get("/handover-board/").text
        assert "erased there on 23 November 2026" in client.get(LIST).text
        page = client.get(address).text
        assert "Borchester has erased what it held of this child" in page and CHILD in page
        assert browse(cast.officer).post(address, {"delete": "yes"}).status_code == 403
        done = client.post(address, {"delete": "yes"}, follow=True).text
        assert "Nothing of this return is held here any more" in done and "To keep or delete" not in done
        page = client.get(address).text
        assert "There is nothing to do" in page and CHILD not in page and "Open this return" not in page

    def test_before_anybody_opened_it_says_that_nothing_is_held(self, one, browse, nora, came):
        with inside(one):
            onward.sender_erased(came.about, sender=came.other_role, at=AT)
        page = browse(nora).get(f"{LIST}{came.id}/").text
        assert "There is nothing to do" in page and "Open this return" not in page
        assert "Returns to keep or delete" not in browse(nora).get("/handover-board/").text


class TestWhatCouldNotGo:
    TOLD = {"whom": "Will Wade, named officer", "how": "By telephone",
            "told_on_day": AT.day, "told_on_month": AT.month, "told_on_year": AT.year}  # fmt: skip

    @pytest.fixture
    def held(self, one, cast, nora):
        reported(one, cast.oak, cast.head, lives_in="999")
        with inside(one):
            return OnwardReturn.objects.get()

    def test_waits_on_the_board_until_it_is_told(self, one, browse, nora, held):
        client, address = browse(nora), f"{LIST}{held.id}/tell/"
        assert "Returns to tell another authority of" in client.get("/handover-board/").text
        listed = client.get(LIST).text
        assert "has not joined the exchange" in listed and f'href="{address}"' in listed and CHILD not in listed
        page = client.get(address).text
        assert CHILD in page and "3 Mid Street" in page and "rare illness" not in page
        for missing, says in (("whom", "Enter whom you told"), ("how", "Select how you told them")):
            assert says in client.post(address, self.TOLD | {missing: ""}).text
        done = client.post(address, self.TOLD, follow=True).text
        assert "Nora Named told Will Wade, named officer on 23 November 2026, by telephone" in done
        assert "Returns to tell another authority of" not in client.get("/handover-board/").text
        assert client.get(address).status_code == 404
        with inside(one):
            assert onward.send_on(at=AT) == 0 and not OnwardReturn.objects.held_up().exists()
            case = SicknessReturn.objects.get().case_id
        assert "Nora Named told Will Wade" in client.get(f"/cases/{case}/").text

    def test_is_owed_anew_when_it_changes_or_counts_no_more(self, one, cast, browse, nora, held):
        browse(nora).post(f"{LIST}{held.id}/tell/", self.TOLD)
        with inside(one):
            withdraw_return(made=SicknessReturn.objects.get(), by=cast.head, at=AT)
            onward.send_on(at=AT)
            again = OnwardReturn.objects.held_up().get()
            assert again.takes_back
        page = browse(nora).get(f"{LIST}{again.id}/tell/").text
        assert "counts no more" in page and "3 Mid Street" not in page

    def test_is_told_to_whoever_decides_and_to_nobody_else(self, one, cast, browse, nora, held):
        with inside(one):
            notice = Notice.objects.get(subject_id=held.id)
            assert notice.recipient == nora.email and onward.still_due(notice, at=AT)["role"] == "officer"
        browse(nora).post(f"{LIST}{held.id}/tell/", self.TOLD)
        with inside(one), pytest.raises(NoLongerDue):
            onward.still_due(notice, at=AT)
        for who in (cast.officer, cast.admin, cast.head):
            assert browse(who).get(f"{LIST}{held.id}/tell/").status_code == 403


class TestTheQuestion:
    def test_is_asked_of_the_school(self, one, cast, browse):
        with inside(one):
            pupil = PupilFactory(school=cast.oak, lives_in="")
        client, address = browse(cast.head), f"/children/{pupil.id}/returns/make/"
        assert "Borchester" in client.get(address).text
        data = {
            "first_on_day": "16", "first_on_month": "11", "first_on_year": "2026", "is_likely": "yes",
            "address": "1 High Street", "lives_in": "002",
        }  # fmt: skip
        assert "Error: Report" in client.post(address, data | {"lives_in": "777"}).text
        assert client.post(address, data).status_code == 302
        with inside(one):
            assert SicknessReturn.objects.get().lives_in == "002"
