/** The writer's thread: the only place that changes the database. It holds the folder's lock as long as it lives. */
import { mkdirSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { openForWriting } from '../opening/connection.ts'
import { FolderLockedError, refusalOf } from '../opening/errors.ts'
import { lockFolder } from '../opening/folder-lock.ts'
import { readHolder, removeHolder, thisProcess, writeHolder } from '../opening/holder.ts'
import { migrate } from '../opening/migrations.ts'
import { readOpening } from '../opening/read-opening.ts'
import type { FromWriter, ToWriter, WriterSettings } from './messages.ts'
import { dropUnverified } from './models.ts'
import { Writer } from './writer.ts'

if (!parentPort) throw new Error('The writer runs in a thread of its own.')
const port = parentPort
const settings = workerData as WriterSettings

try {
  const { database, lock, opening } = open(settings)
  const writer = new Writer(database, tell)
  port.on('message', (message: ToWriter) => {
    switch (message.type) {
      case 'batch':
        return writer.write(message.values)
      case 'limitDatabase':
        return writer.limitDatabase(message.bytes)
      case 'close': {
        const lostBatches = writer.close()
        removeHolder(settings.folder)
        lock.release()
        tell({ type: 'closed', lostBatches })
        return port.close()
      }
      default:
        return message satisfies never
    }
  })
  tell({ type: 'opened', opening })
} catch (error) {
  tell({ type: 'refused', refusal: refusalOf(error) })
}

function open({ folder, migrationsFolder, startedAt }: WriterSettings) {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = lockFolder(folder)
  if (!lock) throw new FolderLockedError(folder, readHolder(folder))
  try {
    writeHolder(folder, thisProcess(startedAt, null))
    const database = openForWriting(folder)
    migrate(database, migrationsFolder)
    dropUnverified(database)
    return { database, lock, opening: readOpening(database) }
  } catch (error) {
    lock.release()
    throw error
  }
}

function tell(message: FromWriter): void {
  port.postMessage(message)
}
