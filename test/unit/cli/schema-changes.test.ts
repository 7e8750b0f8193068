import { buildSchema } from 'graphql'
import { describe, expect, test } from 'vitest'
import { problemsOf, schemaChanges } from '../../../src/cli/schema-changes.ts'

const released = `
  type Query { job(id: ID!, wait: Int = 1): Job, jobs(first: Int): [Job!]! }
  type Job { id: ID!, state: State, output: Output }
  type Text { text: String! }
  type Labels { labels: [String!]! }
  enum State { QUEUED DONE }
  union Output = Text | Labels
  input Task { text: String, labels: Int }
  type Mutation { submit(task: Task!): Job }
`

const breaking: readonly (readonly [what: string, from: string, to: string, told: RegExp])[] = [
  ['a field goes', 'state: State, ', '', /Job\.state/],
  ['a field may become null', 'jobs(first: Int): [Job!]!', 'jobs(first: Int): [Job!]', /Query\.jobs/],
  ['an argument goes', 'id: ID!, wait: Int = 1', 'id: ID!', /wait/],
  ['an argument becomes required', 'first: Int', 'first: Int!', /first/],
  ['a new argument is required', 'first: Int', 'first: Int, order: Int!', /order/],
  ['a value goes', 'QUEUED DONE', 'DONE', /QUEUED/],
  ['a member goes', 'Text | Labels', 'Text', /Labels/],
  ['an input wants more', 'labels: Int }', 'labels: Int, kind: Int! }', /kind/],
  ['an input wants exactly one', 'input Task {', 'input Task @oneOf {', /Task became @oneOf/],
]

describe('a change that breaks clients is told', () => {
  test.for(breaking)('%s', ([, from, to, told]) => {
    const changes = after(from, to)
    expect(changes.breaking.join()).toMatch(told)
    expect(problemsOf(changes, []).join()).toMatch(told)
  })
})

test.for([
  ['a field is added', 'id: ID!, state', 'id: ID!, at: Int, state'],
  ['an optional argument is added', 'first: Int', 'first: Int, after: String'],
  ['a field is never null any more', 'state: State,', 'state: State!,'],
] as const)('%s: nobody breaks', ([, from, to]) => {
  expect(after(from, to)).toMatchObject({ breaking: [], dangerous: [] })
})

test('what may break a client is told, and does not fail', () => {
  const changes = after('QUEUED DONE', 'QUEUED DONE LOST')
  expect(changes.dangerous).toEqual([expect.stringContaining('LOST')])
  expect(problemsOf(changes, [])).toEqual([])
})

test('an accepted change needs a reason, and goes from the list with its release', () => {
  const changes = after('state: State, ', '')
  const [change = ''] = changes.breaking
  expect(problemsOf(changes, [{ change, reason: 'It was never filled.' }])).toEqual([])
  expect(problemsOf(changes, [{ change, reason: '' }])).toEqual([`Accepted without a reason: ${change}`])
  expect(problemsOf(after('', ''), [{ change, reason: 'Once.' }])).toEqual([`Accepted, but not so: ${change}`])
})

function after(from: string, to: string) {
  expect(released).toContain(from)
  return schemaChanges(buildSchema(released), buildSchema(released.replace(from, to)))
}
