/** The launcher is transparent: arguments, status and signals pass through it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const LAUNCHER = fileURLToPath(new URL('../../../src/setup/run-pinned.mjs', import.meta.url))
const LAUNCH = `import { runPinned } from '${LAUNCHER}'; await runPinned(process.argv.slice(1))`

test('what it runs is Node 24, with the arguments as given', async () => {
  const child = launch(['-p', 'JSON.stringify([process.versions.node, ...process.argv.slice(1)])', 'a b', '$c'])
  expect(JSON.parse(await output(child))).toEqual([expect.stringMatching(/^24\./), 'a b', '$c'])
})

test('its status is that of what it ran', async () => {
  expect(await once(launch(['-e', 'process.exit(7)']), 'exit')).toEqual([7, null])
})

test('it ends by the signal that ended what it ran', async () => {
  expect(await once(launch(['-e', 'process.kill(process.pid, "SIGTERM")']), 'exit')).toEqual([null, 'SIGTERM'])
})

test('a signal arrives once, however often it is echoed', async () => {
  const child = launch([
    '-e',
    'let n = 0; process.on("SIGTERM", () => { n++; setTimeout(() => { console.log("got", n); process.exit(0) }, 200) }); setInterval(() => {}, 1000); console.log("listening")',
  ])
  await says(child, 'listening')
  child.kill('SIGTERM')
  child.kill('SIGTERM')
  await says(child, 'got 1')
  expect(await once(child, 'exit')).toEqual([0, null])
})

function launch(args: string[]) {
  return spawn(process.execPath, ['--input-type=module', '-e', LAUNCH, '--', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function output(child: ChildProcess) {
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await once(child, 'close')
  return text
}

function says(child: ChildProcess, expected: string): Promise<void> {
  let text = ''
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes(expected)) resolve()
    })
    child.once('close', () => reject(new Error(`ended without "${expected}": ${text}`)))
  })
}
