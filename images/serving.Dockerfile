# The serving pod. The argument is `fetch` (copy and verify a version) or `serve`.
# Works with docker and buildah. If no image registry is reachable, set BASE and BUILDER to images made from Debian packages.
ARG BASE=python:3.11-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84
ARG BUILDER=${BASE}

# Dependencies: hash-locked wheels in a virtual environment without pip. The settings of the package index are mounted for this step
# only (secrets `pip.conf` and `certificates`, both optional), so no layer contains them. The tests of the packages, a sixth of the
# size, are removed. The rest is compiled now, because the file system is read-only at run time.
FROM ${BUILDER} AS builder
COPY requirements/serving.txt /requirements.txt
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=certificates \
    python3 -m venv --without-pip /opt/venv && \
    PIP_CONFIG_FILE=/run/secrets/pip.conf python3 -m pip --python /opt/venv/bin/python install --quiet --no-cache-dir --no-compile \
        --disable-pip-version-check --root-user-action=ignore --only-binary=:all: --no-deps --require-hashes \
        --requirement /requirements.txt && \
    find /opt/venv -type d -name tests -prune -exec rm -r {} + && \
    PYTHONHASHSEED=0 python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv

# Our source, compiled as well.
FROM ${BUILDER} AS compiled
COPY operator/perennate /opt/perennate/perennate
RUN PYTHONHASHSEED=0 python3 -m compileall -q --invalidation-mode unchecked-hash /opt/perennate

FROM scratch AS source
COPY --from=compiled /opt/perennate /opt/perennate

FROM ${BASE} AS dependencies
# The base image contains pip, which a running pod does not need.
RUN if python3 -m pip --version >/dev/null 2>&1; then python3 -m pip uninstall --yes --root-user-action=ignore pip setuptools wheel; fi
COPY --from=builder /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/perennate \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONSAFEPATH=1 \
    HOME=/tmp
USER 65532:65532
WORKDIR /
ENTRYPOINT ["python", "-P", "-s", "-m", "perennate.serving"]

# The last layer is small: after a change of the source, only this layer is rebuilt and loaded.
FROM dependencies
COPY --from=source / /
