"""`python -P -m takeback`: the command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. Editors wait for their server and agents for their hooks: these start alone."""
    if sys.argv[1:] in (["lsp"], ["lsp", "--stdio"]):
        from takeback.lsp.program import serve  # noqa: PLC0415 - the same

        serve()
        return
    if _is_hook(sys.argv[1:]):
        from takeback.cli.hooked import hooked  # noqa: PLC0415 - the same

        hooked(sys.argv[2:])
        return
    from takeback.cli.program import run  # noqa: PLC0415 - so that importing this module costs nothing

    run()


def _is_hook(words: list[str]) -> bool:
    """Whether an agent calls. A person who types the same at a terminal gets help instead."""
    asks = {"install", "uninstall", "-h", "--help"}.intersection(words)
    return words[:1] == ["hook"] and len(words) > 1 and not asks and not (sys.stdin and sys.stdin.isatty())


if __name__ == "__main__":
    main()
