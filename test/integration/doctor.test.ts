/** `npm run doctor` on the machine that runs the tests. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { Finding } from '../../src/setup/doctor/finding.mjs'
import { dataFolder } from '../support/data-folder.ts'
import { startServer } from '../support/servers.ts'

const doctor = fileURLToPath(new URL('../../src/setup/doctor.mjs', import.meta.url))

function ask(environment: Readonly<Record<string, string>>, ...args: string[]) {
  return new Promise<{ status: number; output: string }>((resolve) => {
    const env = { ...process.env, ...environment }
    execFile(process.execPath, [doctor, ...args], { env }, (error, output, complaint) =>
      resolve({ status: error ? Number(error.code) : 0, output: output + complaint }),
    )
  })
}

async function findings(environment: Readonly<Record<string, string>>) {
  const { status, output } = await ask(environment, '--json')
  const found = JSON.parse(output) as readonly Finding[]
  return { status, of: (check: string) => found.filter((finding) => finding.check === check) }
}

test('a machine that passes these tests has what Hearth needs', async () => {
  const { status, output } = await ask({ HEARTH_PORT: '0', HEARTH_DATA_DIR: await dataFolder() })
  expect(output).toMatch(/^OK {4}platform {9}linux/m)
  expect(output).toMatch(/Hearth works here\.\n$/)
  expect(status).toBe(0)
})

test('a running server is known by its port, its lock and its database', async () => {
  const hearth = await startServer()
  const { port } = new URL(hearth.url)
  const told = await findings({ HEARTH_PORT: port, HEARTH_DATA_DIR: hearth.dataDir })
  expect(told.of('port')).toMatchObject([{ level: 'OK', message: expect.stringContaining('is running') as string }])
  expect(told.of('lock')).toMatchObject([{ level: 'OK', message: expect.stringContaining(`${hearth.pid}`) as string }])
  expect(told.of('database')).toMatchObject([{ level: 'OK' }])
  const elsewhere = await findings({ HEARTH_PORT: '0', HEARTH_DATA_DIR: hearth.dataDir })
  expect(elsewhere.of('lock')).toMatchObject([
    { level: 'WARN', mend: expect.stringContaining(`${hearth.pid}`) as string },
  ])
})

test('a stranger on the port, and a setting that does not hold, fail with what to do', async () => {
  const stranger = createServer((socket) => socket.end('HELO\r\n')).listen(0, '127.0.0.1')
  onTestFinished(() => void stranger.close())
  await once(stranger, 'listening')
  const { port } = stranger.address() as AddressInfo
  const told = await findings({ HEARTH_PORT: String(port), HEARTH_QUEUE_LIMIT: 'many', HEARTH_QUEUE_LIMITS: '7' })
  expect(told.status).toBe(1)
  expect(told.of('port')).toMatchObject([{ level: 'FAIL', mend: expect.stringContaining('HEARTH_PORT=') as string }])
  expect(told.of('settings')).toMatchObject([
    { level: 'FAIL', message: expect.stringContaining('HEARTH_QUEUE_LIMIT') as string },
  ])
})

test('an option that it does not have is refused, with those it has', async () => {
  expect(await ask({}, '--jsno')).toEqual({
    status: 2,
    output: expect.stringMatching(/--jsno.*npm run doctor -- --json/) as string,
  })
})
