// As much of a browser as signing in takes: cookies, redirects, forms. Cookies are kept by host and port.

import assert from 'node:assert/strict'

export class Browser {
  jars = new Map()

  // One request, without following where it leads.
  async ask (url, options = {}) {
    const { origin } = new URL(url)
    const jar = this.jars.get(origin) ?? this.jars.set(origin, new Map()).get(origin)
    const cookie = [...jar].map(pair => pair.join('=')).join('; ')
    const headers = { ...options.headers, ...(cookie && { cookie }) }
    const response = await fetch(url, { ...options, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split('; ')
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      const gone = value === '' || attributes.some(attribute => /^max-age=0$|^expires=Thu, 01 Jan 1970/i.test(attribute))
      if (gone) jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }

  // Follows redirects until there is a page; its address and what came.
  async open (url, options) {
    for (let hops = 0; hops < 10; hops++) {
      const response = await this.ask(url, options)
      const to = response.headers.get('location')
      if (!to || response.status < 300 || response.status >= 400) return { url, response, text: await response.text() }
      url = new URL(to, url).href
      if (this.stop?.(url)) return { url }
      options = undefined
    }
    throw new Error(`redirected for ever: ${url}`)
  }

  // Fills in the form of a page and sends it.
  async submit (page, filled = {}) {
    const [, action] = page.text.match(/<form[^>]* action="([^"]+)"/) ?? assert.fail(`no form: ${page.text}`)
    const fields = [...page.text.matchAll(/<input[^>]*type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const body = new URLSearchParams({ ...Object.fromEntries(fields.map(([, name, value]) => [name, value])), ...filled })
    return this.open(new URL(action.replaceAll('&amp;', '&'), page.url).href, { method: 'POST', body })
  }
}
