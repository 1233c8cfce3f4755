"""The whole chain in one request."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from movies import chain
from movies.errors import StepFailed
from movies.failures import log_failure


@require_safe
@never_cache
def show_app(request: HttpRequest) -> HttpResponse:
    """Answer what each step did and how long it took; 500 with AWS's words where AWS refused."""
    try:
        steps = chain.run_chain()
    except StepFailed as exc:
        response = JsonResponse(
            {
                "message": str(exc),
                "step": exc.step,
                "code": exc.aws_code,
                "aws_message": exc.aws_message,
                "steps": [step._asdict() for step in exc.steps],
            },
            status=500,
        )
        log_failure(request, response, exc)
        return response
    return JsonResponse(
        {"message": "The function ran.", "steps": [step._asdict() for step in steps]}
    )
