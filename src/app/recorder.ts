/** Writes the scheduler's life to a file, one JSON object a line, for `src/simulator/replay.ts`. */
import { createWriteStream, type WriteStream } from 'node:fs'
import type { Command } from '../scheduler/commands.ts'
import type { SchedulerEvent } from '../scheduler/events.ts'
import type { Millis } from '../scheduler/ids.ts'
import { recordLine, recordOpening } from '../scheduler/recording.ts'
import type { SchedulerState } from '../scheduler/state.ts'
import type { Recorder } from './shell.ts'

export class FileRecorder implements Recorder {
  readonly #file: WriteStream

  /** `state` as it is now opens the recording. */
  constructor(path: string, state: SchedulerState) {
    this.#file = createWriteStream(path, { flags: 'w' })
    this.#file.write(`${recordOpening(state)}\n`)
  }

  record(now: Millis, event: SchedulerEvent, commands: readonly Command[]): void {
    this.#file.write(`${recordLine(now, event, commands)}\n`)
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#file.end(resolve))
  }
}
