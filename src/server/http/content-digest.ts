/** What a sender says its body's SHA-256 is: `Content-Digest` (RFC 9530), or in hex as `X-Content-SHA256`. */
import type { IncomingHttpHeaders } from 'node:http'

const hex = /^[0-9a-f]{64}$/i
const sha256Member = /(?:^|,)\s*sha-256\s*=\s*:([A-Za-z0-9+/]{43}=):\s*(?:[,;]|$)/

/** Lower-case hex; null where nothing (or only other algorithms, which the RFC lets us ignore) is given. */
export function readExpectedDigest(headers: IncomingHttpHeaders): string | null | { readonly problem: string } {
  const plain = headers['x-content-sha256']
  if (typeof plain === 'string')
    return hex.test(plain.trim()) ? plain.trim().toLowerCase() : { problem: 'X-Content-SHA256 must be 64 hex digits.' }
  const structured = headers['content-digest']
  if (typeof structured !== 'string' || !/(?:^|,)\s*sha-256\s*=/.test(structured)) return null
  const [, base64] = sha256Member.exec(structured) ?? []
  if (base64 === undefined) return { problem: 'Content-Digest must be like sha-256=:<Base64 of 32 bytes>: .' }
  return Buffer.from(base64, 'base64').toString('hex')
}
