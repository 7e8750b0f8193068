import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { slabBytesFor } from '../../../../src/runtime/memory/size-classes.ts'
import { makeSlabFolder } from '../../../../src/runtime/memory/slab-folder.ts'
import { kib, mib, sharedFolder, tensorMemory } from '../../../support/tensor-memory.ts'

const user = process.getuid?.() ?? 0

function startTimeOf(pid: number): string {
  return (
    readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')[19] ?? ''
  )
}

test('sizes come in classes', () => {
  expect([1, 64 * kib, 64 * kib + 1, mib, 12 * mib, 256 * mib].map(slabBytesFor)).toEqual([
    64 * kib,
    64 * kib,
    256 * kib,
    mib,
    16 * mib,
    256 * mib,
  ])
  expect(slabBytesFor(256 * mib + 1)).toBeNull()
})

test('a folder is named after its process, is its own, and goes with the memory', async () => {
  const parent = await sharedFolder()
  const memory = await tensorMemory(mib, parent)
  const [name = ''] = readdirSync(parent)
  expect(name).toBe(`hearth-${user}-${process.pid}-${startTimeOf(process.pid)}`)
  expect(statSync(join(parent, name)).mode & 0o777).toBe(0o700)
  const second = await tensorMemory(mib, parent)
  expect(readdirSync(parent)).toHaveLength(2)
  await memory.close()
  await second.close()
  expect(readdirSync(parent)).toEqual([])
})

test('a process that has no time to close removes its folder all the same', async () => {
  const parent = await sharedFolder()
  const memory = await tensorMemory(mib, parent)
  memory.abandon()
  expect(readdirSync(parent)).toEqual([])
})

test('a pool that would hold no slab is none, and says so', async () => {
  const parent = await sharedFolder()
  const memory = await tensorMemory(64 * kib - 1, parent)
  expect(memory.info()).toMatchObject({
    problem: 'Large tensors go in chunks, because 65535 bytes hold no slab, the smallest of which has 65536.',
    limitBytes: 0,
  })
  expect(readdirSync(parent)).toEqual([])
})

test('what dead servers left is removed; what lives or is not ours stays', async () => {
  const parent = await sharedFolder()
  const child = spawn('sleep', ['60'])
  const pid = child.pid ?? 0
  const alive = `hearth-${user}-${pid}-${startTimeOf(pid)}`
  const left = [`hearth-${user}-${pid}-1`, `hearth-${user}-4194999-77`, `hearth-${user}-4194999-77-3`]
  const kept = [alive, `hearth-${user + 1}-4194999-77`, 'hearth-notes', 'PostgreSQL.1']
  for (const name of [...left, ...kept]) {
    mkdirSync(join(parent, name))
    writeFileSync(join(parent, name, 'slab-1'), 'bytes')
  }
  const { path } = await makeSlabFolder(parent)
  expect(left.filter((name) => existsSync(join(parent, name)))).toEqual([])
  expect(kept.filter((name) => !existsSync(join(parent, name)))).toEqual([])
  expect(existsSync(path)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
})

test('where there is no such folder, tensors go in chunks, and it is said why', async () => {
  const memory = await tensorMemory(mib, '/nowhere/shm')
  expect(memory.info()).toMatchObject({ limitBytes: 0, problem: expect.stringContaining('/nowhere/shm') })
})
