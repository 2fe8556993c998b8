"""The repository's files over HTTP on loopback, as a host of repositories serves them to mip."""

import contextlib
import functools
import http.server
import re
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What fits one processor, what takes releases into slots, which mip does not make, what tells states, networks of
# 16 bits, and the networks' kernels that only define.
LEFT_OUT_BY_MIP = re.compile(
    r"kittiwake_node/(kernels/((thumb2|dsp|rv32|xtensa)_|\w+_block)|update/|updating\.py$|io/build_facts\.py$"
    r"|kernels/\w+16\.py|(assembly|config)_states\.py$|detect/state"
    r"|kernels/plain_(conv|copy|depthwise|floats|logsoftmax|matmul|pointwise|pool|recurrent|requant|shape|softmax|table))"
)


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        self.server.requests.append(self.path)


@contextlib.contextmanager
def served(folder: Path = ROOT):
    """Serve a folder's files.

    Args:
        folder: whose.

    Yields:
        The address, and a list that grows by a line a request.
    """
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, directory=folder)) as server:
        server.requests = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", server.requests
        finally:
            server.shutdown()
            thread.join()
