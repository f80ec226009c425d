// Uses the page at /graphql as a person would: runs the first tab, watches a subscription, sees it move.
// Usage: node graphiql.mjs http://127.0.0.1:8080 [picture.png]

import { launch, open } from './chromium.mjs'

const [server, picture] = process.argv.slice(2)

async function graphql (query) {
  const response = await fetch(`${server}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query })
  })
  const { data, errors } = await response.json()
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

// Closes a stand for a day of its own, so that each call is a fact.
async function close (day) {
  const [from, to] = [day, day + 1].map(n => new Date(Date.UTC(2030, 0, n)).toISOString())
  await graphql(`mutation { closeStand(input: { stand: "LFW/C01", from: "${from}", to: "${to}", reason: "seen in a browser" }) {
    __typename ... on StandPayload { position } } }`)
}

const browser = await launch()
try {
  const page = await open(browser, { viewport: { width: 1400, height: 860 } })
  const elsewhere = []
  page.on('request', request => { if (!request.url().startsWith(server) && /^https?:/.test(request.url())) elsewhere.push(request.url()) })
  const faults = []
  page.on('pageerror', error => faults.push(String(error)))

  // Starts one of the operations of a tab: the page asks which, once it has read the tab, a moment after showing it.
  async function start (operation) {
    const stop = page.getByRole('button', { name: /stop/i })
    const choice = page.getByRole('menuitem', { name: operation })
    for (let attempt = 0; attempt < 20 && !await stop.isVisible(); attempt++) {
      await run.click()
      await choice.click({ timeout: 1500 }).catch(() => page.keyboard.press('Escape'))
    }
    await stop.waitFor()
  }

  await page.goto(`${server}/graphql`)
  const answer = page.locator('.graphiql-response')
  const run = page.getByRole('button', { name: /execute/i })
  await run.click()
  await answer.getByText('"LFW/C01"').first().waitFor()
  if (picture) await page.screenshot({ path: picture })

  await page.getByRole('tab', { name: 'Stands' }).click()
  await page.locator('.graphiql-query-editor').getByText('standChanged').first().waitFor()
  await start('Stands')
  // What happens from here on must be seen. The socket opens a moment after the button changes, so one thing after
  // another happens until one is seen.
  const seen = answer.getByText('LFW/C01').first()
  let day = 1
  while (!await seen.isVisible()) {
    if (day > 30) throw new Error('the subscription shows nothing of what happens')
    await close(day++)
    await seen.waitFor({ timeout: 1000 }).catch(() => {})
  }

  if (elsewhere.length) throw new Error(`the page asked other hosts: ${elsewhere.join(', ')}`)
  if (faults.length) throw new Error(`the page failed: ${faults.join('; ')}`)
  console.log('the page runs queries and shows what happens')
} finally {
  await browser.close()
}
