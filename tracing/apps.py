"""Hand the SDK the parts that this package mends, and set them up as the settings say."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core import patcher, xray_recorder
from aws_xray_sdk.core.emitters.udp_emitter import UDPEmitter
from aws_xray_sdk.core.streaming.default_streaming import DefaultStreaming
from django.apps import AppConfig

from . import aws, cache, files, logs, patches, remote, settings, sql, templates, threads
from .context import Context, LambdaContext
from .emitter import Emitter
from .logs import OnceFilter
from .recorder import Recorder
from .sampling import Sampler
from .streaming import Streaming

# What the SDK's `patch` would trace a second time.
OURS = {"aws": ("botocore",), "remote": ("requests", "httplib")}
INSTRUMENTS = {
    "aws": aws.install,
    "cache": cache.install,
    "files": files.install,
    "remote": remote.install,
    "sql": sql.install,
    "templates": templates.install,
    "threads": threads.install,
}
# Loggers of the SDK that say the same thing again at every request or query.
NOISY_LOGGERS = (
    "aws_xray_sdk.core.context",
    "aws_xray_sdk.core.models.entity",
    "aws_xray_sdk.core.recorder",
)


class TracingConfig(AppConfig):
    """All that INSTALLED_APPS needs for tracing; the SDK's own app is not."""

    name = "tracing"

    def ready(self) -> None:
        """Replace the recorder's parts and set it up; again when a test overrides the settings."""
        from . import checks  # noqa: F401

        install()
        logs.install()
        settings.apply(settings.current(), xray_recorder)
        settings.on_change(apply_change)
        instrument(settings.current())


def apply_change(changed: settings.Settings) -> None:
    """Set the recorder up anew."""
    settings.apply(changed, xray_recorder)


def install() -> None:
    """Make the recorder of this process ours. Doing so twice changes nothing."""
    recorder: Any = xray_recorder
    recorder.__class__ = Recorder
    if not isinstance(recorder.context, Context):
        recorder.context = LambdaContext() if is_on_lambda() else Context()
    # Somebody's own parts stay.
    if type(recorder.emitter) is UDPEmitter:
        recorder.emitter._socket.close()
        recorder.emitter = Emitter()
    if type(recorder.streaming) is DefaultStreaming:
        recorder.streaming = Streaming()
    if type(recorder.sampler).__name__ in ("DefaultSampler", "LocalSampler"):
        recorder.sampler = Sampler()
    patches.install()
    for name in NOISY_LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, OnceFilter) for known in logger.filters):
            logger.addFilter(OnceFilter())


def is_on_lambda() -> bool:
    """Return whether a Lambda function runs here. Lambda's images set LAMBDA_TASK_ROOT anywhere."""
    return bool(os.environ.get("LAMBDA_TASK_ROOT") and os.environ.get("AWS_LAMBDA_FUNCTION_NAME"))


def instrument(known: settings.Settings) -> None:
    """Trace what the settings name. What fails is a log line, and the site starts without it."""
    if not global_sdk_config.sdk_enabled():
        return
    for name in sorted(known.instruments & INSTRUMENTS.keys()):
        try:
            INSTRUMENTS[name]()
        except Exception:
            log.exception("Could not instrument %s.", name)
        else:
            for library in OURS.get(name, ()):
                patches.take_off(library)
                patcher._PATCHED_MODULES.add(library)
    # Where the SDK's own app is installed too, it would patch once more.
    sdk_app: Any = sys.modules.get("aws_xray_sdk.ext.django.apps")
    if sdk_app is not None:
        sdk_app.patch_db = sdk_app.patch_template = lambda: None
    # One by one: what fails does not keep the others from it.
    for module in known.patch_modules:
        try:
            patches.patch(module, known.ignore_module_patterns)
        except Exception as error:
            log.warning("Could not patch %r of PATCH_MODULES: %s", module, error)


log = logging.getLogger(__name__)
