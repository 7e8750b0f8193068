import { builder } from './builder.ts'

export const JobState = builder.enumType('JobState', {
  values: ['QUEUED', 'LOADING', 'RUNNING', 'PAUSED', 'POSTPROCESSING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const,
})
