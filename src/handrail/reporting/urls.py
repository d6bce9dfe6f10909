"""Addresses of keys, of the data page, and of what programs read and write."""

from django.urls import include, path, re_path

from handrail.reporting import api
from handrail.reporting import data_views as data
from handrail.reporting import key_views as keys

app_name = "reporting"
programs = [
    *(path(name, each.as_view(), name=f"api_{name}") for name, each in api.ADDRESSES.items()),
    *(
        path(f"{name}.{form}", each.as_view(), {"format": form}, name=f"api_{name}_{form}")
        for name, each in api.LISTS.items()
        for form in ("csv", "xlsx")
    ),
    *(path(f"{name}/changes", each.as_view(), name=f"api_{name}_changes") for name, each in api.CHANGES.items()),
    path("openapi.json", api.Description.as_view(), name="openapi"),
]
urlpatterns = [
    path("api/v1/", include(programs)),
    re_path(r"^api/", api.Nothing.as_view(), name="api_nothing"),
    path("settings/keys/", keys.KeysView.as_view(), name="keys"),
    path("settings/keys/make/", keys.MakeKeyView.as_view(), name="make_key"),
    path("settings/keys/<uuid:key_id>/revoke/", keys.RevokeKeyView.as_view(), name="revoke_key"),
    path("data/", data.DataView.as_view(), name="data"),
    path("data/reference/", data.ReferenceView.as_view(), name="reference"),
    path("data/<slug:table_name>/", data.TableView.as_view(), name="table"),
    path("data/<slug:table_name>.csv", data.DownloadView.as_view(), {"form": "csv"}, name="download"),
    path("data/<slug:table_name>.xlsx", data.DownloadView.as_view(), {"form": "xlsx"}, name="workbook"),
]
