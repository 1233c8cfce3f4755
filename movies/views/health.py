"""Whether this process answers, and whether what it needs does."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from movies import tables
from movies.errors import AWSRefused, MoviesError, NotReady
from movies.failures import log_failure
from movies.reviews import has_sql


@require_safe
@never_cache
def show_health(request: HttpRequest) -> HttpResponse:
    """Answer ok, having touched nothing."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_safe
@never_cache
def show_readiness(request: HttpRequest) -> HttpResponse:
    """Answer whether S3, DynamoDB and SQL answer: 200 where all do, else 503 with a code for each.

    SQL says "none" where the site has none, which is how it should be then.
    """
    checks = {
        "s3": tables.check_s3(),
        "dynamodb": tables.check_dynamodb(),
        "sql": tables.check_sql(),
    }
    parts = {name: _code(error) if error else "ok" for name, error in checks.items()}
    if not has_sql():
        parts["sql"] = "none"
    troubles = {name: error for name, error in checks.items() if error}
    response = JsonResponse({"ready": not troubles, **parts}, status=503 if troubles else 200)
    if troubles:
        log_failure(request, response, NotReady(troubles))
    return response


def _code(error: MoviesError) -> str:
    return error.aws_code if isinstance(error, AWSRefused) else error.code
