"""A raw HTTP/1.1 client: sends exactly the bytes it is told, reads answers strictly."""

import re
import socket
import struct
from dataclasses import dataclass, field

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FIELD = re.compile(rb"(" + _TOKEN + rb"):[ \t]*(.*?)[ \t]*\Z", re.DOTALL)
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: ([^\r\n]*))?\Z")


class Cut(Exception):
    """The peer ended the connection inside an answer; `got` is the body that came."""

    def __init__(self, where: str, got: bytes = b""):
        super().__init__(f"cut {where} after {len(got)} body bytes")
        self.got = got


class Malformed(Exception):
    """The peer sent what is not HTTP/1.1."""


@dataclass
class Response:
    status: int
    headers: list = field(default_factory=list)  # (name, value) as sent
    body: bytes = b""
    trailers: list = field(default_factory=list)
    interim: list = field(default_factory=list)  # Response of each 1xx before it
    reason: str = ""
    minor: int = 1

    def header(self, name: str, default: str | None = None) -> str | None:
        found = self.all(name)
        return ", ".join(found) if found else default

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def instance(self) -> str | None:
        """Which backend port answered (the default handler of Backend says it)."""
        return self.header("x-instance")

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


def build(method: str = "GET", target: str = "/", headers: list | dict | None = None,
          body: bytes | None = None, host: str = "test", version: str = "HTTP/1.1") -> bytes:
    """A request's bytes; Host and Content-Length are added where not given."""
    fields = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
    names = {name.lower() for name, _ in fields}
    if "host" not in names and host:
        fields.insert(0, ("Host", host))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        fields.append(("Content-Length", str(len(body))))
    head = f"{method} {target} {version}\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields)
    return head.encode("latin-1") + b"\r\n" + (body or b"")


class Client:
    """One connection. Every read has the connection's timeout."""

    def __init__(self, port: int, host: str = "127.0.0.1", timeout: float = 10.0,
                 receive_buffer: int | None = None):
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout)
        self.sock.connect((host, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """Closes with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def finish_sending(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def request(self, method: str = "GET", target: str = "/", headers=None,
                body: bytes | None = None, **more) -> Response:
        self.send(build(method, target, headers, body, **more))
        return self.read_response(method)

    # --- reading

    def _more(self) -> bool:
        data = self.sock.recv(65536)
        self.buffer += data
        return bool(data)

    def read_exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            if not self._more():
                raise Cut("inside a body", self.buffer)
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def read_line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            if len(self.buffer) > 1 << 20:
                raise Malformed("endless line")
            if not self._more():
                raise Cut("inside a line: " + repr(self.buffer[:80]))
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def read_to_end(self) -> bytes:
        """Everything until the peer's FIN; raises ConnectionResetError for a RST."""
        while self._more():
            pass
        data, self.buffer = self.buffer, b""
        return data

    def at_end(self) -> bool:
        """Waits for what comes next: True for FIN or RST, False for a byte."""
        if self.buffer:
            return False
        try:
            return not self._more()
        except ConnectionResetError:
            return True

    def _fields(self) -> list:
        fields = []
        while line := self.read_line():
            match = _FIELD.match(line)
            if not match or b"\r" in line or b"\n" in line or b"\0" in line:
                raise Malformed(f"field line {line!r}")
            fields.append((match[1].decode(), match[2].decode("latin-1")))
        return fields

    def read_chunked(self) -> tuple[bytes, list]:
        body = b""
        while True:
            try:
                line = self.read_line()
                if not re.fullmatch(rb"[0-9A-Fa-f]+(;.*)?", line):
                    raise Malformed(f"chunk size {line!r}")
                size = int(line.split(b";")[0], 16)
                if size == 0:
                    return body, self._fields()
                body += self.read_exactly(size)
                if self.read_exactly(2) != b"\r\n":
                    raise Malformed("chunk does not end with CRLF")
            except Cut as cut:
                raise Cut("inside a chunked body", body + cut.got) from None

    def read_head(self) -> Response:
        line = self.read_line()
        match = _STATUS.match(line)
        if not match:
            raise Malformed(f"status line {line!r}")
        return Response(int(match[2]), self._fields(), reason=(match[3] or b"").decode("latin-1"),
                        minor=int(match[1]))

    def read_response(self, method: str = "GET", max_interim: int = 100) -> Response:
        interim = []
        while True:
            answer = self.read_head()
            if answer.status >= 200 or answer.status == 101:
                break
            interim.append(answer)
            if len(interim) > max_interim:
                raise Malformed("endless 1xx")
        answer.interim = interim
        coding, lengths = answer.all("transfer-encoding"), answer.all("content-length")
        if coding and lengths:
            raise Malformed("Content-Length with Transfer-Encoding")
        if len(lengths) > 1 or (lengths and not lengths[0].isdigit()):
            raise Malformed(f"Content-Length {lengths}")
        if method == "HEAD" or answer.status in (101, 204, 304):
            return answer
        if coding:
            if coding != ["chunked"]:
                raise Malformed(f"Transfer-Encoding {coding}")
            answer.body, answer.trailers = self.read_chunked()
        elif lengths:
            answer.body = self.read_exactly(int(lengths[0]))
        else:
            answer.body = self.read_to_end()
        return answer


def get(port: int, target: str = "/", headers=None, method: str = "GET", body: bytes | None = None,
        host: str = "127.0.0.1", timeout: float = 10.0) -> Response:
    """One request on a connection of its own."""
    with Client(port, host, timeout) as client:
        return client.request(method, target, headers, body)


def send_raw(port: int, data: bytes, method: str = "GET", timeout: float = 10.0) -> Response:
    """Exactly these bytes on a connection of their own, and the first answer."""
    with Client(port, timeout=timeout) as client:
        try:
            client.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was sent: the answer is there to be read
        return client.read_response(method)
