"""Static files through the function, looked up when the first of them is asked for."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # it has no types
    """WhiteNoise, but a start doesn't wait until it has looked at every file.

    On Lambda most environments are never asked for one: browsers keep them.
    """

    _folder: tuple[Any, Any] | None = None

    def add_files(self, root: Any, prefix: Any = None) -> None:
        """Remember STATIC_ROOT; look at any other folder at once."""
        if prefix == self.static_prefix:
            self._folder = root, prefix
        else:
            super().add_files(root, prefix)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Two threads may do so at the same time; both find the same.
        if self._folder is not None and request.path_info.startswith(self.static_prefix):
            super().add_files(*self._folder)
            self._folder = None
        response: HttpResponseBase = super().__call__(request)
        return response
