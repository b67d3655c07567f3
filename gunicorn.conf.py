"""How gunicorn serves the portal; it reads this file by itself. `--bind` on the command line says where."""

import gc
import os
import shutil
from typing import Any

from app.config import ROOT, SETTINGS

_settings = {setting.name: os.environ.get(setting.name) or setting.default for setting in SETTINGS}

workers = int(_settings["WEB_PROCESSES"])
threads = int(_settings["WEB_THREADS"])
worker_class = "gthread"
# The processes share what was read before they parted.
preload_app = True
graceful_timeout = 5
# gunicorn would open a socket for commands below the home directory, which nothing here uses.
control_socket_disable = True

# Each process counts for itself; through files in this folder any of them can answer for all (app/ops/metrics.py).
_counts = (ROOT / _settings["SLIPWAY_DATA"] / "metrics").resolve()
shutil.rmtree(_counts, ignore_errors=True)
_counts.mkdir(parents=True)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_counts)


def when_ready(server: Any) -> None:
    """Leave what is loaded to the processes to come, so that collecting garbage does not copy it into each."""
    gc.freeze()
