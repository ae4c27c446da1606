"""`dreamfarm --help`: what there is, on one screen."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

WHAT_IT_IS = "DeepDream for one picture or ten thousand."
EXAMPLES = {
    "dreamfarm dream sky.jpg": "dream a picture here and now",
    "dreamfarm dream sky.jpg --preset molten-color": "in another manner",
    "dreamfarm up": "start a farm, with a web page",
    "dreamfarm submit photos/ --watch": "hand in a folder to it",
}
OPTIONS = {
    "--key KEY": "Your key to the farm; unseen by others in DREAMFARM_KEY",
    "--models-dir DIR": "Folder of networks of your own (DREAMFARM_MODELS_DIR)",
    "--install-completion": "Have the shell complete commands: bash, zsh, fish",
    "--version, --debug": "Print the version; show on stderr what happens inside",
    "--help, -h": "After a command: all about it",
}
SCREEN_COLUMNS = 80
EXIT_CODES = "  0 done, 1 failed, 2 bad input, 3 not found, 4 no farm, 5 canceled, 130 Ctrl-C"


def print_overview(group: Any, context: Any) -> None:
    """Print the commands by what they are for, with examples, options and exit codes."""
    console = Console(highlight=False)
    console.print(Text.assemble(("dreamfarm", "bold"), f"   {WHAT_IT_IS}"), _pairs(EXAMPLES, "green"), sep="\n")
    for title, commands in {**_panels(group, context), "Options": OPTIONS}.items():
        console.print(Text(title, style="bold"), _pairs(commands, "cyan"), sep="\n")
    console.print(Text("Exit codes", style="bold"), Text(EXIT_CODES), sep="\n")


def _panels(group: Any, context: Any) -> dict[str, dict[str, str]]:
    panels: dict[str, dict[str, str]] = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if not command.hidden:
            first, _, _ = (command.help or "").partition("\n")
            panels.setdefault(command.rich_help_panel, {})[name] = first.rstrip(".")
    return panels


def _pairs(pairs: dict[str, str], style: str) -> Text:
    width = max(map(len, pairs))
    rows = [Text.assemble("  ", (left.ljust(width), style), "  ", right) for left, right in pairs.items()]
    for row in rows:
        row.truncate(SCREEN_COLUMNS, overflow="ellipsis")
    return Text("\n").join(rows)
