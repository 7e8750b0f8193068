import type { ProgressUnit as Unit } from '../src/store/records.ts'
import { builder } from './builder.ts'

export interface ProgressView {
  readonly done: number
  readonly total: number | null
  readonly unit: Unit
}

/** Null while nothing is known of it. */
export function progressOf(done: number | null, total: number | null, unit: Unit | null): ProgressView | null {
  return done === null || unit === null ? null : { done, total, unit }
}

export const Progress = builder.objectRef<ProgressView>('Progress').implement({
  fields: (t) => ({
    done: t.exposeInt('done'),
    total: t.exposeInt('total', { nullable: true }),
    fraction: t.float({
      nullable: true,
      description: '0 to 1.',
      resolve: ({ done, total }) => (total ? Math.min(1, done / total) : null),
    }),
    unit: t.expose('unit', { type: ProgressUnit }),
  }),
})

const ProgressUnit = builder.enumType('ProgressUnit', { values: ['STEPS', 'TOKENS', 'ITEMS'] as const })
