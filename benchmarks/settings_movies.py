"""The site as it is on a laptop."""

from movies_site.settings_local import *  # noqa: F403
