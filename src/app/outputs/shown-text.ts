/** The text of a job whose program is not there to say what it has: as its readers were shown it. */
import type { JobId } from '../../scheduler/ids.ts'
import type { Store } from '../../store/store.ts'
import type { FinishedOutput } from './finish-output.ts'
import { encodeOutput } from './stored-output.ts'

const pageEvents = 256

/** Put together as every reader does it. What was said before the wish to cancel was written is in the store. */
export async function readShownText(store: Pick<Store, 'readEvents'>, jobId: JobId): Promise<string> {
  let text = ''
  let cursor = 0
  for (;;) {
    const page = await store.readEvents(jobId, cursor, pageEvents)
    for (const { body } of page) if (body.kind === 'text') text = text.slice(0, body.offset) + body.text
    const last = page.at(-1)
    if (!last) return text
    cursor = last.sequence
  }
}

/** Only its program knows how long the prompt was: 0. */
export function finishShownText(text: string, completionTokens: number): FinishedOutput {
  const output = { kind: 'text', text, finishReason: 'CANCELLED', promptTokens: 0, completionTokens } as const
  return { encoded: encodeOutput(output), artifacts: [] }
}
