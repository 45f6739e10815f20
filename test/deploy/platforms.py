"""Validates what is deployed to AWS and GCP by the descriptions of their APIs that their own libraries carry."""

import json
import os
import sys

import botocore.session
import googleapiclient
import yaml
from botocore.validate import ParamValidator


def main():
    documents = json.load(sys.stdin)
    ecs = botocore.session.get_session().get_service_model("ecs")
    faults = {}
    for operation, path in documents["ecs"].items():
        with open(path) as file:
            report = ParamValidator().validate(json.load(file), ecs.operation_model(operation).input_shape)
        faults[path] = [report.generate_report()] if report.has_errors() else []
    schemas = schemas_of("run.v1.json")
    with open(documents["run"]) as file:
        faults[documents["run"]] = list(differences(yaml.safe_load(file), schemas["Service"], schemas, "service"))
    misspelt = {"spec": {"template": {"spec": {"timeoutSecond": 1, "containers": [{"image": 5}]}}}}
    faults["misspelt"] = list(differences(misspelt, schemas["Service"], schemas, "service"))
    json.dump(faults, sys.stdout)


def schemas_of(name):
    documents = os.path.join(os.path.dirname(googleapiclient.__file__), "discovery_cache", "documents")
    with open(os.path.join(documents, name)) as file:
        return json.load(file)["schemas"]


def differences(value, schema, schemas, place):
    """What of a value the schema has not, or has otherwise."""
    schema = schemas[schema["$ref"]] if "$ref" in schema else schema
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        for name, inner in value.items():
            if name not in schema["properties"]:
                yield f"{place}.{name}: there is no such field"
            else:
                yield from differences(inner, schema["properties"][name], schemas, f"{place}.{name}")
    elif kind == "object":
        for name, inner in value.items():
            yield from differences(inner, schema.get("additionalProperties", {}), schemas, f"{place}.{name}")
    elif kind == "array":
        for index, inner in enumerate(value):
            yield from differences(inner, schema["items"], schemas, f"{place}[{index}]")
    elif kind in KINDS and not isinstance(value, KINDS[kind]):
        yield f"{place}: {value!r} is no {kind}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is none of {schema['enum']}"


KINDS = {"string": str, "integer": int, "boolean": bool}

main()
