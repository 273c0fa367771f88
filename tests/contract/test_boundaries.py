"""Who may import whom, and one word per service everywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if path.is_dir())
ALLOWED = {
    "protos": {"rehab"},
    "runtime": {"rehab", "rehab_runtime"},
    "clinical": {"rehab", "rehab_clinical"},
    "sdk": {"rehab", "rehab_sdk"},
    "edge": {"rehab", "rehab_sdk", "rehab_edge"},
    **{
        f"services/{name}": {"rehab", "rehab_runtime", "rehab_clinical", f"rehab_{name}"}
        for name in SERVICES
    },
}
LAYERS = {
    # file: what it may not import, by top-level package or own module
    "domain": {"grpc", "asyncpg", "nats", "storage", "servicer", "consumer", "main"},
    "storage": {"grpc", "servicer", "consumer", "main"},
    "servicer": {"asyncpg", "main"},
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.py") if not path.stem.endswith(("_pb2", "_pb2_grpc"))]


@pytest.mark.parametrize("member", ALLOWED)
def test_members_import_only_downwards(member: str) -> None:
    for path in modules(ROOT / member):
        own = {name.split(".")[0] for name in imports(path)}
        foreign = {name for name in own if name.split("_")[0] == "rehab"} - ALLOWED[member]
        assert not foreign, f"{path} imports {foreign}"


@pytest.mark.parametrize("service", SERVICES)
def test_layers_of_a_service_point_one_way(service: str) -> None:
    package = ROOT / "services" / service / f"rehab_{service}"
    for layer, forbidden in LAYERS.items():
        paths = [package / f"{layer}.py", *(package / layer).rglob("*.py")]
        for path in filter(Path.exists, paths):
            names = set(imports(path))
            tops = {name.split(".")[0] for name in names}
            own = {name.split(".")[1] for name in names if name.startswith(f"rehab_{service}.")}
            assert not (tops | own) & forbidden, f"{path} imports {(tops | own) & forbidden}"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_one_word_everywhere(service: str) -> None:
    folder = ROOT / "services" / service
    assert f'name = "rehab-{service}"' in (folder / "pyproject.toml").read_text()
    assert (folder / "README.md").read_text().startswith(f"# rehab-{service}")
    assert (
        f'env_prefix="{service.upper()}_"'
        in (folder / f"rehab_{service}" / "settings.py").read_text()
    )
    title = service.capitalize() if service != "eventstore" else "EventStore"
    proto = (ROOT / "protos" / "rehab" / service / "v1" / f"{service}_service.proto").read_text()
    assert f"service {title}Service {{" in proto
    assert (ROOT / "tests" / service).is_dir()


def test_no_module_is_longer_than_400_lines() -> None:
    folders = [
        "runtime",
        "clinical",
        "sdk",
        "edge",
        "cli",
        "services",
        "bench",
        "examples",
        "tests",
    ]
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for folder in folders
        for path in modules(ROOT / folder)
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert not long


def test_nothing_names_a_package_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text() + (
        ROOT / "protos" / "generator.lock"
    ).read_text()
    assert "://" not in lock
    assert not (ROOT / "uv.lock").exists() or "uv.lock" in (ROOT / ".gitignore").read_text()
