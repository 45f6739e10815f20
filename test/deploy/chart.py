"""Renders the chart with each of the values on standard input by Helm's own code, and validates what comes of it."""

import json
import os
import sys

import kubernetes_validate
import yaml
from helm_python import Chart
from helm_python.chart import lint

# Others' own, which no Kubernetes knows.
FOREIGN = {"ServiceMonitor"}


def main():
    # Helm and the validator print on the same output.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    chart = Chart.load(request["chart"])
    rendered = [render(chart, values, request["versions"]) for values in request["values"]]
    json.dump({"lint": lint_of(request), "rendered": rendered}, answers)


def lint_of(request):
    return json.loads(json.dumps(lint(request["chart"], request["values"][0]), default=str))


def render(chart, values, versions):
    try:
        files = chart.render(values, name="release", namespace="llm")
    except Exception as error:
        return {"refused": str(error), "manifests": [], "faults": []}
    texts = [text for path, text in files.items() if path.endswith(".yaml")]
    manifests = [one for text in texts for one in yaml.safe_load_all(text) if one]
    return {"manifests": manifests, "faults": list(faults(manifests, versions))}


def faults(manifests, versions):
    for manifest in manifests:
        if manifest["kind"] in FOREIGN:
            continue
        for version in versions:
            try:
                kubernetes_validate.validate(manifest, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{version} {manifest['kind']}: {error.message}"


main()
