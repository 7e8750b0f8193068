/** What the tasks of a job of pictures give: by the name of the program, so that a manifest may call its nodes as it likes. */

import { checkingProgram, writingPrograms } from '../../runtime/models/picture-programs.ts'
import type { ProgramOutput } from '../../runtime/workers/tensors.ts'
import { isPictureType } from '../pictures/picture-header.ts'
import type { TaskOutput } from './finish-output.ts'
import { BrokenContract, type FileWords, fileOf, numberOf, textOf } from './output-fields.ts'

export interface CheckWords {
  /** Of the label that is unsafe: 0 = harmless, 1 = certainly not. */
  readonly score: number
  readonly checkedBy: string
}
export interface PictureWords {
  readonly file: FileWords
  /** Of several the one with the highest score; null = nobody has checked it. */
  readonly check: CheckWords | null
}

/** One for each of `count` pictures, in their order. Throws BrokenContract. */
export function readPictures(outputs: readonly TaskOutput[], count: number): PictureWords[] {
  return Array.from({ length: count }, (_, item) => {
    const ofItem = outputs.filter(({ task }) => task.item === item)
    const [written, ...more] = ofItem.filter(({ task }) => writingPrograms.includes(task.program))
    if (!written || more.length > 0)
      throw new BrokenContract(`it gave ${written ? 'several files' : 'no file'} of picture ${item + 1} of ${count}.`)
    const checks = ofItem.filter(({ task }) => task.program === checkingProgram).map(({ output }) => checkOf(output))
    return { file: pictureOf(written.output), check: worst(checks) }
  })
}

function pictureOf(output: ProgramOutput): FileWords {
  const file = fileOf(output, 'picture')
  if (!isPictureType(file.mimeType)) throw new BrokenContract(`it gave ${file.mimeType}, which is no picture.`)
  return file
}

function checkOf(output: ProgramOutput): CheckWords {
  return { score: numberOf(output, 'score', 'a check'), checkedBy: textOf(output, 'checkedBy') }
}

function worst(checks: readonly CheckWords[]): CheckWords | null {
  return checks.toSorted((one, other) => other.score - one.score)[0] ?? null
}
