"""How a command ends: exit codes that scripts can use, and one line for each thing that went wrong."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from enum import IntEnum
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn

from typer import TyperException
from typer.core import TyperGroup

from dreamcore.errors import DreamError, GuideError, MaskError, PictureError
from dreamfarm.cli.output import print_error
from dreamfarm.cli.overview import print_overview
from dreamfarm.errors import FarmError, FarmUnreachableError
from farm.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

log = logging.getLogger("dreamfarm")


class ExitCode(IntEnum):
    """What a script learns from the command's end."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    UNREACHABLE = 4
    CANCELED = 5
    INTERRUPTED = 130


REFUSED_INPUT = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)
WRONG_INPUT = (PictureError, GuideError, MaskError, SettingsError)
PYDANTICS = "Value error, "
"""What stands before the message of a value that is no choice, and tells a person nothing."""
OF_THE_OPTIONS = frozenset({"bad_address", "guide_mismatch", "invalid_request"})
"""Codes of what every further picture would be refused for as well."""


class CommandError(Exception):
    """A command can't do what was asked; the message says why and what helps."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class DreamfarmGroup(TyperGroup):
    """The command line, which never shows a stack trace."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # printed at once, as typer does
        """Print what there is, on one screen."""
        print_overview(self, ctx)

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run a command; as a program, end with its exit code."""
        run = partial(super().main, *args, **{**extra, "standalone_mode": False})
        return end_with(run) if standalone_mode else run()


def end_with(run: Callable[[], object]) -> NoReturn:
    """Run a command and end the process with its exit code, telling what went wrong in one line."""
    try:
        code = run()
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except Exception as error:  # the one place where a user's command ends
        message, code = describe(error)
        print_error(message)
        log.debug("The command ended with an error.", exc_info=error)
    sys.exit(int(code) if isinstance(code, int) else ExitCode.OK)


def describe(error: Exception) -> tuple[str, ExitCode]:
    """Return what to tell a person about an error, in one line, and the exit code that tells a script."""
    match error:
        case CommandError():
            return str(error), error.exit_code
        case FarmError():
            return error.detail, _farm_code(error)
        case DreamError() | SettingsError():
            return str(error), ExitCode.USAGE if isinstance(error, WRONG_INPUT) else ExitCode.FAILED
        case TyperException():
            return _usage(error), ExitCode.USAGE
        case _:
            return _file_problem(error) if isinstance(error, OSError) else _mistake(error), ExitCode.FAILED


@contextmanager
def naming(file: Path | str) -> Iterator[None]:
    """Name the file in what the farm or the engine says against it."""
    try:
        yield
    except (FarmError, DreamError) as error:
        message, exit_code = describe(error)
        about_it = exit_code is ExitCode.USAGE
        raise CommandError(f"{file}: {message}" if about_it else message, exit_code) from error


def is_of_one_picture(error: Exception) -> bool:
    """Tell whether a picture can't be read, or was refused for itself, so that others may be taken."""
    refusal = error.__cause__
    if not isinstance(error, CommandError) or not isinstance(refusal, FarmError):
        return isinstance(error, OSError)
    return error.exit_code is ExitCode.USAGE and refusal.code not in OF_THE_OPTIONS


def _farm_code(error: FarmError) -> ExitCode:
    if isinstance(error, FarmUnreachableError):
        return ExitCode.UNREACHABLE
    if error.status == HTTPStatus.NOT_FOUND:
        return ExitCode.NOT_FOUND
    return ExitCode.USAGE if error.status in REFUSED_INPUT or error.code == "bad_address" else ExitCode.FAILED


def _usage(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    hint = f" See `{context.command_path} --help`." if context else ""
    message = error.format_message().replace(PYDANTICS, "").rstrip(".")
    return f"{message}.{hint}"


def _file_problem(error: OSError) -> str:
    what = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {what}." if error.filename else f"{what}."


def _mistake(error: Exception) -> str:
    return f"Dreamfarm made a mistake ({type(error).__name__}: {error}). `dreamfarm --debug …` shows where."
