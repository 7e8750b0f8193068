/** Jobs that make pictures, with the times that the server gives their events. */
import type { Connection, SubmitJobInput } from './jobs.ts'
import { operation } from './operation.ts'

export interface PictureWish {
  readonly model?: string
  readonly steps: number
  readonly seed: number
  readonly count?: number
  readonly priorityClass?: 'INTERACTIVE' | 'BATCH'
  readonly previews?: { readonly everySteps: number; readonly maxWidth: number }
}

export function pictureJob({ model = 'ember', steps, seed, count = 1, ...rest }: PictureWish): SubmitJobInput {
  return {
    model,
    task: { textToImage: { prompt: 'a koala on a pink background, noto style', steps, seed, count } },
    ...rest,
  }
}

export interface PictureEvent {
  readonly __typename: string
  /** Milliseconds since the epoch, by the server's clock, which is this machine's. */
  readonly at: number
}

const pictureEvents = operation(`subscription Pictures($id: ID!) { jobEvents(id: $id) { __typename at } }`)

/** All events of a job from its beginning to its end. */
export function followPictures(
  connection: Connection,
  id: string,
  onEvent: (event: PictureEvent) => void,
): Promise<void> {
  return connection.stream(pictureEvents, { id }, (data) => {
    const { __typename, at } = (data as { jobEvents: { readonly __typename: string; readonly at: string } }).jobEvents
    onEvent({ __typename, at: Date.parse(at) })
  })
}

const wishes = {
  pauseJob: wish('pauseJob', 'PauseJobSuccess'),
  resumeJob: wish('resumeJob', 'ResumeJobSuccess'),
  cancelJob: wish('cancelJob', 'CancelJobSuccess'),
}

/** Answered, so durable. Throws what the server said when it was refused. */
export async function ask(connection: Connection, name: keyof typeof wishes, id: string): Promise<void> {
  const answer = (await connection.ask(wishes[name], { id })) as Readonly<
    Record<string, { readonly job?: object; readonly message?: string }>
  >
  if (answer[name]?.job === undefined) throw new Error(`${name} was refused: ${answer[name]?.message}`)
}

function wish(name: string, success: string) {
  return operation(
    `mutation Wish($id: ID!) { ${name}(id: $id) { ... on ${success} { job { id } } ... on Error { message } } }`,
  )
}
