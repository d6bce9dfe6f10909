"""Addresses of a school's own facts and of its children."""

from django.urls import path

from handrail.schools import child_views, views

app_name = "schools"
urlpatterns = [
    path("schools/<str:urn>/contacts/", views.ContactsView.as_view(), name="contacts"),
    path("schools/<str:urn>/children/", child_views.ChildrenView.as_view(), name="children"),
    path("schools/<str:urn>/children/add/", child_views.AddChildView.as_view(), name="add_child"),
    path("children/<uuid:child_id>/", child_views.ChildView.as_view(), name="child"),
    path("children/<uuid:child_id>/change/", child_views.ChangeChildView.as_view(), name="change_child"),
    path("children/<uuid:child_id>/left/", child_views.ChildLeftView.as_view(), name="child_left"),
    path("children/<uuid:child_id>/contacts/add/", child_views.AddContactView.as_view(), name="add_contact"),
    path(
        "children/<uuid:child_id>/contacts/<uuid:contact_id>/",
        child_views.ChangeContactView.as_view(),
        name="change_contact",
    ),
    path(
        "children/<uuid:child_id>/contacts/<uuid:contact_id>/remove/",
        child_views.RemoveContactView.as_view(),
        name="remove_contact",
    ),
]
