"""The embedded stack: a whole farm as child processes, from packages alone."""

from dreamfarm.stack.process import Child, StackError
from dreamfarm.stack.servers import Servers
from dreamfarm.stack.stack import Stack
from dreamfarm.stack.up import run_up

__all__ = ["Child", "Servers", "Stack", "StackError", "run_up"]
