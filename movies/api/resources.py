"""Make a view of functions, one for each method; tell every error in the API's one shape."""

from collections.abc import Callable, Collection

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt

from movies.errors import BadInput, MovieChanged, MoviesError, SQLUnavailable
from movies.failures import SQL_ERRORS, log_failure

from .errors import Problem, error_response
from .queries import check_query
from .serialisation import movie_to_json


def resource(
    *, query: Collection[str] = (), **handlers: Callable[..., HttpResponse]
) -> Callable[..., HttpResponse]:
    """Return a view that answers each method by its function, as GET=list_movies.

    query: the parameters that GET knows; another one, or one twice, is a 400 for any method.
    HEAD is GET without its body, OPTIONS says what is allowed. The functions of methods that
    write check CSRF themselves (access.needs_user).
    """
    methods = {*handlers, "OPTIONS"} | ({"HEAD"} if "GET" in handlers else set())
    allow = ", ".join(sorted(methods))

    @csrf_exempt
    def view(request: HttpRequest, **kwargs: object) -> HttpResponse:
        method = request.method or ""
        if method not in methods:
            message = f"{method[:20]} isn't possible here; expected one of {allow}."
            refusal = error_response(request, 405, "method_not_allowed", message)
            refusal["Allow"] = allow
            return refusal
        if method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": allow})
        is_read = method in ("GET", "HEAD")
        response = _answer(
            request, handlers["GET" if is_read else method], query if is_read else (), kwargs
        )
        # What the site shows changes with every vote; whoever keeps it must ask again.
        response.setdefault("Cache-Control", "no-cache")
        if method == "HEAD":
            response["Content-Length"] = str(len(response.content))
            response.content = b""
        return response

    return view


def _answer(
    request: HttpRequest,
    handler: Callable[..., HttpResponse],
    query: Collection[str],
    kwargs: dict[str, object],
) -> HttpResponse:
    """Return the handler's answer, or the problem that it raised.

    An exception that nobody foresaw goes on to Django, which logs it once and answers 500.
    """
    try:
        check_query(request, query)
        return handler(request, **kwargs)
    except Problem as exc:
        return error_response(request, exc.status, exc.code, str(exc), **exc.extra)
    except MoviesError as exc:
        return _tell(request, exc)
    except RequestDataTooBig as exc:
        return error_response(request, 413, "body_too_large", f"The body is too large: {exc}")
    except (SuspiciousOperation, MultiPartParserError, UnreadablePostError) as exc:
        return error_response(request, 400, "bad_request", f"The request can't be read: {exc}")
    except SQL_ERRORS as exc:
        return _tell(request, SQLUnavailable(exc))


def _tell(request: HttpRequest, exc: MoviesError) -> HttpResponse:
    if isinstance(exc, MovieChanged):
        return error_response(request, 412, exc.code, str(exc), current=movie_to_json(exc.current))
    extra = {"fields": exc.fields} if isinstance(exc, BadInput) else {}
    response = error_response(request, exc.status, exc.code, str(exc), **extra)
    log_failure(request, response, exc)
    return response
