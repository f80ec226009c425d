// Prints the events of a Vigie server, one per line, and goes on where it was when the connection ends.
// Usage: npm start -- http://127.0.0.1:8080 [POSITION]

import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'

interface Item { events: { position: number, event: { type: string } | null } }

const [server, from] = process.argv.slice(2)
if (!server) throw new Error('usage: npm start -- http://127.0.0.1:8080 [POSITION]')

const query = 'subscription($after: Position) { events(after: $after) { position event { type } } }'
// The library could reconnect by itself, but then it would ask for the same start again.
const client = createClient({
  url: `${server.replace(/^http/, 'ws')}/graphql`,
  webSocketImpl: WebSocket,
  retryAttempts: 0
})

let after = Number(from ?? 0)
for (;;) {
  try {
    for await (const { data, errors } of client.iterate<Item>({ query, variables: { after } })) {
      if (!data) throw new Error(JSON.stringify(errors))
      const { position, event } = data.events
      // An item without event only says how far the log has moved on.
      if (event) console.log(`${position} ${event.type}`)
      after = position
    }
  } catch (problem) {
    const closed = problem as { code?: number, reason?: string, message?: string }
    console.error(`after ${after}: ${closed.code ?? ''} ${closed.reason ?? closed.message ?? 'the connection ended'}`)
  }
  await pause(250)
}
