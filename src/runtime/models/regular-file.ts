/** Opening what should be a file: nothing else is ever opened for reading, because a pipe would wait for its writer for ever. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** The caller closes it. Throws the error of the file system, or an Error that says that it is no file. */
export async function openRegularFile(path: string): Promise<FileHandle> {
  // Whatever lies there when it is opened, not when somebody looked before: opening does not wait, and what was opened is asked.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if ((await file.stat()).isFile()) return file
    throw new Error('it is no file')
  } catch (error) {
    await file.close()
    throw error
  }
}
