"""Hand the SDK the parts that this package mends, before the SDK's own app uses them."""

import logging
from typing import Any

import aws_xray_sdk.ext.django.apps as sdk_app
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.lambda_launcher import LambdaContext as SDKLambdaContext
from django.apps import AppConfig

from . import aws, remote, sql, templates
from .context import Context, LambdaContext
from .emitter import Emitter
from .logs import OnceFilter
from .streaming import Streaming

# Loggers of the SDK that say the same thing again at every request or query.
NOISY_LOGGERS = (
    "aws_xray_sdk.core.context",
    "aws_xray_sdk.core.models.entity",
    "aws_xray_sdk.core.recorder",
    "aws_xray_sdk.core.sampling.rule_poller",
    "aws_xray_sdk.core.sampling.sampler",
    "aws_xray_sdk.core.sampling.target_poller",
)


class TracingConfig(AppConfig):
    """Must stand before `aws_xray_sdk.ext.django` in INSTALLED_APPS."""

    name = "tracing"

    def ready(self) -> None:
        """Replace the recorder's parts; the SDK's own app configures them right after."""
        install()


def install() -> None:
    """Make the recorder of this process ours. Doing so twice changes nothing."""
    recorder: Any = xray_recorder
    if not isinstance(recorder.context, Context):
        is_on_lambda = isinstance(recorder.context, SDKLambdaContext)
        recorder.context = LambdaContext() if is_on_lambda else Context()
    if not isinstance(recorder.emitter, Emitter):
        recorder.emitter._socket.close()
        recorder.emitter = Emitter()
    if not isinstance(recorder.streaming, Streaming):
        recorder.streaming = Streaming()
    # AUTO_INSTRUMENT makes the SDK's app call these two.
    sdk_app.patch_db = sql.install
    sdk_app.patch_template = templates.install
    remote.install()
    aws.install()
    for name in NOISY_LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, OnceFilter) for known in logger.filters):
            logger.addFilter(OnceFilter())
