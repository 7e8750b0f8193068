/**
 * A model's weights are overwritten in place, again and again, while jobs run on them. The engine reads them where they are mapped, so that a step
 * in the middle of a write would compute with a mixture; every weight of a content is the same number, so that a mixture would show in the sum.
 */
import { open, rename, utimes, writeFile } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { initializer, node, onnxFile, port } from '../support/onnx-file.ts'
import { currentVersion, ModelFolder, registered, type Version } from '../support/registrations.ts'
import { trySubmit } from '../support/submissions.ts'
import { until } from '../support/until.ts'

/** Sums of so many ones and twos are exact in float32. */
const weightCount = 2 ** 21
const contents = [1, 2].map((weight) => {
  const bytes = new Uint8Array(new Float32Array(weightCount).fill(weight).buffer)
  return { weight, bytes, sum: weight * weightCount }
})
type Content = (typeof contents)[number]
const [ones, twos] = contents as [Content, Content]
const chunkBytes = 256 * 1024
const jobsAtOnce = 6

/** y = the sum of x * w, computed anew in every run. */
function summingModel(location: string): Uint8Array {
  return onnxFile(
    node('Mul', ['x', 'w'], ['products']),
    node('ReduceSum', ['products'], ['y']),
    initializer({
      name: 'w',
      dims: [weightCount],
      external: { location, offset: '0', length: String(weightCount * 4) },
    }),
    port(11, { name: 'x', shape: [1] }),
    port(12, { name: 'y', shape: [1] }),
  )
}

let folder: ModelFolder
let hearth: Hearth
let weights: string
/** By the digest that a version of it has. */
const contentOf = new Map<string, Content>()

beforeAll(async () => {
  folder = await ModelFolder.make()
  hearth = await startHearth({ environment: { ...folder.environment, HEARTH_MODEL_CHECK_MS: '50' } })
  // Equal files have equal digests, whatever model they belong to: these are never touched.
  for (const content of contents) {
    await folder.write(`at-rest-${content.weight}/sum.bin`, content.bytes)
    const path = await folder.write(`at-rest-${content.weight}/still-${content.weight}.onnx`, summingModel('sum.bin'))
    contentOf.set(digestOf(await registered(hearth, { path })), content)
  }
  weights = await folder.write('sum.bin', ones.bytes)
  await registered(hearth, { path: await folder.write('sum.onnx', summingModel('sum.bin')) })
})
afterAll(async () => {
  await hearth.stop()
  await folder[Symbol.asyncDispose]()
})

interface Outcome {
  readonly digest: string
  readonly attempts: number
  /** Null: it failed with `code`. */
  readonly sum: number | null
  readonly code: string | null
}

test('every result is that of one content, and of the version that the job names', { timeout: 120_000 }, async () => {
  const stream = new JobStream()
  for (let round = 0; round < 10; round += 1) {
    const content = round % 2 === 0 ? twos : ones
    await stream.hasRun(stream.outcomes.length + jobsAtOnce)
    await overwrite(content)
    if (round % 3 === 2) continue
    await stream.hasSucceededWith(await versionOf(content))
  }
  const outcomes = await stream.end()
  for (const { digest, sum, code } of outcomes) {
    if (sum === null) expect(code).toBe('MODEL_VERSION_GONE')
    else expect(sum, `of version ${digest}`).toBe(contentOf.get(digest)?.sum)
  }
  const sums = outcomes.map(({ sum }) => sum)
  for (const { sum } of contents) expect(sums.filter((each) => each === sum).length).toBeGreaterThan(10)
  // Writes that no job noticed would prove nothing.
  expect(outcomes.filter(({ attempts, code }) => attempts > 1 || code !== null).length).toBeGreaterThan(0)
})

