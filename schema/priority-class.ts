import { builder } from './builder.ts'

export const PriorityClass = builder.enumType('PriorityClass', {
  description: 'INTERACTIVE: somebody waits for it. BATCH: it gives way, but always moves.',
  values: { INTERACTIVE: { value: 'interactive' }, BATCH: { value: 'batch' } } as const,
})
