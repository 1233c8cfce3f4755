import gzip
import json
import re
import shutil
from pathlib import Path

import botocore
import botocore.session
import pytest

from scripts import package_trim
from scripts.package_trim import SiteSettings
from tests.processes import ROOT

SETTINGS = SiteSettings(
    installed_apps=("django.contrib.auth", "django.contrib.sitemaps"), locales=("en", "en_GB")
)


def make_files(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def list_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_services_are_those_that_have_clients():
    source = "".join(path.read_text() for path in (ROOT / "movies").rglob("*.py"))
    asked = set(re.findall(r'(?:get_client|lend_client)\(\s*"(\w+)"', source))

    assert asked == {"dynamodb", "s3"}
    assert set(package_trim.SERVICES) == asked | {"sts"}


def test_django_keeps_installed_apps_and_configured_languages(tmp_path):
    kept = {
        "conf/locale/__init__.py",
        "conf/locale/en/formats.py",
        "conf/locale/en_GB/LC_MESSAGES/django.mo",
        "contrib/auth/locale/en/LC_MESSAGES/django.mo",
        "contrib/sessions/base.py",
        "contrib/sitemaps/views.py",
    }
    dropped = {
        "conf/locale/de/formats.py",
        "contrib/auth/locale/de/LC_MESSAGES/django.mo",
        "contrib/gis/forms.py",
        "contrib/admindocs/views.py",
    }
    make_files(tmp_path, *kept, *dropped)

    package_trim.trim_django(tmp_path, SETTINGS)

    assert list_files(tmp_path) == kept


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Botocore's own data, trimmed: what the code calls, and one that it does not."""
    source = Path(botocore.__file__).parent / "data"
    data = tmp_path_factory.mktemp("botocore") / "data"
    data.mkdir()
    for path in source.iterdir():
        if path.is_file():
            shutil.copy(path, data)
        elif path.name in (*package_trim.SERVICES, "sqs"):
            shutil.copytree(path, data / path.name)
    package_trim.trim_botocore(data)
    return data


def test_botocore_keeps_the_services_as_plain_json(data):
    assert {path.name for path in data.iterdir() if path.is_dir()} == set(package_trim.SERVICES)
    assert list(data.rglob("*.gz")) == []
    for service in package_trim.SERVICES:
        [version] = (data / service).iterdir()
        assert (version / "service-2.json").exists()
    assert (data / "endpoints.json").stat().st_size < 30_000


def test_botocore_models_lose_their_texts_and_nothing_else(data):
    source = Path(botocore.__file__).parent / "data" / "dynamodb" / "2012-08-10"
    whole = json.loads(gzip.decompress((source / "service-2.json.gz").read_bytes()))

    trimmed = json.loads((data / "dynamodb" / "2012-08-10" / "service-2.json").read_text())

    assert trimmed["operations"].keys() == whole["operations"].keys()
    assert trimmed["shapes"].keys() == whole["shapes"].keys()
    assert trimmed["metadata"] == whole["metadata"]
    assert "documentation" not in trimmed["operations"]["PutItem"]


@pytest.mark.parametrize("service", package_trim.SERVICES)
@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1"])
def test_botocore_finds_the_same_endpoints(data, service, region):
    whole = make_client(None, service, region)
    trimmed = make_client(data, service, region)

    assert trimmed.meta.endpoint_url == whole.meta.endpoint_url
    assert trimmed.meta.partition == whole.meta.partition
    assert trimmed.meta.config.signature_version == whole.meta.config.signature_version
    if service == "s3":
        presign = {"ClientMethod": "get_object", "Params": {"Bucket": "b-1", "Key": "a"}}
        signed = [client.generate_presigned_url(**presign) for client in (trimmed, whole)]
        assert signed[0].partition("?")[0] == signed[1].partition("?")[0]


def make_client(data: Path | None, service: str, region: str):
    session = botocore.session.Session()
    if data is not None:
        loader = session.get_component("data_loader")
        loader.search_paths[:] = [str(data)]
    return session.create_client(
        service, region_name=region, aws_access_key_id="test", aws_secret_access_key="test"
    )


def test_documentation_stays_where_it_is_a_member():
    model = {"members": {"documentation": {"shape": "String", "documentation": "<p>A text.</p>"}}}

    assert package_trim.without_documentation([model]) == [
        {"members": {"documentation": {"shape": "String"}}}
    ]


def test_metadata_keeps_its_head(tmp_path):
    make_files(tmp_path, "RECORD", "licenses/LICENSE", "entry_points.txt")
    (tmp_path / "METADATA").write_text("Name: Django\nVersion: 5.2\n\nA long text.\n")

    package_trim.trim_metadata(tmp_path)

    assert list_files(tmp_path) == {"METADATA", "entry_points.txt"}
    assert (tmp_path / "METADATA").read_text() == "Name: Django\nVersion: 5.2\n\n"


def test_static_files_keep_what_pages_link_to(tmp_path):
    paths = {
        "site.css": "site.1.css",
        "js/jquery.js": "js/jquery.2.js",
        "js/jquery.min.js": "js/jquery.min.3.js",
        "js/i18n/en.js": "js/i18n/en.4.js",
        "js/i18n/pt-BR.js": "js/i18n/pt-BR.5.js",
        "same.txt": "same.txt",
    }
    (tmp_path / "staticfiles.json").write_text(json.dumps({"paths": paths}))
    make_files(tmp_path, *paths, *paths.values(), "site.css.gz", "site.1.css.gz")

    package_trim.trim_static_files(tmp_path, SETTINGS)

    assert list_files(tmp_path) == {
        "staticfiles.json",
        "site.1.css",
        "site.1.css.gz",
        "js/jquery.min.3.js",
        "js/i18n/en.4.js",
        "same.txt",
    }


def test_trim_leaves_our_own_files_and_what_is_read(tmp_path):
    kept = {"movies/static/movies/site.css", "django/apps/config.py", "certifi/cacert.pem"}
    dropped = {
        "bin/django-admin",
        "django/apps/config.pyi",
        "django/contrib/admin/static/admin/css/base.css",
        "django/db/backends/oracle/base.py",
        "botocore/cacert.pem",
        "wrapt/_wrappers.c",
        "boto3/data/ec2/2016-11-15/resources-1.json",
    }
    make_files(tmp_path, *kept, *dropped)
    (tmp_path / "botocore" / "data").mkdir()
    (tmp_path / "botocore" / "data" / "endpoints.json").write_text('{"partitions": []}')

    package_trim.trim(tmp_path, SETTINGS)

    assert list_files(tmp_path) == kept | {"botocore/data/endpoints.json"}
