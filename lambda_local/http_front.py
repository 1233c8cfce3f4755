"""One port for all that calls the function: a REST API, an HTTP API, a function URL, and Invoke.

http://127.0.0.1:3000/dev/                           a REST API's stage
http://movies.custom-domain.localhost:3000/films/    the same, on a custom domain's base path
http://movies.http-api.localhost:3000/               an HTTP API: any host that begins so
http://movies.lambda-url.localhost:3000/             a function URL, as on AWS told by its host
/2015-03-31/functions/NAME/invocations               Lambda's own Invoke, for the AWS CLI and SDKs

All names beneath localhost lead browsers and curl to this machine; other clients may name the host
in its header. The services are AWS's models in `events`.
"""

import base64
import json
import re
import sys
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from .errors import BadClientContext, FunctionNotFound, InvokeError, RequestTooLarge, Throttled
from .events import (
    FORBIDDEN,
    BadResponse,
    Request,
    Response,
    Service,
    make_function_url,
    make_http_api,
    make_rest_api,
)
from .function import VERSION
from .invocation import Outcome
from .invoker import Invoker
from .segments import StageCall, make_stage_segment
from .trace_header import Sampler, Trace, make_id, read_trace

# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
REQUEST_BYTES = 10 * 1024 * 1024
# Where on its custom domain the REST API is.
BASE_PATH = "/films"
INVOKE_PREFIX = "/2015-03-31/functions/"
# Not more digits than any length has: Python reads signs, and refuses thousands of them.
LENGTH = re.compile(r"[0-9]{1,18}")
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
# More than environments, so that what is beyond them is refused rather than kept waiting.
WORKERS = 200


