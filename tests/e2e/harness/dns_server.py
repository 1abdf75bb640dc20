"""A small authoritative DNS server over UDP and TCP that answers whatever it is told."""

import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

from harness.ports import free_port

NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
A, CNAME, AAAA, SRV, OPT = 1, 5, 28, 33, 41


@dataclass
class Query:
    data: bytes
    name: str
    kind: int
    transport: str  # "udp" | "tcp"

    @property
    def question(self) -> bytes:
        return self.data[12:12 + len(encode_name(self.name)) + 4]


def encode_name(name: str) -> bytes:
    labels = [label for label in name.strip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in labels) + b"\0"


def decode_name(data: bytes, at: int) -> str:
    labels = []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode("latin-1"))
        at += 1 + data[at]
    return ".".join(labels)


def record(owner: bytes, kind: int, rdata: bytes, ttl: int = 0, length: int | None = None) -> bytes:
    size = len(rdata) if length is None else length
    return owner + struct.pack("!HHIH", kind, 1, ttl, size) + rdata


def srv_rdata(port: int, target: str, priority: int = 1, weight: int = 1) -> bytes:
    return struct.pack("!HHH", priority, weight, port) + encode_name(target)


def message(query: Query, answers: list[bytes] = (), additional: list[bytes] = (), *,
            rcode: int = NOERROR, flags: int = 0x8400, ident: int | None = None,
            counts: tuple[int, int] | None = None, question: bytes | None = None,
            edns: bool = True) -> bytes:
    """An answer to the query; with an OPT record where the query had one, unless `edns` is off."""
    additional = list(additional)
    if edns and counts is None and struct.unpack_from("!H", query.data, 10)[0]:
        additional.append(b"\0" + struct.pack("!HHIH", OPT, 4096, 0, 0))
    own = struct.unpack("!H", query.data[:2])[0]
    an, ar = counts or (len(answers), len(additional))
    head = struct.pack("!HHHHHH", own if ident is None else ident, flags | rcode, 1, an, 0, ar)
    return head + (question or query.question) + b"".join(answers) + b"".join(additional)


def srv_answer(query: Query, instances: list, ttl: int = 0, **how) -> bytes:
    """(port[, weight[, priority]]) each on 127.0.0.1, addresses in ADDITIONAL."""
    answers, additional = [], []
    for one in instances:
        port, weight, priority = (tuple(one) + (1, 1))[:3] if isinstance(one, tuple) else (one, 1, 1)
        target = f"i{port}.test"
        answers.append(record(b"\xc0\x0c", SRV, srv_rdata(port, target, priority, weight), ttl))
        additional.append(record(encode_name(target), A, bytes([127, 0, 0, 1]), ttl))
    return message(query, answers, additional, **how)


class DnsServer:
    """`answer(query)` returns the datagram, a list of datagrams, or None for silence; it may be
    replaced at any time. Without `tcp` connections to its port are refused."""

    def __init__(self, answer: Callable[[Query], bytes | list | None], *, tcp: bool = True):
        self.answer = answer
        self.queries: list[Query] = []
        self.port = free_port()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._udp.settimeout(0.1)
        self._tcp = socket.socket()
        self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._tcp.bind(("127.0.0.1", self.port))
        if tcp:
            self._tcp.listen(64)
        self._tcp.settimeout(0.1)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=loop, daemon=True)
                         for loop in (self._serve_udp, self._serve_tcp)[:1 + tcp]]
        for thread in self._threads:
            thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(2)
        self._udp.close()
        self._tcp.close()

    def _ask(self, data: bytes, transport: str) -> list[bytes]:
        name = decode_name(data, 12)
        kind = struct.unpack_from("!H", data, 12 + len(encode_name(name)))[0]
        query = Query(data, name, kind, transport)
        self.queries.append(query)
        found = self.answer(query)
        return [] if found is None else found if isinstance(found, list) else [found]

    def _serve_udp(self) -> None:
        while not self._stopping.is_set():
            try:
                data, peer = self._udp.recvfrom(4096)
                for datagram in self._ask(data, "udp"):
                    self._udp.sendto(datagram, peer)
            except (TimeoutError, OSError, IndexError, struct.error):
                continue

    def _serve_tcp(self) -> None:
        while not self._stopping.is_set():
            try:
                peer, _ = self._tcp.accept()
            except (TimeoutError, OSError):
                continue
            threading.Thread(target=self._one_tcp, args=(peer,), daemon=True).start()

    def _one_tcp(self, peer: socket.socket) -> None:
        peer.settimeout(5)
        with peer, peer.makefile("rb") as stream:
            try:
                while len(size := stream.read(2)) == 2:
                    data = stream.read(struct.unpack("!H", size)[0])
                    answers = self._ask(data, "tcp")
                    if not answers:
                        return
                    for one in answers:
                        peer.sendall(struct.pack("!H", len(one)) + one)
            except OSError:
                return
