"""What every Python client's program has in common: it plays its scenes and tells of each in a line of JSON."""

import json
import sys

said = "one two three"
texts = ["first text", "second text", "third"]
trip = '{"city":"Paris","days":2}'
weather_schema = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
gateway, key = sys.argv[1], sys.argv[2]

# Which model fails in which way; 401 is asked for with a wrong key.
failing = {
    "400": "sim-status-400",
    "401": "sim-echo",
    "404": "sim-status-404",
    "429": "sim-ratelimit-1",
    "500": "sim-status-500",
    "503": "sim-status-503",
}


def play(scenes):
    for feature, scene in scenes.items():
        try:
            told = {"feature": feature, "seen": scene()}
        except Exception as error:
            told = {"feature": feature, "fault": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), flush=True)


def raised_by(ask):
    """The class of what is raised, and its status where it has one."""
    try:
        ask()
    except Exception as error:
        status = getattr(error, "status_code", None)
        name = type(error).__name__
        return name if status is None else f"{name} {status}"
    return "nothing"


def raised_by_each(ask):
    """`ask` is told the model and the key."""
    return {
        status: raised_by(lambda: ask(model, "sk-wrong" if status == "401" else key))
        for status, model in failing.items()
    }


def pieces_of(stream):
    return [piece for piece in stream if piece]


def first_two(stream):
    """Leaves after the second piece: closing a generator closes the connection under it."""
    pieces = []
    for piece in stream:
        if piece:
            pieces.append(piece)
        if len(pieces) == 2:
            stream.close()
            return pieces
    return pieces


def broken_off(stream):
    pieces = []

    def read():
        for piece in stream:
            if piece:
                pieces.append(piece)

    return {"raised": raised_by(read), "pieces": pieces}
