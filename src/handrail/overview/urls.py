"""Addresses of the overview, the lists and a school's record."""

from django.urls import path, re_path

from handrail.overview import chase_views as chase
from handrail.overview import views

app_name = "overview"
urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    re_path(r"^overview/(?P<table>ageing|weeks)\.csv$", views.FiguresCsvView.as_view(), name="figures_csv"),
    path("schools/", views.SchoolsView.as_view(), name="schools"),
    path("schools.csv", views.SchoolsCsvView.as_view(), name="schools_csv"),
    path("schools/<str:urn>/", views.SchoolView.as_view(), name="school"),
    path("schools/<str:urn>/activity/", views.ActivityView.as_view(), name="activity"),
    path("chase/", chase.ChaseView.as_view(), name="chase"),
    path("chase/remind/", chase.RemindView.as_view(), name="remind"),
    path("chase.csv", chase.ChaseCsvView.as_view(), name="chase_csv"),
]
