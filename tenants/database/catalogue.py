"""Does the database itself still say what the wall rests on? Asked of PostgreSQL's own catalogue, by the owner login.

Everything that is not expected here is a finding: a right, an owner, a membership or a dependency that nobody thought
of is found by being nowhere in these lists. Each finding is a sentence.
"""

import re
from collections.abc import Iterator
from typing import Any

from tenants.database.privileges import APPEND_ONLY, EXCHANGE, PACKAGES_OWN, PUBLIC_FACTS
from tenants.database.template import TEMPLATE
from tenants.routing import expected_schema_version

OWNER, APP, DOORBELL = "handrail_owner", "handrail_app", "handrail_doorbell"
ROUTING = {"route", "authorities"}
IN_BOTH = {"django_migrations"}
"""The one table that may stand both in public and in an authority."""

_OURS = "nspname NOT LIKE 'pg\\_%%' AND nspname <> 'information_schema'"


def findings(cursor: Any) -> list[str]:
    """What is not as it must be, a sentence each; an empty list is well."""
    cursor.execute("SELECT schema_name, name FROM public.tenants_localauthority ORDER BY code")
    authorities = dict(cursor.fetchall())
    return [
        *_unknown_schemas(cursor, authorities),
        *_rights(cursor, authorities),
        *_roles(cursor, authorities),
        *_owners(cursor, authorities),
        *_dependencies(cursor),
        *_functions(cursor),
        *_policies(cursor),
        *_names_in_both(cursor),
        *_shapes(cursor, authorities),
    ]


def _unknown_schemas(cursor: Any, authorities: dict[str, str]) -> Iterator[str]:
    cursor.execute(f"SELECT nspname FROM pg_namespace WHERE {_OURS}", [])
    there = {name for (name,) in cursor.fetchall()}
    for name in sorted(there - set(authorities) - {"public", "exchange", "pgmq", TEMPLATE}):
        yield f"The schema {name} belongs to no authority."
    for name in sorted(set(authorities) - there):
        yield f"The schema {name} of {authorities[name]} is not there."


# -- who may do what ---------------------------------------------------------------------------------------

_RIGHTS = f"""
WITH place AS (SELECT oid, nspname FROM pg_namespace WHERE {_OURS} OR nspname = 'pg_catalog'),
entry (kind, schema, name, owner, acl) AS (
    SELECT 'database', '', datname, datdba, coalesce(datacl, acldefault('d', datdba))
        FROM pg_database WHERE datname = current_database()
    UNION ALL SELECT 'schema', nspname, nspname, nspowner, coalesce(nspacl, acldefault('n', nspowner))
        FROM pg_namespace WHERE {_OURS}
    UNION ALL SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, nspname, relname, relowner,
        coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
        FROM pg_class JOIN place ON place.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL SELECT 'column', nspname, relname || '.' || attname, relowner, attacl
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN place ON place.oid = relnamespace
        WHERE attacl IS NOT NULL
    UNION ALL SELECT 'function', nspname, proname, proowner, coalesce(proacl, acldefault('f', proowner))
        FROM pg_proc JOIN place ON place.oid = pronamespace
    UNION ALL SELECT 'every new ' || CASE defaclobjtype WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence'
        WHEN 'f' THEN 'function' ELSE 'object' END, coalesce(nspname, ''), 'to come', defaclrole, defaclacl
        FROM pg_default_acl LEFT JOIN pg_namespace n ON n.oid = defaclnamespace
    UNION ALL SELECT 'large object', '', oid::text, lomowner, lomacl FROM pg_largeobject_metadata
    UNION ALL SELECT 'setting', '', parname, 10, paracl FROM pg_parameter_acl
)
SELECT kind, schema::text, name::text,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END AS who, privilege_type, is_grantable
FROM entry, aclexplode(acl)
WHERE grantee <> owner AND (schema <> 'pg_catalog' OR pg_get_userbyid(grantee) ~ '^(la_|handrail_)')
"""

_TABLES = f"""
SELECT nspname::text, relname::text, CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END,
    coalesce(obj_description(c.oid, 'pg_class'), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE {_OURS} AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
"""


def _rights(cursor: Any, authorities: dict[str, str]) -> Iterator[str]:
    cursor.execute(_TABLES, [])
    expected = {
        (kind, schema, name, schema, right)
        for schema, name, kind, comment in cursor.fetchall()
        if schema in authorities
        for right in _rights_on(kind, name, comment)
    } | _expected_elsewhere(cursor, authorities)
    cursor.execute(_RIGHTS, [])
    there = set()
    for kind, schema, name, who, right, may_pass_on in cursor.fetchall():
        held = (kind, schema, name, who, right)
        there.add(held)
        if schema == "pgmq" and who not in {"PUBLIC", APP, *authorities}:
            continue  # the doorbell's own, and what its package gives to monitoring
        if held not in expected:
            yield f"{who} has {right} on {_called(kind, schema, name)}."
        elif may_pass_on:
            yield f"{who} may pass on {right} on {_called(kind, schema, name)}."
    for kind, schema, name, who, right in sorted(expected - there):
        yield f"{who} lacks {right} on {_called(kind, schema, name)}."


