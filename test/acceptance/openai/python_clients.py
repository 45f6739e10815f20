"""What the Python clients make of a gateway. Prints one JSON object; the test beside this file reads it."""

import json
import sys

import openai
from langchain_openai import ChatOpenAI
from langchain_openai import OpenAI as CompletionOpenAI
from openai import OpenAI

url, guarded_url = sys.argv[1], sys.argv[2]
client = OpenAI(base_url=url, api_key="unused", max_retries=0)
settings = {"base_url": url, "api_key": "unused", "max_retries": 0}


def raised(ask):
    try:
        ask()
    except openai.APIError as error:
        return [type(error).__name__, getattr(error, "status_code", None), error.code, error.param]
    return None


def complete(model, **more):
    return client.completions.create(model=model, prompt="hello there", **more)


def streamed_text(model):
    return "".join(chunk.choices[0].text for chunk in complete(model, stream=True))


def chat_chunks():
    messages = [{"role": "user", "content": "hello there"}]
    options = {"include_usage": True}
    return list(
        client.chat.completions.create(model="sim-echo", messages=messages, stream=True, stream_options=options)
    )


def accumulated():
    messages = [{"role": "user", "content": "hello there"}]
    with client.chat.completions.stream(model="sim-echo", messages=messages) as stream:
        for _event in stream:
            pass
        return stream.get_final_completion().choices[0].message.to_dict()


def strict_completion():
    # Validates what arrives against the client's own models, which by default it does not.
    strict = OpenAI(base_url=url, api_key="unused", max_retries=0, _strict_response_validation=True)
    return strict.completions.create(model="sim-echo", prompt=["a", "b"], n=2)


batch = complete("sim-echo", n=2)
chunks = chat_chunks()
print(
    json.dumps(
        {
            "request_id": batch._request_id,
            "n": [choice.text for choice in batch.choices],
            "usage": [batch.usage.prompt_tokens, batch.usage.completion_tokens, batch.usage.total_tokens],
            "strict": [choice.text for choice in strict_completion().choices],
            "slashes": client.models.retrieve("meta-llama/Llama-3 8B").id,
            "streamed": streamed_text("sim-echo"),
            "chat": "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices),
            "chat_usage": chunks[-1].usage.completion_tokens,
            "accumulated": accumulated(),
            "not_found": raised(lambda: complete("sim-status-404")),
            "bad_request": raised(lambda: complete("sim-echo", temperature=9)),
            "rate_limit": raised(lambda: complete("sim-ratelimit-5")),
            "server": raised(lambda: complete("sim-status-500")),
            "cut": raised(lambda: streamed_text("sim-cut-5")),
            "unauthorized": raised(
                lambda: OpenAI(base_url=guarded_url, api_key="sk-wrong").models.list()
            ),
            "langchain_batch": CompletionOpenAI(model="sim-echo", **settings).batch(["first", "second", "third"]),
            "langchain_n": [
                [generation.text for generation in generations]
                for generations in CompletionOpenAI(model="sim-echo", n=2, **settings)
                .generate(["first", "second"])
                .generations
            ],
            "langchain_stream": "".join(CompletionOpenAI(model="sim-echo", **settings).stream("word by word")),
            "langchain_chat": ChatOpenAI(model="sim-echo", **settings).invoke("hello there").content,
            "langchain_chat_stream": "".join(
                chunk.content for chunk in ChatOpenAI(model="sim-echo", **settings).stream("hello there")
            ),
        }
    )
)
