import { builder } from './builder.ts'

export const PauseCause = builder.enumType('PauseCause', {
  values: { REQUESTED: { value: 'requested', description: 'Somebody called pauseJob.' } } as const,
})
