/** What changes in a worker, step by step, is told in one frame every 10 ms, or each change at once in a frame of its own. */
import { readProcessActivity } from '../../src/runtime/workers/process-activity.ts'
import { WorkerPeer } from '../transfer/worker-peer.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

/** Tasks that take their steps side by side, each step a change of each: where it is, and what it holds. */
const tasks = 32
const steps = 400
const changes = tasks * steps

export const joinedReports: Mechanism = {
  name: 'joined-reports',
  naive: 'each change leaves at once, in a frame of its own (HEARTH_WITHOUT=joined-reports).',
  pairs: 5,
  comparisons: [
    {
      key: 'frames',
      what: `frames for 1,000 changes of ${tasks} tasks that take ${steps} steps`,
      unit: 'frames',
      mustBring: { less: 0.85 },
    },
    {
      key: 'server',
      what: 'processor time of the server for 1,000 changes',
      unit: 'ms',
      mustBring: { less: 0.85 },
    },
    {
      key: 'worker',
      what: 'processor time of the worker for 1,000 changes, the steps included',
      unit: 'ms',
      mustBring: null,
    },
  ],
  open: async () => {
    await using opened = new AsyncDisposableStack()
    const joined = opened.use(await WorkerPeer.start({ batchLimit: tasks }))
    const single = opened.use(await WorkerPeer.start({ batchLimit: tasks, without: 'joined-reports' }))
    for (const peer of [joined, single]) await takeSteps(peer)
    return sidesOf(opened.move(), { with: () => takeSteps(joined), without: () => takeSteps(single) })
  },
}

async function takeSteps(peer: WorkerPeer): Promise<Values> {
  const framesBefore = peer.frames
  const workerBefore = cpuMsOf(peer.pid)
  const before = process.cpuUsage()
  const request = { parameters: { steps } }
  await Promise.all(Array.from({ length: tasks }, () => peer.run({ request })))
  const { user, system } = process.cpuUsage(before)
  const per = 1000 / changes
  return {
    frames: (peer.frames - framesBefore) * per,
    server: ((user + system) / 1000) * per,
    worker: (cpuMsOf(peer.pid) - workerBefore) * per,
  }
}

function cpuMsOf(pid: number): number {
  const activity = readProcessActivity(pid)
  if (!activity) throw new Error('The kernel does not tell what the worker does.')
  return activity.cpuMs
}
