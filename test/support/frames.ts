/** The worker's side of the wire in tests: frames as a worker writes them, and what a server wrote, read back. */
import { encodeFrame } from '../../src/runtime/workers/frame.ts'
import { FrameDecoder } from '../../src/runtime/workers/frame-decoder.ts'
import { decode, encode } from '../../src/runtime/workers/message-pack.ts'
import { reportType } from '../../src/runtime/workers/reports.ts'
import { requestType } from '../../src/runtime/workers/requests.ts'

export interface SentRequest {
  readonly type: keyof typeof requestType
  readonly requestId: number
  readonly meta: Readonly<Record<string, unknown>>
}

const namesOfRequests = new Map<number, keyof typeof requestType>(
  Object.entries(requestType).map(([name, number]) => [number, name as keyof typeof requestType]),
)

/** What a server wrote. */
export function readRequests(bytes: readonly Buffer[]): SentRequest[] {
  const requests: SentRequest[] = []
  const decoder = new FrameDecoder(({ type, requestId, meta }) => {
    requests.push({ type: namesOfRequests.get(type)!, requestId, meta: decode(meta) as Record<string, unknown> })
  })
  for (const part of bytes) decoder.push(part)
  return requests
}

export interface ReportOptions {
  readonly requestId?: number
  readonly acknowledged?: number
  readonly payload?: Buffer
}

/** A frame of a worker. */
export function report(type: keyof typeof reportType, meta: object = {}, options: ReportOptions = {}): Buffer {
  const { requestId = 0, acknowledged = 0, payload = Buffer.alloc(0) } = options
  return encodeFrame({ type: reportType[type], requestId, acknowledged, meta: encode(meta), payload })
}

export function hello(fields: object = {}): Buffer {
  return report('hello', {
    protocol: 1,
    epoch: 1,
    engine: 'none',
    pid: 1,
    programs: ['noop'],
    capabilities: [],
    versions: {},
    ...fields,
  })
}
