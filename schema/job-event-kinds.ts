import type { DeviceView } from '../src/app/app.ts'
import type { DeviceId } from '../src/scheduler/ids.ts'
import type { RequestContext } from './context.ts'
import { eventRef, JobEvent } from './job-event.ts'
import { JobFailure } from './job-failure.ts'
import { JobOutput } from './job-output.ts'
import { Progress, progressOf } from './job-progress.ts'
import { required } from './loaders.ts'
import { Artifact, Device } from './nouns.ts'
import { PauseCause } from './pause-cause.ts'
import { eventValuesWeight, storedWeight } from './weights.ts'

eventRef('queued').implement({
  description: 'It waits: its first event, and again when it goes on after a pause and has to wait for a device.',
  interfaces: [JobEvent],
})

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

eventRef('preview').implement({
  description:
    'How a picture looks after so many steps. Only when asked for (SubmitJobInput.previews); a slow reader gets the newest.',
  interfaces: [JobEvent],
  fields: (t) => ({
    item: t.int({ resolve: ({ body }) => body.item, description: 'Which of the pictures, from 0.' }),
    step: t.int({ resolve: ({ body }) => body.step }),
    image: t.field({
      type: Artifact,
      resolve: async ({ body }, _, { loaders }) => required('Artifact', await loaders.artifact.load(body.artifactId)),
    }),
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

eventRef('paused').implement({
  description: 'Its worker has left it out of further steps, or it had not begun. What it has so far is kept.',
  interfaces: [JobEvent],
  fields: (t) => ({
    cause: t.field({ type: PauseCause, resolve: ({ body }) => body.cause }),
    message: t.string({ resolve: ({ body }) => body.message, description: 'Where it stopped.' }),
  }),
})

eventRef('resumed').implement({
  description: 'It goes on where it was paused. One that has to wait for a device first is told as JobQueued.',
  interfaces: [JobEvent],
  fields: (t) => ({
    device: t.field({
      type: Device,
      resolve: ({ body, sequence }, _, context) => {
        if (body.deviceId === null) throw new Error(`Event ${sequence} is told as JobQueued, and has no device.`)
        return deviceOf({ deviceId: body.deviceId }, context)
      },
    }),
  }),
})

eventRef('postprocessing').implement({
  description: 'What the model had to do is done; checking, upscaling and writing are left.',
  interfaces: [JobEvent],
})

eventRef('requeued').implement({
  description:
    'It will run again from `fromStep`; what was shown after that step no longer counts. Of several pictures: the least ' +
    'step that one of them goes on from.',
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
