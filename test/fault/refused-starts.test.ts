import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { dataFolder } from '../support/data-folder.ts'
import { watch } from '../support/job-log.ts'
import { seededDraws } from '../support/random.ts'
import { startServer } from '../support/servers.ts'
import { noop, submit } from '../support/submissions.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** A start that is expected to fail: its exit status and everything it said. */
async function failingStart(environment: Record<string, string>): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HEARTH_PORT: '0', ...environment },
    timeout: 20_000,
  })
  const [said, [code]] = await Promise.all([
    Promise.all([readText(child.stdout), readText(child.stderr)]),
    once(child, 'exit') as Promise<[number]>,
  ])
  return { code, said: said.join('\n') }
}

test('a second server on one folder is refused, says who holds it, and leaves the first alone', async () => {
  const dataDir = await dataFolder()
  const hearth = await startServer({ dataDir })
  const { code, said } = await failingStart({ HEARTH_DATA_DIR: dataDir })
  expect(code).toBeGreaterThan(0)
  expect(said).toContain(String(hearth.pid))
  expect(said).toContain(dataDir)
  expect(said).not.toContain('Hearth is ready')
  expect((await watch(hearth, await submit(hearth, noop())).final()).__typename).toBe('JobSucceeded')
  await hearth.stop()
})

test('the folder of a server that was killed is free at once', async () => {
  const dataDir = await dataFolder()
  await (await startServer({ dataDir })).kill()
  const hearth = await startServer({ dataDir })
  expect(await hearth.stop()).toBe(0)
})

test('settings that are not valid are all named, and nothing is started', async () => {
  const { code, said } = await failingStart({
    HEARTH_DATA_DIR: await dataFolder(),
    HEARTH_JOB_ATTEMPTS: 'many',
    HEARTH_GRAPHIQL: 'maybe',
  })
  expect(code).toBeGreaterThan(0)
  expect(said).toContain('HEARTH_JOB_ATTEMPTS')
  expect(said).toContain('HEARTH_GRAPHIQL')
})

test('an address that is not loopback is refused', async () => {
  const { code, said } = await failingStart({ HEARTH_DATA_DIR: await dataFolder(), HEARTH_HOST: '0.0.0.0' })
  expect(code).toBeGreaterThan(0)
  expect(said).toContain('HEARTH_HOST')
})

test('whatever a start stumbles over is told in words, without a trace of the program', async () => {
  const dataDir = await dataFolder()
  const file = join(dataDir, 'file')
  await writeFile(file, 'no JSON')
  const stumbles = [
    { environment: { HEARTH_DEVICES: join(dataDir, 'missing.json') }, word: 'missing.json' },
    { environment: { HEARTH_DEVICES: file }, word: file },
    { environment: { HEARTH_DATA_DIR: file }, word: file },
    { environment: { HEARTH_WORKER_PYTHON: join(dataDir, 'python') }, word: 'python' },
  ]
  for (const { environment, word } of stumbles) {
    const { code, said } = await failingStart({ HEARTH_DATA_DIR: join(dataDir, 'data'), ...environment })
    expect(code).toBeGreaterThan(0)
    expect(said).toContain(word)
    expect(said).not.toMatch(/\n\s+at /)
  }
})

test('a port that is taken is refused, and the folder is free again', async () => {
  const dataDir = await dataFolder()
  const taken = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const { code, said } = await failingStart({ HEARTH_DATA_DIR: dataDir, HEARTH_PORT: String(port) })
  expect(code).toBeGreaterThan(0)
  expect(said).toContain(String(port))
  expect(await (await startServer({ dataDir })).stop()).toBe(0)
})

test('a start that is killed at any moment leaves a folder that the next one opens', async () => {
  const draw = seededDraws()
  const dataDir = await dataFolder()
  for (let kill = 0; kill < 5; kill++) {
    const child = spawn(process.execPath, [main], {
      stdio: 'ignore',
      env: { ...process.env, HEARTH_PORT: '0', HEARTH_DATA_DIR: dataDir },
      timeout: draw(100, 1500),
      killSignal: 'SIGKILL',
    })
    await once(child, 'exit')
  }
  const hearth = await startServer({ dataDir })
  expect((await watch(hearth, await submit(hearth, noop())).final()).__typename).toBe('JobSucceeded')
  await hearth.stop()
})
