/** How the events of a job look in a terminal: each view takes them one by one, and writes below the job's title. */
import { overPicture, type PictureProtocol, pictureSequence } from './terminal-pictures.ts'

export interface Terminal {
  /** Takes text as it comes; lines end where it says so. */
  readonly print: (text: string) => void
  /** A line may be written over. */
  readonly isTerminal: boolean
  /** How it takes pictures; null = not at all. */
  readonly pictures: PictureProtocol | null
}

type Fields = Readonly<Record<string, unknown>>
export type JobEvent = Fields & { readonly __typename: string }
export type JobView = (event: JobEvent) => void | Promise<void>

const indent = '\n    '

export function textView({ print }: Terminal): JobView {
  let before = indent
  return (event) => {
    if (event.__typename !== 'TextDelta') return
    print(before + String(event['text']).replaceAll('\n', indent))
    before = ''
  }
}

/** How alike each sentence is to the first. */
export function vectorsView({ print }: Terminal, sentences: readonly string[]): JobView {
  return (event) => {
    if (event.__typename !== 'JobSucceeded') return
    const { embeddings } = event['output'] as { readonly embeddings: readonly (readonly number[])[] }
    const [first = [], ...others] = embeddings
    for (const [index, other] of others.entries())
      print(`${indent}${dot(first, other).toFixed(4)}  "${sentences[index + 1]}"`)
  }
}

export function labelsView({ print }: Terminal): JobView {
  return (event) => {
    if (event.__typename !== 'JobSucceeded') return
    const { labels } = event['output'] as { readonly labels: readonly { label: string; score: number }[] }
    for (const { label, score } of labels) print(`${indent}${score.toFixed(4)}  ${label}`)
  }
}

interface Picture {
  /** Of its artifact. */
  readonly id: string
  readonly url: string
  readonly mimeType: string
}

/** The steps until there is something to see, the picture as it becomes visible where the terminal can show it, and a link in any case. */
export function pictureView(terminal: Terminal): JobView {
  const { print, isTerminal, pictures } = terminal
  let isBarShown = false
  let isPictureShown = false
  const draw = async ({ url, mimeType }: Picture) => {
    const bytes = pictures && (await read(url))
    const sequence = bytes && pictureSequence(pictures, mimeType, bytes)
    if (!sequence) return
    print(isPictureShown ? overPicture() : isBarShown ? overLine : '\n')
    print(sequence)
    isPictureShown = true
  }
  return async (event) => {
    switch (event.__typename) {
      case 'StepCompleted':
        // A line that can be written over, until a picture would be in its way.
        if (!isTerminal || isPictureShown) return
        print(`${isBarShown ? '\r' : '\n'}    ${bar(event)}`)
        isBarShown = true
        return
      case 'PreviewReady':
        return draw(event['image'] as Picture)
      case 'JobSucceeded':
        for (const image of imagesOf(event)) {
          if (image) await draw(image)
          print(`${isPictureShown ? '    ' : indent}${image?.url ?? withheld}`)
        }
    }
  }
}

/** Where the pictures are. */
export function linksView({ print }: Terminal): JobView {
  return (event) => {
    if (event.__typename !== 'JobSucceeded') return
    for (const image of imagesOf(event)) print(indent + (image?.url ?? withheld))
  }
}

const withheld = 'withheld by the safety check'

/** Null where one is withheld. */
export function imagesOf(succeeded: JobEvent): readonly (Picture | null)[] {
  const { images } = succeeded['output'] as { readonly images: readonly { readonly image: Picture | null }[] }
  return images.map(({ image }) => image)
}

/** Back to the start of the line, which is emptied. */
const overLine = '\r\u001b[K'

const barChars = 20

function bar({ step, totalSteps }: Fields): string {
  const full = Math.round((Number(step) / Number(totalSteps)) * barChars)
  return `${'█'.repeat(full)}${'░'.repeat(barChars - full)} step ${String(step)} of ${String(totalSteps)}`
}

/** Null when it cannot be reached from here, as behind a public address that is none of this machine's; its link is told all the same. */
async function read(url: string): Promise<Uint8Array | null> {
  try {
    const response = await fetch(url)
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : null
  } catch {
    return null
  }
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
}
