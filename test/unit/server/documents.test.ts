import { expect, test } from 'vitest'
import { schema } from '../../../schema/schema.ts'
import { Documents } from '../../../src/server/graphql/documents.ts'

const limits = { tokenCountMax: 4000, depthMax: 16, costMax: 200_000 }
const documents = () => new Documents(schema, limits)

test('a document is parsed and validated once', () => {
  const known = documents()
  const query = '{ server { version } }'
  expect(known.check(query).errors).toEqual([])
  expect(known.check(query)).toBe(known.check(query))
})

test('long documents are not remembered', () => {
  const known = documents()
  const query = `{ job(idempotencyKey: "${'x'.repeat(30_000)}") { id } }`
  expect(known.check(query).errors).toEqual([])
  expect(known.check(query)).not.toBe(known.check(query))
})

test.for([
  ['nonsense', 'nonsense'],
  ['an unknown field', '{ nope }'],
  ['too many tokens', `{ ${'server '.repeat(4001)} }`],
  ['brackets beyond the parser', `{ ${'a{'.repeat(1990)}`],
  ['lists beyond the parser', `{ a(b: ${'['.repeat(3900)}) }`],
  ['types beyond the rules', `query($a: ${'['.repeat(1950)}Int${']'.repeat(1950)}) { __typename }`],
  ['too deep', `{ ${'jobs { nodes { model { '.repeat(6)} id ${'} } } '.repeat(6)} }`],
  [
    'introspection in circles',
    '{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }',
  ],
])('%s is bad input, told with its code', ([, query]) => {
  const { errors } = documents().check(query!)
  expect(errors.length).toBeGreaterThan(0)
  expect(errors.every(({ extensions }) => extensions['code'] === 'BAD_USER_INPUT')).toBe(true)
})

test('a message that quotes megabytes is shortened', () => {
  const [error] = documents().check(`{ jobs(first: "${'x'.repeat(1_000_000)}") { totalCount } }`).errors
  expect(error?.message.length).toBeLessThan(1100)
})

/** Each stays within the token limit, and was slow for some server of this field. */
test.for([
  ['the same field thousands of times', `{ ${'__typename '.repeat(3990)} }`],
  ['the same object field hundreds of times', `{ ${'server { version } '.repeat(900)} }`],
  ['many aliases of one field', `{ ${Array.from({ length: 990 }, (_, index) => `a${index}: __typename`).join(' ')} }`],
  [
    'overlapping fragments',
    `${Array.from({ length: 200 }, (_, index) => `fragment F${index} on Job { ...F${index + 1} state id }`).join(' ')} fragment F200 on Job { id } { jobs { nodes { ...F0 ...F1 ...F2 } } }`,
  ],
  ['many directives', `{ __typename ${'@skip(if: true) '.repeat(490)} }`],
  ['unknown names with suggestions', `{ ${Array.from({ length: 1900 }, (_, index) => `serve${index}`).join(' ')} }`],
])('%s takes less than 0.5 s of CPU', ([, query]) => {
  const before = process.threadCpuUsage()
  documents().check(query!)
  const { user, system } = process.threadCpuUsage(before)
  expect((user + system) / 1000).toBeLessThan(500)
})
