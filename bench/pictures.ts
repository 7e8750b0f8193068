/** Pictures: what the components of the starter image model cost, and what Hearth makes of them. */
import type { Benchmark, Figure, RunSettings } from './harness/benchmark.ts'
import { measureCompany } from './pictures/company.ts'
import { ComponentRuns, curveFigures, measureCurves } from './pictures/component-curves.ts'
import { measureSights } from './pictures/first-sights.ts'
import { measureGrowth } from './pictures/memory-growth.ts'
import { batchLimits, model } from './pictures/models.ts'
import { measurePauses } from './pictures/pauses.ts'
import { showPictures } from './pictures/show.ts'
import { Studio } from './pictures/studio.ts'
import { measureThroughput } from './pictures/throughput.ts'

const workerCore = 1
const threads = 1
/** Rows of one guided picture. */
const pictureRows = 2

export const pictures: Benchmark = {
  name: 'pictures',
  about:
    'textToImage with the starter model (64 x 64 pixels, guided): what runs of its components cost, pictures in three ways of sharing steps, pauses, previews, memory, and company.',
  placement: 'components on core 1 with one thread, alone or in a worker of the server; server and generator on core 0',
  generatorCore: 0,
  peers: [],
  run: measurePictures,
  show: showPictures,
}

async function measurePictures(settings: RunSettings): Promise<readonly Figure[]> {
  using runs = await ComponentRuns.start(model, workerCore, threads, settings)
  const curves = await measureCurves(runs, settings)
  const limits = await batchLimits()
  await using studio = await Studio.open(settings, workerCore)
  const stepMs = curves.unet?.find(({ rows }) => rows === pictureRows)?.runMs ?? Number.NaN
  return [
    ...curveFigures(curves),
    ...(await measureThroughput(settings, studio, runs, curves, limits)),
    ...(await measurePauses(settings, studio, stepMs)),
    ...(await measureSights(settings, studio)),
    ...(await measureCompany(settings, studio)),
    ...(await measureGrowth(settings, studio)),
  ]
}
