from django.urls import path

from . import views

app_name = "stats"

urlpatterns = [path("stats/view", views.view, name="beacon")]
