/** Runs one target and watches it from outside: a hang cannot be seen by the thread that hangs. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

export interface Order {
  readonly name: string
  readonly inputs: number
  readonly seed: number
  /** The module that exports them. */
  readonly targetsUrl: string
  readonly casesFolder: string
  /** Count of inputs begun, length of the present one, and its bytes. */
  readonly shared: SharedArrayBuffer
}
export interface Found {
  /** What went wrong; null = nothing. */
  readonly problem: string | null
  readonly input: Uint8Array | null
  readonly grownBytes: number
  /** As the target has it. */
  readonly keptBytesMax: number | null
  readonly done: number
}
export interface Outcome extends Found {
  readonly name: string
  readonly seconds: number
  /** Where the input is kept that went wrong. */
  readonly file: string | null
}

export interface Surroundings {
  readonly targetsUrl: string
  /** Has a folder for each target with the inputs that were found in the past. */
  readonly casesFolder: string
  /** Longer than any input takes on a machine that does much else. */
  readonly inputMsMax: number
}

const grownBytesMax = 16 * 1024 * 1024
const startMsMax = 60_000
const pollMs = 250
const inputBytesMax = 1024 * 1024
const usual: Surroundings = {
  targetsUrl: new URL('./targets.ts', import.meta.url).href,
  casesFolder: fileURLToPath(new URL('./cases', import.meta.url)),
  inputMsMax: 10_000,
}

export async function runTarget(
  name: string,
  inputs: number,
  seed: number,
  { targetsUrl, casesFolder, inputMsMax }: Surroundings = usual,
): Promise<Outcome> {
  const startedAt = performance.now()
  const shared = new SharedArrayBuffer(8 + inputBytesMax)
  const folder = join(casesFolder, name)
  const order: Order = { name, inputs, seed, targetsUrl, casesFolder: folder, shared }
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: order })
  const found = await Promise.race([foundBy(worker, shared), hangOf(worker, shared, inputMsMax)])
  await worker.terminate()
  const problem = found.problem ?? growthOf(found.grownBytes, found.keptBytesMax)
  const file = found.problem !== null && found.input !== null ? keep(folder, found.input) : null
  return { ...found, problem, name, file, seconds: (performance.now() - startedAt) / 1000 }
}

/** What is thrown where nobody waits for it ends the thread, and so does the end of its memory. */
function foundBy(worker: Worker, shared: SharedArrayBuffer): Promise<Found> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', (error: Error) => {
      const at = presentInput(shared)
      if (at.done === 0) reject(new Error('The target could not be loaded.', { cause: error }))
      else resolve({ problem: error.stack ?? error.message, grownBytes: 0, keptBytesMax: null, ...at })
    })
  })
}

/** Resolves when one input takes too long. */
function hangOf(worker: Worker, shared: SharedArrayBuffer, inputMsMax: number): Promise<Found> {
  const counter = new Int32Array(shared, 0, 2)
  return new Promise((resolve) => {
    let seen = 0
    let since = performance.now()
    const watch = setInterval(() => {
      const done = Atomics.load(counter, 0)
      if (done !== seen) [seen, since] = [done, performance.now()]
      if (performance.now() - since < (seen === 0 ? startMsMax : inputMsMax)) return
      const problem = `No end after ${inputMsMax} ms.`
      resolve({ problem, grownBytes: 0, keptBytesMax: null, ...presentInput(shared) })
    }, pollMs)
    worker.once('exit', () => clearInterval(watch))
  })
}

function presentInput(shared: SharedArrayBuffer): { readonly input: Uint8Array; readonly done: number } {
  const [done = 0, length = 0] = new Int32Array(shared, 0, 2)
  return { input: new Uint8Array(shared.slice(8, 8 + Math.min(length, inputBytesMax))), done }
}

function growthOf(bytes: number, keptBytesMax: number | null): string | null {
  const bytesMax = keptBytesMax ?? grownBytesMax
  return bytes > bytesMax ? `Memory has grown by ${Math.round(bytes / 1024)} KiB, more than ${bytesMax / 1024}.` : null
}

/** Tried first from now on; to be committed with what mends it. */
function keep(folder: string, input: Uint8Array): string {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, createHash('sha256').update(input).digest('hex').slice(0, 12))
  writeFileSync(file, input)
  return file
}
