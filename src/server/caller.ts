import type { IncomingMessage } from 'node:http'
import type { Caller } from '../../schema/context.ts'

/**
 * Who sends this request. Every door asks here and nowhere else. The server listens on loopback only, so it knows
 * one caller: whoever uses this machine.
 */
export function callerOf(_request: IncomingMessage): Caller {
  return { name: 'local' }
}
