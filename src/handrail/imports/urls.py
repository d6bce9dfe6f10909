"""Addresses of the files an authority brings."""

from django.urls import path

from handrail.imports import views

app_name = "imports"
urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("starter.csv", views.StarterTemplateView.as_view(), name="starter_template"),
    path("invitations/", views.InvitationsView.as_view(), name="invitations"),
    path("invitations.csv", views.InvitationsTemplateView.as_view(), name="invitations_template"),
    path("<uuid:pk>/", views.ShowView.as_view(), name="show"),
    path("<uuid:pk>/cancel/", views.CancelView.as_view(), name="cancel"),
    path("<uuid:pk>/undo/", views.UndoView.as_view(), name="undo"),
    path("<uuid:pk>/problems.csv", views.ProblemsCsvView.as_view(), name="problems_csv"),
    path("<uuid:pk>/changes.csv", views.ChangesCsvView.as_view(), name="changes_csv"),
]
