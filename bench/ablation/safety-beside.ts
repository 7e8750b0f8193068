/** Whether a finished picture may be shown: checked while it is made larger and written, or after all of that; and looked at once, or each time. */
import { median } from '../harness/statistics.ts'
import { PictureWorker } from '../pictures/picture-worker.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

const picturesEach = 8
const quickPictures = 2

export const safetyBeside: Mechanism = {
  name: 'safety-beside',
  naive: 'a picture is made larger and written, then checked; each time it comes.',
  pairs: 4,
  comparisons: [
    {
      key: 'verdict',
      what: 'from the decoded picture (64 x 64, to be made twice as large) to the verdict',
      unit: 'ms',
      mustBring: { less: 0.7 },
    },
    {
      key: 'pipeline',
      what: 'from the decoded picture until verdict and file are there',
      unit: 'ms',
      mustBring: { less: 0.3 },
    },
    { key: 'again', what: 'verdict on a picture that was checked before', unit: 'ms', mustBring: { less: 0.7 } },
  ],
  open: async ({ isQuick }) => {
    await using opened = new AsyncDisposableStack()
    const worker = opened.use(await PictureWorker.start())
    let lastSeed = 0
    const measure = async (postprocess: Postprocess): Promise<Values> => {
      const times: Times[] = []
      for (let picture = 0; picture < (isQuick ? quickPictures : picturesEach); picture += 1) {
        lastSeed += 1
        times.push(await postprocess(worker, await worker.decoded(lastSeed)))
        worker.releaseHeld()
      }
      const of = (value: (each: Times) => number) => median(times.map(value))
      return {
        verdict: of(({ verdictMs }) => verdictMs),
        pipeline: of(({ pipelineMs }) => pipelineMs),
        again: of(({ againMs }) => againMs),
      }
    }
    await measure(beside)
    return sidesOf(opened.move(), { with: () => measure(beside), without: () => measure(afterwards) })
  },
}

type Decoded = Parameters<PictureWorker['check']>[0]
type Postprocess = (worker: PictureWorker, decode: Decoded) => Promise<Times>

interface Times {
  readonly verdictMs: number
  readonly pipelineMs: number
  /** Of a check by itself; whether its picture was known is the difference. */
  readonly againMs: number
}

async function beside(worker: PictureWorker, decode: Decoded): Promise<Times> {
  const begunAt = performance.now()
  const since = () => performance.now() - begunAt
  const [verdictMs] = await Promise.all([
    worker.check(decode).then(since),
    worker.upscale(decode).then((upscale) => worker.write(decode, upscale)),
  ])
  const pipelineMs = since()
  await worker.check(decode)
  return { verdictMs, pipelineMs, againMs: since() - pipelineMs }
}

async function afterwards(worker: PictureWorker, decode: Decoded): Promise<Times> {
  const begunAt = performance.now()
  await worker.write(decode, await worker.upscale(decode))
  const writtenMs = performance.now() - begunAt
  await worker.check(decode)
  const pipelineMs = performance.now() - begunAt
  return { verdictMs: pipelineMs, pipelineMs, againMs: pipelineMs - writtenMs }
}
