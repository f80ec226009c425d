// A server that runs persisted documents only runs those that relay-compiler and graphql-codegen have made, by the
// identifiers that they gave them. Usage: node persisted.mjs http://127.0.0.1:8080 FOLDER

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from 'graphql-sse'
import { http, parts, stream } from './lib.mjs'

const folder = process.argv[3]
const manifest = async name => Object.entries(JSON.parse(await readFile(join(folder, name), 'utf8')))

async function run (documentId, variables) {
  const response = await fetch(http, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ documentId, variables })
  })
  return { status: response.status, ...await response.json() }
}

const input = { stand: 'LFW/C01', from: '2032-01-01T00:00:00Z', to: '2032-01-01T01:00:00Z', reason: 'persisted' }

async function works (name) {
  for (const [id, text] of await manifest(name)) {
    if (text.includes('subscription ')) {
      const client = createClient({ url: stream })
      for await (const { data } of client.iterate({ documentId: id, variables: { after: 0 } })) {
        assert.equal(data.events.position, 1)
        break
      }
      client.dispose()
    } else {
      const { status, data, errors } = await run(id, text.includes('mutation ') ? { input } : { first: 1 })
      assert.equal(status, 200, JSON.stringify(errors))
      assert.ok(data.stands ?? data.closeStand, JSON.stringify(data))
    }
  }
}

await parts({
  'what Relay persists': () => works('relay.json'),
  'what codegen persists': () => works('codegen.json'),
  'nothing else': async () => {
    const { status, errors } = await run('unknown')
    assert.deepEqual([status, errors[0].extensions.code], [400, 'PERSISTED_DOCUMENT_NOT_FOUND'])
    const response = await fetch(http, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ head }' })
    })
    assert.equal((await response.json()).errors[0].extensions.code, 'PERSISTED_DOCUMENT_REQUIRED')
  }
})
