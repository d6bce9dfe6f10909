"""Addresses of returns."""

from django.urls import path

from handrail.returns import authority_views, comparison_views, file_views, planned_views, views

app_name = "returns"
one = "schools/<str:urn>/return/"
urlpatterns = [
    path("returns/", authority_views.BoardView.as_view(), name="board"),
    path("returns/board.csv", authority_views.BoardCsvView.as_view(), name="board_csv"),
    path("returns/2017-criteria/", comparison_views.ComparisonView.as_view(), name="comparison"),
    path("returns/2017-criteria.csv", comparison_views.ComparisonCsvView.as_view(), name="comparison_csv"),
    path("returns/open/", authority_views.OpenCycleView.as_view(), name="open_cycle"),
    path("returns/dates/", authority_views.DatesView.as_view(), name="dates"),
    path(one, views.ReturnView.as_view(), name="school"),
    path(f"{one}sections/<int:number>/", views.SectionView.as_view(), name="section"),
    path(f"{one}points/<str:requirement_id>/file/", file_views.FileView.as_view(), name="file"),
    path(f"{one}files/<uuid:document_id>/", file_views.DownloadView.as_view(), name="download"),
    path(f"{one}submit/", views.SubmitView.as_view(), name="submit"),
    path(f"{one}<uuid:return_id>/", views.SubmittedView.as_view(), name="submitted"),
    path(f"{one}<uuid:return_id>/countersign/", views.CountersignView.as_view(), name="countersign"),
    path(f"{one}<uuid:return_id>/points/<str:requirement_id>/", views.AssessView.as_view(), name="assess"),
    path(f"{one}<uuid:return_id>/points/<str:requirement_id>/plan/", planned_views.PlanView.as_view(), name="plan"),
    path(f"{one}actions/<uuid:planned_id>/", planned_views.PlannedView.as_view(), name="planned"),
]
