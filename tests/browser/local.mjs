// Signs in on the page for it as a person would: with a wrong and a right password, and with a one-time link.
// Usage: node local.mjs http://127.0.0.1:8080 USERNAME PASSWORD LINK

import assert from 'node:assert/strict'
import { launch, open } from './chromium.mjs'

const [server, username, password, link] = process.argv.slice(2)
const browser = await launch()
try {
  const page = await open(browser)
  const faults = []
  const signingIn = () => new URL(page.url()).pathname === '/sign-in'
  // What the page at /graphql had begun fails when it is left.
  page.on('pageerror', error => { if (signingIn()) faults.push(String(error)) })
  page.on('console', message => { if (/content security policy/i.test(message.text())) faults.push(message.text()) })
  const me = () => page.evaluate(async () => {
    const answer = await fetch('/auth/me')
    return answer.ok ? (await answer.json()).username : answer.status
  })
  const signOut = () => page.evaluate(async () => (await fetch('/auth/sign-out', { method: 'POST' })).status)
  const fill = async secret => {
    await page.getByLabel('Username').fill(username)
    await page.getByLabel('Password').fill(secret)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }

  // Whoever is not signed in is sent to the page.
  await page.goto(`${server}/graphql`)
  assert.equal(new URL(page.url()).pathname, '/sign-in')
  await fill('another one than it is')
  await page.getByRole('alert').filter({ hasText: 'the username or the password is not right' }).waitFor()
  assert.equal(await page.getByLabel('Username').inputValue(), username)
  assert.equal(await me(), 401)
  assert.deepEqual(await page.context().cookies(server), [])

  await fill(password)
  await page.waitForURL(url => url.pathname === '/graphql')
  assert.equal(await me(), username)
  const [cookie, ...others] = await page.context().cookies(server)
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, others], [true, 'Strict', []])
  assert.equal(await page.evaluate(() => document.cookie + localStorage.length + sessionStorage.length).then(kept => kept.includes(password)), false)

  assert.equal(await signOut(), 204)
  assert.equal(await me(), 401)
  assert.deepEqual(await page.context().cookies(server), [])
  await page.context().addCookies([cookie])
  assert.equal(await me(), 401, 'the cookie that was is worth nothing')
  await page.context().clearCookies()

  // A link signs in once; what stands behind # is sent to nobody and leaves the address.
  const asked = []
  page.on('request', request => asked.push(request.url(), JSON.stringify(request.headers())))
  // The way goes on as soon as the server has answered, which may be before the page is loaded.
  await page.goto(link, { waitUntil: 'commit' })
  await page.waitForURL(url => url.pathname === '/graphql')
  assert.notEqual(await me(), 401)
  const secret = new URLSearchParams(new URL(link).hash.slice(1)).get('link')
  assert.ok(secret.startsWith('vgl_') && !asked.some(text => text.includes(secret)))
  assert.equal(await signOut(), 204)
  await page.goto('about:blank')
  await page.goto(link)
  await page.getByRole('alert').filter({ hasText: 'the link signs nobody in' }).waitFor()
  assert.equal(page.url(), `${server}/sign-in`)
  assert.equal(await me(), 401)
  assert.deepEqual(faults, [])
  console.log('the person signs in and out')
} finally {
  await browser.close()
}
