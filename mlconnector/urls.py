"""Who answers what."""

from django.urls import path

from mlconnector import health

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
]
