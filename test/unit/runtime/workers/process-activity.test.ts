import { expect, test } from 'vitest'
import { readPrivateBytes, readProcessActivity } from '../../../../src/runtime/workers/process-activity.ts'

const onLinux = test.runIf(process.platform === 'linux')

onLinux('CPU time rises while a process computes', () => {
  const before = readProcessActivity(process.pid)!
  const end = performance.now() + 60
  while (performance.now() < end);
  const after = readProcessActivity(process.pid)!
  expect(after.cpuMs).toBeGreaterThan(before.cpuMs)
  expect(after.isRunnable).toBe(true)
})

onLinux('private memory grows by what is allocated and touched', () => {
  const before = readPrivateBytes(process.pid)!
  const block = Buffer.alloc(64 * 1024 * 1024, 1)
  expect(readPrivateBytes(process.pid)! - before).toBeGreaterThan(block.length / 2)
})

test('of a process that is gone nothing is known', () => {
  expect(readProcessActivity(2 ** 22 + 1)).toBeNull()
  expect(readPrivateBytes(2 ** 22 + 1)).toBeNull()
})
