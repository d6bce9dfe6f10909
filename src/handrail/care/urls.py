"""Addresses of what keeps children safe: medicines and devices, kits, and training."""

from django.urls import include, path

from handrail.care import school_views as school
from handrail.care import views

app_name = "care"

of_a_child = [
    path("", views.MedicinesView.as_view(), name="medicines"),
    path("add/", views.AddMedicineView.as_view(), name="add_medicine"),
    path("<uuid:medicine_id>/", views.ChangeMedicineView.as_view(), name="change_medicine"),
    path("<uuid:medicine_id>/return/", views.ReturnMedicineView.as_view(), name="return_medicine"),
    path("training/add/", views.AddChildTrainingView.as_view(), name="add_child_training"),
    path("training/<uuid:child_training_id>/", views.CorrectChildTrainingView.as_view(), name="correct_child_training"),
    path("training/<uuid:child_training_id>/end/", views.EndChildTrainingView.as_view(), name="end_child_training"),
]
of_a_school = [
    path("kits/", school.KitsView.as_view(), name="kits"),
    path("kits/add/", school.AddKitView.as_view(), name="add_kit"),
    path("kits/<uuid:kit_id>/", school.KitView.as_view(), name="kit"),
    path("kits/<uuid:kit_id>/change/", school.ChangeKitView.as_view(), name="change_kit"),
    path("kits/<uuid:kit_id>/check/", school.CheckKitView.as_view(), name="check_kit"),
    path("kits/<uuid:kit_id>/withdraw/", school.WithdrawKitView.as_view(), name="withdraw_kit"),
    path("training/", school.TrainingsView.as_view(), name="trainings"),
    path("training/children/", school.TrainingsByChildView.as_view(), name="trainings_by_child"),
    path("training/add/", school.AddTrainingView.as_view(), name="add_training"),
    path("training/<uuid:training_id>/", school.CorrectTrainingView.as_view(), name="correct_training"),
    path("medicines/", school.SchoolMedicinesView.as_view(), name="school_medicines"),
    path("training/<uuid:training_id>/end/", school.EndTrainingView.as_view(), name="end_training"),
]
urlpatterns = [
    path("items/<uuid:pk>/", views.ItemView.as_view(), name="item"),
    path("children/<uuid:child_id>/medicines/", include(of_a_child)),
    path("schools/<str:urn>/", include(of_a_school)),
]
