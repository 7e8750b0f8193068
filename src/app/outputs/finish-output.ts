/** What a job gives: from what its tasks have given to what is stored. Whatever happens, the memory that it lies in is given back once. */
import { type ProgramOutput, releaseRegions } from '../../runtime/workers/tensors.ts'
import type { ArtifactRecord, JobRecord, TaskRecord } from '../../store/records.ts'
import { finishPictures } from './finish-pictures.ts'
import { finishWords } from './finish-words.ts'
import { BrokenContract } from './output-fields.ts'
import type { OutputFiles } from './tensor-files.ts'

/** A job that has ended, as far as its output goes. */
export interface EndedJob {
  readonly record: Pick<JobRecord, 'id' | 'taskKind'>
  /** JSON text; null when it is in the store only. */
  readonly request: string | null
}
export interface TaskOutput {
  readonly task: Pick<TaskRecord, 'program' | 'item'>
  readonly output: ProgramOutput
}
export interface OutputPlaces {
  readonly artifacts: OutputFiles
  /** Larger tensors become artifacts. */
  readonly inlineTensorBytesMax: number
  /** Of a job whose request is not in memory; null when it is not kept any more. */
  readRequest(id: JobRecord['id']): Promise<string | null>
}
export interface FinishedOutput {
  readonly encoded: Uint8Array
  /** Their files are durable; their rows are to be committed with the job's end. */
  readonly artifacts: readonly ArtifactRecord[]
  /** Pictures that nobody may see, on their way neither. */
  readonly withheldItems?: readonly number[]
}

/**
 * `outputs`: of all tasks whose outputs were not held. A promise when something has to be read from shared memory or the store, or written to a file. Throws or
 * rejects with BrokenContract, with UnsafeContent when every picture is withheld, or with what `Artifacts.prepare` fails with; nothing is left then.
 */
export function finishOutput(
  job: EndedJob,
  outputs: readonly TaskOutput[],
  places: OutputPlaces,
): FinishedOutput | Promise<FinishedOutput> {
  const release = () => {
    for (const { output } of outputs) releaseRegions(output)
  }
  let isLater = false
  try {
    const finished = finish(job, outputs, places)
    if (!(finished instanceof Promise)) return finished
    isLater = true
    return finished.finally(release)
  } finally {
    if (!isLater) release()
  }
}

function finish(
  job: EndedJob,
  outputs: readonly TaskOutput[],
  places: OutputPlaces,
): FinishedOutput | Promise<FinishedOutput> {
  const { id, taskKind } = job.record
  if (taskKind === 'textToImage' || taskKind === 'upscaleImage') return finishPictures(job, outputs, places)
  const [only, ...more] = outputs
  if (!only || more.length > 0)
    throw new BrokenContract(outputs.length === 0 ? 'it ended without an output.' : 'it ended with several outputs.')
  return finishWords(taskKind, id, only.output, places)
}
