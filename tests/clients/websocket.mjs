// graphql-transport-ws with its reference client, graphql-ws.

import assert from 'node:assert/strict'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { collect, happen, parts, ws } from './lib.mjs'

const client = options => createClient({ url: ws, webSocketImpl: WebSocket, retryAttempts: 0, ...options })

// All results of an operation.
async function all (from, payload) {
  const results = []
  for await (const result of from.iterate(payload)) results.push(result)
  return results
}

// The code that the server closes with when a client behaves as `options` say.
function closing (options, use = () => {}) {
  return new Promise((resolve, reject) => {
    const tried = client({ lazy: false, onNonLazyError: () => {}, ...options, on: { closed: event => resolve(event.code) } })
    Promise.resolve(use(tried)).catch(reject)
  })
}

await parts({
  'queries and mutations': async () => {
    const one = client()
    const [{ data }] = await all(one, { query: '{ head __typename }' })
    assert.equal(data.__typename, 'Query')
    const query = `mutation($id: ID!) { acknowledgeAlert(input: { alert: $id }) { __typename ... on Refusal { code } } }`
    const [answer] = await all(one, { query, variables: { id: '00000000-0000-0000-0000-000000000000' } })
    assert.ok(answer.data?.acknowledgeAlert.code ?? answer.errors, JSON.stringify(answer))
    await one.dispose()
  },
  'a subscription goes on after a position, from history into what comes': async () => {
    const before = await happen()
    const one = client()
    const items = collect()
    one.subscribe({ query: 'subscription($after: Position) { events(after: $after) { position } }', variables: { after: before - 1 } }, items.sink)
    assert.equal((await items.next()).value.data.events.position, before)
    const position = await happen()
    let seen = before
    while (seen < position) {
      const next = (await items.next()).value.data.events.position
      assert.ok(next > seen)
      seen = next
    }
    await one.dispose()
    assert.deepEqual(await items.next(), { complete: true })
  },
  'errors of a document come as errors, and the socket goes on': async () => {
    const one = client()
    for (const query of ['{', '{ nonsense }', 'subscription { nonsense }']) {
      const items = collect()
      one.subscribe({ query }, items.sink)
      const { error } = await items.next()
      assert.ok(Array.isArray(error) && error[0].message, `${query}: ${error}`)
    }
    assert.equal((await all(one, { query: '{ __typename }' })).length, 1)
    await one.dispose()
  },
  'pings are answered': async () => {
    const ponged = collect()
    const one = client({ lazy: false, keepAlive: 50, on: { pong: received => received && ponged.sink.next(received) } })
    for (let i = 0; i < 3; i++) assert.equal((await ponged.next()).value, true)
    await one.dispose()
  },
  'a caller that is not one is forbidden': async () => {
    assert.equal(await closing({ connectionParams: { 'Vigie-Actor': 'two words' } }), 4403)
  },
  'who says nothing is closed after three seconds': async () => {
    const silent = new WebSocket(ws, 'graphql-transport-ws')
    await new Promise((resolve, reject) => silent.on('open', resolve).on('error', reject))
    const begin = performance.now()
    const code = await new Promise(resolve => silent.on('close', resolve))
    assert.equal(code, 4408)
    const took = performance.now() - begin
    assert.ok(took > 2_900, `${took} ms`)
  }
})
