"""An HTTP server inside the test, on one or many ports, that does what it is told and records
every byte it received."""

import contextlib
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.client import Client, Cut, Malformed
from harness.ports import free_port


@dataclass
class Exchange:
    """One request as it arrived."""

    method: str
    target: str
    version: str
    headers: list
    body: bytes
    trailers: list
    port: int
    connection: int
    raw_head: bytes
    at: float = field(default_factory=time.monotonic)

    def header(self, name: str) -> str | None:
        found = self.all(name)
        return ", ".join(found) if found else None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Connection(Client):
    """The server's side of one connection: the strict reader of Client, and ways to end it."""

    def __init__(self, sock: socket.socket, backend: "Backend", port: int, number: int):
        self.sock, self.backend, self.port, self.number = sock, backend, port, number
        self.buffer = b""
        sock.settimeout(60)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _more(self) -> bool:
        data = self.sock.recv(65536)
        self.buffer += data
        self.backend.received[self.number] += data
        return bool(data)

    def read_request(self, body: bool = True) -> Exchange | None:
        """The next request; None where the peer is done."""
        while b"\r\n\r\n" not in self.buffer:
            if not self._more():
                return None
        raw = self.buffer.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n"
        words = self.read_line().decode("latin-1").split(" ")
        if len(words) != 3:
            raise Malformed(f"request line {words}")
        fields = self._fields()
        exchange = Exchange(words[0], words[1], words[2], fields, b"", [], self.port, self.number,
                            raw)
        if body:
            self.read_body(exchange)
        return exchange

    def read_body(self, exchange: Exchange) -> None:
        if exchange.all("transfer-encoding"):
            exchange.body, exchange.trailers = self.read_chunked()
        elif exchange.all("content-length"):
            exchange.body = self.read_exactly(int(exchange.header("content-length")))

    def answer(self, status: str = "200 OK", body: bytes = b"", headers: list | None = None,
               method: str = "GET") -> None:
        fields = [("X-Instance", str(self.port)), ("Content-Length", str(len(body)))]
        fields += headers or []
        head = f"HTTP/1.1 {status}\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields) + "\r\n"
        self.send(head.encode("latin-1") + (b"" if method == "HEAD" else body))


Handler = Callable[[Connection, Exchange], object]


def normal(connection: Connection, exchange: Exchange) -> None:
    connection.answer(body=f"{connection.port}\n".encode(), method=exchange.method)


def echo(connection: Connection, exchange: Exchange) -> None:
    connection.answer(body=exchange.body, method=exchange.method)


def raw(data: bytes, close: bool = True) -> Handler:
    """Answers exactly these bytes."""
    def handler(connection: Connection, _: Exchange):
        connection.send(data)
        return "close" if close else None
    return handler


def slow(seconds: float) -> Handler:
    def handler(connection: Connection, exchange: Exchange) -> None:
        connection.backend.stopping.wait(seconds)
        normal(connection, exchange)
    return handler


def status(line: str, times: int | None = None) -> Handler:
    """This status, for the first `times` requests of the backend; then normal answers."""
    def handler(connection: Connection, exchange: Exchange) -> None:
        if times is not None and len(connection.backend.exchanges) > times:
            return normal(connection, exchange)
        return connection.answer(line, b"told so\n", method=exchange.method)
    return handler


def never(connection: Connection, _: Exchange) -> str:
    """No answer, until the peer gives up."""
    connection.sock.recv(1)
    return "close"


def close_before_answer(_: Connection, __: Exchange) -> str:
    return "close"


def reset_before_answer(connection: Connection, _: Exchange) -> str:
    connection.reset()
    return "close"


def cut_body(reset: bool = False) -> Handler:
    """Half of a Content-Length body, then FIN or RST."""
    def handler(connection: Connection, _: Exchange) -> str:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 50)
        if reset:
            time.sleep(0.05)  # the half body leaves before the RST discards what is queued
            connection.reset()
        return "close"
    return handler


class Backend:
    """Listens from construction to `close`. `handler` may be replaced at any time. With
    `read_body=False` the handler reads the body itself; with `serve` it gets the bare
    connection (for what is not HTTP)."""

    def __init__(self, handler: Handler = normal, *, ports: int = 1, host: str = "127.0.0.1",
                 read_body: bool = True, serve: Callable[[Connection], object] | None = None,
                 port: int | None = None, backlog: int = 1024):
        self.handler, self.read_body, self.serve, self.host = handler, read_body, serve, host
        self.exchanges: list[Exchange] = []
        self.received: list[bytes] = []  # per connection, in the order of arrival
        self.problems: list[str] = []
        self.accepted_at: list[tuple[float, int]] = []
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self.ports: list[int] = []
        self._listeners: dict[int, socket.socket] = {}
        for _ in range(ports):
            self._listen(port if port and ports == 1 else free_port(), backlog)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _listen(self, port: int, backlog: int) -> None:
        listener = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, port))
        listener.listen(backlog)
        listener.setblocking(False)
        self.ports.append(port)
        self._listeners[port] = listener
        self._selector.register(listener, selectors.EVENT_READ, port)

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def count(self) -> int:
        return len(self.exchanges)

    def bytes_received(self) -> bytes:
        return b"".join(self.received)

    def forget(self) -> None:
        """Forgets what was recorded (connections stay)."""
        with self._lock:
            self.exchanges.clear()
            self.problems.clear()
            self.received[:] = [b""] * len(self.received)

    def open_connections(self) -> int:
        with self._lock:
            return len(self._open)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self, hard: bool = False) -> None:
        """Ends listeners and connections; `hard` with RST, as a killed process's kernel does for
        connections with unread data."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        self._thread.join(5)
        for listener in self._listeners.values():
            listener.close()
        with self._lock:
            for sock in list(self._open):
                with contextlib.suppress(OSError):
                    if hard:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                        struct.pack("ii", 1, 0))
                        sock.close()
                    else:
                        sock.shutdown(socket.SHUT_RDWR)
        self._selector.close()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            for key, _ in self._selector.select(0.05):
                with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
                    sock, _peer = key.fileobj.accept()
                    sock.setblocking(True)
                    with self._lock:
                        number = len(self.received)
                        self.received.append(b"")
                        self.accepted_at.append((time.monotonic(), key.data))
                        self._open.add(sock)
                    threading.Thread(target=self._run, daemon=True,
                                     args=(Connection(sock, self, key.data, number),)).start()

    def _run(self, connection: Connection) -> None:
        sock = connection.sock
        try:
            if self.serve:
                self.serve(connection)
                return
            while not self.stopping.is_set():
                exchange = connection.read_request(self.read_body)
                if exchange is None:
                    return
                with self._lock:
                    self.exchanges.append(exchange)
                if self.handler(connection, exchange) == "close":
                    return
        except (Malformed, Cut) as error:
            self.problems.append(str(error))
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(sock)
            with contextlib.suppress(OSError):
                sock.close()
