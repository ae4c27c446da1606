"""What a PromQL expression reads: the metrics' names and the labels that it tells them by."""

from __future__ import annotations

import promql_parser


def parsed(expression):
    """Return the expression's tree; Grafana's own variables stand for five minutes."""
    return promql_parser.parse(expression.replace("$__rate_interval", "5m"))


def nodes(node):
    """Return the node and all that are below it."""
    below = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector", "param")]
    below += list(getattr(node, "args", []))
    return [node, *(found for child in below if child is not None for found in nodes(child))]


def reads(expression):
    """Return {(metric, label)} of all that is selected or summed by; (metric, "") for a metric as such."""
    found = nodes(parsed(expression))
    selectors = [node for node in found if isinstance(node, promql_parser.VectorSelector)]
    pairs = {(one.name, "") for one in selectors}
    pairs |= {(one.name, matcher.name) for one in selectors for matcher in one.matchers.matchers}
    sums = [node for node in found if isinstance(node, promql_parser.AggregateExpr) and node.modifier]
    for one in sums:
        inside = [node for node in nodes(one) if isinstance(node, promql_parser.VectorSelector)]
        pairs |= {(node.name, label) for node in inside for label in one.modifier.labels}
    return pairs
