"""The WSGI application: what runserver, the gateway and any WSGI server call."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "movies_site.settings")

application = get_wsgi_application()
