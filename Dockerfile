# The state API, and nothing else of this repository: `make image` (docs/adr/0010-image.md).
#
# BASE and UV are pinned by digest where images are released, so that the same commit gives the same image and a new base is
# a reviewed change: `docker buildx imagetools inspect python:3.12-slim-bookworm` prints today's digest. The defaults without
# one are for a developer's machine. No `# syntax=` line: the frontends of Docker 23 and buildah know all that is used here,
# and one from a registry would be unpinned code inside the build.
ARG BASE=python:3.12-slim-bookworm
ARG UV=ghcr.io/astral-sh/uv:0.13.9

FROM ${UV} AS uv

FROM ${BASE} AS builder
COPY --from=uv /uv /usr/local/bin/uv
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/opt/vanta UV_CACHE_DIR=/uv-cache
WORKDIR /build
# Dependencies first: they change less often than the code, and their layer stays. The secret is for networks whose proxy
# signs with a certificate authority of its own; without it uv trusts the public ones.
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/uv-cache --mount=type=secret,id=ca,target=/run/ca.pem \
    [ ! -f /run/ca.pem ] || export SSL_CERT_FILE=/run/ca.pem; \
    uv sync --locked --no-default-groups --no-install-project
COPY README.md LICENSE ./
COPY app app
# Refreshed, because uv takes pyproject.toml for all of the project: from its cache it would install yesterday's app.
RUN --mount=type=cache,target=/uv-cache --mount=type=secret,id=ca,target=/run/ca.pem \
    [ ! -f /run/ca.pem ] || export SSL_CERT_FILE=/run/ca.pem; \
    uv sync --locked --no-default-groups --no-editable --refresh-package vanta
# uv's lock could be written by everybody. And two builds of one commit give one layer: uv's note of when it built goes, one
# process with one hash seed compiles, and the bytecode is valid whatever times the builder gives the files (by default
# Python would compare them, and in a read-only image compile anew at each start).
RUN sed -i '/uv_cache.json/d' /opt/vanta/lib/python*/site-packages/vanta-*.dist-info/RECORD && \
    rm /opt/vanta/lib/python*/site-packages/vanta-*.dist-info/uv_cache.json /opt/vanta/.lock && \
    PYTHONHASHSEED=0 /opt/vanta/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/vanta/lib

FROM ${BASE}
# Numeric, so that Kubernetes can check runAsNonRoot without reading /etc/passwd.
USER 65532:65532
COPY --from=builder /opt/vanta /opt/vanta
# Nothing is written: bytecode is compiled in, logs go to standard output.
ENV PATH=/opt/vanta/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    VANTA_LISTEN_HOST=0.0.0.0 VANTA_LISTEN_PORT=8080
# For who finds it in a registry: what it is, from where, and of which commit; the SBOM and the provenance are signed beside it.
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="VANTA state API" org.opencontainers.image.licenses=Apache-2.0 \
    org.opencontainers.image.revision=${REVISION} org.opencontainers.image.source=${SOURCE}
WORKDIR /
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s --retries=3 CMD ["python", "-m", "app", "health"]
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve"]
