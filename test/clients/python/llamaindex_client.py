import asyncio

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike, OpenAILikeResponses
from pydantic import BaseModel
from scenes import broken_off, first_two, gateway, key, pieces_of, play, raised_by_each, said, texts, trip

asked = [ChatMessage(role="user", content=said)]


class Trip(BaseModel):
    city: str
    days: int


def settings(path="/v1"):
    return {"api_base": gateway + path, "api_key": key}


def llm_of(model, **more):
    """It asks for completions unless it is told that the model can chat."""
    return OpenAILike(**{"model": model, "is_chat_model": True, **settings(), **more})


def chat(model, **more):
    return llm_of(model, **more).chat(asked).message.content


def streamed(model):
    for piece in llm_of(model).stream_chat(asked):
        yield piece.delta


def respond():
    llm = OpenAILikeResponses(model="sim-echo", **settings())
    return "".join(piece.delta or "" for piece in llm.stream_chat(asked))


def structured():
    llm = llm_of("sim-echo", should_use_structured_outputs=True)
    return llm.structured_predict(Trip, PromptTemplate("{trip}"), trip=trip).model_dump()


def run_agent():
    seen = {}

    def weather(city: str, days: int) -> str:
        """Tells the weather."""
        seen.update(called="weather", input={"city": city, "days": days})
        return "It rains."

    async def run():
        llm = llm_of("sim-tools-echo", is_function_calling_model=True)
        return await FunctionAgent(tools=[weather], llm=llm).run(said)

    return {"answered": str(asyncio.run(run())), **seen}


play(
    {
        "completions": lambda: OpenAILike(model="sim-echo", **settings()).complete(said).text,
        "chat": lambda: chat("sim-echo"),
        "stream": lambda: pieces_of(streamed("sim-echo")),
        "abort": lambda: first_two(streamed("sim-stall-2-echo")),
        "tools": run_agent,
        "structured": structured,
        "embeddings": lambda: OpenAILikeEmbedding(
            model_name="sim-echo", **settings()
        ).get_text_embedding_batch(texts),
        "responses": respond,
        "errors": lambda: raised_by_each(
            lambda model, api_key: chat(model, api_key=api_key, max_retries=0)
        ),
        "cut": lambda: broken_off(streamed("sim-cut-2-echo")),
        "retries429": lambda: chat("limited"),
        "retries503": lambda: chat("sim-flaky-2-echo"),
        "inference": lambda: chat("sim-echo", **settings("/inference")),
    }
)
