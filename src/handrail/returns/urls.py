"""Addresses of returns: a school's, and with the same names and no school the authority's self-assessment."""

from django.urls import path

from handrail.returns import authority_views, comparison_views, file_views, own_views, planned_views, views

app_name = "returns"
one, own = "schools/<str:urn>/return/", "authority/self-assessment/"
point = "<uuid:return_id>/points/<str:requirement_id>/"
urlpatterns = [
    path("returns/", authority_views.BoardView.as_view(), name="board"),
    path("returns/board.csv", authority_views.BoardCsvView.as_view(), name="board_csv"),
    path("returns/2017-criteria/", comparison_views.ComparisonView.as_view(), name="comparison"),
    path("returns/2017-criteria.csv", comparison_views.ComparisonCsvView.as_view(), name="comparison_csv"),
    path("returns/open/", authority_views.OpenCycleView.as_view(), name="open_cycle"),
    path("returns/dates/", authority_views.DatesView.as_view(), name="dates"),
    path(one, views.ReturnView.as_view(), name="home"),
    path(f"{one}sections/<int:number>/", views.SectionView.as_view(), name="section"),
    path(f"{one}points/<str:requirement_id>/file/", file_views.FileView.as_view(), name="file"),
    path(f"{one}files/<uuid:document_id>/", file_views.DownloadView.as_view(), name="download"),
    path(f"{one}submit/", views.SubmitView.as_view(), name="submit"),
    path(f"{one}<uuid:return_id>/", views.SubmittedView.as_view(), name="submitted"),
    path(f"{one}<uuid:return_id>/countersign/", views.CountersignView.as_view(), name="countersign"),
    path(f"{one}{point}", views.AssessView.as_view(), name="assess"),
    path(f"{one}{point}plan/", planned_views.PlanView.as_view(), name="plan"),
    path(f"{one}actions/<uuid:planned_id>/", planned_views.PlannedView.as_view(), name="planned"),
    path(own, own_views.OwnReturnView.as_view(), name="home"),
    path(f"{own}sections/<int:number>/", own_views.OwnSectionView.as_view(), name="section"),
    path(f"{own}points/<str:requirement_id>/file/", own_views.OwnFileView.as_view(), name="file"),
    path(f"{own}files/<uuid:document_id>/", own_views.OwnDownloadView.as_view(), name="download"),
    path(f"{own}submit/", own_views.OwnSubmitView.as_view(), name="submit"),
    path(f"{own}<uuid:return_id>/", own_views.OwnSubmittedView.as_view(), name="submitted"),
    path(f"{own}<uuid:return_id>/countersign/", own_views.OwnCountersignView.as_view(), name="countersign"),
    path(f"{own}{point}plan/", own_views.OwnPlanView.as_view(), name="plan"),
    path(f"{own}actions/<uuid:planned_id>/", own_views.OwnPlannedView.as_view(), name="planned"),
]
