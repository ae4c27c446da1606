"""Writes values.schema.json, which Helm checks a user's values by: ``python -m infra.helm.make_schema``.

Every object is closed, but for those that are handed to Kubernetes as they are. What the farm's settings take is told
by the class that reads them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from farm.settings import Settings

FILE = Path(__file__).parent / "dreamfarm" / "values.schema.json"
Schema = dict[str, Any]

SET_BY_THE_CHART = frozenset(
    {
        *("redis_url", "s3_endpoint_url", "s3_public_endpoint_url", "s3_bucket", "s3_region"),
        *("s3_access_key_id", "s3_secret_access_key", "auth", "worker_tags", "worker_id", "cache_dir"),
    }
)
"""Settings that have values of their own, or none: in a cluster all need keys, and workers name themselves."""

NAME = "^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"
TAG = "^[a-z0-9][a-z0-9.-]{0,31}$"
URL = "^https?://[^/ ]+"
QUANTITY = "^[0-9]+([.][0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"


def text(about: str, **bounds: Any) -> Schema:
    """Return what describes a text."""
    return {"description": about, "type": "string", **bounds}


def named(about: str) -> Schema:
    """Return what describes the name of a thing in the cluster, or an empty text for none."""
    return text(about, pattern=f"{NAME}|^$")


def one_of(about: str, *choices: str) -> Schema:
    """Return what describes a choice."""
    return {"description": about, "enum": list(choices)}


def whole(about: str, least: int = 0, most: int | None = None) -> Schema:
    """Return what describes a whole number."""
    bounds = {} if most is None else {"maximum": most}
    return {"description": about, "type": "integer", "minimum": least, **bounds}


def yes_no(about: str) -> Schema:
    """Return what describes a switch."""
    return {"description": about, "type": "boolean"}


def items(about: str, item: Schema) -> Schema:
    """Return what describes a list."""
    return {"description": about, "type": "array", "items": item}


def closed(about: str, **properties: Schema) -> Schema:
    """Return what describes an object that has these keys and no others."""
    return {"description": about, "type": "object", "additionalProperties": False, "properties": properties}


def texts(about: str) -> Schema:
    """Return what describes a table of texts under names of the user's."""
    return {"description": about, "type": "object", "additionalProperties": {"type": "string"}}


def handed_on(about: str) -> Schema:
    """Return what describes an object that Kubernetes itself checks."""
    return {"description": f"{about}; as Kubernetes has it.", "type": "object", "additionalProperties": True}


def handed_on_items(about: str) -> Schema:
    """Return what describes a list of objects that Kubernetes itself checks."""
    return {
        "description": f"{about}; as Kubernetes has them.",
        "type": "array",
        "items": {"type": "object", "additionalProperties": True},
    }


def settings(about: str) -> Schema:
    """Return what describes the farm's settings, by the class that reads them."""
    told = Settings.model_json_schema()["properties"]
    return closed(about, **{name: _setting(one) for name, one in told.items() if name not in SET_BY_THE_CHART})


