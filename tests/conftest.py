"""Every test may ask for the real servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest_plugins = ["rehab_runtime.testing.fixtures"]


@pytest.fixture(scope="session", autouse=True)
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every event store of this process wraps its keys with one file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENTSTORE_KEY_FILE", str(tmp_path_factory.mktemp("keys") / "keys.json"))
        patch.setenv(
            "EVENTSTORE_KEY_READERS", "bench,cli,emr,identity,ingest,policy,projections,test"
        )
        yield
