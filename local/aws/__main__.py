"""Run the AWS emulator: ``python -m local.aws --home PATH --port PORT``."""

import argparse
import asyncio
import logging
import os
from pathlib import Path
from typing import cast

from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework

from local.home import Home


def main() -> None:
    """Read the command line and serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", required=True, type=Path)
    parser.add_argument("--port", required=True, type=int)
    options = parser.parse_args()
    home = Home.at(options.home)
    os.umask(0o077)
    os.environ.update(
        PERSIST_STATE="1",
        STATE_DIR=str(home.folder("aws", "state")),
        S3_PERSIST="1",
        S3_DATA_DIR=str(home.folder("aws", "objects")),
        MINISTACK_HOST=home.addresses[0],
        GATEWAY_PORT=str(options.port),
        LOG_LEVEL="WARNING",
        # It must neither find a Docker daemon nor open ports of its own.
        DOCKER_HOST=f"unix://{home.root}/no-docker",
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
    )
    # The emulator reads its environment when it is imported.
    from local.aws.server import Server  # noqa: PLC0415

    logging.getLogger("local").setLevel(logging.INFO)
    config = Config()
    config.bind = [f"{home.addresses[0]}:{options.port}"]
    config.graceful_timeout = 5
    # hypercorn types its scopes more narrowly than ASGI does.
    asyncio.run(serve(cast("ASGIFramework", Server(home)), config))


if __name__ == "__main__":
    main()
