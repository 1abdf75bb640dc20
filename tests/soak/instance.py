"""One instance of the soak's service, a process of its own so that it can be killed: HTTP on one
port, a TCP echo on another. `instance.py HTTP_PORT TCP_PORT SEED [HOST]`."""

import asyncio
import random
import sys
import zlib

HTTP_PORT, TCP_PORT, SEED = map(int, sys.argv[1:4])
HOST = (sys.argv[4:] or ["127.0.0.1"])[0]
_random = random.Random(SEED)
_CHUNK = 16384


async def read_body(reader, fields: dict) -> tuple[int, int]:
    """Length and CRC of the body."""
    length = check = 0
    if "chunked" in fields.get("transfer-encoding", ""):
        while size := int((await reader.readline()).split(b";")[0], 16):
            data = await reader.readexactly(size)
            await reader.readexactly(2)
            length, check = length + size, zlib.crc32(data, check)
        while (await reader.readline()).strip():
            pass
        return length, check
    left = int(fields.get("content-length", "0"))
    while left:
        data = await reader.read(min(left, 65536))
        if not data:
            raise EOFError
        left, length, check = left - len(data), length + len(data), zlib.crc32(data, check)
    return length, check


async def stream(writer, size: int) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(size // _CHUNK):
        writer.write(f"{_CHUNK:x}\r\n".encode() + b"b" * _CHUNK + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")


async def pipe(reader, writer) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def one_request(reader, writer) -> bool:
    """Answers the next request; whether the connection goes on."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    fields = {name.lower(): value.strip()
              for name, _, value in (line.partition(":") for line in head[1:] if line)}
    if fields.get("upgrade") == "echo":
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                     b"Upgrade: echo\r\n\r\n")
        await pipe(reader, writer)
        return False
    length, check = await read_body(reader, fields)
    if target.startswith("/big/"):
        await stream(writer, int(target[5:]))
    else:
        if target.startswith("/slow/"):
            await asyncio.sleep(int(target[6:]) / 1000)
        body = f"{method} {target} {length} {check}\n".encode()
        writer.write(f"HTTP/1.1 200 OK\r\nX-Instance: {HTTP_PORT}\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n".encode()
                     + (b"" if method == "HEAD" else body))
    await writer.drain()
    return _random.random() > 0.01  # now and then a kept connection closes without a word


async def serve_http(reader, writer) -> None:
    try:
        while await one_request(reader, writer):
            pass
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


async def serve_tcp(reader, writer) -> None:
    try:
        await pipe(reader, writer)
    except OSError:
        pass
    finally:
        writer.close()


async def main() -> None:
    await asyncio.start_server(serve_http, HOST, HTTP_PORT, backlog=1024)
    await asyncio.start_server(serve_tcp, HOST, TCP_PORT, backlog=1024)
    print("listening", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
