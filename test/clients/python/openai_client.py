import json

from openai import OpenAI
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
    texts,
    trip,
    weather_schema,
)

messages = [{"role": "user", "content": said}]


class Trip(BaseModel):
    city: str
    days: int


def client_of(**options):
    return OpenAI(**{"base_url": f"{gateway}/v1", "api_key": key, **options})


client = client_of()


def chat(model, near=client):
    return near.chat.completions.create(model=model, messages=messages).choices[0].message.content


def streamed(model):
    with client.chat.completions.create(model=model, messages=messages, stream=True) as stream:
        for chunk in stream:
            yield chunk.choices[0].delta.content


def structured():
    asked = [{"role": "user", "content": trip}]
    answer = client.chat.completions.parse(model="sim-echo", messages=asked, response_format=Trip)
    return answer.choices[0].message.parsed.model_dump()


def run_tool():
    tools = [{"type": "function", "function": {"name": "weather", "parameters": weather_schema}}]
    asked = {"model": "sim-tools-echo", "tools": tools}
    with client.chat.completions.stream(messages=messages, **asked) as stream:
        stream.until_done()
        first = stream.get_final_completion().choices[0].message
    call = first.tool_calls[0]
    result = {"role": "tool", "tool_call_id": call.id, "content": "It rains."}
    second = client.chat.completions.create(
        messages=[*messages, first.to_dict(exclude_none=True), result], **asked
    )
    return {
        "called": call.function.name,
        "input": json.loads(call.function.arguments),
        "answered": second.choices[0].message.content,
    }


def respond():
    with client.responses.stream(model="sim-echo", input=said) as stream:
        return stream.get_final_response().output_text


play(
    {
        "completions": lambda: client.completions.create(model="sim-echo", prompt=said).choices[0].text,
        "chat": lambda: chat("sim-echo"),
        "stream": lambda: pieces_of(streamed("sim-echo")),
        "abort": lambda: first_two(streamed("sim-stall-2-echo")),
        "tools": run_tool,
        "structured": structured,
        "embeddings": lambda: [
            each.embedding for each in client.embeddings.create(model="sim-echo", input=texts).data
        ],
        "responses": respond,
        "errors": lambda: raised_by_each(
            lambda model, api_key: chat(model, client_of(api_key=api_key, max_retries=0))
        ),
        "cut": lambda: broken_off(streamed("sim-cut-2-echo")),
        "retries429": lambda: chat("limited"),
        "retries503": lambda: chat("sim-flaky-2-echo"),
        "inference": lambda: chat("sim-echo", client_of(base_url=f"{gateway}/inference")),
    }
)
