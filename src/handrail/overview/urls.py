"""Addresses of the overview, the lists, a school's record, and the records of changes and reads."""

from django.urls import path, re_path

from handrail.overview import calendar_views, views
from handrail.overview import chase_views as chase
from handrail.overview import inspection_views as inspection
from handrail.overview import plan_count_views as plan_counts
from handrail.overview import record_views as record

app_name = "overview"
urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    re_path(r"^overview/(?P<table>ageing|weeks)\.csv$", views.FiguresCsvView.as_view(), name="figures_csv"),
    path("schools/", views.SchoolsView.as_view(), name="schools"),
    path("schools.csv", views.SchoolsCsvView.as_view(), name="schools_csv"),
    path("schools/<str:urn>/", views.SchoolView.as_view(), name="school"),
    path("schools/<str:urn>/activity/", views.ActivityView.as_view(), name="activity"),
    path("schools/<str:urn>/activity/children/", views.ChildrensActivityView.as_view(), name="childrens_activity"),
    path("schools/<str:urn>/inspection/", inspection.InspectionView.as_view(), name="inspection"),
    path("inspection/", inspection.AuthorityInspectionView.as_view(), name="inspection"),
    path("children/", views.AskedAboutView.as_view(), name="asked_about"),
    path("children/<uuid:child_id>/reads/", record.WhoLookedView.as_view(), name="who_looked"),
    path("activity/", record.EverythingView.as_view(), name="everything"),
    path("activity/extract/", record.ExtractView.as_view(), name="extract"),
    path("plan-reviews/", plan_counts.PlanCountsView.as_view(), name="plan_counts"),
    path("plan-reviews/schools/", plan_counts.PlanCountsBySchoolView.as_view(), name="plan_counts_by_school"),
    re_path(
        r"^plan-reviews/(?P<counted>phases|months|schools|conditions|counts)\.csv$",
        plan_counts.PlanCountsCsvView.as_view(),
        name="plan_counts_csv",
    ),
    path("calendar.ics", calendar_views.FeedView.as_view(), name="calendar"),
    path("chase/", chase.ChaseView.as_view(), name="chase"),
    path("chase/remind/", chase.RemindView.as_view(), name="remind"),
    path("chase.csv", chase.ChaseCsvView.as_view(), name="chase_csv"),
]
