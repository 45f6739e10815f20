from anthropic import Anthropic
from pydantic import BaseModel
from scenes import (
    broken_off,
    first_two,
    gateway,
    key,
    pieces_of,
    play,
    raised_by_each,
    said,
    trip,
    weather_schema,
)

hello = {"max_tokens": 100, "messages": [{"role": "user", "content": said}]}


class Trip(BaseModel):
    city: str
    days: int


def client_of(**options):
    """Its base URL has no version."""
    return Anthropic(**{"base_url": gateway, "api_key": key, **options})


client = client_of()


def text_in(message):
    return "".join(block.text for block in message.content if block.type == "text")


def chat(model, near=client):
    return text_in(near.messages.create(model=model, **hello))


def streamed(model):
    with client.messages.stream(model=model, **hello) as stream:
        yield from stream.text_stream


def structured():
    asked = [{"role": "user", "content": trip}]
    message = client.messages.parse(model="sim-echo", max_tokens=100, messages=asked, output_format=Trip)
    return message.parsed_output.model_dump()


def run_tool():
    tools = [{"name": "weather", "input_schema": weather_schema}]
    asked = {"model": "sim-tools-echo", "max_tokens": 100, "tools": tools}
    with client.messages.stream(messages=hello["messages"], **asked) as stream:
        first = stream.get_final_message()
    use = next(block for block in first.content if block.type == "tool_use")
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "It rains."}
    second = client.messages.create(
        messages=[
            *hello["messages"],
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": [result]},
        ],
        **asked,
    )
    return {"called": use.name, "input": use.input, "answered": text_in(second)}


play(
    {
        "chat": lambda: chat("sim-echo"),
        "stream": lambda: pieces_of(streamed("sim-echo")),
        "abort": lambda: first_two(streamed("sim-stall-2-echo")),
        "tools": run_tool,
        "structured": structured,
        "errors": lambda: raised_by_each(
            lambda model, api_key: chat(model, client_of(api_key=api_key, max_retries=0))
        ),
        "cut": lambda: broken_off(streamed("sim-cut-2-echo")),
        "retries429": lambda: chat("limited"),
        "retries503": lambda: chat("sim-flaky-2-echo"),
        "inference": lambda: chat("sim-echo", client_of(base_url=f"{gateway}/inference")),
    }
)
