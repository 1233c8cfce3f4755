"""The function's entry point on AWS Lambda: `lambda_entry.lambda_handler`."""

import packaged_bytecode  # noqa: F401  # the first: it finds the others
from gateway import make_handler, manage, start_ahead, starting, warm_up

with starting():
    from movies_site import ahead
    from movies_site.wsgi import application

    warm_up(application, "/healthz")
    start_ahead(ahead.load, ahead.forget)
    lambda_handler = make_handler(application, on_command=manage)
