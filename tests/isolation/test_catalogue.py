# ruff: noqa: E501 - one mistake and its finding a line
"""What the wall rests on, asked of the database; and each kind of mistake, made and seen to be found."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from databases import as_superuser, handrail

from tenants.database.catalogue import findings


@pytest.fixture
def mistakes(apart: str) -> Iterator[psycopg.Connection]:
    """The administrator's connection. What is done on it is undone at the end."""
    with as_superuser(apart) as admin, admin.transaction(force_rollback=True):
        yield admin


def found_after(admin: psycopg.Connection, statement: str) -> list[str]:
    one, two = (
        admin.execute("SELECT schema_name FROM public.tenants_localauthority WHERE code = %s", (code,)).fetchone()[0]
        for code in ("001", "002")
    )
    admin.execute(statement.format(one=one, two=two))
    with admin.cursor() as cursor:
        return [each.replace(one, "ONE").replace(two, "TWO") for each in findings(cursor)]


class TestTheCatalogue:
    def test_is_as_it_must_be(self, mistakes: psycopg.Connection) -> None:
        with mistakes.cursor() as cursor:
            assert findings(cursor) == []

    @pytest.mark.parametrize(
        ("mistake", "finding"),
        [
            # a right that crosses
            ("GRANT USAGE ON SCHEMA {one} TO {two}", "TWO has USAGE on the schema ONE."),
            ("GRANT SELECT ON {one}.schools_school TO {two}", "TWO has SELECT on the table ONE.schools_school."),
            ("GRANT SELECT (name) ON {one}.schools_school TO {two}", "TWO has SELECT on the column ONE.schools_school.name."),
            ("GRANT USAGE ON SEQUENCE {one}.auth_group_id_seq TO {two}", "TWO has USAGE on the sequence ONE.auth_group_id_seq."),
            ("GRANT {one} TO {two}", "TWO is a member of ONE."),
            ("GRANT pg_read_all_data TO {one}", "ONE is a member of pg_read_all_data."),
            ("ALTER DEFAULT PRIVILEGES FOR ROLE handrail_owner IN SCHEMA {one} GRANT SELECT ON TABLES TO {two}",
             "TWO has SELECT on every new table of ONE."),
            ("ALTER DEFAULT PRIVILEGES FOR ROLE handrail_owner GRANT SELECT ON TABLES TO {two}",
             "TWO has SELECT on every new table of any schema."),
            ("CREATE TABLE {one}.extra (id int); GRANT SELECT ON {one}.extra TO {two}", "TWO has SELECT on the table ONE.extra."),
            ("GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO {two}", "TWO has EXECUTE on the function pg_catalog.pg_read_file."),
            ("GRANT SET ON PARAMETER log_statement TO {two}", "TWO has SET on the setting log_statement."),
            ("SELECT lo_create(4242); GRANT SELECT ON LARGE OBJECT 4242 TO {two}", "TWO has SELECT on the large object 4242."),
            ("GRANT SELECT ON {one}.schools_school TO {one} WITH GRANT OPTION", "ONE may pass on SELECT on the table ONE.schools_school."),
            ("CREATE ROLE la_analyst; GRANT SELECT ON {one}.schools_school TO la_analyst",
             "la_analyst has SELECT on the table ONE.schools_school."),
            # public
            ("GRANT INSERT ON public.tenants_establishment TO {one}", "ONE has INSERT on the table public.tenants_establishment."),
            ("GRANT SELECT ON public.tenants_localauthority TO {one}", "ONE has SELECT on the table public.tenants_localauthority."),
            ("GRANT CREATE ON SCHEMA public TO {one}", "ONE has CREATE on the schema public."),
            ("GRANT EXECUTE ON FUNCTION public.authorities() TO {one}", "ONE has EXECUTE on the function public.authorities."),
            # the app login
            ("GRANT SELECT ON {one}.schools_school TO handrail_app", "handrail_app has SELECT on the table ONE.schools_school."),
            ("GRANT SELECT ON public.tenants_domain TO handrail_app", "handrail_app has SELECT on the table public.tenants_domain."),
            ("ALTER TABLE {one}.schools_school OWNER TO handrail_app", "handrail_app owns the table or sequence ONE.schools_school."),
            ("CREATE SCHEMA stray AUTHORIZATION handrail_app", "handrail_app owns the schema stray."),
            ("ALTER ROLE handrail_app INHERIT", "The role handrail_app has INHERIT."),
            ("ALTER ROLE handrail_app BYPASSRLS", "The role handrail_app has BYPASSRLS."),
            ("GRANT {one} TO handrail_app WITH INHERIT TRUE", "handrail_app has the rights of ONE without becoming it"),
            ("GRANT handrail_owner TO handrail_app", "handrail_app is a member of handrail_owner."),
            ("SET ROLE handrail_owner; REVOKE {one} FROM handrail_app; RESET ROLE", "handrail_app cannot become ONE, so Barsetshire cannot be served."),
            # everybody
            ("GRANT SELECT ON {one}.schools_school TO PUBLIC", "PUBLIC has SELECT on the table ONE.schools_school."),
            ("GRANT USAGE ON SCHEMA public TO PUBLIC", "PUBLIC has USAGE on the schema public."),
            ("GRANT EXECUTE ON FUNCTION public.route(text) TO PUBLIC", "PUBLIC has EXECUTE on the function public.route."),
            ("CREATE FUNCTION public.new() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION public.new() OWNER TO handrail_owner",
             "PUBLIC has EXECUTE on the function public.new."),
            ("GRANT SELECT ON pgmq.meta TO PUBLIC", "PUBLIC has SELECT on the table pgmq.meta."),
            # the doorbell
            ("GRANT SELECT ON {one}.schools_school TO handrail_doorbell", "handrail_doorbell has SELECT on the table ONE.schools_school."),
            ("GRANT USAGE ON SCHEMA public TO handrail_doorbell", "handrail_doorbell has USAGE on the schema public."),
            ("GRANT {one} TO handrail_doorbell", "handrail_doorbell is a member of ONE."),
            ("GRANT SELECT ON pgmq.meta TO handrail_app", "handrail_app has SELECT on the table pgmq.meta."),
            # roles and owners
            ("ALTER ROLE {one} LOGIN", "The role ONE has LOGIN."),
            ("ALTER ROLE {one} BYPASSRLS", "The role ONE has BYPASSRLS."),
            ("ALTER ROLE handrail_owner SUPERUSER", "The role handrail_owner has SUPERUSER."),
            ("ALTER TABLE {one}.schools_school OWNER TO {one}", "ONE owns the table or sequence ONE.schools_school."),
            ("CREATE TABLE public.left_over (id int)", " owns the table or sequence public.left_over."),
            ("CREATE SCHEMA stray", "The schema stray belongs to no authority."),
            ("DROP SCHEMA {one} CASCADE", "The schema ONE of Barsetshire is not there."),
            # what leans on what
            ("ALTER TABLE {one}.policies_policy ADD FOREIGN KEY (school_id) REFERENCES {two}.schools_school",
             "In ONE, constraint .* depends on .* of TWO."),
            ("CREATE VIEW public.everybody AS SELECT name FROM {one}.schools_school", "In public, rule .* depends on .* of ONE."),
            ("CREATE VIEW {two}.theirs AS SELECT name FROM {one}.schools_school", "In TWO, rule .* depends on .* of ONE."),
            ("ALTER TABLE {two}.auth_group ALTER name SET DEFAULT nextval('{one}.auth_group_id_seq')",
             "In TWO, default value .* depends on sequence .* of ONE."),
            ("CREATE TABLE {two}.heirs () INHERITS ({one}.schools_school)", "In TWO, table .* depends on table .* of ONE."),
            ("CREATE FUNCTION {two}.peep() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1::bigint'",
             "The function TWO.peep runs with its owner's rights."),
            ("CREATE TABLE public.schools_school (id int)", "The table schools_school stands in public and in an authority."),
            # the exchange
            ("ALTER TABLE exchange.envelope NO FORCE ROW LEVEL SECURITY", "Row security is not forced on the table exchange.envelope."),
            ("ALTER TABLE exchange.envelopebody DISABLE ROW LEVEL SECURITY", "Row security is not forced on the table exchange.envelopebody."),
            ("CREATE TABLE exchange.extra (id int)", "Row security is not forced on the table exchange.extra."),
            ("DROP POLICY a_member_deposits ON exchange.envelope", "The table exchange.envelope lacks the policy a_member_deposits."),
            ("CREATE POLICY everything ON exchange.envelope USING (true)", "The policy everything on exchange.envelope is for ALL and {public}."),
            ("ALTER POLICY the_owner_tidies ON exchange.envelope TO PUBLIC", "The policy the_owner_tidies on exchange.envelope is for ALL and {public}."),
            ("GRANT UPDATE ON exchange.envelope TO {two}", "TWO has UPDATE on the table exchange.envelope."),
            ("GRANT UPDATE (card) ON exchange.envelope TO {two}", "TWO has UPDATE on the column exchange.envelope.card."),
            ("GRANT SELECT ON exchange.envelope TO handrail_app", "handrail_app has SELECT on the table exchange.envelope."),
            ("REVOKE SELECT ON exchange.member FROM {one}", "ONE lacks SELECT on the table exchange.member."),
            # append-only, and the packages' own
            ("GRANT UPDATE ON {one}.core_auditentry TO {one}", "ONE has UPDATE on the table ONE.core_auditentry."),
            ("GRANT UPDATE (by_name) ON {one}.core_auditentry TO {one}", "ONE has UPDATE on the column ONE.core_auditentry.by_name."),
            ("GRANT TRUNCATE ON {one}.core_auditentry TO {one}", "ONE has TRUNCATE on the table ONE.core_auditentry."),
            ("COMMENT ON TABLE {one}.core_auditentry IS NULL", "In Barsetshire .ONE. the table core_auditentry is not as in the template."),
            ("GRANT SELECT ON {one}.django_content_type TO {one}", "ONE has SELECT on the table ONE.django_content_type."),
            ("REVOKE SELECT ON {one}.schools_school FROM {one}", "ONE lacks SELECT on the table ONE.schools_school."),
            # the same shape
            ("ALTER TABLE {one}.schools_school DROP COLUMN trust_name", "Barsetshire .ONE. lacks the column schools_school.trust_name."),
            ("ALTER TABLE {one}.schools_school ADD COLUMN extra int", "has a column schools_school.extra that the template lacks."),
            ("ALTER TABLE {one}.schools_school ALTER name TYPE text", "the column schools_school.name is not as in the template."),
            ("ALTER TABLE {one}.schools_school DROP CONSTRAINT urn_has_six_digits", "lacks the constraint urn_has_six_digits."),
            ("DROP INDEX {one}.notices_to_send", "lacks the index notices_to_send."),
            ("ALTER TABLE {one}.schools_school ENABLE ROW LEVEL SECURITY", "the table schools_school is not as in the template."),
        ],
    )  # fmt: skip
    def test_finds(self, mistakes: psycopg.Connection, mistake: str, finding: str) -> None:
        found = found_after(mistakes, mistake)
        assert any(re.search(finding, each) for each in found), found

    def test_does_not_compare_an_authority_that_is_behind(self, mistakes: psycopg.Connection) -> None:
        found = found_after(
            mistakes,
            "ALTER TABLE {one}.schools_school DROP COLUMN trust_name;"
            "UPDATE public.tenants_localauthority SET schema_version = 1 WHERE code = '001'",
        )
        assert found == []


class TestCheckCatalogue:
    def test_says_that_all_is_well(self, apart: str) -> None:
        done = handrail("check-catalogue", HANDRAIL_DB_NAME=apart)
        assert (done.returncode, done.stdout) == (0, "Every right, owner and dependency is as it must be.\n")

    def test_says_what_is_not(self, apart: str) -> None:
        with as_superuser(apart) as admin:
            admin.execute("GRANT SELECT ON public.tenants_domain TO handrail_app")
            try:
                done = handrail("check-catalogue", "--json", HANDRAIL_DB_NAME=apart)
            finally:
                admin.execute("REVOKE SELECT ON public.tenants_domain FROM handrail_app")
        assert done.returncode == 1
        assert done.stdout == '[\n  "handrail_app has SELECT on the table public.tenants_domain."\n]\n'
