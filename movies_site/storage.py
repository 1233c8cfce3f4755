"""Static files behind a stage: their URLs begin where the site does."""

from django.conf import settings
from django.urls import get_script_prefix
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed and compressed files, whose URLs carry the prefix of the request.

    Django adds the prefix to STATIC_URL once, at start; an API Gateway tells it with each event.
    """

    @property
    def base_url(self) -> str:
        """The address that the files' names are appended to."""
        return get_script_prefix().rstrip("/") + settings.STATIC_URL
