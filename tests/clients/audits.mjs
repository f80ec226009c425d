// Every audit of GraphQL over HTTP that graphql-http has, against /graphql. An audit that only should hold counts too.

import { serverAudits } from 'graphql-http'
import { http } from './lib.mjs'

const results = []
for (const audit of serverAudits({ url: http })) results.push(await audit.fn())
for (const { id, name, status, reason } of results.filter(({ status }) => status !== 'ok')) {
  console.error(`${status} ${id} ${name}: ${reason}`)
}
const passed = results.filter(({ status }) => status === 'ok').length
console.log(`${passed} of ${results.length} audits pass`)
process.exit(passed === results.length && passed >= 61 ? 0 : 1)
