/** Why a job failed or began again, in words that a user can act upon. */
import type { JobFailureCode, MemoryFacts, MemoryRemedy, RequeueCause } from '../scheduler/commands.ts'
import type { WorkerExitCause } from '../scheduler/events.ts'
import type { JobFailure } from '../store/records.ts'

const messages: Readonly<Record<JobFailureCode, string>> = {
  DEADLINE_EXCEEDED: 'The deadline passed before the job was done.',
  OUT_OF_MEMORY: 'The job needs more memory than its device can give, even alone.',
  ENGINE_ERROR: 'The engine could not run the job.',
  WORKER_LOST: 'Its worker died in every attempt that the job was given.',
  QUARANTINED:
    'The job was alone in a worker each time that worker died; it is not tried again. Change its input, or look into the log of the worker.',
  DEVICE_LOST: 'The device of the job is gone.',
  MODEL_VERSION_GONE:
    'The version of the model that the job was accepted for is no longer here. Submit it again with the model as it is now.',
  ARTIFACT_MISSING: 'The file of an input is no longer here. Upload it again, and submit the job with the new id.',
  UNSAFE_CONTENT:
    'Every picture of the job was withheld, because the safety check found it unsafe. Ask for something else, or try another seed.',
  INVALID_INPUT: 'The model cannot work on what the job was given.',
  INTERNAL: 'Something unexpected went wrong inside the server; its log says what.',
}

const remedies: Readonly<Record<MemoryRemedy, string>> = {
  offloaded: 'Paused work has left the worker, and the job runs again.',
  evicted: 'A model that nobody used is evicted, and the job runs again.',
  recycled: 'The worker had grown and is replaced; then the job runs again.',
  moved: 'The job runs again on another device.',
  postponed: 'The job runs again after a pause.',
}

/** `detail`: what the worker said, if it said anything. */
export function failureOf(
  code: JobFailureCode,
  retryable: boolean,
  detail: string | null,
  memory?: MemoryFacts,
): JobFailure {
  const message = detail ?? messages[code]
  if (!memory) return { code, retryable, message }
  const { limitBytes, availableBytes } = memory
  const numbers = `The device has ${mib(limitBytes)} to give, of which ${mib(availableBytes)} were free.`
  return { code, retryable, message: `${message} ${numbers}` }
}

/** `remedy`: what was done for want of memory. */
export function requeueFailure(
  cause: RequeueCause,
  exit: WorkerExitCause | null,
  detail: string | null,
  remedy?: MemoryRemedy,
): JobFailure {
  switch (cause) {
    case 'worker_lost':
      return {
        code: 'WORKER_LOST',
        retryable: true,
        message: `The worker of the job was lost (${exitWords(exit)}); the job runs again.`,
      }
    case 'server_restarted':
      return {
        code: 'WORKER_LOST',
        retryable: true,
        message: 'The server was restarted while the job ran; the job runs again.',
      }
    case 'engine_error':
      return { code: 'ENGINE_ERROR', retryable: true, message: detail ?? 'The engine failed; the job runs again.' }
    case 'out_of_memory':
      return {
        code: 'OUT_OF_MEMORY',
        retryable: true,
        message: `${detail ?? 'The device ran out of memory.'} ${remedy ? remedies[remedy] : 'The job runs again.'}`,
      }
    case 'stale_model':
      return {
        code: 'MODEL_VERSION_GONE',
        retryable: true,
        message: "The model's files changed while the job ran; what was computed is discarded, and the job runs again.",
      }
    case 'load_failed':
      return {
        code: 'ENGINE_ERROR',
        retryable: true,
        message: detail ?? 'The model could not be loaded; it is tried again.',
      }
    case 'device_lost':
      return { code: 'DEVICE_LOST', retryable: true, message: 'The device of the job was lost; the job runs again.' }
    case 'model_unloaded':
      return {
        code: 'WORKER_LOST',
        retryable: true,
        message:
          'The model of the job was unloaded before the job was done; it goes on when the model is loaded again.',
      }
    default:
      return cause satisfies never
  }
}

function exitWords(exit: WorkerExitCause | null): string {
  switch (exit) {
    case 'signal':
      return 'killed by a signal'
    case 'exit_code':
      return 'it exited'
    case 'protocol_error':
      return 'it broke the worker protocol'
    case 'spawn_failed':
      return 'it could not be started'
    case 'requested':
      return 'it was stopped'
    case null:
      return 'cause unknown'
    default:
      return exit satisfies never
  }
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`
}
