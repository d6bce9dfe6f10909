"""Addresses of what is held, as a whole, and how long."""

from django.urls import path

from handrail.records import evidence_views, views

app_name = "records"
urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("keeping/", views.KeepingView.as_view(), name="keeping"),
    path("keeping/<slug:record_class>/", views.PeriodView.as_view(), name="period"),
    path("deletions/<uuid:deletion_id>/confirm/", views.ConfirmDeletionView.as_view(), name="confirm_deletion"),
    path("deletions/<uuid:deletion_id>/cancel/", views.CancelDeletionView.as_view(), name="cancel_deletion"),
    path("children/<uuid:child_id>/", views.HeldView.as_view(), name="held"),
    path("children/<uuid:child_id>/file/", views.HeldFileView.as_view(), name="held_file"),
    path("children/<uuid:child_id>/hold/", views.HoldView.as_view(), name="hold"),
    path("children/<uuid:child_id>/hold/lift/", views.LiftHoldView.as_view(), name="lift_hold"),
    path("children/<uuid:child_id>/erase/", views.EraseView.as_view(), name="erase"),
    path("cases/<uuid:case_id>/evidence/", evidence_views.EvidenceView.as_view(), name="evidence"),
    path("handovers/<uuid:told_id>/", evidence_views.HandoverEvidenceView.as_view(), name="handover_evidence"),
    path("watched/<uuid:watched_id>/", evidence_views.WatchedEvidenceView.as_view(), name="watched_evidence"),
    path("exports/", views.ExportsView.as_view(), name="exports"),
    path("exports/<uuid:export_id>/confirm/", views.ConfirmExportView.as_view(), name="confirm_export"),
    path("exports/<uuid:export_id>/cancel/", views.CancelExportView.as_view(), name="cancel_export"),
    path("exports/<uuid:export_id>/download/", views.DownloadExportView.as_view(), name="download_export"),
]
