"""Prints the events of a Vigie server, one per line, and goes on where it was when the connection ends.

Usage: python watch.py http://127.0.0.1:8080 [POSITION]
"""

import asyncio
import sys

from gql import Client, gql
from gql.transport.exceptions import TransportError
from gql.transport.websockets import WebsocketsTransport

QUERY = "subscription($after: Position) { events(after: $after) { position event { type } } }"


async def watch(server: str, after: int) -> None:
    url = server.replace("http", "ws", 1) + "/graphql"
    while True:
        try:
            transport = WebsocketsTransport(url=url, subprotocols=["graphql-transport-ws"])
            async with Client(transport=transport) as session:
                request = gql(QUERY)
                request.variable_values = {"after": after}
                async for item in session.subscribe(request):
                    position, event = item["events"]["position"], item["events"]["event"]
                    # An item without event only says how far the log has moved on.
                    if event is not None:
                        print(position, event["type"], flush=True)
                    after = position
        except (OSError, TransportError) as problem:
            print(f"after {after}: {problem}", file=sys.stderr)
        await asyncio.sleep(0.25)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        asyncio.run(watch(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))
    except KeyboardInterrupt:
        pass
