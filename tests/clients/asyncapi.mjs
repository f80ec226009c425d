// Has AsyncAPI's own parser read the document of the webhooks, and looks at what it has found.
// Usage: node asyncapi.mjs DOCUMENT

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Parser } from '@asyncapi/parser'

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], 'utf8'))
const problems = diagnostics.filter(({ severity }) => severity <= 1)
assert.ok(document && problems.length === 0, JSON.stringify(problems, null, 2))
const [operation] = document.operations().all()
assert.equal(operation.action(), 'send')
const messages = operation.messages().all()
assert.equal(document.channels().all()[0].address(), null)
assert.ok(messages.every(message => message.hasPayload() && message.headers()))
console.log(`${messages.length} messages are described`)
