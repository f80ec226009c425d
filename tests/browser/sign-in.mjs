// Signs in through the provider of tests/clients/provider.mjs as a person would, whose browser decides by itself which cookie
// goes along from where. Usage: node sign-in.mjs http://127.0.0.1:8080

import assert from 'node:assert/strict'
import { launch, open } from './chromium.mjs'

const [server] = process.argv.slice(2)
const browser = await launch()
try {
  const page = await open(browser)
  const me = () => page.evaluate(async () => (await fetch('/auth/me')).status)
  await page.goto(`${server}/sign-in`)
  assert.equal(await me(), 401)
  await page.getByRole('link', { name: /organisation/i }).click()
  await page.locator('input[name=login]').fill('ops')
  await page.locator('input[name=password]').fill('any')
  await page.getByRole('button', { name: /sign-in/i }).click()
  await page.getByRole('button', { name: /continue/i }).click()
  await page.waitForURL(url => url.origin === server && !url.pathname.startsWith('/auth/'))
  assert.equal(await me(), 200)
  const cookies = (await page.context().cookies(server)).map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite])
  assert.deepEqual(cookies, [['vigie', true, 'Strict']])
  assert.equal(await page.evaluate(() => document.cookie), '')

  // Whatever the address says, nobody is sent to another server after signing in.
  await page.context().clearCookies()
  for (const elsewhere of ['//evil.example', '/\\evil.example', '/\t/evil.example', 'https://evil.example', 'javascript:alert(1)', 'evil']) {
    await page.goto(`${server}/sign-in?next=${encodeURIComponent(elsewhere)}`)
    assert.equal(await page.evaluate(() => next()), '/graphql', elsewhere)
  }
  await page.goto(`${server}/sign-in?next=${encodeURIComponent('/graphql?query={head}')}`)
  assert.equal(await page.evaluate(() => next()), '/graphql?query={head}')
  console.log('the browser signs in')
} finally {
  await browser.close()
}
