"""Python 2.7: Autobahn's WebSocket echo on each LISTEN:CALLED pair of ports; CALLED is the port that
clients put into Host, which Autobahn checks, and differs from LISTEN behind a proxy."""
import sys

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import reactor


class Echo(WebSocketServerProtocol):
    def onMessage(self, payload, is_binary):  # noqa: N802  their name
        self.sendMessage(payload, is_binary)


for pair in sys.argv[1:]:
    listen, called = pair.split(":")
    factory = WebSocketServerFactory("ws://127.0.0.1:" + called)
    factory.protocol = Echo
    factory.setProtocolOptions(failByDrop=False)
    reactor.listenTCP(int(listen), factory, interface="127.0.0.1")
reactor.run()
