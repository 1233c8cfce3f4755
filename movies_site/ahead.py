"""What only some requests need, for starts that nobody waits for; and how to let go of it."""

from pathlib import Path

import movies
from movies.aws import forget_credentials, get_client

TEMPLATES = Path(movies.__file__).parent / "templates"


def load() -> None:
    """Import the libraries that ask others, make clients and compile templates; ask nobody."""
    import requests  # noqa: F401  # here, for no other start should wait for it
    from django.template.loader import get_template

    for template in sorted(TEMPLATES.glob("movies/*.html")):
        get_template(str(template.relative_to(TEMPLATES)))
    get_client("dynamodb")
    get_client("s3")


def forget() -> None:
    """Let go of AWS clients, with their connections and credentials: the next are made anew."""
    forget_credentials()
