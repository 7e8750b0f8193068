/** Runs one target and watches it from outside: a hang cannot be seen by the thread that hangs. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { targets } from './targets.ts'

export interface Order {
  readonly name: string
  readonly inputs: number
  readonly seed: number
  readonly casesFolder: string
  /** Count of inputs begun, length of the present one, and its bytes. */
  readonly shared: SharedArrayBuffer
}
export interface Found {
  /** What went wrong; null = nothing. */
  readonly problem: string | null
  readonly input: Uint8Array | null
  readonly grownBytes: number
  readonly done: number
}
export interface Outcome extends Found {
  readonly name: string
  readonly seconds: number
  /** Where the input is kept that went wrong. */
  readonly file: string | null
}

const grownBytesMax = 16 * 1024 * 1024
/** Longer than any input takes on a machine that does much else. */
const inputMsMax = 10_000
const startMsMax = 60_000
const pollMs = 250
const inputBytesMax = 1024 * 1024
const cases = fileURLToPath(new URL('./cases', import.meta.url))

export async function runTarget(name: string, inputs: number, seed: number): Promise<Outcome> {
  const keptBytesMax = targets.find((target) => target.name === name)?.keptBytesMax ?? grownBytesMax
  const startedAt = performance.now()
  const shared = new SharedArrayBuffer(8 + inputBytesMax)
  const order: Order = { name, inputs, seed, casesFolder: `${cases}/${name}`, shared }
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: order })
  const found = await Promise.race([foundBy(worker), hangOf(worker, shared)])
  await worker.terminate()
  const problem = found.problem ?? growthOf(found.grownBytes, keptBytesMax)
  const file = found.problem !== null && found.input !== null ? keep(name, found.input) : null
  return { ...found, problem, name, file, seconds: (performance.now() - startedAt) / 1000 }
}

function foundBy(worker: Worker): Promise<Found> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

/** Resolves when one input takes too long. */
function hangOf(worker: Worker, shared: SharedArrayBuffer): Promise<Found> {
  const counter = new Int32Array(shared, 0, 2)
  return new Promise((resolve) => {
    let seen = 0
    let since = performance.now()
    const watch = setInterval(() => {
      const done = Atomics.load(counter, 0)
      if (done !== seen) [seen, since] = [done, performance.now()]
      if (performance.now() - since < (seen === 0 ? startMsMax : inputMsMax)) return
      const input = new Uint8Array(shared.slice(8, 8 + Math.min(Atomics.load(counter, 1), inputBytesMax)))
      resolve({ problem: `No end after ${inputMsMax} ms.`, input, grownBytes: 0, done })
    }, pollMs)
    worker.once('exit', () => clearInterval(watch))
  })
}

function growthOf(bytes: number, bytesMax: number): string | null {
  return bytes > bytesMax ? `Memory has grown by ${Math.round(bytes / 1024)} KiB, more than ${bytesMax / 1024}.` : null
}

/** Tried first from now on; to be committed with what mends it. */
function keep(name: string, input: Uint8Array): string {
  mkdirSync(`${cases}/${name}`, { recursive: true })
  const file = `${cases}/${name}/${createHash('sha256').update(input).digest('hex').slice(0, 12)}`
  writeFileSync(file, input)
  return file
}
