"""What the end-to-end tests drive pilotfish with: real registries, scripted backends, raw clients."""

from harness.backend import Backend, Exchange
from harness.cli import DATA_ERROR, UNAVAILABLE, USAGE, pilotfish_cli
from harness.client import Client, Response, get, send_raw
from harness.consul import Consul
from harness.dns_poll import DnsPoll
from harness.dns_server import DnsServer, srv_answer
from harness.etcd import CoreDns, Dnsmasq, Etcd
from harness.parts import is_sanitized, part, pilotfish_binary
from harness.ports import free_port, free_ports
from harness.process import Process, wait_for
from harness.prometheus import Prometheus
from harness.sidecar import Pilotfish
from harness.traffic import Traffic

__all__ = [
    "Backend", "Client", "Consul", "CoreDns", "DATA_ERROR", "DnsPoll", "DnsServer", "Dnsmasq", "Etcd",
    "Exchange", "Pilotfish", "Process", "Prometheus", "Response", "Traffic", "UNAVAILABLE",
    "USAGE", "free_port", "free_ports", "get", "is_sanitized", "part", "pilotfish_binary",
    "pilotfish_cli", "send_raw", "srv_answer", "wait_for",
]
