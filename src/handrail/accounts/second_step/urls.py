"""The addresses of second steps, below the account's."""

from django.urls import path

from handrail.accounts.second_step import views

urlpatterns = [
    path("second-step/", views.ChooseView.as_view(), name="second_step"),
    path("second-step/app/", views.AddAppView.as_view(), name="add_app"),
    path("second-step/app/remove/", views.RemoveAppView.as_view(), name="remove_app"),
    path("second-step/passkey/", views.AddPasskeyView.as_view(), name="add_passkey"),
    path("second-step/passkey/remove/", views.RemovePasskeyView.as_view(), name="remove_passkey"),
    path("second-step/recovery-codes/", views.RecoveryCodesView.as_view(), name="recovery_codes"),
    path("second-step/recovery-codes/new/", views.NewRecoveryCodesView.as_view(), name="new_recovery_codes"),
    path("second-step/again/", views.AgainView.as_view(), name="second_step_again"),
]
