"""Take from the package what the function never reads; docs/decisions/0006 says what and why."""

import gzip
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What movies/aws.py makes clients for, and STS, which botocore asks for a role's credentials.
SERVICES = ("dynamodb", "s3", "sts")
# Django's own apps that nothing else of Django imports; those that are installed stay.
OPTIONAL_APPS = (
    "admindocs",
    "flatpages",
    "gis",
    "humanize",
    "postgres",
    "redirects",
    "sitemaps",
    "syndication",
)
UNREAD = (
    # Commands, which a function has no shell for, and what uv leaves behind.
    "bin",
    ".lock",
    # For type checkers, compilers, translators and `startproject`.
    "**/*.pyi",
    "**/py.typed",
    "**/*.c",
    "**/*.h",
    "**/*.pyx",
    "**/*.pxd",
    "**/*.po",
    "django/conf/app_template",
    "django/conf/project_template",
    # Collected already.
    "django/contrib/*/static",
    # For databases whose drivers do not ship, and a template engine that does not.
    "django/db/backends/mysql",
    "django/db/backends/oracle",
    "django/forms/jinja2",
    "csp/tests",
    # For Python in a browser.
    "urllib3/contrib/emscripten",
    # certifi's is the one that is read.
    "botocore/cacert.pem",
    "botocore/data/**/examples-1.json",
    "boto3/examples",
    # Only where a system has no time zones; Lambda's has.
    "dateutil/zoneinfo/dateutil-zoneinfo.tar.gz",
)


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What of the site's settings decides about Django's parts."""

    installed_apps: Sequence[str]
    locales: Sequence[str]  # such as "en_GB"


def trim(folder: Path, settings: SiteSettings) -> None:
    """Delete and shorten files of a folder into which the requirements were installed."""
    trim_botocore(folder / "botocore" / "data")
    trim_django(folder / "django", settings)
    _delete(_list_others(folder / "boto3" / "data", SERVICES))
    # Last: each pattern goes through all that is left.
    _delete(path for pattern in UNREAD for path in folder.glob(pattern))
    for metadata in folder.glob("*.dist-info"):
        trim_metadata(metadata)


def trim_django(django: Path, settings: SiteSettings) -> None:
    """Leave out optional apps that are not installed, and languages that nobody is shown."""
    for name in OPTIONAL_APPS:
        app = f"django.contrib.{name}"
        if not any(
            entry == app or entry.startswith(f"{app}.") for entry in settings.installed_apps
        ):
            _delete([django / "contrib" / name])
    for folder in django.glob("**/locale"):
        _delete(path for path in _list_others(folder, settings.locales) if path.is_dir())


def trim_botocore(data: Path) -> None:
    """Leave the models of SERVICES, without their documentation and ready to be read."""
    _delete(path for path in _list_others(data, SERVICES) if path.is_dir())
    # Parsing all of it, 1.2 MB, is a good part of what the first client costs.
    endpoints = json.loads((data / "endpoints.json").read_bytes())
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {
            name: known for name, known in services.items() if name in SERVICES
        }
    _write_json(data / "endpoints.json", endpoints)
    for path in data.glob("*/*/*.json*"):
        # The zip is compressed already.
        is_compressed = path.suffix == ".gz"
        text = gzip.decompress(path.read_bytes()) if is_compressed else path.read_bytes()
        path.unlink()
        target = path.with_suffix("") if is_compressed else path
        model = json.loads(text)
        if target.name == "service-2.json":
            # Only here: elsewhere botocore may ask for the texts.
            for part in ("operations", "shapes"):
                model[part] = without_documentation(model[part])
        _write_json(target, model)
    # Versions of an API that have no model.
    models = {path.parent for path in data.glob("*/*/service-2.json")}
    _delete(path for path in data.glob("*/*") if path not in models)


def without_documentation(model: Any) -> Any:
    """Return a part of a model without its texts; members named "documentation" stay."""
    if isinstance(model, dict):
        return {
            name: without_documentation(part)
            for name, part in model.items()
            if not (name == "documentation" and isinstance(part, str))
        }
    if isinstance(model, list):
        return [without_documentation(part) for part in model]
    return model


def trim_metadata(folder: Path) -> None:
    """Leave what importlib.metadata tells of a package: its name, version and entry points."""
    _delete(_list_others(folder, ("METADATA", "entry_points.txt")))
    metadata = folder / "METADATA"
    metadata.write_text(metadata.read_text().partition("\n\n")[0] + "\n\n")


def trim_static_files(folder: Path, settings: SiteSettings) -> None:
    """Leave of collected files what pages link to, under the name with the hash in it.

    Where there is X.min.js the administration's pages want X.js only with DEBUG, which a function
    never has; and of its widgets' languages they want the site's.
    """
    paths = json.loads((folder / "staticfiles.json").read_text())["paths"]
    for name, hashed in paths.items():
        path = Path(name)
        is_foreign = path.parent.name == "i18n" and path.stem.replace("-", "_") not in (
            settings.locales
        )
        is_unread = is_foreign or str(path.with_suffix(f".min{path.suffix}")) in paths
        unread = {name, hashed} if is_unread else {name} - {hashed}
        _delete(folder / f"{one}{ending}" for one in unread for ending in ("", ".gz", ".br"))


def _list_others(folder: Path, kept: Iterable[str]) -> list[Path]:
    kept = {*kept, "__init__.py", "__pycache__"}
    return [path for path in folder.glob("*") if path.name not in kept]


def _delete(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, separators=(",", ":")))
