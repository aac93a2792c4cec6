from django.urls import path

from . import views

app_name = "components"

urlpatterns = [
    path("setup/", views.setup, name="setup"),
    path("stats/view", views.view, name="beacon"),
]
