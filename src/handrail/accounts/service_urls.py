"""Signing in with the authority's own services, connecting them, and setting them up."""

from django.urls import path

from handrail.accounts import service_setup_views as setup
from handrail.accounts import service_views as views

app_name = "sign_in_services"
urlpatterns = [
    path("sign-in/with/<uuid:service_id>/", views.SignInView.as_view(), name="sign_in"),
    path("sign-in/with/<uuid:service_id>/back/", views.BackView.as_view(), name="back"),
    path("account/services/<uuid:service_id>/connect/", views.ConnectView.as_view(), name="connect"),
    path("account/services/<uuid:service_id>/disconnect/", views.DisconnectView.as_view(), name="disconnect"),
    path("settings/sign-in/", setup.ListView.as_view(), name="list"),
    path("settings/sign-in/add/", setup.AddView.as_view(), name="add"),
    path("settings/sign-in/<uuid:pk>/", setup.ShowView.as_view(), name="show"),
    path("settings/sign-in/<uuid:pk>/change/", setup.ChangeView.as_view(), name="change"),
    path("settings/sign-in/<uuid:pk>/check/", setup.CheckView.as_view(), name="check"),
    path("settings/sign-in/<uuid:pk>/switch/", setup.SwitchView.as_view(), name="switch"),
    path("settings/sign-in/<uuid:pk>/remove/", setup.RemoveView.as_view(), name="remove"),
]
