import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { envExample } from '../../src/config/env-example.ts'

test('.env.example lists every setting (else: npm run schema)', () => {
  expect(readFileSync(new URL('../../.env.example', import.meta.url), 'utf8')).toBe(envExample())
})

test('its values are the defaults: set, they change nothing', () => {
  const lines = envExample()
    .split('\n')
    .filter((line) => line.startsWith('#HEARTH_'))
  const written = lines.map((line) => line.slice(1).split(/=(.*)/s).slice(0, 2) as [string, string])
  expect(readConfig(Object.fromEntries(written))).toEqual(readConfig({}))
})
