"""Addresses of the files an authority brings."""

from django.urls import path

from handrail.imports import child_views, views

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
    path("children/<str:urn>/", child_views.ChildrenView.as_view(), name="children"),
    path("children/<str:urn>/template.csv", child_views.TemplateView.as_view(), name="children_template"),
    path("returns/<str:urn>/", child_views.AbsencesView.as_view(), name="absences"),
    path("returns/<str:urn>/template.csv", child_views.AbsencesTemplateView.as_view(), name="absences_template"),
    path("lists/<uuid:list_id>/", child_views.ListView.as_view(), name="list"),
    path("lists/<uuid:list_id>/cancel/", child_views.CancelListView.as_view(), name="cancel_list"),
    path("lists/<uuid:list_id>/undo/", child_views.UndoListView.as_view(), name="undo_list"),
    path("lists/<uuid:list_id>/problems.csv", child_views.ListProblemsView.as_view(), name="list_problems"),
    path("lists/<uuid:list_id>/changes.csv", child_views.ListChangesView.as_view(), name="list_changes"),
]
