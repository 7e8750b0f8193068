import { expect, test } from 'vitest'
import { FramePayload } from '../../../../src/runtime/workers/frame-payload.ts'
import { ProtocolError } from '../../../../src/runtime/workers/protocol-error.ts'
import { materialize, materializeOutput, noLargeTensors } from '../../../../src/runtime/workers/tensors.ts'

const none = new FramePayload(Buffer.alloc(0))

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

test('the same bytes are not taken again and again', () => {
  const span = (offset: number, length: number) => ({ dtype: 'uint8', shape: [length], span: { offset, length } })
  const bytes = Buffer.from('abcdefgh')
  const take = (...spans: object[]) => materializeOutput({ spans }, new FramePayload(bytes), noLargeTensors)
  const { spans } = take(span(0, 4), span(4, 4)) as { spans: readonly { data: Uint8Array }[] }
  expect(spans.map(({ data }) => Buffer.from(data).toString())).toEqual(['abcd', 'efgh'])
  expect(() => take(span(0, 8), span(0, 1))).toThrow('more bytes than its payload of 8')
})
