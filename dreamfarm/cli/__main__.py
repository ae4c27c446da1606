"""`python -m dreamfarm.cli`."""

from dreamfarm.cli import main

main()
