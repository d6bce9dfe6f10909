"""Addresses of a school's pack of emergency pages."""

from django.urls import path

from handrail.packs import views

app_name = "packs"
urlpatterns = [
    path("schools/<str:urn>/pack/", views.PackView.as_view(), name="pack"),
    path("schools/<str:urn>/pack/download/", views.DownloadPackView.as_view(), name="download"),
]
