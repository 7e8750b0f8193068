/** What comes in wrong is answered alike at both doors. */
import { describe, expect, test } from 'vitest'
import { FakeApp } from '../support/fake-app.ts'
import { askings, openDoors } from '../support/open-doors.ts'

const submit = 'mutation($input: SubmitJobInput!) { submitJob(input: $input) { __typename ... on Error { message } } }'
const tell = { model: 'teller', task: { generateText: { prompt: 'Once' } } }

describe.for(askings)('over %s', ([, ask]) => {
  test.for([
    ['a syntax error', '{ server {', {}, /Syntax Error/],
    ['an unknown field', '{ nope }', {}, /Cannot query field "nope"/],
    ['an unknown argument', '{ jobs(last: 3) { totalCount } }', {}, /Unknown argument "last"/],
    [
      'a variable of the wrong type',
      'query($n: Int) { jobs(first: $n) { totalCount } }',
      { n: 'three' },
      /"\$n" got invalid value/,
    ],
    ['a missing variable', submit, {}, /"\$input" of required type/],
    [
      'a wrong type deep in the input',
      submit,
      { input: { ...tell, task: { generateText: { prompt: 'a', maxTokens: 'b' } } } },
      /input\.task\.generateText\.maxTokens/,
    ],
    ['an unknown field of the input', submit, { input: { ...tell, color: 'red' } }, /color/],
    [
      'two tasks at once',
      submit,
      { input: { ...tell, task: { generateText: { prompt: 'a' }, embedText: { texts: ['b'] } } } },
      /exactly one field/i,
    ],
    ['an operation too deep', `{ ${'jobs { nodes { model { '.repeat(6)} id ${'} } } '.repeat(6)} }`, {}, /levels deep/],
    [
      'an operation too costly',
      '{ jobs(first: 100) { nodes { events(first: 100) { nodes { job { events(first: 100) { nodes { at } } } } } } } }',
      {},
      /of cost/,
    ],
    ['a document of too many tokens', `{ ${'__typename '.repeat(4001)} }`, {}, /4000 tokens/],
    [
      'several operations without a name',
      'query A { server { version } } query B { server { version } }',
      {},
      /operationName/,
    ],
    [
      'introspection in circles',
      '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }',
      {},
      /[Ii]ntrospection/,
    ],
  ] as const)('%s is BAD_USER_INPUT', async ([, query, variables, message]) => {
    const doors = await openDoors()
    const { data, errors } = await ask(doors, query, variables)
    expect(data).toBeUndefined()
    expect(errors?.[0]).toMatchObject({
      message: expect.stringMatching(message) as string,
      extensions: { code: 'BAD_USER_INPUT' },
    })
    expect(JSON.stringify(errors)).not.toContain('"http"')
    expect(doors.app.submitted).toEqual([])
  })

  test.for([
    ['a negative page', '{ jobs(first: -1) { totalCount } }', 'BAD_USER_INPUT'],
    ['a cursor that is none', '{ jobs(after: "garbage") { totalCount } }', 'BAD_USER_INPUT'],
    ['neither id nor key', '{ job { id } }', 'BAD_USER_INPUT'],
  ] as const)('%s is %s', async ([, query, code]) => {
    const { errors } = await ask(await openDoors(), query)
    expect(errors).toMatchObject([{ extensions: { code } }])
  })

  test('an expected failure is data, not an error', async () => {
    const { data, errors } = await ask(await openDoors(), submit, { input: { ...tell, model: 'nobody' } })
    expect(errors).toBeUndefined()
    expect(data).toMatchObject({ submitJob: { __typename: 'NotFoundError' } })
  })

  test('a fault of ours is told by an id only, and logged with everything under it', async () => {
    const app = new FakeApp()
    app.server = () => {
      throw new Error('the password is 123')
    }
    const doors = await openDoors({}, app)
    const { data, errors } = await ask(doors, '{ server { version } devices { name } }')
    expect(data).toEqual({ server: null, devices: [{ name: 'cpu' }] })
    const [error] = errors ?? []
    expect(error?.extensions?.['code']).toBe('INTERNAL_SERVER_ERROR')
    expect(JSON.stringify(errors)).not.toContain('password')
    const id = error?.extensions?.['errorId']
    const logged = doors.log.filter((line) => line.includes(String(id)))
    expect(logged).toHaveLength(1)
    expect(logged[0]).toContain('the password is 123')
  })

  test('introspection works', async () => {
    const { data } = await ask(await openDoors(), '{ __schema { queryType { name } } }')
    expect(data).toEqual({ __schema: { queryType: { name: 'Query' } } })
  })
})
