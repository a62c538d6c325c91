"""A webhook of somebody's chat, on this machine."""

from __future__ import annotations

import http.server
import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Chat:
    """`texts`: what arrived. `status`: how it answers."""

    def __init__(self) -> None:
        self.texts: queue.Queue[str] = queue.Queue()
        self.status = 200
        self.address = ""

    def heard(self, seconds: float = 60.0) -> str:
        """The next text; raises queue.Empty if none arrives."""
        return self.texts.get(timeout=seconds)


@contextmanager
def open_chat() -> Iterator[Chat]:
    """Open until the end of the block."""
    chat = Chat()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            chat.texts.put(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(chat.status)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        chat.address = f"http://127.0.0.1:{server.server_port}/chat"
        yield chat
        server.shutdown()
