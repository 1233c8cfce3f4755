"""A module of it that is imported late."""

import asyncio


async def asynchronous() -> str:
    await asyncio.sleep(0.05)
    return "asynchronous"
