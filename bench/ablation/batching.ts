/** Many callers of one model at once: their jobs share steps as they come, or run one by one. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GraphQLSocket } from '../clients/graphql-socket.ts'
import { runJob } from '../clients/jobs.ts'
import { noopJob } from '../clients/noop-job.ts'
import { workersStarted } from '../clients/workers.ts'
import { p50, warmLoop } from '../harness/loops.ts'
import { MeasuredServer } from '../harness/server.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

const clients = 64
const roundMs = 2500
const cost = { stepMs: 4, stepMsEach: 0.25 }
const models = fileURLToPath(new URL('../models', import.meta.url))

export const dynamicBatching: Mechanism = {
  name: 'batching',
  naive: 'the same model with a batch limit of 1: one job after the other.',
  pairs: 3,
  comparisons: [
    {
      key: 'rate',
      what: `jobs of a model that costs ${cost.stepMs} ms + ${cost.stepMsEach} ms x batch, ${clients} clients`,
      unit: 'jobs/s',
      mustBring: null,
    },
    { key: 'p50', what: 'the same, from the submission to the result, p50', unit: 'ms', mustBring: null },
  ],
  open: async (settings) => {
    await using opened = new AsyncDisposableStack()
    const folder = opened.adopt(await mkdtemp(join(tmpdir(), 'hearth-bench-')), (made) =>
      rm(made, { recursive: true, force: true }),
    )
    await writeModelForOne(folder)
    const environment = { HEARTH_MODEL_PATHS: `${models},${folder}` }
    const server = opened.use(await MeasuredServer.start({ profileDir: settings.profileDir, environment }))
    const socket = await GraphQLSocket.open(server.url)
    opened.defer(() => socket.close())
    await workersStarted(socket)
    const measure = async (model: string): Promise<Values> => {
      const job = { ...noopJob(cost), model }
      const loop = await warmLoop(settings, clients, roundMs, async () => void (await runJob(socket, job)))
      return { rate: loop.perSecond, p50: p50(loop) }
    }
    return sidesOf(opened.move(), { with: () => measure('noop'), without: () => measure('noop-alone') })
  },
}

async function writeModelForOne(folder: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(models, 'noop', 'model.json'), 'utf8')) as object
  await mkdir(join(folder, 'noop-alone'))
  await writeFile(
    join(folder, 'noop-alone', 'model.json'),
    JSON.stringify({ ...manifest, name: 'noop-alone', limits: { batchLimit: 1 } }),
  )
}
