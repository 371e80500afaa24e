"""`/subscriptions/{id}/events`: an answer that does not end (WHATWG HTML §9.2, server-sent events)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from litestar.types import Receive, Send

from sanpo.broker.ngsi_ld.calls import Call, Reply
from sanpo.broker.ngsi_ld.shaping import check_id
from sanpo.broker.subscriptions.events import Event, Stream, open_stream, read_events
from sanpo.broker.subscriptions.model import Kind
from sanpo.broker.subscriptions.streams import streams_of

EVENT_STREAM = "text/event-stream"
HEART_BEAT_S = 15.0
_HEART_BEAT = b": \n\n"
Run = Callable[[Callable[[], Any]], Awaitable[Any]]


def events(call: Call, kind: Kind = "entities") -> Reply:
    """Notifications of a subscription with the endpoint `urn:sanpo:events`, as server-sent events. Sanpo's own."""
    stream = open_stream(call.place, check_id(call.segments[0]), call.headers.get("last-event-id"), kind=kind)
    streams_of(call.city).enter(stream.owner)
    return Reply(200, media_type=EVENT_STREAM, headers=[(b"link", stream.link)], stream=stream)


async def send_stream(
    stream: Stream, start: Any, receive: Receive, send: Send, run: Run, may_still: Callable[[], bool]
) -> None:
    """Sends until the client has gone, or may not read any more, or the subscription is over."""
    streams = streams_of(stream.city)
    woken = streams.watch(stream.subscription_no)
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        await send(start)
        await _send_all(stream, send, run, may_still, woken, gone)
    finally:
        gone.cancel()
        streams.unwatch(stream.subscription_no, woken)
        streams.leave(stream.owner)
    with suppress(OSError):
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_all(
    stream: Stream,
    send: Send,
    run: Run,
    may_still: Callable[[], bool],
    woken: asyncio.Event,
    gone: "asyncio.Future[None]",
) -> None:
    loop = asyncio.get_running_loop()
    beat_at = loop.time()
    while not gone.done():
        if loop.time() >= beat_at:
            if not await run(may_still):
                return
            await send({"type": "http.response.body", "body": _HEART_BEAT, "more_body": True})
            beat_at = loop.time() + HEART_BEAT_S
        woken.clear()
        found = await run(lambda: read_events(stream))
        if found is None:
            return
        for event in found:
            await send({"type": "http.response.body", "body": _text(event), "more_body": True})
        if not found:
            await _either(woken, gone, max(0.0, min(stream.wait_s, beat_at - loop.time())))


async def _either(woken: asyncio.Event, gone: "asyncio.Future[None]", timeout_s: float) -> None:
    """Waits for either, and no longer than this."""
    ringing = asyncio.ensure_future(woken.wait())
    await asyncio.wait((ringing, gone), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    ringing.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _text(event: Event) -> bytes:
    """One event. JSON has no line break of its own."""
    return b"id: %b\nevent: notification\ndata: %b\n\n" % (event.notification_id.encode(), event.body)
