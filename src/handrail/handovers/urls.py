"""Addresses of handovers."""

from django.urls import path

from handrail.handovers import authority_views, views, watch_views

app_name = "handovers"
CASE = "handovers/<uuid:pk>/"
urlpatterns = [
    path("schools/<str:urn>/handovers/", views.HandoversView.as_view(), name="handovers"),
    path("children/<uuid:child_id>/hand-over/", views.PrepareView.as_view(), name="prepare"),
    path(CASE, views.HandoverView.as_view(), name="handover"),
    path(f"{CASE}pack/", views.PackView.as_view(), name="pack"),
    path(f"{CASE}open/", views.OpenView.as_view(), name="open"),
    path(f"{CASE}steps-read/", views.StepsReadView.as_view(), name="steps_read"),
    path(f"{CASE}moves/<slug:name>/", views.MoveView.as_view(), name="move"),
    path("handover-board/", watch_views.BoardView.as_view(), name="board"),
    path("handover-board/list/", watch_views.ListView.as_view(), name="watched_list"),
    path("handover-board/list.csv", watch_views.ListCsvView.as_view(), name="watched_csv"),
    path("handover-board/<uuid:pk>/", watch_views.WatchedView.as_view(), name="watched"),
    path("hospital-schools/", authority_views.PlacesView.as_view(), name="places"),
    path("exchange/", authority_views.ExchangeView.as_view(), name="exchange"),
]
