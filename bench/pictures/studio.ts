/** A server that makes pictures, and one client of it. */
import { GraphQLSocket } from '../clients/graphql-socket.ts'
import { runJob } from '../clients/jobs.ts'
import { type PictureWish, pictureJob } from '../clients/pictures.ts'
import { listWorkers } from '../clients/workers.ts'
import type { RunSettings } from '../harness/benchmark.ts'
import { MeasuredServer } from '../harness/server.ts'
import { until } from '../harness/until.ts'
import { bothModels, model, modelAlone } from './models.ts'

const workerMsMax = 20_000

export class Studio implements AsyncDisposable {
  readonly socket: GraphQLSocket
  readonly #opened: AsyncDisposableStack
  #lastSeed = 0

  /** Both models are loaded, and have made a picture. */
  static async open({ profileDir }: RunSettings, workerCore: number): Promise<Studio> {
    await using opened = new AsyncDisposableStack()
    const environment = {
      HEARTH_MODEL_PATHS: await bothModels(opened),
      // Every picture is checked, and none is missing from what is compared.
      HEARTH_SAFETY_POLICY: 'flag',
    }
    const server = opened.use(await MeasuredServer.start({ workerCore, profileDir, environment }))
    const socket = await GraphQLSocket.open(server.url)
    opened.defer(() => socket.close())
    const studio = new Studio(socket, opened.move())
    for (const name of [model, modelAlone]) await studio.make({ model: name, steps: 2 })
    return studio
  }

  private constructor(socket: GraphQLSocket, opened: AsyncDisposableStack) {
    this.socket = socket
    this.#opened = opened
  }

  /** Of a job whose pictures nobody has made before: a second time the check would find its score remembered. */
  newWish<Wish extends Omit<PictureWish, 'seed'>>(wish: Wish): Wish & { readonly seed: number } {
    const seed = this.#lastSeed
    this.#lastSeed += wish.count ?? 1
    return { ...wish, seed }
  }

  /** Resolves when the pictures are there. */
  async make(wish: Omit<PictureWish, 'seed'>): Promise<void> {
    await runJob(this.socket, pictureJob(this.newWish(wish)))
  }

  /** Of the process that runs a job now. */
  async workerPid(): Promise<number> {
    return until('a worker that makes a picture', workerMsMax, async () => {
      const busy = (await listWorkers(this.socket)).find(({ runningJobs }) => runningJobs.length > 0)
      return busy?.pid ?? null
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync()
  }
}
