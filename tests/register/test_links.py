"""Walking the links between establishments, those of the whole country included."""

import pytest

from tenants.context import inside
from tenants.links import Links
from tenants.register_file import read_links


@pytest.fixture(scope="module")
def read(pytestconfig):
    """`read(date)` gives the links of one sample file."""
    place = pytestconfig.rootpath / "tests" / "data" / "gias"
    return lambda day: Links(row[:3] for row in read_links(place / f"links_edubasealldata{day}.csv"))


@pytest.fixture(scope="module")
def sample(read):
    return read("20261120")


@pytest.fixture(scope="module")
def country(read):
    return read("20250422")


def urns_of(links):
    return sorted(set(links._successors) | set(links._predecessors))


class TestWalks:
    def test_go_both_ways(self, sample):
        assert sample.successors("901862") == ["901866"]
        assert sample.predecessors("901866") == ["901862"]
        assert sample.successors("900001") == sample.predecessors("900001") == []

    def test_find_all_that_were_amalgamated(self, sample):
        assert sample.predecessors("901928") == ["901918", "901922", "901925"]

    def test_supply_the_reverse_row_that_is_missing(self, sample):
        assert sample.successors("901929") == ["901933", "901935"]
        assert sample.predecessors("901935") == ["901929"]

    def test_come_to_an_end_in_a_circle(self, sample):
        assert sample.successors("901936") == sample.predecessors("901936") == ["901937"]

    def test_go_nearest_first(self):
        links = Links(
            [("1", "2", "Successor"), ("1", "3", "Successor"), ("4", "2", "Predecessor"), ("3", "1", "Other")]
        )
        assert links.successors("1") == ["2", "3", "4"]
        assert links.predecessors("4") == ["2", "1"]

    def test_come_to_an_end_for_every_establishment_of_the_country(self, country):
        urns = urns_of(country)
        forward = {urn: country.successors(urn) for urn in urns}
        back = {urn: country.predecessors(urn) for urn in urns}
        assert (len(urns), sum(map(bool, forward.values())), sum(map(bool, back.values()))) == (29_161, 16_740, 14_385)
        assert (max(map(len, forward.values())), max(map(len, back.values()))) == (8, 14)
        assert sum(map(len, forward.values())) == sum(map(len, back.values())) == 20_228
        assert all(urn not in found and len(set(found)) == len(found) for urn, found in forward.items())


class TestConversionOf:
    def test_tells_conversions_from_all_else(self, sample):
        found = {urn: sample.conversion_of(urn) for urn in urns_of(sample) if sample.conversion_of(urn)}
        assert found == {
            "901862": "901866", "901867": "901870", "901872": "901874", "901875": "901877",
            "901880": "901881", "901883": "901885", "901888": "901890", "901894": "901898",
            "901899": "901903", "901905": "901908", "901909": "901911", "901915": "901916",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            ([("old", "new", "Successor")], "new"),
            ([("new", "old", "Predecessor")], "new"),
            ([("old", "new", "Successor"), ("new", "old", "Predecessor - merged")], None),
            ([("old", "new", "Successor - amalgamated")], None),
            ([("old", "new", "Successor"), ("old", "other", "Successor")], None),
            ([("old", "new", "Successor"), ("old", "other", "Successor - Split School")], None),
            ([("old", "new", "Successor"), ("other", "new", "Successor")], None),
            ([("old", "new", "Successor"), ("other", "new", "Successor - merged")], "new"),
            ([("old", "new", "Successor"), ("new", "old", "Successor")], None),
            ([("old", "new", "Successor"), ("new", "newer", "Successor")], "new"),
            ([("old", "new", "Sixth Form Centre Link")], None),
            ([], None),
        ],
    )
    def test_follows_the_rule(self, rows, expected):
        assert Links(rows).conversion_of("old") == expected

    def test_finds_those_of_the_country(self, country):
        found = [urn for urn in urns_of(country) if country.conversion_of(urn)]
        assert len(found) == 11_987
        assert len({country.conversion_of(urn) for urn in found}) == 11_987


@pytest.mark.django_db
class TestNear:
    def test_fetches_what_can_be_reached_in_one_query(self, one, owner_sql, sample, django_assert_num_queries, gias):
        for urn, link_urn, link_type, _ in read_links(gias / "links_edubasealldata20261120.csv"):
            owner_sql(
                "INSERT INTO tenants_establishmentlink (urn, link_urn, link_type) VALUES (%s, %s, %s)",
                urn, link_urn, link_type,
            )  # fmt: skip
        with inside(one), django_assert_num_queries(1):
            near = Links.near(["901918", "901936", "901935"])
        assert urns_of(near) == [
            "901918", "901922", "901925", "901928", "901929", "901933", "901935", "901936", "901937",
        ]  # fmt: skip
        for urn in urns_of(near):
            assert near.successors(urn) == sample.successors(urn)
            assert near.predecessors(urn) == sample.predecessors(urn)
