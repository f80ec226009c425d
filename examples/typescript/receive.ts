// Receives the webhooks of a Vigie server: checks who has sent them, and prints each event once.
// Usage: WEBHOOK_SECRET='whsec_… whpk_…' npm run receive -- [PORT]
// One secret, or several while they are being changed: whsec_ for HMAC (v1), whpk_ for Ed25519 (v1a).

import { createPublicKey, verify as verifySignature } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

type Check = (body: string, headers: IncomingHttpHeaders) => void

const TOLERANCE_SECONDS = 5 * 60
const LARGEST_BODY = 64 * 1024

// v1: the library of Standard Webhooks knows it.
function hmac (secret: string): Check {
  const webhook = new Webhook(secret)
  return (body, headers) => { webhook.verify(body, headers as Record<string, string>) }
}

// v1a: the library does not know it yet, Node.js does.
function ed25519 (key: string): Check {
  const x = Buffer.from(key.slice('whpk_'.length), 'base64').toString('base64url')
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return (body, headers) => {
    const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map(name => String(headers[`webhook-${name}`]))
    if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS)) throw new Error('it is too old, or too new')
    const content = Buffer.from(`${id}.${timestamp}.${body}`)
    const signed = signatures!.split(' ').some(signature =>
      signature.startsWith('v1a,') && verifySignature(null, content, publicKey, Buffer.from(signature.slice(4), 'base64')))
    if (!signed) throw new Error('no signature fits')
  }
}

const secrets = process.env.WEBHOOK_SECRET?.split(' ').filter(secret => secret)
if (!secrets?.length) throw new Error('WEBHOOK_SECRET is not set')
const checks = secrets.map(secret => secret.startsWith('whpk_') ? ed25519(secret) : hmac(secret))

function check (body: string, headers: IncomingHttpHeaders): void {
  const problems = checks.map(check => {
    try {
      check(body, headers)
      return undefined
    } catch (problem) {
      return problem
    }
  })
  if (problems.every(problem => problem)) throw problems[0]
}

// The bytes as they came: what was parsed and written again has another signature.
async function read (request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > LARGEST_BODY) throw new Error('it is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

// Deliveries come at least once. A real receiver keeps the ids with what it makes of the events, in one transaction.
const known = new Set<string>()

const server = createServer(async (request, response) => {
  try {
    const body = await read(request)
    check(body, request.headers)
    const id = String(request.headers['webhook-id'])
    if (!known.has(id)) {
      known.add(id)
      const event = JSON.parse(body)
      console.log(`${event.position ?? '-'} ${event.type}`)
    }
    // Soon: what takes long is done afterwards.
    response.writeHead(204).end()
  } catch (problem) {
    console.error(`refused: ${(problem as Error).message}`)
    response.writeHead(400).end()
  }
})
server.listen(Number(process.argv[2] ?? 9000), '127.0.0.1', () => {
  console.log(`listening on 127.0.0.1:${(server.address() as AddressInfo).port}`)
})
