"""A session of exercise, streamed while it happens."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Self

from rehab_sdk import events
from rehab_sdk.errors import RehabError, Rejected
from rehab_sdk.events import AbandonReason, Body, Context
from rehab_sdk.options import StreamOptions
from rehab_sdk.receipt import FeedbackFeed, Receipt
from rehab_sdk.stream import Stream
from rehab_sdk.verbs import Script, SessionVerbs

log = logging.getLogger("rehab_sdk")


class AsyncSession(SessionVerbs[Coroutine[Any, Any, Receipt]]):
    """Use as `async with`: entering logs the start, leaving the end (completed, or abandoned when
    an exception passes through or `abandon` was called), and waits until all is acknowledged."""

    def __init__(
        self,
        *,
        script: Script,
        stream: Stream,
        context: Context,
        patient: str,
        started: Body,
        options: StreamOptions,
    ) -> None:
        super().__init__(script)
        self._stream = stream
        self._context = context
        self._patient = patient
        self._started = started
        self._options = options
        self._abandoned: AbandonReason | None = None

    def log(self, body: Body) -> Coroutine[Any, Any, Receipt]:
        skew_ms = self._stream.clock_skew_ms
        return self._stream.send(self._context.event(self._patient, body, clock_skew_ms=skew_ms))

    def abandon(self, reason: AbandonReason) -> None:
        """Leaving will say that the session ended early, and why."""
        self._abandoned = reason

    def feedback(self) -> FeedbackFeed:
        """Live coaching for this session, until it ends."""
        return self._stream.feedback

    @property
    def rejected(self) -> Sequence[Rejected]:
        """Events of this session that the server refused, oldest first."""
        return self._stream.rejected

    @property
    def script(self) -> Script:
        """How far the session is."""
        return self._script

    @property
    def stream(self) -> Stream:
        """The stream below, for what the session has no word for."""
        return self._stream

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        self._script.begin()
        try:
            await self.log(self._started)
        except BaseException:
            await self._stream.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        patience_s = self._options.flush_timeout_s
        if error is not None and not isinstance(error, Exception):
            patience_s = self._options.close_timeout_s  # the program is being stopped
        try:
            await self.log(self._ending(error))
            await self._stream.leave(patience_s)
        except RehabError as failed:
            if error is None:
                raise
            log.warning("session %s: %s", self.session_id, failed)
        finally:
            await self._stream.close()

    def _ending(self, error: BaseException | None) -> Body:
        reason = self._abandoned
        if error is not None and reason is None:
            reason = "technical" if isinstance(error, Exception) else "interrupted"
        if reason is None:
            return events.session_completed(self.session_id, self._script.duration_s)
        return events.session_abandoned(self.session_id, reason, self._script.duration_s)
