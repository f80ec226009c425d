// @apollo/client: queries and mutations over HTTP, subscriptions over a WebSocket, automatic persisted queries.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { createClient } from 'graphql-ws'
import { OperationTypeNode } from 'graphql'
import WebSocket from 'ws'
import { collect, graphql, happen, http, parts, ws } from './lib.mjs'

// Every request that goes over HTTP, as it was sent.
const sent = []
const fetching = (url, options) => {
  sent.push({ url, ...options })
  return fetch(url, options)
}
// The cache must know which types a fragment on an interface means.
const { __schema } = await graphql('{ __schema { types { name possibleTypes { name } } } }')
const possibleTypes = Object.fromEntries(__schema.types.filter(type => type.possibleTypes)
  .map(type => [type.name, type.possibleTypes.map(({ name }) => name)]))
const socket = createClient({ url: ws, webSocketImpl: WebSocket })
const persisted = new PersistedQueryLink({ sha256: text => createHash('sha256').update(text).digest('hex') })
const apollo = new ApolloClient({
  cache: new InMemoryCache({ possibleTypes }),
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    persisted.concat(new HttpLink({ uri: http, fetch: fetching }))
  )
})

await parts({
  'queries are persisted, and cached by id': async () => {
    const query = gql`query Stands${process.pid}($first: Int) { stands(first: $first) { nodes { id kind } totalCount } }`
    const { data } = await apollo.query({ query, variables: { first: 2 } })
    assert.equal(data.stands.nodes[0].id, 'LFW/C01')
    assert.ok(!('query' in JSON.parse(sent[0].body)) && 'query' in JSON.parse(sent[1].body), 'hash first, then the text')
    await apollo.query({ query, variables: { first: 1 }, fetchPolicy: 'network-only' })
    assert.equal(sent.length, 3, 'the hash alone')
    assert.ok(apollo.cache.extract()['Stand:LFW/C01'])
  },
  'mutations': async () => {
    const mutation = gql`mutation Free($id: ID!) { freeStand(input: { allocation: $id }) { __typename ... on Refusal { code message } } }`
    const { data, error } = await apollo.mutate({ mutation, variables: { id: '00000000-0000-0000-0000-000000000000' }, errorPolicy: 'all' })
    assert.ifError(error)
    assert.ok(data.freeStand.code, JSON.stringify(data))
  },
  'errors': async () => {
    const { error } = await apollo.query({ query: gql`{ nonsense }`, errorPolicy: 'all' })
    assert.match(error.message, /nonsense/)
  },
  'subscriptions': async () => {
    const before = await happen()
    const items = collect()
    const query = gql`subscription($after: Position) { events(after: $after) { position event { id type } } }`
    const watching = apollo.subscribe({ query, variables: { after: before - 1 } }).subscribe(items.sink)
    assert.equal((await items.next()).value.data.events.position, before)
    const position = await happen()
    let seen = 0
    while (seen < position) seen = (await items.next()).value.data.events.position
    watching.unsubscribe()
    await socket.dispose()
  }
})
