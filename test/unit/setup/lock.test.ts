/** The set-up lock, between real processes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'vitest'
import { findPython } from '../../../src/setup/machine.mjs'

/** Takes the lock, says so, starts a command that inherits it if asked to, and holds it until its input ends. */
const HOLDER = `
  import { spawn } from 'node:child_process'
  import { withSetUpLock } from '${new URL('../../../src/setup/lock.mjs', import.meta.url).href}'
  const [python, folder, heir] = process.argv.slice(1)
  await withSetUpLock(python, async (lockFile) => {
    if (heir) console.log('heir', spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', lockFile] }).pid)
    console.log('locked')
    for await (const _ of process.stdin) {}
  }, folder)
`

let folder: string
const children: ChildProcess[] = []
const heirs: number[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-lock-'))
})

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const pid of heirs.splice(0)) endProcess(pid)
  rmSync(folder, { recursive: true })
})

test('a second set-up waits, and goes on when the first is done', async () => {
  const first = holdLock()
  await first.says('locked')
  const second = holdLock()
  await second.says('waiting for it to finish')
  first.child.stdin?.end()
  await second.says('locked')
})

test('a killed set-up leaves no lock behind', async () => {
  const first = holdLock()
  await first.says('locked')
  first.child.kill('SIGKILL')
  await holdLock().says('locked')
})

test('a killed set-up stays locked while its command still works', async () => {
  const first = holdLock('with an heir')
  const heir = Number(/heir (\d+)/.exec(await first.says('locked'))?.[1])
  heirs.push(heir)
  first.child.kill('SIGKILL')
  const second = holdLock()
  await second.says('waiting for it to finish')
  endProcess(heir)
  await second.says('locked')
})

function holdLock(heir = '') {
  const args = ['--input-type=module', '-e', HOLDER, findPython().path, folder, heir]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  children.push(child)
  return { child, says: (text: string) => outputWith(child, text) }
}

/** All output of `child` so far, as soon as it contains `text`. */
function outputWith(child: ChildProcess, text: string): Promise<string> {
  let output = ''
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes(text)) resolve(output)
      })
    }
    child.once('exit', () => reject(new Error(`ended without "${text}": ${output}`)))
  })
}

function endProcess(pid: number) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
