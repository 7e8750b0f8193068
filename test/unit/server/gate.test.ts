import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { Gate } from '../../../src/server/gate/gate.ts'

const gate = new Gate({
  HEARTH_ALLOWED_HOSTS: ['hearth.example', 'other.example:8443'],
  HEARTH_ALLOWED_ORIGINS: ['https://Studio.example/'],
})

function isLetIn(headers: IncomingHttpHeaders): boolean {
  return gate.refusalOf({ headers: { host: 'localhost:4000', ...headers } } as IncomingMessage) === null
}

describe('hosts', () => {
  test.for([
    'localhost',
    'localhost:4000',
    'LOCALHOST:80',
    'app.localhost:4000',
    '127.0.0.1:4000',
    '127.8.9.10',
    '[::1]:4000',
    '[::1]',
    'hearth.example',
    'hearth.example:1234',
    'other.example:8443',
  ])('%s is answered', (host) => expect(isLetIn({ host })).toBe(true))

  test.for([
    '',
    'evil.example',
    'localhost.evil.example',
    'evillocalhost',
    '127.0.0.1.evil.example',
    '127.0.0.1@evil.example',
    '10.0.0.1:4000',
    '0.0.0.0:4000',
    'other.example',
    'hearth.example.evil.example',
    '[::2]:4000',
  ])('%s is not: another site could have its name point here', (host) => expect(isLetIn({ host })).toBe(false))
})

describe('origins', () => {
  test.for([
    'http://localhost:3000',
    'https://localhost',
    'http://127.0.0.1:5173',
    'http://[::1]:8080',
    'http://app.localhost:9',
    'https://studio.example',
  ])('pages of %s may call', (origin) => expect(isLetIn({ origin })).toBe(true))

  test.for([
    'null',
    '',
    'https://evil.example',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'https://studio.example.evil.example',
    'https://studio.example:444',
    'http://studio.example',
    'http://localhost@evil.example',
    'file://',
  ])('pages of %s may not', (origin) => expect(isLetIn({ origin })).toBe(false))

  test('a page may call the host that served it, when that host is answered', () => {
    expect(isLetIn({ host: 'hearth.example:4000', origin: 'http://hearth.example:4000' })).toBe(true)
    expect(isLetIn({ host: 'hearth.example:4000', origin: 'http://hearth.example:5000' })).toBe(false)
    expect(isLetIn({ host: 'evil.example', origin: 'http://evil.example' })).toBe(false)
  })
})

describe('requests without an Origin', () => {
  test('come in from what is no browser, and from our own pages', () => {
    expect(isLetIn({})).toBe(true)
    expect(isLetIn({ 'sec-fetch-site': 'same-origin' })).toBe(true)
    expect(isLetIn({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' })).toBe(true)
  })

  test('are refused from other sites, unless somebody follows a link', () => {
    expect(isLetIn({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' })).toBe(
      false,
    )
    expect(isLetIn({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' })).toBe(false)
    expect(isLetIn({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' })).toBe(
      false,
    )
    expect(
      isLetIn({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }),
    ).toBe(true)
  })
})
