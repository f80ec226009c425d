// People sign in through an OpenID Connect provider, and out again, in as much of a browser as that takes.
// Usage: node oidc.mjs http://127.0.0.1:8080 http://127.0.0.1:9090 vgk_…: the server, what provider.mjs says, and an API key
// that may see everybody.

import assert from 'node:assert/strict'
import { Browser } from './browser.mjs'
import { parts, server, within } from './lib.mjs'

const [provider, key] = process.argv.slice(3)
const start = `${server}/auth/oidc/start`
const order = path => fetch(`${provider}${path}`).then(answer => assert.equal(answer.status, 200))

// From the server to the provider and back, as somebody; the page that the browser ends at.
async function signIn (browser, who) {
  let page = await browser.open(start)
  if (page.text?.includes('name="login"')) page = await browser.submit(page, { login: who, password: 'any' })
  // The provider asks once whether the server may know.
  if (page.text?.includes('value="consent"')) page = await browser.submit(page)
  return page
}

// Who the server takes the browser for; none when nobody is signed in.
async function me (browser) {
  const answer = await browser.ask(`${server}/auth/me`)
  return answer.status === 200 ? answer.json() : null
}

// What whoever has signed in holds, as the log says.
async function roles (browser) {
  const query = `query($tags: [String!]) { events(first: 200, filter: { tags: $tags,
    types: ["identity.role_granted", "identity.role_revoked"] }) { nodes { type data } } }`
  const body = JSON.stringify({ query, variables: { tags: [(await me(browser)).actor] } })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const { data, errors } = await (await fetch(`${server}/graphql`, { method: 'POST', headers, body })).json()
  assert.ok(data, JSON.stringify(errors))
  const held = new Set()
  for (const { type, data: { role, site } } of data.events.nodes) {
    const text = site ? `${role}@${site}` : role
    if (type === 'identity.role_granted') held.add(text)
    else held.delete(text)
  }
  return [...held].sort()
}

async function until (what, holds) {
  await within(what, (async () => {
    while (!await holds()) await new Promise(resolve => setImmediate(resolve))
  })())
}

// The address at which somebody comes back from the provider, not opened yet.
async function callback (browser, who) {
  browser.stop = url => url.startsWith(`${server}/auth/oidc/callback`)
  const { url } = await signIn(browser, who)
  browser.stop = undefined
  return url
}

await parts({
  'somebody signs in, is known by name, and holds what their groups give': async () => {
    const browser = new Browser()
    assert.equal(await me(browser), null)
    const page = await signIn(browser, 'ops')
    assert.equal(page.response.status, 200, page.text)
    const { username, fullName } = await me(browser)
    assert.deepEqual([username, fullName], ['ops', 'The ops'])
    assert.deepEqual(await roles(browser), ['operator@LFW'])
  },
  'a session lasts as long as the word of the provider counts': async () => {
    const browser = new Browser()
    await signIn(browser, 'ops')
    const minutes = (new Date((await me(browser)).endsAt) - Date.now()) / 60_000
    assert.ok(minutes > 15 && minutes <= 30, `${minutes}`)
  },
  'somebody of no group is let in, and holds nothing': async () => {
    const browser = new Browser()
    await signIn(browser, 'nobody')
    assert.equal((await me(browser)).username, 'nobody')
    assert.deepEqual(await roles(browser), [])
  },
  'groups that are lost take their roles along at the next sign-in': async () => {
    const browser = new Browser()
    await signIn(browser, 'both')
    assert.deepEqual(await roles(browser), ['operator@LFW', 'viewer'])
    await order('/test/groups?person=both&groups=/it')
    await signIn(browser, 'both')
    assert.deepEqual(await roles(browser), ['viewer'])
  },
  'the same person is the same user again': async () => {
    const [one, two] = [new Browser(), new Browser()]
    await signIn(one, 'ops')
    await signIn(two, 'ops')
    const [first, second] = [await me(one), await me(two)]
    assert.equal(first.actor, second.actor)
  },
  'what a browser brings back counts once, and in that browser alone': async () => {
    const [browser, other] = [new Browser(), new Browser()]
    const url = await callback(browser, 'ops')
    // Somebody sends his own answer to another, who shall act in his name.
    assert.equal((await other.ask(url)).status, 400)
    await other.open(start)
    assert.equal((await other.ask(url)).status, 400)
    assert.equal(await me(other), null)
    assert.equal((await browser.ask(url)).status, 200)
    assert.equal((await me(browser)).username, 'ops')
    assert.equal((await browser.ask(url)).status, 400)
  },
  'an answer that was changed on the way signs nobody in': async () => {
    for (const change of [
      query => query.set('state', query.get('state').replace(/.$/, last => last === 'A' ? 'B' : 'A')),
      query => query.delete('state'),
      query => query.set('code', 'another'),
      query => query.delete('code'),
      query => query.set('iss', 'https://other.example'),
      query => query.set('error', 'access_denied')
    ]) {
      const browser = new Browser()
      const url = new URL(await callback(browser, 'ops'))
      change(url.searchParams)
      const answer = await browser.ask(url.href)
      assert.equal(answer.status, 400, `${url}`)
      assert.equal(await me(browser), null)
    }
  },
  'who gives up at the provider is told so': async () => {
    const browser = new Browser()
    const page = await browser.open(start)
    const [, abort] = page.text.match(/href="([^"]*\/abort)"/)
    const back = await browser.open(new URL(abort, page.url).href)
    assert.equal(back.response.status, 400)
    assert.equal(await me(browser), null)
  },
  'new keys of the provider are asked for': async () => {
    await order('/test/rotate')
    await until('somebody signs in with the new keys', async () => {
      const browser = new Browser()
      await signIn(browser, 'ops')
      return await me(browser) !== null
    })
  },
  'a provider that does not answer is told of, and asked again': async () => {
    const browser = new Browser()
    const url = await callback(browser, 'ops')
    await order('/test/silent?now=yes')
    assert.equal((await browser.ask(url)).status, 502)
    await order('/test/silent?now=no')
    assert.equal(await me(browser), null)
    await signIn(browser, 'ops')
    assert.equal((await me(browser)).username, 'ops')
  },
  'who signs out at the provider is signed out here, and nobody else': async () => {
    const [browser, other, same] = [new Browser(), new Browser(), new Browser()]
    await signIn(browser, 'ops')
    await signIn(other, 'nobody')
    await signIn(same, 'ops')
    const page = await browser.open(`${provider}/session/end`)
    await browser.submit(page, { logout: 'yes' })
    await until('the session here is over', async () => await me(browser) === null)
    assert.equal((await me(other)).username, 'nobody')
    // Another session of the same person at the provider goes on.
    assert.equal((await me(same)).username, 'ops')
  },
  'nobody but the provider signs people out': async () => {
    const browser = new Browser()
    await signIn(browser, 'ops')
    const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
    const forged = `${part({ alg: 'none' })}.${part({ iss: provider, aud: 'vigie', sub: 'ops', iat: Date.now() / 1000 | 0,
      exp: (Date.now() / 1000 | 0) + 60, jti: '1', events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })}.`
    for (const body of [{ logout_token: forged }, { logout_token: 'x' }, {}, { logout_token: '' }]) {
      const answer = await fetch(`${server}/auth/oidc/logout`, { method: 'POST', body: new URLSearchParams(body) })
      assert.equal(answer.status, 400)
    }
    assert.equal((await me(browser)).username, 'ops')
  }
})