def _rights_on(kind: str, name: str, comment: str) -> tuple[str, ...]:
    """What an authority's role has on a table or sequence of its own."""
    if name in PACKAGES_OWN:
        return ()
    if kind == "sequence":
        return ("USAGE",)
    return ("SELECT", "INSERT") if comment.startswith(APPEND_ONLY) else ("SELECT", "INSERT", "UPDATE", "DELETE")


def _expected_elsewhere(cursor: Any, authorities: dict[str, str]) -> set[tuple[str, str, str, str, str]]:
    cursor.execute("SELECT current_database()")
    database = cursor.fetchone()[0]
    expected = {("database", "", database, login, "CONNECT") for login in (APP, DOORBELL)}
    expected.add(("schema", "public", "public", APP, "USAGE"))
    expected |= {("function", "public", name, APP, "EXECUTE") for name in ROUTING}
    for role in authorities:
        expected |= {("schema", place, place, role, "USAGE") for place in (role, "public")}
        expected |= {("table", "public", fact, role, "SELECT") for fact in PUBLIC_FACTS}
        expected.add(("schema", "exchange", "exchange", role, "USAGE"))
        expected |= {
            (kind, "exchange", name, role, right)
            for table, rights in EXCHANGE.items()
            for each in rights
            for kind, name, right in _in_exchange(table, each)
        }
        expected |= {("every new table", role, "to come", role, right) for right in ("SELECT", "INSERT")}
        expected.add(("every new sequence", role, "to come", role, "USAGE"))
    return expected


def _in_exchange(table: str, right: str) -> Iterator[tuple[str, str, str]]:
    """A right of `privileges.EXCHANGE` as the catalogue has it: on the table, or on each of its columns."""
    verb, _, columns = right.partition(" ")
    if not columns:
        yield "table", table, verb
    for column in columns.strip("()").split(", ") if columns else ():
        yield "column", f"{table}.{column}", verb


def _called(kind: str, schema: str, name: str) -> str:
    if name == "to come":
        return f"{kind} of {schema or 'any schema'}"
    return f"the {kind} {name}" if schema in ("", name) else f"the {kind} {schema}.{name}"


_ATTRIBUTES = ("login", "inherit", "superuser", "createrole", "createdb", "replication", "bypassrls")


def _roles(cursor: Any, authorities: dict[str, str]) -> Iterator[str]:
    expected = {
        OWNER: {"login", "createrole", "inherit"},
        APP: {"login"},
        DOORBELL: {"login", "inherit"},
        **{role: {"inherit"} for role in authorities},
    }
    cursor.execute(
        """SELECT rolname::text, rolcanlogin, rolinherit, rolsuper, rolcreaterole, rolcreatedb, rolreplication,
           rolbypassrls FROM pg_roles WHERE rolname = ANY(%s)""",
        [list(expected)],
    )
    found = {name: {each for each, has in zip(_ATTRIBUTES, has, strict=True) if has} for name, *has in cursor}
    for name, attributes in expected.items():
        if name not in found:
            yield f"The role {name} is not there."
            continue
        for extra in sorted(found[name] - attributes):
            yield f"The role {name} has {extra.upper()}."
    cursor.execute(
        """SELECT m.rolname::text, r.rolname::text, inherit_option, admin_option
           FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid JOIN pg_roles m ON m.oid = member
           WHERE m.rolname = ANY(%(ours)s) OR r.rolname = ANY(%(ours)s)""",
        {"ours": list(expected)},
    )
    becomes = set()
    for member, role, inherits, may_pass_on in cursor.fetchall():
        if member == OWNER and re.fullmatch("la_[0-9a-f]{8}", role):
            continue  # as the maker of the role; it owns the tables anyway
        if member != APP or not re.fullmatch("la_[0-9a-f]{8}", role):
            yield f"{member} is a member of {role}."
        elif inherits or may_pass_on:
            yield f"{member} has the rights of {role} without becoming it, or may pass them on."
        becomes.add((member, role))
    for role in sorted(set(authorities) & set(found)):
        if (APP, role) not in becomes:
            yield f"{APP} cannot become {role}, so {authorities[role]} cannot be served."


