import type { DeviceView } from '../src/app/app.ts'
import type { DeviceId } from '../src/scheduler/ids.ts'
import type { RequestContext } from './context.ts'
import { eventRef, JobEvent } from './job-event.ts'
import { JobFailure } from './job-failure.ts'
import { JobOutput } from './job-output.ts'
import { Progress, progressOf } from './job-progress.ts'
import { required } from './loaders.ts'
import { Device } from './nouns.ts'
import { eventValuesWeight, storedWeight } from './weights.ts'

eventRef('queued').implement({ interfaces: [JobEvent] })

eventRef('loading').implement({
  interfaces: [JobEvent],
  fields: (t) => ({ device: t.field({ type: Device, resolve: ({ body }, _, context) => deviceOf(body, context) }) }),
})

eventRef('started').implement({
  interfaces: [JobEvent],
  fields: (t) => ({ device: t.field({ type: Device, resolve: ({ body }, _, context) => deviceOf(body, context) }) }),
})

eventRef('step').implement({
  interfaces: [JobEvent],
  fields: (t) => ({
    item: t.int({ resolve: ({ body }) => body.item }),
    step: t.int({ resolve: ({ body }) => body.step }),
    totalSteps: t.int({ resolve: ({ body }) => body.totalSteps }),
  }),
})

eventRef('text').implement({
  description: '`text = text.slice(0, offset) + delta.text` is right after any retry; offset counts UTF-16 code units.',
  interfaces: [JobEvent],
  fields: (t) => ({
    item: t.int({ resolve: ({ body }) => body.item }),
    offset: t.int({ resolve: ({ body }) => body.offset }),
    text: t.string({ resolve: ({ body }) => body.text }),
  }),
})

eventRef('values').implement({
  description: 'Items in order, several per event.',
  interfaces: [JobEvent],
  fields: (t) => ({
    values: t.field({
      type: 'JSON',
      extensions: { weight: eventValuesWeight },
      resolve: ({ body }) => body.values,
    }),
  }),
})

eventRef('requeued').implement({
  description: 'It will run again from `fromStep`; what was shown after that step no longer counts.',
  interfaces: [JobEvent],
  fields: (t) => ({
    error: t.field({ type: JobFailure, resolve: ({ body }) => body.failure }),
    fromStep: t.int({ resolve: ({ body }) => body.fromStep }),
  }),
})

eventRef('succeeded').implement({
  interfaces: [JobEvent],
  fields: (t) => ({
    output: t.field({
      type: JobOutput,
      extensions: { weight: storedWeight },
      resolve: async ({ jobId }, _, { loaders }) =>
        required('Output', await loaders.output.load(required('Job', await loaders.job.load(jobId)))),
    }),
  }),
})

eventRef('failed').implement({
  interfaces: [JobEvent],
  fields: (t) => ({ error: t.field({ type: JobFailure, resolve: ({ body }) => body.failure }) }),
})

eventRef('cancelled').implement({
  interfaces: [JobEvent],
  fields: (t) => ({
    progress: t.field({
      type: Progress,
      nullable: true,
      resolve: ({ body }) => progressOf(body.progressDone, body.progressTotal, body.progressUnit),
    }),
    message: t.string({ resolve: ({ body }) => body.message }),
  }),
})

/** Also one that is no longer declared: a log reads the same for ever. */
async function deviceOf(
  { deviceId }: { readonly deviceId: DeviceId },
  { loaders }: RequestContext,
): Promise<DeviceView> {
  return required('Device', await loaders.device.load(deviceId))
}
