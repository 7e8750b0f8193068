/** Reads the logs of finished jobs from their beginning, as any client may, and counts how each of them ended. */
import { GraphQLSocket } from '../clients/graphql-socket.ts'
import { finalEvents, follow } from '../clients/jobs.ts'

const inFlight = 32

export interface Audit {
  /** Jobs that the server does not know, or whose log has no final event. */
  readonly lost: number
  /** Jobs with more than one final event. */
  readonly endedTwice: number
  /** Jobs whose only final event is not JobSucceeded. */
  readonly notSucceeded: number
}

/** `ids` are jobs that were acknowledged and have had the time to end. */
export async function audit(url: string, ids: readonly string[]): Promise<Audit> {
  const socket = await GraphQLSocket.open(url)
  const result = { lost: 0, endedTwice: 0, notSucceeded: 0 }
  const left = ids.values()
  const auditor = async () => {
    for (const id of left) {
      const endings = await endingsOf(socket, id)
      if (endings.length === 0) result.lost += 1
      else if (endings.length > 1) result.endedTwice += 1
      else if (endings[0] !== 'JobSucceeded') result.notSucceeded += 1
    }
  }
  await Promise.all(Array.from({ length: inFlight }, auditor))
  socket.close()
  return result
}

async function endingsOf(socket: GraphQLSocket, id: string): Promise<string[]> {
  const endings: string[] = []
  try {
    await follow(socket, id, ({ __typename }) => {
      if (finalEvents.has(__typename)) endings.push(__typename)
    })
  } catch (error) {
    if (!String(error).includes('NOT_FOUND')) throw error
  }
  return endings
}
