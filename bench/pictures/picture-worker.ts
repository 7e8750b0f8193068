/** A worker with the starter image model, given its tasks as the server gives them, with nothing of the server around it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AdmittedTask } from '../../src/runtime/workers/requests.ts'
import { releaseRegions } from '../../src/runtime/workers/tensors.ts'
import type { DeviceId, TaskId, WorkerId } from '../../src/scheduler/ids.ts'
import { noop, noopVersion, RealPool } from '../../test/support/real-pool.ts'
import { TaskOutputs } from '../transfer/task-outputs.ts'
import { model } from './models.ts'

const workerId = 1 as WorkerId
const core = 0
const directory = fileURLToPath(new URL(`../../models/${model}`, import.meta.url))
const size = { width: 64, height: 64 }

interface Manifest {
  readonly components: readonly { readonly name: string }[]
  readonly graph: readonly { readonly node: string; readonly program: string; readonly components: readonly string[] }[]
}

export class PictureWorker implements AsyncDisposable {
  readonly #real: RealPool
  readonly #outputs: TaskOutputs
  readonly #manifest: Manifest
  readonly #held: TaskId[] = []
  #lastTask = 0

  static async start(): Promise<PictureWorker> {
    const manifest = JSON.parse(await readFile(join(directory, 'model.json'), 'utf8')) as Manifest
    const outputs = new TaskOutputs()
    const real = new RealPool({}, { listener: outputs })
    real.pool.spawn({
      workerId,
      deviceId: 1 as DeviceId,
      engine: 'onnx',
      threads: 1,
      cores: [core],
      privateBytesMax: null,
    })
    await outputs.ready
    const components = manifest.components.map(({ name }) => name)
    real.pool.load(workerId, { versionId: noopVersion, manifest, directory, components })
    await outputs.loaded
    return new PictureWorker(real, outputs, manifest)
  }

  private constructor(real: RealPool, outputs: TaskOutputs, manifest: Manifest) {
    this.#real = real
    this.#outputs = outputs
    this.#manifest = manifest
  }

  /** Up to where postprocessing begins: the task that holds the picture, of a seed that decides what it is. */
  async decoded(seed: number): Promise<TaskId> {
    const encode = await this.#run('encode', { prompt: 'a koala', negativePrompt: '' }, {}, true)
    const request = { item: 0, steps: 1, guidance: 3, seed, ...size, previews: null }
    const denoise = await this.#run('denoise', request, { encode }, true)
    return this.#run('decode', {}, { denoise }, true)
  }

  check(decode: TaskId): Promise<TaskId> {
    return this.#run('check', {}, { decode })
  }

  upscale(decode: TaskId): Promise<TaskId> {
    return this.#run('upscale', { factor: 2 }, { decode }, true)
  }

  write(decode: TaskId, upscale: TaskId): Promise<TaskId> {
    return this.#run('write', { format: 'png', metadata: {} }, { decode, upscale })
  }

  /** Everything that tasks so far have left in the worker. */
  releaseHeld(): void {
    this.#real.pool.release(workerId, this.#held.splice(0))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#real[Symbol.asyncDispose]()
  }

  /** Resolves when the task is done. */
  async #run(node: string, request: object, inputs: AdmittedTask['inputs'], isHeld = false): Promise<TaskId> {
    const { program, components } = this.#manifest.graph.find((each) => each.node === node) ?? {}
    if (program === undefined || components === undefined) throw new Error(`${model} has no node ${node}.`)
    this.#lastTask += 1
    const task = noop(this.#lastTask, {}, { program, components, request, inputs, isHeld })
    if (isHeld) this.#held.push(task.taskId)
    const coming = this.#outputs.of(task.taskId)
    this.#real.pool.admit(workerId, [task])
    releaseRegions(await coming)
    return task.taskId
  }
}
