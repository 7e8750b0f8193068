import { expect, test } from 'vitest'
import { ProtocolError } from '../../../../src/runtime/workers/protocol-error.ts'
import { materialize, materializeOutput, noLargeTensors } from '../../../../src/runtime/workers/tensors.ts'

const none = Buffer.alloc(0)

/** A list in a list, `levels` deep. */
function nested(levels: number): unknown {
  let value: unknown = []
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

test('what is nested as deep as a caller may send it is taken', () => {
  expect(materializeOutput({ value: nested(63) }, none, noLargeTensors)).toEqual({ value: nested(63) })
})

test.each([65, 5000, 100_000])('%i levels break the protocol, and nothing else', (levels) => {
  expect(() => materializeOutput({ value: nested(levels) }, none, noLargeTensors)).toThrow(ProtocolError)
  expect(() => materialize(nested(levels), none, noLargeTensors)).toThrow(/nested deeper than 64 levels/)
})
