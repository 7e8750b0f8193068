import { expect, test } from 'vitest'
import { ArtifactUrls } from '../../../src/app/artifact-urls.ts'
import type { ArtifactId } from '../../../src/store/records.ts'
import { artifactRecord } from '../../support/artifacts.ts'

const now = Date.UTC(2026, 10, 23)
const hour = 3_600_000
const urls = new ArtifactUrls(Buffer.alloc(32, 7), hour, () => 'https://hearth.example')
const record = artifactRecord({ id: 12 as ArtifactId, mimeType: 'image/png' })

function partsOf(url: string) {
  const { searchParams } = new URL(url)
  return { expires: Number(searchParams.get('expires')), signature: searchParams.get('signature') ?? '' }
}

test('an address is absolute, says what the file is, and is good for the time that was set', () => {
  const { url, expiresAt } = urls.urlOf(record, now)
  expect(url).toMatch(/^https:\/\/hearth\.example\/artifacts\/12\/artifact-12\.png\?expires=\d+&signature=[\w-]{43}$/)
  expect(expiresAt - now).toBeGreaterThanOrEqual(hour)
  expect(expiresAt - now).toBeLessThanOrEqual(1.25 * hour)
  const { expires, signature } = partsOf(url)
  expect(expires * 1000).toBe(expiresAt)
  expect(urls.check(record.id, expires, signature, now)).toBe('valid')
  expect(urls.check(record.id, expires, signature, expiresAt - 1)).toBe('valid')
  expect(urls.check(record.id, expires, signature, expiresAt)).toBe('expired')
})

test('asked again soon it is the same address, so that a browser need not load the file again', () => {
  expect(urls.urlOf(record, now + 1000).url).toBe(urls.urlOf(record, now + 2000).url)
  expect(urls.urlOf(record, now + hour).url).not.toBe(urls.urlOf(record, now).url)
})

test('nothing of it can be changed', () => {
  const { expires, signature } = partsOf(urls.urlOf(record, now).url)
  const changed = signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))
  expect(urls.check(13 as ArtifactId, expires, signature, now)).toBe('wrong')
  expect(urls.check(record.id, expires + 1, signature, now)).toBe('wrong')
  for (const other of [changed, '', signature.slice(0, 42), `${signature}AAAA`])
    expect(urls.check(record.id, expires, other, now)).toBe('wrong')
  const foreign = new ArtifactUrls(Buffer.alloc(32, 8), hour, () => '')
  expect(foreign.check(record.id, expires, signature, now)).toBe('wrong')
})
