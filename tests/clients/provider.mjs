// An OpenID Connect provider with people of its own, for `oidc.mjs`. Usage: node provider.mjs http://127.0.0.1:8080, which
// is the server whose people sign in here. It prints its own address, and ends with its standard input.

import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const server = process.argv[2]
const client = {
  client_id: 'vigie',
  client_secret: 'a secret: with signs & blanks / +%',
  redirect_uris: [`${server}/auth/oidc/callback`],
  backchannel_logout_uri: `${server}/auth/oidc/logout`,
  backchannel_logout_session_required: true
}
// Everybody may be anybody: who signs in as `ops` is in the groups that `groups` has for `ops`.
const groups = { ops: ['/lfw/operators'], both: ['/lfw/operators', '/it'], nobody: [] }
const key = () => ({
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
  kid: randomUUID(), alg: 'RS256', use: 'sig'
})
let keys = [key()]
let issuer
let handler
let silent = false

// The same provider with the keys of now: its sessions are kept beside it.
function renew () {
  const provider = new Provider(issuer, {
    clients: [client],
    jwks: { keys },
    cookies: { keys: ['for a test'] },
    claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'], email: ['email'] },
    features: { backchannelLogout: { enabled: true } },
    pkce: { required: () => true },
    // Left to itself it talks to no server of its own machine, which is where the one under test is.
    fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
    findAccount: (context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `The ${id}`, preferred_username: id, email: `${id}@example.org`, groups: groups[id] })
    })
  })
  // What it cannot tell the server is a failure that somebody has to see.
  for (const event of ['server_error', 'backchannel.error']) {
    provider.on(event, (...args) => console.error(event, args.find(arg => arg instanceof Error)))
  }
  handler = provider.callback()
}

// What a test does to the provider, besides being a browser.
const orders = {
  // New keys, and the old ones are gone.
  '/test/rotate': () => { keys = [key()]; renew() },
  // Whoever asks for anything else gets no answer, or gets them again: /test/silent?now=yes
  '/test/silent': query => { silent = query.get('now') === 'yes' },
  // The groups of a person: /test/groups?person=ops&groups=/it,/other
  '/test/groups': query => { groups[query.get('person')] = query.get('groups').split(',').filter(Boolean) }
}

const http = createServer((request, response) => {
  const url = new URL(request.url, issuer)
  const order = orders[url.pathname]
  if (!order) return silent ? request.socket.destroy() : handler(request, response)
  order(url.searchParams)
  response.end('done')
})
http.listen(0, '127.0.0.1', () => {
  // Another site than the server's for browsers, as it would be: the name is another.
  issuer = `http://localhost:${http.address().port}`
  renew()
  console.log(`provider: ${issuer}`)
})
process.stdin.resume().on('end', () => process.exit(0))
