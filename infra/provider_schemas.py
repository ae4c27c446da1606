"""Writes what Terraform's providers take, as far as `infra/terraform` uses it, for tests that can't fetch providers.

``python -m infra.provider_schemas FOLDER`` reads the bindings that are made from the providers' own schemas: npm's
``@cdktn/aws``, ``@cdktf/provider-helm`` and ``@cdktf/provider-kubernetes``, unpacked side by side.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CONFIGURATION = ROOT / "infra" / "terraform"
SCHEMAS = ROOT / "tests" / "infra" / "provider_schemas.json"
PRIMITIVES = {"string": "string", "number": "number", "boolean": "bool"}
FILLED_IN = {"id", "tags_all"}
GETTERS = {"String": "string", "Number": "number", "Boolean": "bool"}
FUNCTION = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{(.*?)^\}", re.DOTALL | re.MULTILINE)
CLASS = re.compile(r"^ *class (\w+) extends (.*?)(?=^ *class |\Z)", re.DOTALL | re.MULTILINE)
ENTRY = re.compile(
    r"\b(\w+): \{\s*value: ([^\n]*),\s*isBlock: (\w+),\s*type: \"(\w+)\",\s*storageClassType: \"([\w.]+)\"", re.DOTALL
)
INTERFACE = re.compile(r"^ *(?:export )?interface (\w+) [^\n]*\{(.*?)^ *\}$", re.DOTALL | re.MULTILINE)
FLAGS = re.compile(r"// (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\s*\n([^\n]*\n[^\n]*)")

Block = dict[str, Any]
"""Attributes: their type and flags; blocks: their nesting, and what is in them."""


class Bindings:
    """One file of bindings: a resource, or a provider."""

    def __init__(self, text: str, declarations: str) -> None:
        self.interfaces: dict[str, str] = dict(INTERFACE.findall(declarations))
        self.functions: dict[str, str] = dict(FUNCTION.findall(text))
        self.classes: dict[str, str] = dict(CLASS.findall(text))
        self.resource = next(body for body in self.classes.values() if "synthesizeHclAttributes() {" in body)

    def schema(self) -> Block:
        """Return what a resource's block may hold."""
        attributes = self.resource.partition("synthesizeHclAttributes() {")[2].partition("// remove undefined")[0]
        config = next(name for name in self.interfaces if name.endswith("Config"))
        return self._block(attributes, self.resource, self._needed(config))

    def _block(self, attributes: str, members: str, needed: set[str]) -> Block:
        block: Block = {"attributes": {}, "blocks": {}}
        for name, value, is_block, kind, storage in ENTRY.findall(attributes):
            is_needed = re.findall(r"(?:struct\.|this\._)(\w+)", value)[-1] in needed
            if is_block == "true":
                block["blocks"][name] = {"is_needed": is_needed, **self._nested(value, kind, storage)}
            else:
                marks = "required" if is_needed else "optional computed" if name in FILLED_IN else "optional"
                block["attributes"][name] = [_type(kind, storage), marks]
        for name, computed, optional, _, code in FLAGS.findall(members):
            if computed == "true" and optional == "false":
                block["attributes"][name] = [self._computed(code), "computed"]
        return block

    def _nested(self, value: str, kind: str, storage: str) -> Block:
        function = re.findall(r"(\w+)ToHclTerraform", value)[-1]
        interface = storage.rpartition(".")[2]
        needed = self._needed(interface if interface in self.interfaces else interface.removesuffix("List"))
        is_list = "listMapperHcl" in value
        return {
            "nesting": kind,
            "is_attribute": is_list and ", false)" in value,
            "is_one": not is_list,
            **self._block(self.functions[function], self._members(storage), needed),
        }

    def _needed(self, interface: str) -> set[str]:
        return set(re.findall(r"readonly (\w+):", self.interfaces[interface]))

    def _members(self, storage: str) -> str:
        name = storage.rpartition(".")[2].removesuffix("List")
        return self.classes.get(f"{name}OutputReference", "")

    def _computed(self, code: str) -> object:
        """Return the type that a getter, or the member that holds it, answers with."""
        if nested := re.search(r"new ([\w.]+)\(", code):
            members = self._members(nested[1].removesuffix("OutputReference"))
            fields = {name: self._computed(lines) for name, *_, lines in FLAGS.findall(members)}
            return ["list", ["object", fields]] if nested[1].endswith("List") else ["object", fields]
        kind = re.search(r"get(String|Number|Boolean)?(List|Map)?Attribute", code)
        if kind is None:
            return "dynamic"
        element = GETTERS[kind[1] or "String"]
        return [kind[2].lower(), element] if kind[2] else element


def _type(kind: str, storage: str) -> object:
    if storage in PRIMITIVES:
        return PRIMITIVES[storage]
    element = re.match("string|number|boolean", storage)
    return [kind, PRIMITIVES[element[0]]] if element else "dynamic"


def used(configuration: Path) -> set[str]:
    """Return the resource types that a configuration makes."""
    text = "\n".join(path.read_text() for path in configuration.glob("*.tf"))
    return set(re.findall(r'^resource "(\w+)"', text, re.MULTILINE))


def schemas(folder: Path, types: set[str]) -> dict[str, Any]:
    """Return each provider's own schema, and those of these resource types."""
    told: dict[str, Any] = {provider: {"resources": {}} for provider in sorted({one.split("_")[0] for one in types})}
    for path in sorted(folder.rglob("*.js")):
        text = path.read_text().partition("//# sourceMappingURL")[0]
        base = re.search(r"extends cdkt[nf]\.Terraform(Provider|Resource) ", text)
        name = next(iter(re.findall(r"\.tfResourceType = [\"'](\w+)[\"']", text)), "")
        if base and base[1] == "Provider" and name in told:
            told[name]["provider"] = _schema(path, text)
        elif base and name in types:
            kept = told[name.split("_")[0]]
            kept["resources"][name] = _schema(path, text)
            kept["version"] = re.findall(r"providerVersion: ['\"]([\d.]+)", text)[0]
    return told


def _schema(path: Path, text: str) -> Block:
    return Bindings(text, path.with_suffix(".d.ts").read_text()).schema()


def main(folder: str) -> None:
    """Write the schemas of what the configuration uses."""
    SCHEMAS.write_text(json.dumps(schemas(Path(folder), used(CONFIGURATION)), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
