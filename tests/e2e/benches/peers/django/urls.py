"""Django's own pages: /password_reset/ is PasswordResetView. Its templates are the admin's."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls), path("", include("django.contrib.auth.urls"))]
