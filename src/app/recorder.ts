/** Writes the scheduler's life to a file, one JSON object a line, for `src/simulator/replay.ts`. */
import { createWriteStream, type WriteStream } from 'node:fs'
import type { Command } from '../scheduler/commands.ts'
import type { SchedulerEvent } from '../scheduler/events.ts'
import type { Millis } from '../scheduler/ids.ts'
import { recordLine, recordOpening } from '../scheduler/snapshot/recording.ts'
import type { SchedulerState } from '../scheduler/state.ts'
import type { Recorder } from './shell.ts'

const unwrittenBytesMax = 64 * 1024 * 1024

export class FileRecorder implements Recorder {
  readonly #file: WriteStream
  #isBroken = false

  /** `state` as it is now opens the recording. */
  constructor(path: string, state: SchedulerState, onError: (error: Error) => void) {
    this.#file = createWriteStream(path, { flags: 'w' })
    // A recording is for those who ask questions later; the server does not end with it.
    this.#file.once('error', (error) => {
      this.#isBroken = true
      onError(error)
    })
    this.#file.write(`${recordOpening(state)}\n`)
  }

  record(now: Millis, event: SchedulerEvent, commands: readonly Command[]): void {
    if (this.#isBroken) return
    this.#file.write(`${recordLine(now, event, commands)}\n`)
    if (this.#file.writableLength > unwrittenBytesMax)
      this.#file.destroy(new Error('The disk cannot keep up with the recording.'))
  }

  close(): Promise<void> {
    if (this.#isBroken) return Promise.resolve()
    return new Promise((resolve) => this.#file.end(resolve))
  }
}
