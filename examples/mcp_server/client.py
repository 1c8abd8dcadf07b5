"""Drives the server with the Python SDK of MCP: five calls, five stories.

    client.py SERVER LOG_DIRECTORY

Prints what the client saw of each call, one JSON object a line.
"""

import json
import sys

import anyio
from mcp import ClientSession, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

CARD = "4242 4242 4242 4242"
TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def say(story: str, **seen: object) -> None:
    print(json.dumps({"story": story, **seen}), flush=True)


async def call(session: ClientSession, story: str, tool: str, arguments: dict[str, object]) -> None:
    """Makes one call and says whether it is a success, an error of the tool or an error of the protocol."""
    try:
        result = await session.call_tool(tool, arguments, meta={"traceparent": TRACE_PARENT})
    except MCPError as error:
        say(story, protocol_error=error.code)
    else:
        say(story, is_error=bool(result.is_error), text=result.content[0].text)


async def cancelled_call(session: ClientSession) -> None:
    """Makes a call and cancels it once the tool has said that it runs."""
    with anyio.CancelScope() as scope:

        async def stop(progress: float, total: float | None, message: str | None) -> None:
            say("progress", message=message)
            scope.cancel()

        await session.call_tool("order_reserve", {"order": "ORD-2"}, progress_callback=stop)
    say("cancelled", is_cancelled=scope.cancelled_caught)


async def main(server: str, log: str) -> None:
    async with stdio_client(StdioServerParameters(command=server, args=[log])) as (read, write):
        async with ClientSession(read, write) as session:
            await session.initialize()
            say("tools", names=sorted(tool.name for tool in (await session.list_tools()).tools))
            refund = {"order": "ORD-1", "card": CARD, "cents": 1200}
            await call(session, "good", "order_status", {"order": "ORD-1"})
            await call(session, "tool_error", "order_refund", refund | {"order": "ORD-404"})
            await call(session, "invalid_arguments", "order_refund", refund | {"cents": CARD})
            await call(session, "unknown_tool", "order_refund_all", {"card": CARD})
            await cancelled_call(session)


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
