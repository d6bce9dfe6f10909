"""Addresses of the pages about people."""

from django.urls import path

from handrail.people import views

app_name = "people"
urlpatterns = [
    path("schools/<str:urn>/people/", views.SchoolView.as_view(), name="school"),
    path("schools/<str:urn>/people/invite/", views.InviteView.as_view(), name="invite"),
    path("people/", views.AuthorityView.as_view(), name="authority"),
    path("people/invite/", views.InviteView.as_view(), name="invite_officer"),
    path("people/sign-everybody-out/", views.SignEverybodyOutView.as_view(), name="sign_everybody_out"),
    path("people/<uuid:pk>/", views.PersonView.as_view(), name="person"),
    path("people/<uuid:pk>/role/", views.ChangeRoleView.as_view(), name="role"),
    path("people/<uuid:pk>/end/", views.EndView.as_view(), name="end"),
    path("people/<uuid:pk>/close/", views.CloseAccountView.as_view(), name="close"),
    path("people/<uuid:pk>/sign-out/", views.SignOutView.as_view(), name="sign_out"),
    path("people/<uuid:pk>/again/", views.InviteAgainView.as_view(), name="invite_again"),
    path("invitation/<uuid:membership_id>/", views.InvitationView.as_view(), name="invitation"),
]
