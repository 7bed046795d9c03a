"""The story as a program with mcp-use. ENTRY is what README shows, INPUT the calls."""

import asyncio
import json
import os

from mcp_use import MCPClient


async def main():
    client = eval(os.environ["ENTRY"], {"MCPClient": MCPClient})
    await client.create_all_sessions()
    session = client.get_session("dispatch")
    outputs = []
    for call in json.loads(os.environ["INPUT"]):
        if "tool" in call:
            result = await session.call_tool(call["tool"], call["arguments"])
            outputs.append(result.content[0].text)
    await client.close_all_sessions()
    print(json.dumps(outputs))


asyncio.run(main())
