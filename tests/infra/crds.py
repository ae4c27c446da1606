"""What the operators' own resources take that the chart may set: after KEDA 2.16 and Prometheus operator 0.80."""

from __future__ import annotations


def closed(needed=(), **properties):
    """Return the schema of an object with these keys, some of them needed, and no others."""
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(needed)}


def resource(api_version, kind, spec):
    """Return the schema of a resource."""
    return closed(
        ("apiVersion", "kind", "metadata", "spec"),
        apiVersion={"const": api_version},
        kind={"const": kind},
        metadata=closed(("name", "labels"), name=TEXT, labels=LABELS),
        spec=spec,
    )


TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}
LABELS = {"type": "object", "additionalProperties": {"type": "string"}}
POLICY = closed(
    ("type", "value", "periodSeconds"),
    type={"enum": ["Percent", "Pods"]},
    value={"type": "integer", "minimum": 1},
    periodSeconds={"type": "integer", "minimum": 1, "maximum": 1800},
)
SCALING = closed(
    stabilizationWindowSeconds={"type": "integer", "minimum": 0, "maximum": 3600},
    policies={"type": "array", "items": POLICY, "minItems": 1},
    selectPolicy={"enum": ["Max", "Min", "Disabled"]},
)
PROMETHEUS_TRIGGER = closed(
    ("type", "metadata"),
    type={"const": "prometheus"},
    metricType={"enum": ["AverageValue", "Value"]},
    metadata=closed(
        ("serverAddress", "query", "threshold"),
        serverAddress=TEXT,
        query=TEXT,
        threshold={"type": "string", "pattern": r"^[0-9.]+$"},  # all texts: KEDA's metadata is a table of texts
        activationThreshold={"type": "string", "pattern": r"^[0-9.]+$"},
        ignoreNullValues={"enum": ["true", "false"]},
        authModes=TEXT,
    ),
    authenticationRef=closed(("name",), name=TEXT, kind=TEXT),
)
RELABELING = closed(
    ("action",),
    action={"enum": ["replace", "keep", "drop", "labeldrop", "labelkeep", "labelmap"]},
    targetLabel=TEXT,
    replacement={"type": "string"},
    regex=TEXT,
    sourceLabels={"type": "array", "items": TEXT},
)
DURATION = {"type": "string", "pattern": r"^[0-9]+(ms|s|m|h)$"}

SCHEMAS = {
    "ScaledObject": resource(
        "keda.sh/v1alpha1",
        "ScaledObject",
        closed(
            ("scaleTargetRef", "triggers"),
            scaleTargetRef=closed(("name",), apiVersion={"const": "apps/v1"}, kind={"const": "Deployment"}, name=TEXT),
            minReplicaCount=COUNT,
            maxReplicaCount={"type": "integer", "minimum": 1},
            pollingInterval={"type": "integer", "minimum": 1},
            cooldownPeriod=COUNT,
            advanced=closed(
                horizontalPodAutoscalerConfig=closed(behavior=closed(scaleUp=SCALING, scaleDown=SCALING)),
            ),
            triggers={"type": "array", "items": PROMETHEUS_TRIGGER, "minItems": 1},
        ),
    ),
    "ServiceMonitor": resource(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        closed(
            ("selector", "endpoints"),
            selector=closed(("matchLabels",), matchLabels=LABELS),
            endpoints={
                "type": "array",
                "minItems": 1,
                "items": closed(
                    port=TEXT,
                    path={"type": "string", "pattern": "^/"},
                    interval=DURATION,
                    authorization=closed(type=TEXT, credentials=closed(("key",), name=TEXT, key=TEXT)),
                    relabelings={"type": "array", "items": RELABELING},
                ),
            },
        ),
    ),
    "PrometheusRule": resource(
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        closed(
            ("groups",),
            groups={
                "type": "array",
                "minItems": 1,
                "items": closed(
                    ("name", "rules"),
                    name=TEXT,
                    rules={
                        "type": "array",
                        "items": closed(
                            ("alert", "expr"),
                            **{"alert": TEXT, "expr": TEXT, "for": DURATION, "labels": LABELS, "annotations": LABELS},
                        ),
                    },
                ),
            },
        ),
    ),
}
