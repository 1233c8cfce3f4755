"""Hand the SDK the parts that this package mends."""

from django.apps import AppConfig


class TracingConfig(AppConfig):
    name = "tracing"
