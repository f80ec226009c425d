// What a page of a Relay application asks: a connection in a fragment, a command, a subscription.

import { graphql } from 'relay-runtime'

export const stands = graphql`
  fragment stands_board on Query @argumentDefinitions(first: { type: "Int", defaultValue: 2 }, after: { type: "String" }) {
    stands(first: $first, after: $after) @connection(key: "board_stands") {
      edges { cursor node { id kind code } }
      pageInfo { hasNextPage endCursor }
    }
  }
`

export const page = graphql`
  query standsPageQuery($first: Int) {
    position
    ...stands_board @arguments(first: $first)
  }
`

export const close = graphql`
  mutation standsCloseMutation($input: CloseStandInput!) {
    closeStand(input: $input) {
      __typename
      ... on StandPayload { position stand { id } }
      ... on Refusal { code message }
    }
  }
`

export const events = graphql`
  subscription standsEventsSubscription($after: Position) {
    events(after: $after) { position event { id type } }
  }
`
