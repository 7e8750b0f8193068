import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { readPrivateBytes, readProcessActivity } from '../../../../src/runtime/workers/process-activity.ts'
import { until } from '../../../support/until.ts'

const onLinux = test.runIf(process.platform === 'linux')

onLinux('CPU time rises while a process computes', () => {
  const before = readProcessActivity(process.pid)!
  const end = performance.now() + 60
  while (performance.now() < end);
  const after = readProcessActivity(process.pid)!
  expect(after.cpuMs).toBeGreaterThan(before.cpuMs)
  expect(after.isRunnable).toBe(true)
})

onLinux('a process whose main thread waits is runnable while another thread computes', async () => {
  const script = `import hashlib, threading; threading.Thread(target=hashlib.pbkdf2_hmac, args=("sha256", b"", b"", 10**9)).start()`
  const process = spawn('python3', ['-c', script])
  onTestFinished(() => void process.kill('SIGKILL'))
  const mainState = () => / \(.*\) (\S)/.exec(readFileSync(`/proc/${process.pid}/stat`, 'latin1'))?.[1]
  await until('it computes, and its main thread sleeps', () => {
    const activity = readProcessActivity(process.pid!)
    return activity && activity.cpuMs > 50 && mainState() === 'S' && activity.isRunnable
  })
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
