// What every script here needs: the server's address, something that happens, and waiting with an end.
// Usage of each script: node NAME.mjs http://127.0.0.1:8080

import assert from 'node:assert/strict'

export const server = process.argv[2]
if (!server) throw new Error('usage: node NAME.mjs http://127.0.0.1:8080')
export const http = `${server}/graphql`
export const ws = `${server.replace(/^http/, 'ws')}/graphql`
export const stream = `${server}/graphql/stream`

// The data of an operation, asked without any client.
export async function graphql (query, variables) {
  const response = await fetch(http, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables })
  })
  const { data, errors } = await response.json()
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

// Closes a stand for a time of its own, so that each call is a fact; its position. Each process has a week of its own.
const week = Date.UTC(2031, 0, 1) + process.pid % 4096 * 7 * 86_400_000
let closed = 0
export async function happen () {
  const begin = week + closed++ * 7_200_000
  const [from, to] = [begin, begin + 3_600_000].map(time => new Date(time).toISOString())
  const { closeStand } = await graphql(`mutation($from: DateTime!, $to: DateTime!) {
    closeStand(input: { stand: "LFW/C01", from: $from, to: $to, reason: "a client is tried" }) {
      __typename ... on StandPayload { position } ... on Refusal { message } } }`, { from, to })
  assert.equal(closeStand.__typename, 'StandPayload', JSON.stringify(closeStand))
  return closeStand.position
}

// The value, or a failure after 100 seconds.
export function within (what, promise) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not in time: ${what}`)), 100_000)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

// What a client shows, one by one: `next()` waits for it.
export function collect () {
  const waiting = []
  const wanting = []
  const put = item => wanting.length ? wanting.shift()(item) : waiting.push(item)
  return {
    sink: { next: value => put({ value }), error: error => put({ error }), complete: () => put({ complete: true }) },
    next: () => within('something comes', waiting.length
      ? Promise.resolve(waiting.shift())
      : new Promise(resolve => wanting.push(resolve)))
  }
}

// Runs the parts of a script by name, one after the other; the first that fails ends it.
export async function parts (parts) {
  for (const [name, part] of Object.entries(parts)) {
    try {
      await within(name, part())
    } catch (error) {
      console.error(`${name}: ${error.stack ?? error}`)
      process.exit(1)
    }
  }
  console.log(`${Object.keys(parts).length} parts are as they should be`)
  process.exit(0)
}
