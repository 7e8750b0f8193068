import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Problem } from '../http/answers.ts'

/** For a peer that takes nothing; nobody else watches this connection any more. */
const answerMsMax = 5000

/** Answers an upgrade request as HTTP, and hangs up, whether or not the peer does. */
export function refuseUpgrade(stream: Duplex, { status, code, message }: Problem): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] })
  const hangUp = () => stream.destroy()
  const late = setTimeout(hangUp, answerMsMax).unref()
  stream.once('close', () => clearTimeout(late))
  stream.once('finish', hangUp)
  stream.on('error', hangUp)
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
