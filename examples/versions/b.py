#!/usr/bin/env python3
"""Service B: says which version and mode it is. APP_PORT, VERSION, MODE."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = f"b {os.environ.get('VERSION', 'v3')} {os.environ.get('MODE', 'write')}\n".encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(NAME)))
        self.end_headers()
        self.wfile.write(NAME)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    address = ("127.0.0.1", int(os.environ.get("APP_PORT", "5000")))
    ThreadingHTTPServer(address, Handler).serve_forever()
