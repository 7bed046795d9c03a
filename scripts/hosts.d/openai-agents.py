"""The story as an agent of openai-agents. ENTRY is what README shows, MODEL the loopback provider, INPUT the script."""

import asyncio
import json
import os

from agents import Agent, OpenAIResponsesModel, Runner, set_tracing_disabled
from agents.mcp import MCPServerStdio
from openai import AsyncOpenAI

set_tracing_disabled(True)


async def main():
    async with eval(os.environ["ENTRY"], {"MCPServerStdio": MCPServerStdio}) as dispatch:
        client = AsyncOpenAI(base_url=os.environ["MODEL"], api_key="of-this-run")
        model = OpenAIResponsesModel(model="mock", openai_client=client)
        agent = Agent(name="lead", mcp_servers=[dispatch], model=model)
        text = [{"type": "input_text", "text": os.environ["INPUT"]}]
        run = Runner.run_streamed(agent, [{"type": "message", "role": "user", "content": text}], max_turns=20)
        async for _ in run.stream_events():
            pass
    outputs = [item.output for item in run.new_items if item.type == "tool_call_output_item"]
    print(json.dumps([one["text"] if isinstance(one, dict) else str(one) for one in outputs]))


asyncio.run(main())
