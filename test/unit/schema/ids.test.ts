import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeId, encodeId, nodeNames } from '../../../schema/ids.ts'

const anyName = fc.constantFrom(...nodeNames)
const anyNumber = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

test('an id gives its number back, to its own noun only', () => {
  fc.assert(
    fc.property(anyName, anyName, anyNumber, (name, other, number) => {
      const id = encodeId(name, number)
      expect(decodeId(name, id)).toBe(number)
      if (other !== name) expect(decodeId(other, id)).toBeNull()
    }),
  )
})

test('what nobody has encoded is no id', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const number = decodeId('Job', text)
      if (number !== null) expect(encodeId('Job', number)).toBe(text)
    }),
  )
})

test.for([
  ['empty', ''],
  ['the number itself', '17'],
  ['padded base64', Buffer.from('Job:17').toString('base64url').concat('==')],
  ['a fraction', Buffer.from('Job:1.5').toString('base64url')],
  ['a negative number', Buffer.from('Job:-1').toString('base64url')],
  ['leading zeros', Buffer.from('Job:017').toString('base64url')],
  ['beyond 2^53', Buffer.from('Job:9007199254740993').toString('base64url')],
  ['no number', Buffer.from('Job:').toString('base64url')],
  ['something after it', Buffer.from('Job:17 ').toString('base64url')],
  ['very long', 'A'.repeat(1_000_000)],
])('%s is no id', ([, text]) => {
  expect(decodeId('Job', text!)).toBeNull()
})
