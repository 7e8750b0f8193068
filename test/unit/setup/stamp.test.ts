import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readStamp, removeStamp, writeStamp } from '../../../src/setup/stamp.mjs'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-stamp-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a stamp is read as it was written, and nothing else is left beside it', () => {
  const path = join(folder, 'deeper', 'stamp.json')
  writeStamp(path, { inputs: 'abc', at: 1 })
  expect(readStamp(path)).toEqual({ inputs: 'abc', at: 1 })
  expect(readdirSync(join(folder, 'deeper'))).toEqual(['stamp.json'])
})

test('a missing, cut off or foreign stamp is none', () => {
  const path = join(folder, 'stamp.json')
  expect(readStamp(path)).toBeNull()
  for (const content of ['', '{"inputs": "ab', 'null', '17']) {
    writeFileSync(path, content)
    expect(readStamp(path)).toBeNull()
  }
})

test('removing a stamp twice is fine', () => {
  const path = join(folder, 'stamp.json')
  writeStamp(path, {})
  removeStamp(path)
  removeStamp(path)
  expect(readStamp(path)).toBeNull()
})
