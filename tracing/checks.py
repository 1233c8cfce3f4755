"""What `manage.py check` says about the settings of tracing.

docs/settings.md lists the ids. A wrong setting never stops a site, so this is where it is told.
"""

import importlib.util
import os
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.module_loading import import_string

from . import settings
from .keys import INSTRUMENTS, KEYS, OWN_SETTINGS, PLUGINS
from .settings import NAMESPACE

MIDDLEWARE = "tracing.middleware.XRayMiddleware"
SDK_MIDDLEWARE = "aws_xray_sdk.ext.django.middleware.XRayMiddleware"
SDK_APP = "aws_xray_sdk.ext.django"
TRACING_NAME = "AWS_XRAY_TRACING_NAME"
# For keys whose values are words: those that are right.
WORDS: dict[str, Sequence[str]] = {
    "AWS_XRAY_CONTEXT_MISSING": ("RUNTIME_ERROR", "LOG_ERROR", "IGNORE_ERROR"),
    "PLUGINS": PLUGINS,
    "TRACING_INSTRUMENTS": sorted(INSTRUMENTS),
    "URLS_AS_ANNOTATION": ("NONE", "LAMBDA", "ALL"),
}
# What the SDK's `patch` takes under another name than that of the package.
PACKAGES = {"httplib": "http", "sqlalchemy_core": "sqlalchemy"}
# By what a name is without XRAY_ or TRACING_, what was probably meant.
MEANT = {
    "RECORDER": NAMESPACE,
    "SDK_ENABLED": "the environment variable AWS_XRAY_SDK_ENABLED",
    **{key.name.removeprefix("AWS_XRAY_"): f"{NAMESPACE}['{key.name}']" for key in KEYS},
    **{own.name.removeprefix("TRACING_"): own.name for own in OWN_SETTINGS},
}


@register("tracing")
def check_settings(**_: Any) -> list[CheckMessage]:
    """Check XRAY_RECORDER, the TRACING_ settings and the variables that stand above them."""
    return [
        *_check_names(),
        *_check_values(),
        *_check_rules(),
        *_check_patch_modules(),
    ]


@register("tracing")
def check_middleware(**_: Any) -> list[CheckMessage]:
    """Check that each request meets our middleware, once, and before any other."""
    middleware = list(settings.django_setting("MIDDLEWARE", ()))
    found: list[CheckMessage] = []
    if SDK_MIDDLEWARE in middleware:
        found.append(
            Error(
                f"MIDDLEWARE names the SDK's {SDK_MIDDLEWARE!r}.",
                hint=f"Put {MIDDLEWARE!r} in its place.",
                id="tracing.E006",
            )
        )
    places = [place for place, path in enumerate(middleware) if _is_ours(path)]
    if len(places) > 1:
        found.append(
            Error(
                f"MIDDLEWARE names {MIDDLEWARE!r} {len(places)} times.",
                hint="Keep the first: a request is one segment.",
                id="tracing.E007",
            )
        )
    elif not places and not found:
        found.append(
            Warning(
                f"MIDDLEWARE does not name {MIDDLEWARE!r}: requests make no segments.",
                hint="Put it first.",
                id="tracing.W003",
            )
        )
    if places and middleware[0] != SDK_MIDDLEWARE and places[0] > 0:
        found.append(
            Warning(
                f"{middleware[places[0]]!r} comes after {middleware[0]!r} in MIDDLEWARE: "
                "what others do or answer before it is not traced.",
                hint="Put it first.",
                id="tracing.W004",
            )
        )
    return found


