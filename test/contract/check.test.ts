/** `npm run check`, one test for each of its checks. */
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { checks } from '../../src/setup/checks.mjs'

/** mypy without its cache on a busy machine. */
const TIMEOUT_MS = 120_000

describe('npm run check', () => {
  test.each(checks())('$name', { timeout: TIMEOUT_MS }, ({ command, args, folder }) => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' })
    expect(status, `${stdout}${stderr}`).toBe(0)
  })
})
