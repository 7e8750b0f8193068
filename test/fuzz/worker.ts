/** Reads inputs of one target in a thread of its own. Before each it writes down which one, so that a hang leaves its input behind. */
import { readdirSync, readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { makeInput } from './mutate.ts'
import { Random } from './random.ts'
import type { Found, Order } from './run-target.ts'
import type { Target } from './target.ts'

/** What is loaded, compiled and cached once is not growth. */
const warmUpShare = 0.1
const collections = 4

const { name, inputs, seed, targetsUrl, casesFolder, shared } = workerData as Order
const { targets } = (await import(targetsUrl)) as { readonly targets: readonly Target[] }
const target = targets.find((candidate) => candidate.name === name)
if (!target) throw new Error(`There is no target named ${name}.`)
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const counter = new Int32Array(shared, 0, 2)
const current = new Uint8Array(shared, 8)
let done = 0
const found = await readAll()
const port = parentPort
port?.postMessage({ ...found, keptBytesMax: target.keptBytesMax ?? null, done } satisfies Found, [])

async function readAll(): Promise<Omit<Found, 'done' | 'keptBytesMax'>> {
  const random = new Random(seed)
  for (const input of keptCases()) {
    const problem = await readOne(input)
    if (problem !== null) return { problem, input, grownBytes: 0 }
  }
  let before = 0
  const warmUp = Math.floor(inputs * warmUpShare)
  for (let index = 0; index < inputs; index++) {
    if (index === warmUp) before = await heldBytes()
    const input = makeInput(target!, random)
    const problem = await readOne(input)
    if (problem !== null) return { problem, input, grownBytes: 0 }
  }
  return { problem: null, input: null, grownBytes: (await heldBytes()) - before }
}

/** What was found in the past is tried first. */
function keptCases(): Buffer[] {
  try {
    return readdirSync(casesFolder).map((file) => readFileSync(`${casesFolder}/${file}`))
  } catch {
    return [] // Nothing was found yet.
  }
}

async function readOne(input: Buffer): Promise<string | null> {
  current.set(input.subarray(0, current.length))
  Atomics.store(counter, 1, input.length)
  Atomics.store(counter, 0, ++done)
  try {
    const reading = target!.read(input)
    if (reading) await reading
    return null
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}

async function heldBytes(): Promise<number> {
  for (let round = 0; round < collections; round++) {
    collect()
    // Buffers are given back by tasks that follow a collection.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
