"""How far the rules are behind the log, and what they could not evaluate."""

from __future__ import annotations

from rehab.policy.v1 import policy_service_pb2 as pb
from rehab_policy.books import Books
from rehab_runtime.following import LogFold


async def lag_of(log_fold: LogFold, books: Books) -> pb.GetLagResponse:
    """Raises Unavailable when the rules are not to be known."""
    oldest = log_fold.oldest_s()
    answer = pb.GetLagResponse()
    for shard, position in sorted(log_fold.progress.positions.items()):
        age_ms = round(oldest.get(shard, 0.0) * 1000)
        answer.shards.add(shard=shard, position=position, oldest_unprocessed_ms=age_ms)
    for track in await books.tracks():
        for failure, times in sorted(track.engine.failures().items(), key=lambda one: one[0].name):
            answer.failures.add(name=failure.name, what=failure.what, times=times)
    return answer
