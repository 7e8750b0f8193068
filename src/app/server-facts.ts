/** What the server says of itself. */
import type { App } from './app.ts'
import type { AppParts } from './create-app.ts'
import { schedulingPolicies } from './scheduling-policies.ts'
import { jobsPerSubmissionMax } from './submit-jobs.ts'
import { version } from './version.ts'

export function serverFacts(parts: AppParts): ReturnType<App['server']> {
  const { context, memory, previews, history, recoveredJobs, startedAt } = parts
  const { artifacts, config, clock, store, shell } = context
  return {
    version,
    now: clock.now(),
    startedAt,
    ready: !shell.draining && store.metrics.accepting && artifacts.trouble === null,
    recoveredJobs,
    policies: [
      ...schedulingPolicies(config),
      {
        name: 'warmSpares',
        value: String(config.HEARTH_WARM_SPARES),
        description: 'Workers kept started without a model, per engine.',
      },
      {
        name: 'safety',
        value: config.HEARTH_SAFETY_POLICY,
        description:
          'What becomes of unsafe pictures: block = withheld, flag = given with the verdict, off = not checked.',
      },
      {
        name: 'checkpointSteps',
        value: String(config.HEARTH_CHECKPOINT_STEPS),
        description: 'Steps between two checkpoints, from which a job goes on when its worker is lost; 0 = none.',
      },
      {
        name: 'inferenceShare',
        value: String(config.HEARTH_INFERENCE_SHARE),
        description: "Share of a worker's time that inference gets at least beside postprocessing.",
      },
    ],
    limits: [
      { name: 'queue', value: String(config.HEARTH_QUEUE_LIMIT), description: 'Most jobs that may wait or run.' },
      { name: 'jobsPerSubmission', value: String(jobsPerSubmissionMax), description: 'Most jobs in one submitJobs.' },
      {
        name: 'promptBytes',
        value: String(config.HEARTH_MAX_PROMPT_BYTES),
        description: 'Largest prompt or text, UTF-8 bytes.',
      },
      {
        name: 'bodyBytes',
        value: String(config.HEARTH_MAX_BODY_BYTES),
        description: 'Largest request body and WebSocket frame.',
      },
      {
        name: 'valuesBytes',
        value: String(config.HEARTH_MAX_VALUES_BYTES),
        description: 'Most bytes of all input tensors of a request that are given as values.',
      },
      {
        name: 'tensorBytes',
        value: String(config.HEARTH_MAX_TENSOR_BYTES),
        description: 'Largest input tensor, bytes.',
      },
      {
        name: 'inlineTensorBytes',
        value: String(config.HEARTH_INLINE_TENSOR_BYTES),
        description: 'Largest output tensor that comes as values, bytes.',
      },
      {
        name: 'uploadBytes',
        value: String(config.HEARTH_MAX_UPLOAD_BYTES),
        description: 'Largest file that may be uploaded.',
      },
      {
        name: 'imagePixels',
        value: String(config.HEARTH_MAX_IMAGE_PIXELS),
        description: 'Largest picture that is taken, width times height.',
      },
      {
        name: 'jobRetentionDays',
        value: String(config.HEARTH_JOB_RETENTION_DAYS),
        description: 'How long finished jobs are kept.',
      },
      {
        name: 'overtaking',
        value: String(config.HEARTH_OVERTAKING_LIMIT),
        description: 'Jobs of loaded models that may go before one whose model is not.',
      },
      {
        name: 'historyRows',
        value: String(config.HEARTH_HISTORY_ROWS),
        description: 'Most decisions, and most closed allocations, that are kept.',
      },
      {
        name: 'databaseBytes',
        value: String(config.HEARTH_DATABASE_LIMIT_BYTES),
        description: 'Size of the database above which finished jobs go before their time.',
      },
      {
        name: 'artifactRetentionDays',
        value: String(config.HEARTH_ARTIFACT_RETENTION_DAYS),
        description: 'How long artifacts are kept after their last use.',
      },
      {
        name: 'artifactBytes',
        value: String(config.HEARTH_ARTIFACT_LIMIT_BYTES),
        description: 'Size of all artifacts above which those used longest ago go before their time.',
      },
      {
        name: 'diskReserveBytes',
        value: String(config.HEARTH_DISK_RESERVE_BYTES),
        description: 'Free space on the disk below which nothing new is taken in.',
      },
      {
        name: 'attempts',
        value: String(config.HEARTH_JOB_ATTEMPTS),
        description: 'Attempts of a job before it fails.',
      },
      {
        name: 'quarantineDeaths',
        value: String(config.HEARTH_QUARANTINE_DEATHS),
        description: 'Worker deaths that a job causes alone before it is quarantined.',
      },
    ],
    storage: {
      databaseBytes: store.metrics.databaseBytes,
      walBytes: store.metrics.walBytes,
      artifactBytes: artifacts.files.usedBytes,
      freeBytes: artifacts.freeBytes ?? 0,
    },
    tensorPool: memory.info(),
    validation: context.validation.figures,
    previews: previews.figures,
    history: history.figures,
  }
}
