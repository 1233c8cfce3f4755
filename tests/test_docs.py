"""The documentation says what is there: every variable, every make target, every link."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
READS = re.compile(
    r"""read_(?:text|flag|number|optional|list)\(\s*"([A-Z_]+)"|environ(?:\.get\(|\.setdefault\(|\[)\s*"([A-Z_]+)\""""
)


def list_variables() -> set[str]:
    """Return every variable that settings and `make run` read."""
    files = [*(ROOT / "movies_site").glob("*.py"), *(ROOT / "scripts").glob("*.py")]
    found = [match for path in files for match in READS.findall(path.read_text())]
    return {one or other for one, other in found}


def test_every_variable_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    variables = list_variables()

    assert len(variables) > 20
    assert sorted(name for name in variables if f"`{name}`" not in text) == []


def test_every_documented_variable_is_read() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    documented = {
        name
        for line in text.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([A-Z_]{4,})`", line.split("|")[1])
    }
    sources = (
        "".join(
            path.read_text()
            for folder in ("movies_site", "scripts", "tracing", "xray_local")
            for path in (ROOT / folder).rglob("*.py")
        )
        + (ROOT / "manage.py").read_text()
    )
    # Those that boto3 and the SDK read themselves.
    theirs = {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_TRACING_NAME",
        "AWS_XRAY_SDK_ENABLED",
    }

    assert sorted(name for name in documented - theirs if f'"{name}"' not in sources) == []


def test_make_targets_in_the_documents_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))

    for path in DOCUMENTS:
        for target in re.findall(r"(?:`|^)make ([a-z-]+)", path.read_text(), re.MULTILINE):
            assert target in targets, f"{path.name} names `make {target}`."


def test_parameters_of_a_stage_are_documented() -> None:
    parameters = (ROOT / "serverless.yml").read_text().partition("params:")[2].partition("\n\n")[0]
    text = (ROOT / "docs" / "deploying.md").read_text()
    table = text.partition("| to set, as")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    documented = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    assert sorted(documented) == sorted(set(re.findall(r"^    (\w+):", parameters, re.MULTILINE)))
    shown = set(re.findall(r"--param=(\w+)", "".join(path.read_text() for path in DOCUMENTS)))
    assert shown - {"name"} <= set(documented)


def test_what_the_readme_places_is_there() -> None:
    rows = re.findall(r"^\| (`[^|]+) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    places = [place for row in rows for place in re.findall(r"`([^`]+)`", row)]

    assert len(places) > 6
    assert [place for place in places if not (ROOT / place).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}."
