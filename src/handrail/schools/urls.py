"""Addresses of a school's own facts."""

from django.urls import path

from handrail.schools import views

app_name = "schools"
urlpatterns = [
    path("schools/<str:urn>/contacts/", views.ContactsView.as_view(), name="contacts"),
]
