# syntax=docker/dockerfile:1
#
# The state API, and nothing else of this repository.
#
#   docker build --build-arg BASE=python:3.12-slim-bookworm@sha256:<digest> -t vanta-api .
#
# BASE is pinned by digest where images are built (CI), so that the same commit gives the same image and a new base is a
# reviewed change: `docker buildx imagetools inspect python:3.12-slim-bookworm` prints today's digest. The default without a
# digest is for a developer's machine.
ARG BASE=python:3.12-slim-bookworm
ARG UV=ghcr.io/astral-sh/uv:0.9

FROM ${UV} AS uv

FROM ${BASE} AS builder
COPY --from=uv /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/opt/vanta
WORKDIR /build
# Dependencies first: they change less often than the code, and their layer stays.
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-default-groups --no-install-project
COPY README.md LICENSE ./
COPY app app
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-default-groups --no-editable

FROM ${BASE}
# Numeric, so that Kubernetes can check runAsNonRoot without reading /etc/passwd.
USER 65532:65532
COPY --from=builder /opt/vanta /opt/vanta
# Nothing is written: bytecode is compiled in, logs go to standard output.
ENV PATH=/opt/vanta/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    VANTA_LISTEN_HOST=0.0.0.0 VANTA_LISTEN_PORT=8080
WORKDIR /
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s --retries=3 CMD ["python", "-m", "app", "health"]
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve"]
