import { getIntrospectionQuery, parse } from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../../schema/schema.ts'
import { beyondLimits } from '../../../src/server/graphql/operation-limits.ts'

const limits = { tokenCountMax: 4000, depthMax: 6, costMax: 1000 }

function verdict(query: string, changed: Partial<typeof limits> = {}): string | null {
  return beyondLimits({ ...limits, ...changed }, schema, parse(query))?.message ?? null
}

test('depth counts fields, not fragments', () => {
  const inside = '{ jobs { nodes { model { jobs { nodes { id } } } } } }'
  expect(verdict(inside)).toBeNull()
  expect(verdict(inside, { depthMax: 5 })).toMatch(/more than 5 levels/)
  const wrapped = '{ jobs { ...{ ...{ ...{ nodes { ...{ ...{ ...{ id } } } } } } } } }'
  expect(verdict(wrapped, { depthMax: 3 })).toBeNull()
})

test('a fragment is as deep as its content, wherever it is spread', () => {
  const query = 'fragment F on Job { model { jobs { nodes { id } } } } query { jobs { nodes { ...F } } }'
  expect(verdict(query, { depthMax: 6 })).toBeNull()
  expect(verdict(query, { depthMax: 5 })).toMatch(/more than 5 levels/)
})

test('pages multiply: asked sizes count as asked, unknown ones as the largest', () => {
  const nested = (first: string, inner: string) =>
    `query($n: Int) { jobs(first: ${first}) { nodes { events(first: ${inner}) { nodes { at } } } } }`
  expect(verdict(nested('10', '10'))).toBeNull()
  expect(verdict(nested('100', '10'))).toMatch(/cost \d+/)
  expect(verdict(nested('$n', '10'))).toMatch(/cost \d+/)
  expect(verdict(nested('5000', '5'), { costMax: 2000 })).toBeNull()
  expect(verdict('{ jobs { nodes { events { nodes { at } } } } }')).toBeNull()
})

test('aliases add up', () => {
  const aliases = Array.from({ length: 30 }, (_, index) => `a${index}: jobs { nodes { id state task } }`).join(' ')
  expect(verdict(`{ ${aliases} }`)).toMatch(/cost/)
})

test.for([
  ['values of events', 'events(first: 100) { nodes { ... on PartialResult { values } } }'],
  ['outputs of events', 'events(first: 100) { nodes { ... on JobSucceeded { output { __typename } } } }'],
  ['requests many times', aliases('request', 10)],
  ['outputs many times', aliases('output { __typename }', 10)],
  ['vectors many times', `output { ... on EmbeddingsOutput { ${aliases('embeddings', 5)} } }`],
] as const)('what may be large weighs more: %s', ([, fields]) => {
  const served = { depthMax: 16, costMax: 200_000 }
  expect(verdict(`{ jobs(first: 100) { nodes { ${fields} } } }`, served)).toMatch(/cost/)
  expect(verdict(`{ job { ${fields} } }`, served)).toBeNull()
})

test('a page of whole jobs is within what is served', () => {
  const whole =
    'id state request output { ... on TextOutput { text } ... on EmbeddingsOutput { embeddings } ... on ProgramOutput { values } }'
  expect(verdict(`{ jobs(first: 100) { nodes { ${whole} } } }`, { depthMax: 16, costMax: 200_000 })).toBeNull()
})

test('a list that may be long counts as long', () => {
  const submit =
    'mutation($input: SubmitJobsInput!) { submitJobs(input: $input) { ... on SubmitJobsSuccess { jobs { id } } } }'
  expect(verdict(submit)).toMatch(/cost/)
  expect(verdict(submit, { costMax: 200_000 })).toBeNull()
  expect(
    verdict(
      'query($ids: [ID!]!) { nodes(ids: $ids) { ... on Job { id state task createdAt startedAt finishedAt deadline attemptCount waitReason waitCode } } }',
    ),
  ).toMatch(/cost/)
})

test('fragments that spread each other a billion times are measured in no time', () => {
  const levels = Array.from(
    { length: 30 },
    (_, index) => `fragment F${index} on Query { ...F${index + 1} ...F${index + 1} }`,
  ).join(' ')
  expect(verdict(`${levels} fragment F30 on Query { server { version } } { ...F0 }`)).toMatch(/cost/)
})

test('a circle of fragments ends; validation names it', () => {
  expect(verdict('fragment A on Query { ...B } fragment B on Query { ...A } { ...A }')).toBeNull()
})

test('unknown fields and types are left to validation', () => {
  expect(verdict('{ nope(first: 3) { nada { ... on Nothing { id } ...missing } } }')).toBeNull()
})

test('every operation of a document counts', () => {
  expect(
    verdict(
      'query A { server { version } } query B { jobs(first: 100) { nodes { events(first: 100) { nodes { at } } } } }',
    ),
  ).toMatch(/cost/)
})

test('tools may introspect', () => {
  expect(verdict(getIntrospectionQuery(), { depthMax: 16, costMax: 200_000 })).toBeNull()
})

function aliases(field: string, count: number): string {
  return Array.from({ length: count }, (_, index) => `a${index}: ${field}`).join(' ')
}
