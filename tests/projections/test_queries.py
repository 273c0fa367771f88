"""Plans are cached when the tables are still empty, and must serve when they are full."""

from __future__ import annotations

from importlib import resources

import asyncpg
import pytest

from rehab_runtime import postgres

PACKAGE = "rehab_projections"
QUERIES = postgres.Queries.load(PACKAGE, "queries.sql")
READS = {
    "held_back": "ARRAY['p']",
    "void": "ARRAY['p'], ARRAY['e']",
    "care_events": "ARRAY['p']",
    "sessions_by_key": "ARRAY['p'], ARRAY['s']",
    "sets_by_session": "ARRAY['p'], ARRAY['s']",
    "patient": "'p'",
    "care_of": "'p', ARRAY['plan']",
    "session_summaries": "ARRAY['p']",
    "session_page": "'p', NULL, NULL, 50",
    "observed_sets": "'p', now(), now(), ''",
    "marks": "'p', now(), now()",
    "work_candidates": "'c'",
    "plans": "ARRAY['p']",
    "vital_metrics": "'p'",
    "reading_page": "'p', 'm', now(), now(), NULL, NULL, NULL, NULL, 50",
    "readings_between": "'p', ARRAY['m'], now(), now()",
    "billing_of": "'p'",
    "consents_of": "'p'",
    "written": "ARRAY['p']",
    "erased": "'p'",
    "billing_patients": "'c', '', 50",
    "notes_of": "'p', 's'",
    "scored_sets": "'p', now(), now(), ''",
    "work_episodes": "'c', now(), now()",
}


@pytest.mark.parametrize("name", READS)
async def test_a_plan_made_on_an_empty_table_reads_by_index(database_dsn: str, name: str):
    await postgres.migrate(database_dsn, f"{PACKAGE}.registry")
    await postgres.migrate(database_dsn, PACKAGE)
    connection = await asyncpg.connect(database_dsn)
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE asked AS {QUERIES[name]}")
        lines = await connection.fetch(f"EXPLAIN EXECUTE asked({READS[name]})")
    finally:
        await connection.close()
    plan = "\n".join(line[0] for line in lines)
    assert "Seq Scan on" not in plan.replace("Seq Scan on parked", ""), plan
    assert "Hash Join" not in plan, plan
    assert "Merge Join" not in plan, plan


def test_every_query_is_used_and_says_why():
    source = "\n".join(path.read_text() for path in _modules())
    unused = [name for name in QUERIES if f'"{name}"' not in source and "purge_" not in name]
    assert unused == []


def _modules():

    package = resources.files(PACKAGE)
    for folder in (package, package / "storage", package / "registry"):
        yield from (path for path in folder.iterdir() if path.name.endswith(".py"))
