import os
import shutil
import tempfile

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from pydantic import BaseModel
from scenes import broken_off, first_two, gateway, key, pieces_of, play, raised_by_each, said, texts, trip


# The SHA-1 of the address that tiktoken has for cl100k_base, by which it looks for it in its cache.
cached_name = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"


class Trip(BaseModel):
    city: str
    days: int


def settings(path="/v1"):
    return {"base_url": gateway + path, "api_key": key}


def chat_of(model, **more):
    return ChatOpenAI(**{"model": model, **settings(), **more})


def chat(model, **more):
    return chat_of(model, **more).invoke(said).content


def streamed(model, **more):
    for chunk in chat_of(model, **more).stream(said):
        yield chunk.text


def structured():
    model = chat_of("sim-echo").with_structured_output(Trip, method="json_schema")
    return model.invoke(trip).model_dump()


def run_agent():
    seen = {}

    @tool
    def weather(city: str, days: int) -> str:
        """Tells the weather."""
        seen.update(called="weather", input={"city": city, "days": days})
        return "It rains."

    agent = create_agent(chat_of("sim-tools-echo"), [weather])
    answer = agent.invoke({"messages": [{"role": "user", "content": said}]})
    return {**seen, "answered": answer["messages"][-1].content}


def embeddings():
    """By default it sends ids of tokens, not text. tiktoken is given the vocabulary that it would fetch."""
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy(os.environ["CL100K_BASE"], os.path.join(directory, cached_name))
        os.environ["TIKTOKEN_CACHE_DIR"] = directory
        return OpenAIEmbeddings(model="sim-echo", **settings()).embed_documents(texts)


play(
    {
        "completions": lambda: OpenAI(model="sim-echo", **settings()).invoke(said),
        "chat": lambda: chat("sim-echo"),
        "stream": lambda: pieces_of(streamed("sim-echo")),
        "abort": lambda: first_two(streamed("sim-stall-2-echo")),
        "tools": run_agent,
        "structured": structured,
        "embeddings": embeddings,
        "responses": lambda: "".join(streamed("sim-echo", use_responses_api=True)),
        "errors": lambda: raised_by_each(
            lambda model, api_key: chat(model, api_key=api_key, max_retries=0)
        ),
        "cut": lambda: broken_off(streamed("sim-cut-2-echo")),
        "retries429": lambda: chat("limited"),
        "retries503": lambda: chat("sim-flaky-2-echo"),
        "inference": lambda: chat("sim-echo", **settings("/inference")),
    }
)
