import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Problem } from '../http/answers.ts'

/** Answers an upgrade request as HTTP, and hangs up. */
export function refuseUpgrade(stream: Duplex, { status, code, message }: Problem): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] })
  stream.on('error', () => stream.destroy())
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
