"""The page of the recipes' numbers, from `dreamcore.profiles` and `dreamcore.presets`."""

from __future__ import annotations

from dreamcore.params import DreamParams
from dreamcore.presets import PRESETS
from dreamcore.profiles import PROFILES


def page() -> str:
    """Return every parameter's default in every recipe, and what each parameter is."""
    names = list(PROFILES)
    lines = [
        "# Recipes in numbers",
        "",
        "Each parameter's default by `--profile`. What the recipes are, and whose: [their page](../recipes.md).",
        "",
        "| | " + " | ".join(f"`{name}`" for name in names) + " |",
        "|---|" + "---|" * len(names),
    ]
    fields = list(dict.fromkeys(field for profile in PROFILES.values() for field in profile.defaults))
    for field in fields:
        cells = (_shown(PROFILES[name].defaults.get(field)) for name in names)
        lines.append(f"| `{field}` | " + " | ".join(cells) + " |")
    lines += ["", "## Parameters", "", "| parameter | what |", "|---|---|"]
    lines += [
        f"| `{name}` | {' '.join((field.description or '').split())} |"
        for name, field in DreamParams.model_fields.items()
    ]
    lines += ["", "## Presets", "", "| preset | sets |", "|---|---|"]
    for name, preset in PRESETS.items():
        chosen = {"model": preset.model, "layers": dict(preset.layers), **preset.params}
        sets = ", ".join(f"`{field}` {_shown(value)}" for field, value in chosen.items())
        lines.append(f"| `{name}` | {sets} |")
    return "\n".join(lines) + "\n"


def _shown(value: object) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace("|", "\\|")
