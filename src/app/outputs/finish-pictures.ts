/**
 * The pictures of a job: those that may be shown become artifacts, those that may not are withheld one by one. No file is written of a picture that is withheld, and
 * none without the verdict that its job was accepted under.
 */
import type { ArtifactRecord } from '../../store/records.ts'
import type { GeneratedImage, SafetyVerdict } from '../app.ts'
import { type SafetyTerms, seedOfPicture } from '../picture-terms.ts'
import type { AcceptedRequest } from '../request-artifacts.ts'
import type { EndedJob, FinishedOutput, OutputPlaces, TaskOutput } from './finish-output.ts'
import { BrokenContract, type FileWords } from './output-fields.ts'
import { type CheckWords, readPictures } from './picture-words.ts'
import { encodeOutput } from './stored-output.ts'
import { writeFile } from './tensor-files.ts'

/** Every picture of the job is withheld; the message says why. */
export class UnsafeContent extends Error {
  override readonly name = 'UnsafeContent'
  readonly items: readonly number[]
  constructor(items: readonly number[], message: string) {
    super(message)
    this.items = items
  }
}

/** As `finishOutput`; the memory of `outputs` stays the caller's to give back, afterwards. */
export async function finishPictures(
  job: EndedJob,
  outputs: readonly TaskOutput[],
  places: OutputPlaces,
): Promise<FinishedOutput> {
  const request = await readRequest(job, places)
  const pictures = judgedPictures(request, outputs)
  const withheldItems = pictures.flatMap(({ isWithheld }, item) => (isWithheld ? item : []))
  if (withheldItems.length === pictures.length) throw new UnsafeContent(withheldItems, wordsOf(pictures))
  const images: GeneratedImage[] = []
  const records: ArtifactRecord[] = []
  try {
    // One after the other: memory and disk see one stream at a time for each job.
    for (const { file, isWithheld, seed, safety } of pictures) {
      const record = isWithheld ? null : await writeFile(places.artifacts, job.record.id, file.tensor, file.mimeType)
      if (record) records.push(record)
      images.push({ artifactId: record?.id ?? null, withheld: isWithheld, seed, safety })
    }
    return { encoded: encodeOutput({ kind: 'images', images }), artifacts: records, withheldItems }
  } catch (error) {
    await places.artifacts.discard(records)
    throw error
  }
}

async function readRequest({ record, request }: EndedJob, places: OutputPlaces): Promise<AcceptedRequest> {
  const text = request ?? (await places.readRequest(record.id))
  if (text === null) throw new Error(`The request of job ${record.id} is not in the store.`)
  const accepted: AcceptedRequest = JSON.parse(text)
  return accepted
}

interface JudgedPicture {
  readonly file: FileWords
  readonly seed: number
  readonly safety: SafetyVerdict | null
  readonly isWithheld: boolean
}

function judgedPictures(
  { textToImage, terms }: AcceptedRequest,
  outputs: readonly TaskOutput[],
): readonly JudgedPicture[] {
  // What was made of a caller's own picture is the caller's: nobody judges it, and no seed made it.
  if (!textToImage || !terms)
    return readPictures(outputs, 1).map(({ file }) => ({ file, seed: 0, safety: null, isWithheld: false }))
  return readPictures(outputs, textToImage.count).map(({ file, check }, item) => {
    const safety = verdictOn(check, terms.safety)
    const isWithheld = terms.safety.policy === 'block' && safety?.safe !== true
    return { file, seed: seedOfPicture(textToImage.seed, item), safety, isWithheld }
  })
}

/** Null: nothing was to be checked. */
function verdictOn(check: CheckWords | null, { policy, threshold }: SafetyTerms): SafetyVerdict | null {
  if (policy === 'off') return null
  if (!check) throw new BrokenContract('it gave a picture that was to be checked, and no verdict on it.')
  return { safe: check.score < threshold, ...check }
}

function wordsOf(pictures: readonly JudgedPicture[]): string {
  const names = new Set(pictures.flatMap(({ safety }) => safety?.checkedBy ?? []))
  const all = pictures.length === 1 ? 'The picture was' : `All ${pictures.length} pictures were`
  return `${all} withheld: ${[...names].join(', ')} found ${pictures.length === 1 ? 'it' : 'them'} unsafe. Ask for something else, or try another seed.`
}
