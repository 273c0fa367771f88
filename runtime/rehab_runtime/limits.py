"""How much each caller may do: requests and bytes, over all replicas.

The generic cell rate algorithm (ITU-T I.371): a bucket of `burst` that refills at `rate` a second,
kept as the one time at which it would be full. Both buckets are taken from or neither is. Valkey
holds them; while it is away each process counts for itself, at its share of the rates. Who asks
often takes some requests ahead, so that not each of them costs a question to Valkey.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from redis.asyncio import Redis

from rehab_runtime.clock import Clock
from rehab_runtime.metrics import declare_counter
from rehab_runtime.valkey import Away, Valkey

ROUNDED_S = 1e-6
KNOWN = 100_000
"""Callers that one process remembers by itself."""
AHEAD, AHEAD_S = 8, 10.0
"""So many times what is asked for is taken at once by whoever asked in the last so many seconds;
what is not used within them is lost."""

limited = declare_counter(
    "limited_calls_total",
    "Calls that had to wait or were refused because their caller does too much.",
    "find the caller in the log; a loop in an app, or a limit that is too low for a real one",
)

_SCRIPT = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local wait, full = 0, {}
for index = 1, 2 do
  local rate, burst, cost = ARGV[index * 3 - 2], ARGV[index * 3 - 1], ARGV[index * 3]
  local free = math.max(tonumber(redis.call('GET', KEYS[index]) or 0), now)
  full[index] = free + cost / rate
  wait = math.max(wait, full[index] - now - burst / rate)
end
if wait > 0.000001 then return tostring(wait) end
for index = 1, 2 do
  redis.call('SET', KEYS[index], string.format('%.6f', full[index]),
             'PX', math.ceil((full[index] - now) * 1000) + 1)
end
return '0'
"""


@dataclass(frozen=True)
class Bucket:
    """`rate` a second, and `burst` at once. What costs more than `burst` costs `burst`."""

    rate: float
    burst: float

    def cost(self, amount: float) -> float:
        return min(amount, self.burst)


@dataclass(frozen=True)
class Limits:
    requests: Bucket
    bytes: Bucket

    def shared_by(self, replicas: int) -> Limits:
        """What one of so many may give away by itself. A bucket still takes the largest request."""
        return Limits(
            Bucket(self.requests.rate / replicas, self.requests.burst),
            Bucket(self.bytes.rate / replicas, self.bytes.burst),
        )


class OwnCount:
    """The buckets of one process."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._full: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str, requests: float, size: float) -> float:
        """Seconds to wait before asking again; 0 when it was taken."""
        now = self._clock.monotonic()
        known = self._full.get(caller, (now, now))
        wait, full = 0.0, []
        asked = zip(
            (self._limits.requests, self._limits.bytes), known, (requests, size), strict=True
        )
        for bucket, free, amount in asked:
            full.append(max(free, now) + bucket.cost(amount) / bucket.rate)
            wait = max(wait, full[-1] - now - bucket.burst / bucket.rate)
        if wait > ROUNDED_S:
            return wait
        self._full[caller] = (full[0], full[1])
        self._full.move_to_end(caller)
        if len(self._full) > KNOWN:
            self._full.popitem(last=False)
        return 0.0


@dataclass
class _Paid:
    """What a caller has taken ahead and until when it is good; whether it is to take ahead."""

    until: float = 0
    often: bool = False
    requests: float = 0
    size: float = 0


class TakenAhead:
    """What callers of this process took from the buckets and have not used yet."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._most = limits.requests.burst / AHEAD, limits.bytes.burst / AHEAD
        self._clock = clock
        self._paid: OrderedDict[str, _Paid] = OrderedDict()

    def spend(self, caller: str, requests: float, size: float) -> bool:
        """Whether it was taken before."""
        paid = self._paid.get(caller)
        if paid is None or paid.requests < requests or paid.size < size:
            return False
        if paid.until <= self._clock.monotonic():
            return False
        paid.requests -= requests
        paid.size -= size
        return True

    def wanted(self, caller: str, requests: float, size: float) -> tuple[float, float]:
        """What to take for it now: more than it asks for when it asks often."""
        paid = self._paid.get(caller)
        if paid is None or not paid.often or paid.until <= self._clock.monotonic():
            return requests, size
        most_requests, most_size = self._most
        return (
            max(requests, min(AHEAD * requests, most_requests)),
            max(size, min(AHEAD * size, most_size)),
        )

    def taken(self, caller: str, requests: float, size: float) -> None:
        """So much more of what was taken is left."""
        paid = self._known(caller)
        paid.requests += requests
        paid.size += size
        paid.often = True

    def refused(self, caller: str) -> None:
        """So much was not to be had: for a while it takes what it asks for."""
        self._known(caller).often = False

    def _known(self, caller: str) -> _Paid:
        """For AHEAD_S from now on."""
        now = self._clock.monotonic()
        paid = self._paid.get(caller)
        if paid is None or paid.until <= now:
            paid = self._paid[caller] = _Paid()
        paid.until = now + AHEAD_S
        self._paid.move_to_end(caller)
        if len(self._paid) > KNOWN:
            self._paid.popitem(last=False)
        return paid


class Limiter:
    """Over all replicas while Valkey answers, this process's share otherwise: never open, never
    hanging."""

    def __init__(
        self, limits: Limits, clock: Clock, valkey: Valkey | None = None, *, replicas: int = 1
    ) -> None:
        self._limits = limits
        self._valkey = valkey
        self._own = OwnCount(limits.shared_by(replicas), clock)
        self._ahead = TakenAhead(limits, clock)

    async def take(self, caller: str, requests: float, size: float) -> float:
        """Seconds to wait before asking again; 0 when it was taken. Waiting takes nothing."""
        wait = await self._taken(caller, requests, size)
        if wait > 0:
            limited.inc()
        return wait

    async def _taken(self, caller: str, requests: float, size: float) -> float:
        if self._valkey is None:
            return self._own.take(caller, requests, size)
        if self._ahead.spend(caller, requests, size):
            return 0.0
        wanted = self._ahead.wanted(caller, requests, size)
        try:
            wait = await self._asked(self._valkey, caller, *wanted)
            if wait > 0 and wanted != (requests, size):
                self._ahead.refused(caller)
                return await self._asked(self._valkey, caller, requests, size)
        except Away:
            return self._own.take(caller, requests, size)
        if not wait:
            self._ahead.taken(caller, wanted[0] - requests, wanted[1] - size)
        return wait

    async def _asked(self, valkey: Valkey, caller: str, requests: float, size: float) -> float:
        limits = self._limits
        arguments = (
            *(limits.requests.rate, limits.requests.burst, limits.requests.cost(requests)),
            *(limits.bytes.rate, limits.bytes.burst, limits.bytes.cost(size)),
        )

        async def ask(client: Redis) -> float:
            # the braces keep both in one slot of a cluster
            keys = (f"limit:{{{caller}}}:requests", f"limit:{{{caller}}}:bytes")
            return float(await client.eval(_SCRIPT, 2, *keys, *map(str, arguments)))

        return await valkey.ask(ask)