def _setting(one: Schema) -> Schema:
    """Leave out what the chart's own defaults tell, and null: Helm takes it for a key that isn't there."""
    kept = {key: _plain(value) for key, value in one.items() if key not in {"default", "title", "format", "writeOnly"}}
    for choice in kept.pop("anyOf", []):
        kept |= choice if choice != {"type": "null"} else {}
    return kept


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return _setting(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value


def resources(about: str) -> Schema:
    """Return what describes requests and limits."""
    amounts: Schema = {"type": "object", "additionalProperties": {"type": ["string", "integer"]}}
    sides = {
        "requests": {"description": "What is kept free for it.", **amounts},
        "limits": {"description": "What it may take at most.", **amounts},
    }
    return closed(about, **sides)


def placement() -> dict[str, Schema]:
    """Return what describes where pods run, and what stands on them."""
    return {
        "nodeSelector": texts("Labels that the node must have."),
        "tolerations": handed_on_items("Taints of nodes that are tolerated"),
        "affinity": handed_on("Where pods would rather be"),
        "podAnnotations": texts("Annotations of the pods."),
        "env": handed_on_items("Further variables of the environment"),
    }


def pool() -> dict[str, Schema]:
    """Return what describes a pool of workers."""
    return {
        "variant": one_of("Which image: cpu, or gpu with one card for each worker.", "cpu", "gpu"),
        "tags": items(
            "What the pool offers to jobs that need it, as gpu, large; at most 8.", {"type": "string", "pattern": TAG}
        )
        | {"maxItems": 8, "uniqueItems": True},
        "replicas": whole("Workers, without autoscaling."),
        "min": whole("Least workers, with autoscaling."),
        "max": whole("Most workers, with autoscaling.", 1),
        "backlogPerWorkerS": {
            "description": "A further worker for so much backlog, in seconds of the reference device.",
            "type": "number",
            "exclusiveMinimum": 0,
        },
        "backlogShare": {
            "description": "Of the farm's backlog, how much is this pool's: above 0, at most 1.",
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1,
        },
        "spot": yes_no("Whether it may run on nodes that are taken away; tolerates their taints on GKE and AKS."),
        "gpuResource": text("What a card is called, as nvidia.com/gpu or nvidia.com/mig-1g.10gb.", minLength=1),
        "tag": text("The image's tag; empty: image.tag."),
        "settings": {"$ref": "#/definitions/settings"},
        "resources": resources("What a worker is given; the card is added."),
        "cacheSize": text("Room for weights that are fetched.", pattern=QUANTITY),
        "priorityClassName": named("A PriorityClass."),
        "runtimeClassName": named("A RuntimeClass, as nvidia."),
        **placement(),
    }


def api() -> Schema:
    """Return what describes the api."""
    return closed(
        "The api, its studio and its event streams.",
        replicas=whole("Pods, without autoscaling."),
        processes=whole("gunicorn's processes in a pod.", 1, 64),
        port=whole("Port in the pod.", 1024, 65535),
        gracefulTimeoutS=whole("Time for requests that are being answered when a pod ends, in s.", 1, 600),
        resources=resources(
            "What a pod is given; a decoder may take 512 MB and 48 bytes for each pixel of the largest picture."
        ),
        autoscaling=closed(
            "Kubernetes' own autoscaler, by processor time.",
            enabled=yes_no("Whether there is one."),
            min=whole("Least pods.", 1),
            max=whole("Most pods.", 1),
            targetCpuPercent=whole("Of the processor time that is requested.", 1, 100),
        ),
        service=closed(
            "How the api is reached in the cluster.",
            type=one_of("The Service's type.", "ClusterIP", "NodePort", "LoadBalancer"),
            port=whole("The Service's port.", 1, 65535),
            annotations=texts("The Service's annotations."),
        ),
        **placement(),
    )


def stores() -> dict[str, Schema]:
    """Return what describes the object store, and the Secret with its keys and Redis' address."""
    key = {"type": "string", "pattern": "^[-._a-zA-Z0-9]+$"}
    return {
        "s3": closed(
            "The object store.",
            endpointUrl=text("Where the farm reaches it; empty: AWS.", pattern=f"{URL}|^$"),
            publicEndpointUrl=text("Where people's browsers reach it; empty: as the farm does.", pattern=f"{URL}|^$"),
            bucket=text("A bucket that is there already.", minLength=3, maxLength=63),
            region=text("The region that requests are signed for.", minLength=1),
            credentials=one_of("Keys from the Secret, or AWS' default chain.", "secret", "chain"),
        ),
        "secret": closed(
            "What must stay secret: Redis' address with its password, the object store's keys.",
            create=yes_no("Whether the chart makes the Secret from the values below; else it is yours to make."),
            name=text("The Secret's name.", pattern=NAME),
            keys=closed(
                "The names that they have in the Secret.",
                redisUrl={"description": "Of Redis' address.", **key},
                s3AccessKeyId={"description": "Of the object store's key id.", **key},
                s3SecretAccessKey={"description": "Of the object store's secret key.", **key},
            ),
            redisUrl=text("With create: as redis://:PASSWORD@HOST:6379/0.", pattern="^rediss?://.+|^$"),
            s3AccessKeyId=text("With create: the object store's key id."),
            s3SecretAccessKey=text("With create: the object store's secret key."),
        ),
    }


def autoscaling() -> Schema:
    """Return what describes KEDA's part."""
    return closed(
        "KEDA scales the pools by the backlog in device-seconds. KEDA and Prometheus must be there.",
        enabled=yes_no("Whether there is autoscaling."),
        prometheusUrl=text("Where KEDA asks Prometheus.", pattern=URL),
        matchers=text('What tells this farm from others in PromQL, as namespace="dreams".', pattern="^[^{}]*$"),
        authModes=text("How KEDA signs in to Prometheus, as bearer."),
        triggerAuthentication=named("A TriggerAuthentication that holds what it signs in with."),
        pollingIntervalS=whole("How often KEDA looks, in s.", 1),
        cooldownS=whole("From the last work to no worker, in s, where a pool's min is 0."),
        scaleDownWindowS=whole("Workers go once fewer have been enough for so long, in s.", 0, 3600),
        scaleDownPercent=whole("At most so many of a pool's workers go at a time.", 1, 100),
        scaleDownPeriodS=whole("How long a time is, in s.", 1, 1800),
    )


def network() -> Schema:
    """Return what describes the network policies."""
    ports = items("Ports.", {"type": "integer", "minimum": 1, "maximum": 65535}) | {"minItems": 1}
    peers = handed_on_items("Peers; empty: any address")
    return closed(
        "Who may talk to whom: nobody but who is named here.",
        enabled=yes_no("Whether there are policies."),
        clientNamespaces=items(
            "Namespaces whose pods may call the api: the ingress controller's, Prometheus'.",
            {"type": "string", "pattern": NAME},
        ),
        redis=closed("Where Redis is.", ports=ports, to=peers),
        s3=closed("Where the object store is.", ports=ports, to=peers),
        internet=yes_no("Whether public addresses may be called on ports 80 and 443: pictures, webhooks, weights."),
        dns=handed_on_items("Peers that names are asked of"),
        extraIngress=handed_on_items("Further rules for who may call the api"),
        extraEgress=handed_on_items("Further rules for what api and workers may call"),
    )


def images() -> Schema:
    """Return what describes the images."""
    return closed(
        "Images.",
        registry=text("Where they are, with their folder, as registry.example.com/dreamfarm."),
        tag=text("Their tag; empty: the chart's appVersion."),
        pullPolicy=one_of("When they are fetched.", "Always", "IfNotPresent", "Never"),
        pullSecrets=items("Secrets that they are fetched with.", {"type": "string", "pattern": NAME}),
        api=text("The api's.", minLength=1),
        cpu=text("That of workers on processors.", minLength=1),
        gpu=text("That of workers on graphics cards.", minLength=1),
    )


def monitoring() -> Schema:
    """Return what describes what Prometheus' operator is given."""
    return closed(
        "For the Prometheus operator.",
        serviceMonitor=yes_no("Whether it is told to read the api's metrics."),
        prometheusRule=yes_no("Whether it is given the farm's alerts."),
        labels=texts("Labels that it finds both by."),
        intervalS=whole("How often metrics are read, in s.", 1),
        keySecret=closed(
            "The Secret with an api key of the scope admin.",
            name=text("Its name.", pattern=NAME),
            key=text("The key's name in it.", minLength=1),
        ),
    )


def values() -> Schema:
    """Return what describes all values."""
    top = closed(
        "The values of the chart dreamfarm.",
        nameOverride=named("In place of the chart's name."),
        fullnameOverride=named("In place of the release's name and the chart's."),
        image=images(),
        settings={"$ref": "#/definitions/settings"},
        **stores(),
        serviceAccount=closed(
            "The account that pods run as; no token of it is given to them.",
            create=yes_no("Whether the chart makes it."),
            name=named("Its name; empty: the release's."),
            annotations=texts("Its annotations, as those of IAM roles."),
        ),
        podSecurityContext=handed_on("Users and groups of the pods"),
        api=api(),
        ingress=closed(
            "How the api is reached from outside.",
            enabled=yes_no("Whether there is an Ingress."),
            className=named("The IngressClass; empty: the cluster's default."),
            annotations=texts("The Ingress' annotations: let bodies be as large as two pictures, 129 MB."),
            host=text("The farm's name.", minLength=1),
            tlsSecret=named("The Secret with the certificate; empty: no TLS."),
        ),
        workerDefaults={"$ref": "#/definitions/pool"},
        workers={
            "description": "Pools of workers by name: at most 14 small letters, digits and dashes.",
            "type": "object",
            "additionalProperties": {"$ref": "#/definitions/pool"},
        },
        autoscaling=autoscaling(),
        podDisruptionBudget=closed(
            "How many pods may be moved at a time.",
            enabled=yes_no("Whether there are budgets."),
            apiMaxUnavailable={"description": "Pods of the api: a number or a share.", "type": ["integer", "string"]},
            workerMaxUnavailable={"description": "Workers of a pool: the same.", "type": ["integer", "string"]},
        ),
        networkPolicy=network(),
        monitoring=monitoring(),
        extraVolumes=handed_on_items("Further volumes of api and workers"),
        extraVolumeMounts=handed_on_items("Where they are mounted"),
    )
    top["properties"]["global"] = handed_on("What a chart above this one tells all its parts")
    definitions = {
        "settings": settings("The farm's settings, by their names without DREAMFARM_; a pool's go before all others."),
        "pool": closed("A pool of workers; what it doesn't say, workerDefaults says, key by key.", **pool()),
    }
    return {"$schema": "http://json-schema.org/draft-07/schema#", **top, "definitions": definitions}


if __name__ == "__main__":
    FILE.write_text(json.dumps(values(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
