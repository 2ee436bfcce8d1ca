"""`python -P -m takeback`: the command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. An editor waits for its server, so that starts without the rest of the program."""
    if sys.argv[1:] in (["lsp"], ["lsp", "--stdio"]):
        from takeback.lsp.program import serve  # noqa: PLC0415 - the same

        serve()
        return
    from takeback.cli.program import run  # noqa: PLC0415 - so that importing this module costs nothing

    run()


if __name__ == "__main__":
    main()
