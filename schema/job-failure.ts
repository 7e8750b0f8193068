import { builder } from './builder.ts'

const failureCodes = [
  'DEADLINE_EXCEEDED',
  'MODEL_VERSION_GONE',
  'OUT_OF_MEMORY',
  'ENGINE_ERROR',
  'WORKER_LOST',
  'QUARANTINED',
  'DEVICE_LOST',
  'ARTIFACT_MISSING',
  'INVALID_INPUT',
  'UNSAFE_CONTENT',
  'INTERNAL',
] as const
const FailureCode = builder.enumType('FailureCode', { values: failureCodes })

interface FailureView {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
}

export const JobFailure = builder.objectRef<FailureView>('JobFailure').implement({
  fields: (t) => ({
    code: t.field({
      type: FailureCode,
      resolve: ({ code }) => failureCodes.find((known) => known === code) ?? 'INTERNAL',
    }),
    message: t.exposeString('message'),
    retryable: t.exposeBoolean('retryable', { description: 'The same request may succeed when sent again.' }),
  }),
})
