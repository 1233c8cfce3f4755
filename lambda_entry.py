"""The function's entry point on AWS Lambda: `lambda_entry.lambda_handler`."""

from gateway import make_handler, manage
from movies_site.wsgi import application

lambda_handler = make_handler(application, on_command=manage)