def _owners(cursor: Any, authorities: dict[str, str]) -> Iterator[str]:
    """The owner login owns everything but the queue; the other logins and the authorities' roles own nothing else."""
    cursor.execute(
        f"""WITH place AS (SELECT * FROM pg_namespace WHERE {_OURS} AND nspname <> 'pgmq'),
            thing (name, owner) AS (
                SELECT 'the schema ' || nspname, nspowner FROM place
                UNION ALL SELECT 'the table or sequence ' || nspname || '.' || relname, relowner
                    FROM pg_class JOIN place ON place.oid = relnamespace WHERE relkind NOT IN ('i', 'I', 'c')
                UNION ALL SELECT 'the function ' || nspname || '.' || proname, proowner
                    FROM pg_proc JOIN place ON place.oid = pronamespace
                UNION ALL SELECT 'the database ' || datname, datdba
                    FROM pg_database WHERE datname = current_database())
            SELECT name, pg_get_userbyid(owner)::text FROM thing WHERE pg_get_userbyid(owner) <> %(owner)s
            UNION SELECT pg_describe_object(classid, objid, 0), pg_get_userbyid(refobjid)::text
            FROM pg_shdepend JOIN pg_database d ON d.oid = dbid, pg_identify_object(classid, objid, 0) AS what
            WHERE deptype = 'o' AND datname = current_database() AND pg_get_userbyid(refobjid) = ANY(%(others)s)
              AND what.schema IS DISTINCT FROM 'pgmq'""",
        {"owner": OWNER, "others": [APP, DOORBELL, *authorities]},
    )
    for name, owner in cursor.fetchall():
        yield f"{owner} owns {name}."


# -- what leans on what --------------------------------------------------------------------------------------


def _dependencies(cursor: Any) -> Iterator[str]:
    """A key, view, default, index or function of one schema that names something of another."""
    cursor.execute(
        f"""WITH place AS (SELECT oid, nspname FROM pg_namespace WHERE {_OURS}),
            placed (classid, objid, nspname) AS (
                SELECT 'pg_class'::regclass, c.oid, nspname FROM pg_class c JOIN place ON place.oid = relnamespace
                UNION ALL SELECT 'pg_proc'::regclass, p.oid, nspname
                    FROM pg_proc p JOIN place ON place.oid = pronamespace
                UNION ALL SELECT 'pg_type'::regclass, t.oid, nspname
                    FROM pg_type t JOIN place ON place.oid = typnamespace
                UNION ALL SELECT 'pg_constraint'::regclass, k.oid, nspname
                    FROM pg_constraint k JOIN place ON place.oid = connamespace
                UNION ALL SELECT 'pg_attrdef'::regclass, a.oid, nspname
                    FROM pg_attrdef a JOIN pg_class c ON c.oid = adrelid JOIN place ON place.oid = relnamespace
                UNION ALL SELECT 'pg_rewrite'::regclass, r.oid, nspname
                    FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class JOIN place ON place.oid = relnamespace
                UNION ALL SELECT 'pg_trigger'::regclass, g.oid, nspname
                    FROM pg_trigger g JOIN pg_class c ON c.oid = tgrelid JOIN place ON place.oid = relnamespace
                UNION ALL SELECT 'pg_policy'::regclass, y.oid, nspname
                    FROM pg_policy y JOIN pg_class c ON c.oid = polrelid JOIN place ON place.oid = relnamespace)
            SELECT DISTINCT one.nspname::text, pg_describe_object(d.classid, d.objid, d.objsubid),
                other.nspname::text, pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
            FROM pg_depend d JOIN placed one ON (one.classid, one.objid) = (d.classid, d.objid)
            JOIN placed other ON (other.classid, other.objid) = (d.refclassid, d.refobjid)
            WHERE one.nspname <> other.nspname ORDER BY 1, 2""",
        [],
    )
    for schema, thing, other_schema, other in cursor.fetchall():
        yield f"In {schema}, {thing} depends on {other} of {other_schema}."


def _functions(cursor: Any) -> Iterator[str]:
    """A function that runs as its owner is a hole in every schema; two are meant."""
    cursor.execute(
        f"""SELECT nspname::text, proname::text FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace
            WHERE {_OURS} AND nspname <> 'pgmq' AND prosecdef ORDER BY 1, 2""",
        [],
    )
    for schema, name in cursor.fetchall():
        if schema != "public" or name not in ROUTING:
            yield f"The function {schema}.{name} runs with its owner's rights."


_POLICIES = {
    ("member", "everybody_reads", "SELECT"),
    ("member", "ones_own_key", "UPDATE"),
    ("member", "the_owner_admits", "ALL"),
    ("block", "either_side_reads", "SELECT"),
    ("block", "one_blocks", "INSERT"),
    ("block", "one_unblocks", "DELETE"),
    ("block", "the_owner_tidies", "ALL"),
    ("envelope", "either_side_reads", "SELECT"),
    ("envelope", "a_member_deposits", "INSERT"),
    ("envelope", "either_side_moves", "UPDATE"),
    ("envelope", "the_owner_tidies", "ALL"),
    ("envelopebody", "the_sender_puts_in", "INSERT"),
    ("envelopebody", "who_may_take_out_reads", "SELECT"),
    ("envelopebody", "the_recipient_takes_out_what_it_opened", "DELETE"),
    ("envelopebody", "the_owner_tidies", "ALL"),
}


