"""A real Prometheus that scrapes every second."""

import json
import os
import urllib.parse
import urllib.request
from pathlib import Path

from harness.parts import clean_environment, part
from harness.ports import free_port
from harness.process import Process


class Prometheus:
    def __init__(self, folder: Path, scrape_configs: str, resolver: str | None = None):
        """`scrape_configs` is the YAML list below that key, indented by two. With `resolver` it
        runs where /etc/resolv.conf names that address: a mount namespace of its own."""
        self.port = free_port()
        config = folder / f"prometheus-{self.port}.yml"
        config.write_text("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n"
                          + scrape_configs)
        around = []
        if resolver:
            resolv = folder / "resolv.conf"
            resolv.write_text(f"nameserver {resolver}\n")
            around = ["unshare", *([] if os.geteuid() == 0 else ["-r"]), "-m", "sh", "-c",
                      f'mount --bind {resolv} /etc/resolv.conf && exec "$@"', "sh"]
        self.process = Process(
            [*around, part("prometheus"), f"--config.file={config}",
             f"--storage.tsdb.path={folder}/prometheus-{self.port}",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"],
            folder / f"prometheus-{self.port}.log", env=clean_environment())
        self.process.until(lambda: self._get("/-/ready") is not None, 20, "Prometheus is ready")

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.read()

    def query(self, expression: str) -> list[tuple[dict, float]]:
        """(labels, value) of each series of an instant query."""
        words = urllib.parse.urlencode({"query": expression})
        answer = json.loads(self._get(f"/api/v1/query?{words}"))
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]

    def stop(self) -> None:
        self.process.stop()
