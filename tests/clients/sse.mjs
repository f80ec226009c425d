// graphql-sse with its reference client, in both of its modes; and resuming as a browser's EventSource does.

import assert from 'node:assert/strict'
import { createClient } from 'graphql-sse'
import { collect, happen, parts, stream } from './lib.mjs'

const after = 'subscription($after: Position) { events(after: $after) { position } }'

async function all (client, payload) {
  const results = []
  for await (const result of client.iterate(payload)) results.push(result)
  return results
}

async function speaks (singleConnection) {
  const client = createClient({ url: stream, singleConnection, retryAttempts: 0 })
  assert.deepEqual(await all(client, { query: '{ __typename }' }), [{ data: { __typename: 'Query' } }])

  const before = await happen()
  const first = collect()
  const second = collect()
  const stop = client.subscribe({ query: after, variables: { after: before - 1 } }, first.sink)
  client.subscribe({ query: after, variables: { after: before - 1 } }, second.sink)
  for (const items of [first, second]) assert.equal((await items.next()).value.data.events.position, before)
  stop()
  const position = await happen()
  let seen = before
  while (seen < position) seen = (await second.next()).value.data.events.position

  // A query beside it.
  const [answer] = await all(client, { query: '{ head }' })
  assert.ok(answer.data.head >= position)
  client.dispose()
}

// The ids of the first `count` events of a stream, read as text.
async function ids (count, headers) {
  const query = encodeURIComponent('subscription { events { position } }')
  const control = new AbortController()
  const response = await fetch(`${stream}?query=${query}`, { headers: { accept: 'text/event-stream', ...headers }, signal: control.signal })
  assert.equal(response.status, 200)
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    text += value
    const found = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
    if (found.length >= count) {
      control.abort()
      return found.slice(0, count)
    }
  }
  throw new Error('the stream ended')
}

await parts({
  'distinct connections': () => speaks(false),
  'a single connection': () => speaks(true),
  'wrong documents are told': async () => {
    const distinct = createClient({ url: stream, retryAttempts: 0 })
    const [{ errors }] = await all(distinct, { query: '{ nonsense }' })
    assert.ok(errors[0].message)
    const single = createClient({ url: stream, singleConnection: true, retryAttempts: 0 })
    await assert.rejects(all(single, { query: '{ nonsense }' }), /400/)
  },
  'Last-Event-ID resumes': async () => {
    const position = await happen()
    await happen()
    const [first, second] = await ids(2, { 'last-event-id': String(position - 1) })
    assert.equal(first, position)
    assert.deepEqual(await ids(1, { 'last-event-id': String(first) }), [second])
  }
})