def _policies(cursor: Any) -> Iterator[str]:
    """The exchange is the one place where authorities share tables: row security stands there, and is forced."""
    cursor.execute(
        """SELECT relname::text FROM pg_class WHERE relnamespace = 'exchange'::regnamespace AND relkind = 'r'
           AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY 1""",
        [],
    )
    for (table,) in cursor.fetchall():
        yield f"Row security is not forced on the table exchange.{table}."
    cursor.execute(
        """SELECT tablename::text, policyname::text, cmd, roles::text, permissive FROM pg_policies
           WHERE schemaname = 'exchange'""",
        [],
    )
    there = set()
    for table, name, command, roles, kind in cursor.fetchall():
        there.add((table, name, command))
        owners = "{handrail_owner}" if command == "ALL" else "{public}"
        if (table, name, command) not in _POLICIES or roles != owners or kind != "PERMISSIVE":
            yield f"The policy {name} on exchange.{table} is for {command} and {roles}."
    for table, name, _command in sorted(_POLICIES - there):
        yield f"The table exchange.{table} lacks the policy {name}."


def _names_in_both(cursor: Any) -> Iterator[str]:
    """A table missing in an authority must be an error, not a silent read of the public one."""
    cursor.execute(
        f"""SELECT DISTINCT relname::text FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
            WHERE nspname = 'public' AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relname IN (
                SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
                WHERE {_OURS} AND nspname NOT IN ('public', 'pgmq', 'exchange')) ORDER BY 1""",
        [],
    )
    for (name,) in cursor.fetchall():
        if name not in IN_BOTH:
            yield f"The table {name} stands in public and in an authority."


# -- the same shape everywhere -------------------------------------------------------------------------------

_SHAPE = """
WITH place AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY(%s))
SELECT nspname::text, 'column ' || relname || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN 'not null' END, attidentity, pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN place ON place.oid = relnamespace
    LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT nspname, 'table ' || relname, concat_ws(' ', relkind, relpersistence, relrowsecurity,
        relforcerowsecurity, obj_description(c.oid, 'pg_class'),
        CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
    FROM pg_class c JOIN place ON place.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
UNION ALL SELECT nspname, 'constraint ' || conname, conrelid::regclass::text || ' ' || pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN place ON place.oid = connamespace
UNION ALL SELECT schemaname, 'index ' || indexname, indexdef FROM pg_indexes JOIN place ON nspname = schemaname
UNION ALL SELECT nspname, 'trigger ' || tgname, pg_get_triggerdef(g.oid)
    FROM pg_trigger g JOIN pg_class c ON c.oid = tgrelid JOIN place ON place.oid = relnamespace WHERE NOT tgisinternal
UNION ALL SELECT nspname, 'function ' || proname, pg_get_functiondef(p.oid)
    FROM pg_proc p JOIN place ON place.oid = pronamespace WHERE prokind IN ('f', 'p')
UNION ALL SELECT nspname, 'policy ' || polname, concat_ws(' ', polrelid::regclass, polcmd, polroles::text,
        pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    FROM pg_policy y JOIN pg_class c ON c.oid = polrelid JOIN place ON place.oid = relnamespace
"""
_REWRITTEN = re.compile(r"::[a-z]+( varying)?(\[\])?|[()\s]")
"""PostgreSQL writes an expression with other casts and brackets when it is made from its own text a second time."""


def _shapes(cursor: Any, authorities: dict[str, str]) -> Iterator[str]:
    """Every authority has the tables, columns, keys, indexes and defaults of the template. Who is behind is skipped."""
    cursor.execute(
        "SELECT schema_name FROM public.tenants_localauthority WHERE schema_version >= %s",
        [expected_schema_version()],
    )
    current = [name for (name,) in cursor.fetchall()]
    cursor.execute(_SHAPE, [[TEMPLATE, *current]])
    shapes: dict[str, dict[str, str]] = {name: {} for name in (TEMPLATE, *current)}
    for schema, thing, told in cursor.fetchall():
        shapes[schema][thing] = _REWRITTEN.sub("", (told or "").replace(f"{schema}.", ""))
    template = shapes.pop(TEMPLATE)
    for schema, shape in shapes.items():
        for thing in sorted({*template, *shape}):
            if thing not in shape:
                yield f"{authorities[schema]} ({schema}) lacks the {thing}."
            elif thing not in template:
                yield f"{authorities[schema]} ({schema}) has a {thing} that the template lacks."
            elif shape[thing] != template[thing]:
                yield f"In {authorities[schema]} ({schema}) the {thing} is not as in the template."
