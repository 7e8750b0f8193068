/** Slabs are as large as they say, or not there. */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { kib, sharedFolder } from '../../../support/tensor-memory.ts'

const slabModule = fileURLToPath(new URL('../../../../src/runtime/memory/slab.ts', import.meta.url))
const making = `
  const { Slab } = await import(process.argv[1])
  await Slab.make(1, process.argv[2], ${256 * kib}).then(() => console.log('made'), ({ code }) => console.log(code))`

test('a slab whose last bytes find no room is an error, and leaves nothing', async () => {
  const folder = await sharedFolder()
  // A limit on the size of files cuts a write short, as shared memory that ends does; the next write is refused.
  const limited = ['-c', 'trap "" XFSZ; ulimit -f 128; exec "$@"', 'sh', process.execPath]
  const script = ['--input-type=module', '--eval', making, slabModule, join(folder, 'slab')]
  expect(execFileSync('sh', [...limited, ...script], { encoding: 'utf8' })).toBe('EFBIG\n')
  expect(readdirSync(folder)).toEqual([])
})
