"""``python -m dreamfarm``: the command line."""

from dreamfarm.cli import main

if __name__ == "__main__":
    main()
