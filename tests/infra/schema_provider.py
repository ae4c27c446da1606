"""Terraform providers that know what resources take and nothing else, so that Terraform can check them offline.

They speak Terraform's plugin protocol, version 6, from this process: `TF_REATTACH_PROVIDERS` tells Terraform where.
Their schemas are those of the real providers, in `provider_schemas.json`.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc

SCHEMAS = json.loads(Path(__file__).with_name("provider_schemas.json").read_text())
SERVICE = "tfplugin6.Provider"
NOTHING_TO_SAY = ("ValidateProviderConfig", "ConfigureProvider", "ValidateResourceConfig", "StopProvider")
SINGLE, LIST, SET = 1, 2, 3
NESTINGS = {"struct": SINGLE, "list": LIST, "set": SET}


def number(field, value):
    """Encode a number, a truth, or one of several, as protocol buffers do; what is 0 is left out."""
    return varint(field << 3) + varint(int(value)) if value else b""


def text(field, value):
    """Encode bytes, text, or a message."""
    encoded = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(encoded)) + encoded


def varint(value):
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


def attribute(name, kind, marks):
    flags = number(4, "required" in marks) + number(5, "optional" in marks) + number(6, "computed" in marks)
    return text(1, name) + text(2, json.dumps(kind)) + flags + number(11, name.endswith("_wo"))


def nested_attribute(name, block):
    members = b"".join(text(1, member) for member in attributes(block, nested=True))
    kind = members + number(3, NESTINGS[block["nesting"]])
    return text(1, name) + text(10, kind) + number(4, block["is_needed"]) + number(5, not block["is_needed"])


def attributes(block, *, nested):
    """Yield a block's attributes; `nested` says that blocks in it are written as attributes too."""
    for name, (kind, marks) in block["attributes"].items():
        yield attribute(name, kind, marks)
    for name, inner in block["blocks"].items():
        if nested or inner["is_attribute"]:
            yield nested_attribute(name, inner)


def nested_block(name, block, *, nested):
    bounds = number(4, block["is_needed"]) + number(5, block["is_one"]) if block["nesting"] != "struct" else b""
    return text(1, name) + text(2, encoded(block, nested=nested)) + number(3, NESTINGS[block["nesting"]]) + bounds


def encoded(block, *, nested):
    members = b"".join(text(2, member) for member in attributes(block, nested=nested))
    inner = () if nested else ((name, one) for name, one in block["blocks"].items() if not one["is_attribute"])
    return members + b"".join(text(3, nested_block(name, one, nested=nested)) for name, one in inner)


def answer(provider):
    """Return the provider's answer to what its resources take; helm's has attributes where others have blocks."""
    told, nested = SCHEMAS[provider], provider == "helm"
    resources = b"".join(
        text(2, text(1, name) + text(2, text(2, encoded(block, nested=nested))))
        for name, block in told["resources"].items()
    )
    return text(1, text(2, encoded(told["provider"], nested=nested))) + resources


def server(provider, socket):
    """Start a provider that listens on a socket."""
    schema = answer(provider)
    calls = {name: grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"") for name in NOTHING_TO_SAY}
    calls["GetProviderSchema"] = grpc.unary_unary_rpc_method_handler(lambda _request, _context: schema)
    started = grpc.server(ThreadPoolExecutor(max_workers=4))
    started.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, calls)])
    started.add_insecure_port(f"unix:{socket}")
    started.start()
    return started


@contextmanager
def providers(folder):
    """Run all providers; give what Terraform's environment must hold."""
    servers = {provider: server(provider, folder / provider) for provider in SCHEMAS}
    where = {
        f"registry.terraform.io/hashicorp/{provider}": {
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": os.getpid(),
            "Test": True,
            "Addr": {"Network": "unix", "String": str(folder / provider)},
        }
        for provider in SCHEMAS
    }
    try:
        yield {"TF_REATTACH_PROVIDERS": json.dumps(where), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    finally:
        for started in servers.values():
            started.stop(grace=None)