class Front:
    """Takes each request to the service that it is for.

    api_name: of the REST API, which its node on the map is called after, with the stage.
    """

    def __init__(self, invoker: Invoker, sampler: Sampler, stage: str, api_name: str) -> None:
        self._invoker = invoker
        self._sampler = sampler
        self._stage = stage
        self._api_name = api_name
        self._api_id = "local12345"
        self._rest_api = make_rest_api(stage, self._api_id)
        self._custom_domain = make_rest_api(stage, self._api_id, BASE_PATH)
        self._http_api = make_http_api("localhttp1")
        self._function_url = make_function_url("localurl12345")
        self._workers = ThreadPoolExecutor(WORKERS, "invocation")

    def answer(self, request: Request) -> Response:
        """Return the response to a request."""
        if request.path.startswith(INVOKE_PREFIX) and request.method == "POST":
            return self._answer_invoke(request)
        if ".lambda-url." in request.host:
            return self._answer_http(self._function_url, request)
        if request.host.startswith("http-api.") or ".http-api." in request.host:
            return self._answer_http(self._http_api, request)
        if ".custom-domain." in request.host:
            service, prefix = self._custom_domain, BASE_PATH
        else:
            service, prefix = self._rest_api, f"/{self._stage}"
        if f"{request.path}/".startswith(f"{prefix}/"):
            return self._answer_rest(service, request)
        return FORBIDDEN

    def _answer_rest(self, service: Service, request: Request) -> Response:
        """Answer for the stage, which decides about sampling, and has a segment of its own."""
        start = time.time()
        sent = read_trace(request.find("x-amzn-trace-id"))
        trace = self._sampler.decide(sent)
        segment_id, call_id = make_id(), make_id()
        called = time.time()
        response, invoke_status = self._call(service, request, trace.under(call_id))
        answered = time.time()
        if trace.is_sampled:
            call = StageCall(
                api_name=self._api_name,
                api_id=self._api_id,
                stage=self._stage,
                request_id=request.request_id,
                url=f"https://{request.host}{request.path}",
                method=request.method,
                client_ip=request.client_ip,
                user_agent=request.find("user-agent"),
                start=start,
                end=time.time(),
                called=called,
                answered=answered,
                status=response.status,
                content_length=len(response.body),
                invoke_status=invoke_status,
            )
            function = self._invoker.function
            segment = make_stage_segment(call, trace, segment_id, call_id, function)
            self._invoker.sender.send(segment)
        own = [
            ("x-amzn-RequestId", request.request_id),
            ("x-amz-apigw-id", request.request_id[:15] + "="),
            ("X-Amzn-Trace-Id", trace.under(segment_id).write(self._invoker.function.arn)),
        ]
        return _add(response, own)

    def _answer_http(self, service: Service, request: Request) -> Response:
        """Answer for a service that has no segment: Lambda decides about sampling."""
        trace = self._sampler.decide(read_trace(request.find("x-amzn-trace-id")))
        response, _ = self._call(service, request, trace)
        own = [("x-amzn-RequestId", request.request_id)]
        if service is self._function_url:
            own.append(("X-Amzn-Trace-Id", trace.write()))
        return _add(response, own)

    def _call(self, service: Service, request: Request, trace: Trace) -> tuple[Response, int]:
        """Return what a service makes of a request, and the status of its call to Lambda."""
        if len(request.body) > REQUEST_BYTES:
            return service.too_large, 413
        # As the client wrote it; else without what only Lambda is told.
        header = request.find("x-amzn-trace-id") or Trace(trace.root).write()
        event = json.dumps(service.make_event(request, header), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
        future: Future[Outcome] = self._workers.submit(
            lambda: self._invoker.invoke(event, trace, str(uuid.uuid4()))[0]
        )
        try:
            outcome = future.result(service.limit_seconds)
        except TimeoutError:
            return service.timed_out, 504
        except Throttled as error:
            return service.throttled, error.status
        except RequestTooLarge as error:
            refused = service.too_large if service is self._function_url else service.refused
            return refused, error.status
        except InvokeError as error:
            return service.refused, error.status
        if outcome.is_error:
            return service.failed, 200
        try:
            return service.read_response(outcome.payload), 200
        except BadResponse as error:
            tell(f"Malformed Lambda proxy response: {error}.")
            return service.failed, 200

    def _answer_invoke(self, request: Request) -> Response:
        """Lambda's API: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
        trace = self._sampler.decide(read_trace(request.find("x-amzn-trace-id")))
        headers = [
            ("x-amzn-RequestId", request.request_id),
            ("X-Amzn-Trace-Id", trace.write()),
        ]
        try:
            response = self._invoke(request, trace)
        except InvokeError as error:
            headers.append(("x-amzn-ErrorType", error.code))
            body = {"Type": "User", "Message": str(error), "message": str(error)}
            response = Response(
                error.status, [("Content-Type", "application/json")], json.dumps(body).encode()
            )
        return _add(response, headers)

    def _invoke(self, request: Request, trace: Trace) -> Response:
        name = request.path.removeprefix(INVOKE_PREFIX).rpartition("/")[0]
        self._check_name(unquote(name))
        kind = request.find("x-amz-invocation-type") or "RequestResponse"
        context = _read_client_context(request.find("x-amz-client-context"))
        event = request.body or b"{}"
        if kind == "DryRun":
            return Response(204, [], b"")
        if kind == "Event":
            self._invoker.invoke_later(event, trace, request.request_id, context)
            return Response(202, [], b"")
        outcome, invocation = self._invoker.invoke(event, trace, request.request_id, context)
        headers = [("Content-Type", "application/json"), ("X-Amz-Executed-Version", VERSION)]
        if outcome.is_error:
            headers.append(("X-Amz-Function-Error", "Unhandled"))
        if (request.find("x-amz-log-type") or "").lower() == "tail":
            tail = base64.b64encode(invocation.log_tail[-4096:]).decode()
            headers.append(("X-Amz-Log-Result", tail))
        return Response(200, headers, outcome.payload)

    def _check_name(self, name: str) -> None:
        """Raise FunctionNotFound unless it is our function's: a name, ARN or part of one."""
        function = self._invoker.function
        bare = name.removesuffix(f":{VERSION}")
        if bare != function.name and not (
            bare.endswith(f":function:{function.name}") or bare.endswith(f":{function.name}")
        ):
            raise FunctionNotFound(name, function.name)

    def close(self) -> None:
        """Take no more events."""
        self._workers.shutdown(wait=False, cancel_futures=True)


def _read_client_context(header: str | None) -> str | None:
    if header is None:
        return None
    try:
        text = base64.b64decode(header, validate=True).decode()
        json.loads(text)
    except ValueError as error:
        raise BadClientContext from error
    # It travels in a header, which holds ASCII.
    return json.dumps(json.loads(text))


def _add(response: Response, headers: list[tuple[str, str]]) -> Response:
    """Return the response with the service's own headers in the place of the function's."""
    own = {name.lower() for name, _ in headers}
    kept = [pair for pair in response.headers if pair[0].lower() not in own]
    return Response(response.status, kept + headers, response.body)


def tell(text: str) -> None:
    """Write a line of the gateway's own log."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


class Server(ThreadingHTTPServer):
    """The server of the one port."""

    daemon_threads = True
    # Bursts of connections wait rather than fail.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], front: Front) -> None:
        super().__init__(address, _Handler)
        self.front = front

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that have gone."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    server: Server

    def _answer(self) -> None:
        body = self._read_body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        request = Request(
            self.command,
            path,
            query,
            [(name, _to_text(text)) for name, text in self.headers.items()],
            body,
            self.client_address[0],
            self.headers["Host"] or "localhost",
        )
        self._send(self.server.front.answer(request))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

    def _read_body(self) -> bytes | None:
        """Return the body; None where there is none to read, having answered that."""
        if self.headers["Transfer-Encoding"]:
            return self._read_chunks()
        length = self.headers["Content-Length"] or "0"
        if not LENGTH.fullmatch(length):
            self.close_connection = True
            self._send(Response(400, [], b""))
            return None
        # More than this nobody takes; the service says so.
        body = self.rfile.read(min(int(length), REQUEST_BYTES + 1))
        if int(length) > REQUEST_BYTES:
            self.close_connection = True
        return body

    def _read_chunks(self) -> bytes | None:
        body = b""
        while len(body) <= REQUEST_BYTES:
            text = self.rfile.readline(100).partition(b";")[0].strip()
            if not CHUNK_SIZE.fullmatch(text):
                self.close_connection = True
                self._send(Response(400, [], b""))
                return None
            size = int(text, 16)
            if size == 0:
                while self.rfile.readline(65536).strip():
                    pass
                return body
            body += self.rfile.read(min(size, REQUEST_BYTES + 1))
            self.rfile.readline(100)
        self.close_connection = True
        return body

    def _send(self, response: Response) -> None:
        has_body = response.status not in (204, 304) and response.status >= 200
        self.send_response_only(response.status, _name(response.status))
        self.send_header("Date", self.date_time_string())
        for name, text in response.headers:
            # What would end the header early is no part of it.
            clean = text.replace("\r", "").replace("\n", "")
            self.send_header(name, clean.encode("utf-8", "replace").decode("latin-1"))
        if has_body:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(response.body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the function's log tells of each request."""


def _to_text(text: str) -> str:
    """Return a header as UTF-8, which the server has read as Latin-1."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _name(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
