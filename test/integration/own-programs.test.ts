/** A third party's program from a folder of its own, through the task kind `program`; reloaded when its file changes. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { png } from '../support/png.ts'
import { type EndedJob, runJob, upload } from '../support/uploads.ts'

const examples = fileURLToPath(new URL('../../examples/programs', import.meta.url))
const picture = png(10, 10, (_, y) => (y < 3 ? [0, 0, 255] : [255, 0, 0]))

let hearth: Hearth
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-programs-'))
  await cp(examples, folder, { recursive: true })
  hearth = await startHearth({
    environment: { HEARTH_MODEL_PATHS: folder, HEARTH_PROGRAM_PATHS: folder, HEARTH_PROGRAM_RELOAD: 'on' },
  })
})
afterAll(async () => {
  await hearth.stop()
  await rm(folder, { recursive: true })
})

function palette(parameters: object, ...artifactIds: string[]): Promise<EndedJob> {
  const task = { program: { name: 'palette', parameters, artifactIds } }
  return runJob(hearth, { model: 'palette', task }, `... on ProgramOutput { values artifacts { url mimeType } }`)
}

test('a program takes a picture and gives values and a picture', async () => {
  const { output } = await palette({ colours: 2 }, await upload(hearth, picture, 'image/png'))
  expect(output).toEqual({
    values: {
      colours: [
        { colour: '#ff0000', share: 0.7 },
        { colour: '#0000ff', share: 0.3 },
      ],
    },
    artifacts: [{ mimeType: 'image/png', url: expect.stringMatching(/^http/) }],
  })
  const { artifacts } = output as unknown as { artifacts: readonly { url: string }[] }
  const response = await fetch(artifacts[0]?.url ?? '')
  expect(response.headers.get('content-type')).toBe('image/png')
  const bytes = Buffer.from(await response.arrayBuffer())
  expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([128, 64])
})

test('what is wrong with the parameters is told by name', async () => {
  expect(await palette({ colours: 17 })).toMatchObject({
    state: 'FAILED',
    error: { message: expect.stringContaining('`parameters.colours`: Expected `int` <= 16.') },
  })
  expect(await palette({})).toMatchObject({ error: { message: expect.stringContaining('`artifactIds`') } })
})

test('a file that is no picture is the fault of who sent it', async () => {
  const id = await upload(hearth, Buffer.from('%!PS-Adobe-3.0 EPSF-3.0'), 'application/octet-stream')
  expect(await palette({}, id)).toMatchObject({
    state: 'FAILED',
    error: { code: 'INVALID_INPUT', message: expect.stringContaining('no picture that can be read') },
  })
})

test('a changed file counts from the next job on, and a mistake in it says where it is', async () => {
  const id = await upload(hearth, picture, 'image/png')
  const file = join(folder, 'palette', 'program.py')
  const source = await readFile(file, 'utf8')
  await writeFile(file, source.replace('"share": share', '"part": share'))
  expect((await palette({ colours: 1 }, id)).output).toMatchObject({ values: { colours: [{ part: 1 }] } })
  await writeFile(file, 'def (')
  expect((await palette({}, id)).error?.message).toContain(`${file}, line 1 cannot be imported: SyntaxError`)
  await writeFile(file, source)
  expect((await palette({ colours: 1 }, id)).output).toMatchObject({ values: { colours: [{ share: 1 }] } })
})
