"""Signing in and out. What allauth offers and is not listed here does not exist."""

from typing import Any

from allauth.account import views as allauth
from django.urls import include, path

from handrail.accounts import calendar_views, views
from handrail.accounts.second_step.views import ResetView

own: Any = (
    [
        path("account/", views.AccountView.as_view(), name="account"),
        path("account/sessions/end/", views.EndOthersView.as_view(), name="end_others"),
        path("account/sessions/<uuid:session_id>/end/", views.EndSessionView.as_view(), name="end_session"),
        path("account/drafts/<uuid:draft_id>/throw-away/", views.ThrowAwayView.as_view(), name="throw_away"),
        path("account/calendar/", calendar_views.CalendarView.as_view(), name="calendar"),
        path("account/calendar/stop/", calendar_views.StopView.as_view(), name="stop_calendar"),
        path("account/", include("handrail.accounts.second_step.urls")),
        path("people/<uuid:person_id>/second-step/", ResetView.as_view(), name="reset_second_step"),
    ],
    "accounts",
)

urlpatterns = [
    path("sign-in/", views.RequestCodeView.as_view(), name="account_request_login_code"),
    path("sign-in/code/", views.EnterCodeView.as_view(), name="account_confirm_login_code"),
    path("sign-in/password/", views.PasswordView.as_view(), name="account_login"),
    path("sign-in/second-step/", views.SecondStepView.as_view(), name="mfa_authenticate"),
    path("sign-in/passkey/", views.PasskeyView.as_view(), name="mfa_login_webauthn"),
    path("sign-in/closed/", allauth.account_inactive, name="account_inactive"),
    path("sign-in/ended/", views.EndedView.as_view(), name="session_ended"),
    path("sign-out/", allauth.logout, name="account_logout"),
    path("", include(own)),
    path("", include("handrail.accounts.service_urls")),
    path("account/password/", allauth.password_change, name="account_change_password"),
    path("account/password/set/", views.SetPasswordView.as_view(), name="account_set_password"),
    path("account/password/reset/", views.ResetView.as_view(), name="account_reset_password"),
    path(
        "account/password/reset/code/", views.EnterResetCodeView.as_view(), name="account_confirm_password_reset_code"
    ),
    path("account/password/reset/new/", views.ChooseAnewView.as_view(), name="account_complete_password_reset"),
]
