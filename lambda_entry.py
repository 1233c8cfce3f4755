"""The function's entry point on AWS Lambda: `lambda_entry.lambda_handler`."""

from gateway import make_handler
from movies_site.wsgi import application

lambda_handler = make_handler(application)
