"""`python -P -m takeback`: the command line."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from takeback.cli.program import run  # noqa: PLC0415 - so that importing this module costs nothing

    run()


if __name__ == "__main__":
    main()
