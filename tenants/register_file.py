"""The files of the register of schools ("Get Information about Schools"): which columns are read, and how.

`edubasealldataYYYYMMDD.csv` holds one row per establishment, `links_edubasealldataYYYYMMDD.csv` who followed
whom. Reading needs no database: pages use it for what an officer uploads, `tenants.register` for the import.
"""

import re
from datetime import date

from tenants.csv_file import Column, CsvFile, Source, UnusableFile, day, digits, text, whole_number

SMALL, LARGE = 32_767, 2_147_483_647
URN = digits(6, filled=False)


class NotTheRegister(UnusableFile):
    """The file is not a usable register or links file. Its text is one clear sentence saying what to do."""


class RegisterFile(CsvFile):
    """An `edubasealldata` file. A row is a tuple of the fields of `Establishment` named in FIELDS.

    Skipped: a row whose URN, authority, name, type, group or status is blank or faulty, and both rows of a URN
    that stands twice. A fault elsewhere is reported and its value reads as blank: see `doubtful`.
    """

    refusal = NotTheRegister
    is_first_column_unique = True
    columns = (
        Column("urn", "URN", URN, is_essential=True),
        Column("la_code", "LA (code)", digits(3, filled=True), is_essential=True),
        Column("la_name", "LA (name)", text(100)),
        Column("establishment_number", "EstablishmentNumber", digits(4, filled=True)),
        Column("name", "EstablishmentName", text(200), is_essential=True),
        Column("type_code", "TypeOfEstablishment (code)", whole_number(SMALL), is_essential=True),
        Column("type_name", "TypeOfEstablishment (name)", text(100)),
        Column("group_code", "EstablishmentTypeGroup (code)", whole_number(SMALL), is_essential=True),
        Column("group_name", "EstablishmentTypeGroup (name)", text(100)),
        Column("status_code", "EstablishmentStatus (code)", whole_number(SMALL), is_essential=True),
        Column("status_name", "EstablishmentStatus (name)", text(50)),
        Column("opened_on", "OpenDate", day),
        Column("closed_on", "CloseDate", day),
        Column("phase_code", "PhaseOfEducation (code)", whole_number(SMALL)),
        Column("phase_name", "PhaseOfEducation (name)", text(50)),
        Column("low_age", "StatutoryLowAge", whole_number(SMALL)),
        Column("high_age", "StatutoryHighAge", whole_number(SMALL)),
        Column("pupils", "NumberOfPupils", whole_number(LARGE)),
        Column("capacity", "SchoolCapacity", whole_number(LARGE)),
        Column("trust_code", "Trusts (code)", text(10)),
        Column("trust_name", "Trusts (name)", text(200)),
        Column("street", "Street", text(200)),
        Column("locality", "Locality", text(200)),
        Column("town", "Town", text(100)),
        Column("county", "County (name)", text(100)),
        Column("postcode", "Postcode", text(10)),
        Column("website", "SchoolWebsite", text(500)),
        Column("last_changed_on", "LastChangedDate", day),
        Column("la_ons_code", "GSSLACode (name)", text(9)),
    )

    @property
    def file_date(self) -> date | None:
        """The date in the file's name (YYYYMMDD), or None."""
        for found in re.findall(r"(?<!\d)(\d{4})(\d\d)(\d\d)(?!\d)", self.name, re.ASCII):
            try:
                return date(*map(int, found))
            except ValueError:
                continue
        return None


class LinksFile(CsvFile):
    """A `links_edubasealldata` file. A row is a tuple of the fields of `EstablishmentLink`."""

    refusal = NotTheRegister
    columns = (
        Column("urn", "URN", URN, is_essential=True),
        Column("link_urn", "LinkURN", URN, is_essential=True),
        Column("link_type", "LinkType", text(100), is_essential=True),
        Column("established_on", "LinkEstablishedDate", day),
    )


FIELDS = tuple(column.field for column in RegisterFile.columns)


def read_register(source: Source) -> RegisterFile:
    """Open a register file, by path or as a binary file that can be read again from its start.

    Raises NotTheRegister here or, for a file that stops in mid-row, while its rows are read.
    """
    return RegisterFile(source)


def read_links(source: Source) -> LinksFile:
    """Open a links file. Raises NotTheRegister, as `read_register` does."""
    return LinksFile(source)
