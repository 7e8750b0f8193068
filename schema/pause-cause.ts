import { builder } from './builder.ts'

export const PauseCause = builder.enumType('PauseCause', {
  values: {
    REQUESTED: { value: 'requested', description: 'Somebody called pauseJob.' },
    INTERACTIVE_WORK: { value: 'interactive_work', description: 'Interactive work needs the place of batch work.' },
    MEMORY_PRESSURE: { value: 'memory_pressure', description: 'The device is short of memory.' },
  } as const,
})
