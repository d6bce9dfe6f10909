"""The two questions the app login may ask while no authority is bound. It has no right on the tables themselves.

No function of the owner's, here or in an authority, is everybody's.
"""

from django.db import migrations

COLUMNS = """a.id, a.code::text, a.name::text, a.schema_name::text, d.domain::text, a.state::text, a.schema_version"""
TABLE = """(id uuid, code text, name text, schema_name text, host text, state text, schema_version integer)"""

ROUTE = f"""
CREATE FUNCTION public.route(wanted text) RETURNS TABLE {TABLE}
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT {COLUMNS} FROM public.tenants_localauthority a
    JOIN public.tenants_domain d ON d.tenant_id = a.id WHERE d.domain = wanted
$$;
CREATE FUNCTION public.authorities() RETURNS TABLE {TABLE}
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT {COLUMNS} FROM public.tenants_localauthority a
    JOIN public.tenants_domain d ON d.tenant_id = a.id WHERE d.is_primary
$$;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
REVOKE ALL ON FUNCTION public.route(text), public.authorities() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.route(text), public.authorities() TO handrail_app;
"""
GONE = "DROP FUNCTION public.route(text); DROP FUNCTION public.authorities();"


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]
    operations = [migrations.RunSQL(ROUTE, GONE)]
