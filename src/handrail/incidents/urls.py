"""Addresses of incidents and near misses."""

from django.urls import path

from handrail.incidents import views

app_name = "incidents"
urlpatterns = [
    path("incidents/", views.CountsView.as_view(), name="counts"),
    path("schools/<str:urn>/incidents/", views.LogView.as_view(), name="log"),
    path("schools/<str:urn>/incidents/record/", views.RecordIncidentView.as_view(), name="record_incident"),
    path("schools/<str:urn>/incidents/<uuid:incident_id>/", views.IncidentView.as_view(), name="incident"),
    path(
        "schools/<str:urn>/incidents/<uuid:incident_id>/add/",
        views.AddToIncidentView.as_view(),
        name="add_to_incident",
    ),
    path(
        "children/<uuid:child_id>/incidents/record/",
        views.RecordChildIncidentView.as_view(),
        name="record_child_incident",
    ),
]
