// urql: queries over GET and POST, mutations, subscriptions over graphql-ws and over graphql-sse.

import assert from 'node:assert/strict'
import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import { createClient as sse } from 'graphql-sse'
import { createClient as socket } from 'graphql-ws'
import WebSocket from 'ws'
import { collect, happen, http, parts, stream, ws } from './lib.mjs'

const over = (transport, preferGetMethod) => new Client({
  url: http,
  preferGetMethod,
  exchanges: [fetchExchange, subscriptionExchange({
    forwardSubscription: ({ query, variables }) => ({
      subscribe: sink => ({ unsubscribe: transport.subscribe({ query, variables }, sink) })
    })
  })]
})

async function uses (client) {
  const { data, error } = await client.query('query($first: Int) { stands(first: $first) { nodes { id } } }', { first: 1 }).toPromise()
  assert.ifError(error)
  assert.equal(data.stands.nodes[0].id, 'LFW/C01')
  const wrong = await client.query('{ nonsense }', {}).toPromise()
  assert.equal(wrong.error.graphQLErrors.length, 1)
  const unknown = await client.mutation('mutation($id: ID!) { freeStand(input: { allocation: $id }) { __typename } }', { id: 'x' }).toPromise()
  assert.ok(unknown.data ?? unknown.error)

  const before = await happen()
  const items = collect()
  const query = 'subscription($after: Position) { events(after: $after) { position } }'
  const { unsubscribe } = client.subscription(query, { after: before - 1 }).subscribe(items.sink.next)
  assert.equal((await items.next()).value.data.events.position, before)
  const position = await happen()
  let seen = 0
  while (seen < position) seen = (await items.next()).value.data.events.position
  unsubscribe()
}

await parts({
  'over a WebSocket': () => uses(over(socket({ url: ws, webSocketImpl: WebSocket }), false)),
  'over events, with GET': () => uses(over(sse({ url: stream }), 'force')),
  'over events on one connection': () => uses(over(sse({ url: stream, singleConnection: true }), false))
})
