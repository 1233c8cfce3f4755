"""Whether this process answers, and whether what it needs does."""

import logging

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from movies import tables
from movies.reviews import has_sql

logger = logging.getLogger(__name__)


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
    troubles = {
        "s3": tables.check_s3(),
        "dynamodb": tables.check_dynamodb(),
        "sql": tables.check_sql(),
    }
    parts = {name: trouble.code if trouble else "ok" for name, trouble in troubles.items()}
    if not has_sql():
        parts["sql"] = "none"
    is_ready = not any(troubles.values())
    for name, trouble in troubles.items():
        if trouble:
            logger.warning("%s is not ready: %s", name, trouble.details)
    return JsonResponse({"ready": is_ready, **parts}, status=200 if is_ready else 503)
