import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SetUpFailure } from '../../../src/setup/failure.mjs'
import { findPython } from '../../../src/setup/machine.mjs'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-python-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('without a choice the first suitable Python of the PATH is taken', () => {
  const { path, version } = findPython({})
  expect(path).toMatch(/^\//)
  expect(version).toMatch(/^3\.\d+\.\d+$/)
})

test('HEARTH_PYTHON is taken or refused, never replaced by another', () => {
  expect(refusalOf(join(folder, 'absent'))).toContain('not found')
})

test('a Python that is too old is named with its version', () => {
  expect(refusalOf(script('echo "3|9|2|/usr/bin/python3.9"'))).toContain('is 3.9.2')
})

test('a Python without venv is named with its complaint', () => {
  const complaint = "ModuleNotFoundError: No module named 'ensurepip'"
  expect(refusalOf(script(`echo "${complaint}" >&2; exit 1`))).toContain(complaint)
})

function refusalOf(python: string) {
  try {
    findPython({ HEARTH_PYTHON: python })
  } catch (error) {
    if (error instanceof SetUpFailure) return error.output
    throw error
  }
  throw new Error(`${python} was accepted.`)
}

function script(body: string) {
  const path = join(folder, 'python')
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
  return path
}
