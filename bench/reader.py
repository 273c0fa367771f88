"""Patients who read how well they do, in a process of their own: who measures must not wait for
itself.

    python -m bench.reader ADDRESS SECONDS BEGIN     the latter in seconds since 1970

Prints {"p50_ms", "p95_ms"} as JSON.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time

import uvloop

from bench.phones import DEVICES, patient
from rehab.projections.v1 import projections_service_pb2 as pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_runtime.auth import bearer
from rehab_runtime.channels import channel

READS_PER_S = 20
STARTS_S = 4.0
"""A process is started within so long."""


async def read(address: str, seconds: float, begin: float) -> dict[str, float]:
    times: list[float] = []
    async with channel(address) as connection:
        stub = ProjectionsServiceStub(connection)
        await asyncio.sleep(max(0.0, begin - time.time()))
        end = time.perf_counter() + seconds
        number = 0
        while time.perf_counter() < end:
            number = (number + 1) % DEVICES
            request = pb.GetQualityRequest(patient_id=patient(number).id)
            request.window.days = 7
            began = time.perf_counter()
            await stub.GetQuality(request, metadata=(bearer(patient(number)),), timeout=10)
            times.append(time.perf_counter() - began)
            await asyncio.sleep(1 / READS_PER_S)
    cuts = statistics.quantiles(times, n=20)
    return {"p50_ms": cuts[9] * 1000, "p95_ms": cuts[18] * 1000}


async def read_p95_ms(address: str, seconds: float, begin: float) -> float:
    """As told by a process that reads so long, from a time on: its own start is not to count."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.reader", address, str(seconds), str(begin)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), seconds + STARTS_S + 30)
    except TimeoutError:
        process.kill()
        raise
    return float(json.loads(out)["p95_ms"])


if __name__ == "__main__":
    print(json.dumps(uvloop.run(read(sys.argv[1], *map(float, sys.argv[2:4])))))
