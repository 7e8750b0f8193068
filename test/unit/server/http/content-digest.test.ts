import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readExpectedDigest } from '../../../../src/server/http/content-digest.ts'

const digest = createHash('sha256').update('hearth').digest()
const hex = digest.toString('hex')
const base64 = digest.toString('base64')

describe('what a sender expects', () => {
  test.for<[Record<string, string>, string | null]>([
    [{}, null],
    [{ 'x-content-sha256': hex }, hex],
    [{ 'x-content-sha256': ` ${hex.toUpperCase()} ` }, hex],
    [{ 'content-digest': `sha-256=:${base64}:` }, hex],
    [{ 'content-digest': `sha-512=:AAAA:, sha-256=:${base64}:` }, hex],
    [{ 'content-digest': `sha-256=:${base64}:;x=1` }, hex],
    [{ 'content-digest': 'sha-512=:AAAA:' }, null],
  ])('%j', ([headers, expected]) => {
    expect(readExpectedDigest(headers)).toBe(expected)
  })

  test.for<[Record<string, string>, RegExp]>([
    [{ 'x-content-sha256': 'abc' }, /64 hex digits/],
    [{ 'content-digest': 'sha-256=abc' }, /sha-256=:/],
    [{ 'content-digest': 'sha-256=:AAAA:' }, /sha-256=:/],
  ])('%j is refused in words', ([headers, words]) => {
    expect(readExpectedDigest(headers)).toEqual({ problem: expect.stringMatching(words) })
  })
})
