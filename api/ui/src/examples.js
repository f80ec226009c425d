// What the page opens with. The demo sites are LFW (airport) and SANGATTE (rail).
const tab = (query, variables) => ({ query: query.trim(), variables: variables && JSON.stringify(variables, null, 2) });

export const examples = [
  tab(`
# The stand board of an airport, as it is now. Ctrl-Enter runs it; the other tabs show the rest.
query Board {
  head
  position
  stands(filter: { site: "LFW" }) {
    nodes {
      id
      kind
      code
      status
      current { flight { id status } from to }
      next { flight { id } from }
    }
  }
}`),
  tab(`
# 1: flights that need a stand. 2: give one of them the best stand.
query Unallocated {
  flights(filter: { site: "LFW", direction: ARRIVAL, unallocated: true }, first: 10) {
    nodes { id scheduledAt bestAt aircraftType status noStand }
  }
}

mutation Allocate($flight: ID!) {
  allocateStand(input: { flight: $flight, note: "by hand" }) {
    ... on AllocateStandPayload {
      position
      appended
      outcome
      allocation { id stand { id kind code } from to overflow candidates { stand points rejected } }
    }
    ... on Refusal { code message }
    ... on StandRefusal { stand interval { from to } flight }
    ... on FlightRefusal { flight allocation stand }
  }
}`, { flight: 'copy an id from the first query' }),
  tab(`
# 1: alerts that nobody has looked at. 2: take note of one.
query Alerts {
  alerts(filter: { status: RAISED }, first: 10) {
    nodes { id kind severity message raisedAt pass { id } stand { id } }
  }
}

mutation Acknowledge($alert: ID!) {
  acknowledgeAlert(input: { alert: $alert, note: "seen on camera" }) {
    ... on AlertPayload { position appended alert { id status acknowledgedBy acknowledgedNote } earlier { by at note } }
    ... on AlertRefusal { code message alert resolved { by at note } }
  }
}`, { alert: 'copy an id from the first query' }),
  tab(`
# 1: passes and what stands between them and their confirmation. 2: confirm one.
query Passes {
  passes(first: 10) {
    nodes { id passedAt status readyToConfirm measuredCars declaredCars outOfLimits alerts { id status message } }
  }
}

mutation Confirm($pass: ID!) {
  confirmPass(input: { pass: $pass, note: "all springs looked at" }) {
    ... on PassPayload { position appended pass { id status confirmedBy confirmedAt } earlier { by at } }
    ... on PassRefusal { code message missing alerts }
  }
}`, { pass: 'copy an id from the first query' }),
  tab(`
# Runs until it is stopped; start the demo or an import and watch. Another one: events, with heartbeats.
subscription Stands {
  standChanged(site: "LFW") {
    position
    stand { id status current { flight { id } from to } }
  }
}

subscription Events {
  events(filter: { types: ["alerts.alert_raised", "rail.pass_confirmed"] }) {
    position
    event { type site tags data }
  }
}`),
  tab(`
# Who did what to which thing, when, why, from which command, before and after.
query Audit {
  auditTrail(filter: { site: "LFW" }, first: 20) {
    nodes {
      position
      recordedAt
      actor
      action
      command
      commandId
      things
      note
      changes { thing field before after }
    }
    pageInfo { hasNextPage endCursor }
  }
}`),
];