@register("tracing")
def check_apps(**_: Any) -> list[CheckMessage]:
    """Check that the SDK's app is not installed beside ours."""
    if not any(str(app).startswith(SDK_APP) for app in settings.django_setting("INSTALLED_APPS")):
        return []
    return [
        Warning(
            f"INSTALLED_APPS names {SDK_APP!r}, which is not needed.",
            hint="Take it out: 'tracing' does all that it does, and it slows the start.",
            id="tracing.W005",
        )
    ]


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like this one, whatever the case; None if none is."""
    by_upper = {known.upper(): known for known in names}
    found = get_close_matches(name.upper(), by_upper, n=1, cutoff=0.7)
    return by_upper[found[0]] if found else None


def _check_names() -> Iterator[CheckMessage]:
    """Find keys and settings that nobody reads."""
    names = [key.name for key in KEYS]
    for name in settings.given():
        if name not in names:
            meant = nearest(str(name), names)
            yield Warning(
                f"{NAMESPACE}[{name!r}] is no setting of tracing; nobody reads it.",
                hint=f"Did you mean {meant!r}?" if meant else f"Known are {', '.join(names)}.",
                id="tracing.W001",
            )
    known = {NAMESPACE, *(own.name for own in OWN_SETTINGS)}
    for name in settings.django_setting_names():
        if name in known or not name.startswith(("TRACING_", "XRAY_", "AWS_XRAY_")):
            continue
        near = nearest(name.removeprefix("TRACING_").split("XRAY_", 1)[-1], MEANT)
        # XRAY_ alone may be the project's own; TRACING_ is ours.
        if near or name.startswith("TRACING_"):
            yield Warning(
                f"{name} is no setting of tracing; nobody reads it.",
                hint=f"Did you mean {MEANT[near]}?"
                if near
                else f"Known are {', '.join(sorted(known))}.",
                id="tracing.W002",
            )


def _check_values() -> Iterator[CheckMessage]:
    """Find values that count as not given, and a name that is missing."""
    wrong = settings.find_wrong_values()
    for item in wrong:
        yield Error(
            f"{item} It counts as not given.",
            hint=f"Expected {item.expected}.{_guess(item)}",
            id="tracing.E001" if item.key == NAMESPACE else "tracing.E002",
        )
    is_named = os.environ.get(TRACING_NAME) or settings.given().get(TRACING_NAME) is not None
    if not is_named and not any(item.key == NAMESPACE for item in wrong):
        yield Error(
            f"{NAMESPACE}['{TRACING_NAME}'] is missing: segments need a name. "
            f"They are called {settings.read().service_name!r}.",
            hint=f"Say {NAMESPACE} = {{'{TRACING_NAME}': 'my-site'}}.",
            id="tracing.E003",
        )


def _guess(item: settings.WrongValue) -> str:
    """Return the question whether a word like the wrong one was meant, or nothing."""
    words = WORDS.get(item.key, ())
    given = [item.value] if isinstance(item.value, str) else item.value
    if not words or not isinstance(given, list | tuple | set | frozenset):
        return ""
    meant = [nearest(word, words) for word in given if isinstance(word, str) and word not in words]
    return "".join(f" Did you mean {word!r}?" for word in meant if word)


def _check_rules() -> Iterator[CheckMessage]:
    """Find sampling rules that a sampler would refuse."""
    rules = settings.read().sampling_rules
    if rules is None:
        return
    try:
        settings.load_rules(rules)
    except ValueError as error:
        yield Error(
            f"{NAMESPACE}['SAMPLING_RULES'] can't be used, and are left out. {error}",
            hint="Expected version 2, a default with fixed_target and rate, and a list of rules; "
            "as a dict, or as the path of a JSON file.",
            id="tracing.E004",
        )


def _check_patch_modules() -> Iterator[CheckMessage]:
    """Find modules that the SDK's `patch` would stumble over."""
    names = settings.read().patch_modules
    if not names:
        return
    from aws_xray_sdk.core import patcher

    known = {*patcher.SUPPORTED_MODULES, "boto3", "aioboto3"}
    for name in names:
        if name in known:
            package = PACKAGES.get(name, name)
            is_there = importlib.util.find_spec(package) is not None
            problem = f"the package {package!r} is not installed"
            hint = "Install it, or take it out."
        else:
            # As `patch` looks for it: from the current folder on.
            is_there = patcher._is_valid_import(name)
            problem = "it is neither known nor a module in this folder"
            meant = nearest(name, known)
            hint = f"Did you mean {meant!r}?" if meant else f"Known are {', '.join(sorted(known))}."
        if not is_there:
            yield Error(
                f"{NAMESPACE}['PATCH_MODULES'] names {name!r}: {problem}.",
                hint=hint,
                id="tracing.E005",
            )


def _is_ours(path: Any) -> bool:
    """Return whether a line of MIDDLEWARE is our middleware, or a class made from it."""
    if path == MIDDLEWARE or not isinstance(path, str) or path.startswith("django."):
        return bool(path == MIDDLEWARE)
    try:
        known, found = import_string(MIDDLEWARE), import_string(path)
    except Exception:  # what can't be imported is told by Django
        return False
    return isinstance(known, type) and isinstance(found, type) and issubclass(found, known)
