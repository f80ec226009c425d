"""gql, the Python client: over HTTP, over a WebSocket, with the schema that it fetches.

Usage: client.py http://127.0.0.1:8080
"""

import asyncio
import sys

from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

SERVER = sys.argv[1]
HTTP = f"{SERVER}/graphql"
WS = HTTP.replace("http", "ws", 1)
CLOSE = gql("""
    mutation($input: CloseStandInput!) {
      closeStand(input: $input) { __typename ... on StandPayload { position } ... on Refusal { message } }
    }
""")
EVENTS = gql("subscription($after: Position) { events(after: $after) { position } }")


async def over_http() -> int:
    """Runs a query and a command; the position that it reached."""
    async with Client(transport=AIOHTTPTransport(url=HTTP), fetch_schema_from_transport=True) as session:
        data = await session.execute(gql("{ stands(first: 1) { nodes { id } } }"))
        assert data["stands"]["nodes"] == [{"id": "LFW/C01"}], data
        stay = {"from": "2033-01-01T00:00:00Z", "to": "2033-01-01T01:00:00Z"}
        command = {"input": {"stand": "LFW/C01", "reason": "from Python", **stay}}
        CLOSE.variable_values = command
        data = await session.execute(CLOSE)
        assert data["closeStand"]["__typename"] == "StandPayload", data
    async with Client(transport=AIOHTTPTransport(url=HTTP)) as session:
        try:
            await session.execute(gql("{ nonsense }"))
        except TransportQueryError as error:
            assert "nonsense" in str(error), error
        else:
            raise AssertionError("a field that is not there was answered")
    return data["closeStand"]["position"]


async def over_a_socket(position: int) -> None:
    """Watches what has happened already.

    Of the subprotocols that gql offers, it finds the one that the server took only if the header that says so is
    written with capitals. So it offers one.
    """
    transport = WebsocketsTransport(url=WS, subprotocols=["graphql-transport-ws"])
    async with Client(transport=transport) as session:
        EVENTS.variable_values = {"after": position - 1}
        async for item in session.subscribe(EVENTS):
            assert item["events"]["position"] == position, item
            break
        data = await session.execute(gql("{ head }"))
        assert data["head"] >= position, data


async def main() -> None:
    await over_a_socket(await over_http())


asyncio.run(asyncio.wait_for(main(), 100))
print("gql is served over HTTP and over a WebSocket")