test('a file that is cut off under its model, as `cp` does it, may cost a worker, but no job is blamed', {
  timeout: 120_000,
}, async () => {
  const stream = new JobStream()
  for (const content of [twos, ones, twos, ones, twos, ones]) {
    await stream.hasRun(stream.outcomes.length + jobsAtOnce)
    await writeFile(weights, content.bytes)
    await stream.hasSucceededWith(await versionOf(content))
  }
  for (const { digest, sum, code } of await stream.end()) {
    if (sum === null) expect(code).toBe('MODEL_VERSION_GONE')
    else expect(sum, `of version ${digest}`).toBe(contentOf.get(digest)?.sum)
  }
})

test('a rename or a touch fails no job', { timeout: 120_000 }, async () => {
  const stream = new JobStream()
  for (const content of [twos, ones, twos, ones]) {
    await stream.hasRun(stream.outcomes.length + jobsAtOnce)
    await writeFile(`${weights}.new`, content.bytes)
    await rename(`${weights}.new`, weights)
    await stream.hasSucceededWith(await versionOf(content))
    await utimes(weights, new Date(), new Date())
    // One of these was submitted after the touch: the model has been loaded again.
    await stream.hasRun(stream.outcomes.length + 2 * jobsAtOnce)
  }
  for (const { digest, sum, code } of await stream.end()) {
    expect(code).toBeNull()
    expect(sum).toBe(contentOf.get(digest)?.sum)
  }
})

/** Jobs of the model as it is at the moment, several at once, until it is told to end. */
class JobStream {
  readonly outcomes: Outcome[] = []
  readonly #runners: Promise<void>[]
  #isEnding = false

  constructor() {
    this.#runners = Array.from({ length: jobsAtOnce }, () => this.#run())
  }

  async end(): Promise<readonly Outcome[]> {
    this.#isEnding = true
    await Promise.all(this.#runners)
    return this.outcomes
  }

  async hasRun(count: number): Promise<void> {
    await until(`${count} jobs have ended`, () => this.outcomes.length >= count)
  }

  async hasSucceededWith(version: Version): Promise<void> {
    const from = this.outcomes.length
    const isIts = ({ digest, sum }: Outcome) => digest === digestOf(version) && sum !== null
    await until('a job of the version has succeeded', () => this.outcomes.slice(from).some(isIts))
  }

  async #run(): Promise<void> {
    while (!this.#isEnding) {
      const { job } = await trySubmit(hearth, {
        model: 'sum',
        task: { infer: { tensors: [{ name: 'x', dtype: 'float32', shape: [1], values: [1] }] } },
      })
      // While its new files are read, the model may be none.
      if (job) this.outcomes.push(await outcomeOf(job.id))
      else await nextTurn()
    }
  }
}

async function outcomeOf(id: string): Promise<Outcome> {
  await watch(hearth, id).final()
  const { job } = await hearth.ask<{ job: Ended }>(
    `query ($id: ID!) { job(id: $id) { attemptCount modelVersion { components { sha256 } } error { code }
      output { ... on TensorsOutput { tensors { values } } } } }`,
    { id },
  )
  return {
    digest: digestOf(job.modelVersion),
    attempts: job.attemptCount,
    sum: job.output?.tensors[0]?.values[0] ?? null,
    code: job.error?.code ?? null,
  }
}
/** When the model is this content. */
function versionOf(content: Content): Promise<Version> {
  return until(`weights of ${content.weight} are the current version`, async () => {
    const current = await currentVersion(hearth, 'sum')
    return current?.state === 'READY' && contentOf.get(digestOf(current)) === content && current
  })
}

interface Ended {
  readonly attemptCount: number
  readonly modelVersion: { readonly components: readonly { readonly sha256: string }[] }
  readonly error: { readonly code: string } | null
  readonly output: { readonly tensors: readonly { readonly values: readonly number[] }[] } | null
}

/** In place, with turns for others between the pieces. */
async function overwrite({ bytes }: Content): Promise<void> {
  const file = await open(weights, 'r+')
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    await file.write(bytes, offset, chunkBytes, offset)
    await nextTurn()
  }
  await file.close()
}

function digestOf({ components }: { readonly components: readonly { readonly sha256: string }[] }): string {
  return components.map(({ sha256 }) => sha256).join()
}
