// Starts Chromium (CHROMIUM names the program, else it is looked for on the PATH).

import { execFileSync } from 'node:child_process'
import { chromium } from 'playwright-core'

const candidates = [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'].filter(Boolean)

function program () {
  for (const name of candidates) {
    try {
      return execFileSync('sh', ['-c', 'command -v -- "$0"', name], { encoding: 'utf8' }).trim()
    } catch {}
  }
  throw new Error('no Chromium: install it (make setup), or name the program in CHROMIUM')
}

// How long anything may take, on a machine that does much else.
const PATIENCE = 120_000

// A page that is patient.
export async function open (browser, options) {
  const page = await browser.newPage(options)
  page.setDefaultTimeout(PATIENCE)
  return page
}

export const launch = () => chromium.launch({
  executablePath: program(),
  timeout: PATIENCE,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--no-first-run']
})
