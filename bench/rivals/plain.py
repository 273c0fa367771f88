"""What a team writes first: FastAPI, an ORM, one request and one commit for an event. It keeps the
event's id unique and nothing else of what the suite promises: no sealing, hashes, order, consent.

    python plain.py serve PORT DSN
    python plain.py drive PORT CALLERS SECONDS     prints {"per_s", "p99_ms"} as JSON

Runs in the rivals' environment.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

CONNECTIONS = 16


class Base(DeclarativeBase):
    pass


class Row(Base):
    __tablename__ = "observations"
    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(index=True)
    session_id: Mapped[str]
    exercise_id: Mapped[str]
    score: Mapped[int]
    rom_deg: Mapped[float]
    occurred_at: Mapped[str]


class Observation(BaseModel):
    event_id: uuid.UUID
    patient_id: str
    session_id: str
    exercise_id: str
    score: int
    rom_deg: float
    occurred_at: datetime


def served(dsn: str) -> FastAPI:
    engine = create_async_engine(
        dsn.replace("postgresql://", "postgresql+asyncpg://"), pool_size=CONNECTIONS
    )
    sessions = async_sessionmaker(engine)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield
        await engine.dispose()

    app = FastAPI(lifespan=life)

    async def observed(told: Observation) -> dict[str, bool]:
        async with sessions() as session:
            session.add(Row(**{**told.model_dump(), "occurred_at": told.occurred_at.isoformat()}))
            await session.commit()
        return {"stored": True}

    app.post("/observations")(observed)
    return app


async def drive(port: int, callers: int, seconds: float) -> dict[str, float]:
    times: list[float] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=callers)) as http:
        end = time.perf_counter() + seconds

        async def call(number: int) -> None:
            began = time.perf_counter()
            while began < end:
                told = {
                    "event_id": str(uuid.uuid4()),
                    "patient_id": f"patient-{number}",
                    "session_id": "session",
                    "exercise_id": "squat",
                    "score": 80,
                    "rom_deg": 90.0,
                    "occurred_at": datetime.now(UTC).isoformat(),
                }
                address = f"http://127.0.0.1:{port}/observations"
                async with http.post(address, json=told) as answer:
                    answer.raise_for_status()
                now = time.perf_counter()
                times.append(now - began)
                began = now

        began = time.perf_counter()
        await asyncio.gather(*(call(number) for number in range(callers)))
        took = time.perf_counter() - began
    return {"per_s": len(times) / took, "p99_ms": statistics.quantiles(times, n=100)[98] * 1000}


def main() -> None:
    what, port = sys.argv[1], int(sys.argv[2])
    if what == "serve":
        uvicorn.run(served(sys.argv[3]), host="127.0.0.1", port=port, log_level="warning")
    else:
        print(json.dumps(asyncio.run(drive(port, int(sys.argv[3]), float(sys.argv[4])))))


if __name__ == "__main__":
    main()
