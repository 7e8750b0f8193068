import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type JobEvent,
  labelsView,
  linksView,
  pictureView,
  type Terminal,
  textView,
  vectorsView,
} from '../../../src/cli/job-views.ts'
import type { PictureProtocol } from '../../../src/cli/terminal-pictures.ts'

const server = createServer((request, response) => {
  response.writeHead(request.url === '/gone.png' ? 404 : 200).end('picture')
})
let origin = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

class Screen implements Terminal {
  text = ''
  readonly isTerminal: boolean
  readonly pictures: PictureProtocol | null
  constructor(isTerminal = false, pictures: PictureProtocol | null = null) {
    this.isTerminal = isTerminal
    this.pictures = pictures
  }
  readonly print = (text: string) => {
    this.text += text
  }
}

const image = () => ({ url: `${origin}/apple.png`, mimeType: 'image/png' })
const pictureEvents = (): JobEvent[] => [
  { __typename: 'JobStarted' },
  { __typename: 'StepCompleted', step: 1, totalSteps: 2 },
  { __typename: 'PreviewReady', image: image() },
  { __typename: 'StepCompleted', step: 2, totalSteps: 2 },
  { __typename: 'JobSucceeded', output: { images: [{ image: image() }] } },
]

test('a text is written as it comes, each line below the title', async () => {
  const screen = new Screen()
  const view = textView(screen)
  for (const text of ['Red,', ' green\nand blue.']) await view({ __typename: 'TextDelta', text })
  expect(screen.text).toBe('\n    Red, green\n    and blue.')
})

test('sentences are compared with the first, and labels are listed', async () => {
  const screen = new Screen()
  const embeddings = [
    [1, 0],
    [0.5, 0.5],
  ]
  await vectorsView(screen, ['a', 'b'])({ __typename: 'JobSucceeded', output: { embeddings } })
  await labelsView(screen)({ __typename: 'JobSucceeded', output: { labels: [{ label: 'sfw', score: 0.75 }] } })
  expect(screen.text).toBe('\n    0.5000  "b"\n    0.7500  sfw')
})

test('where lines cannot be written over, a picture is its link', async () => {
  const screen = new Screen()
  const view = pictureView(screen)
  for (const event of pictureEvents()) await view(event)
  expect(screen.text).toBe(`\n    ${origin}/apple.png`)
})

test('a terminal without pictures shows the steps in one line, then the link', async () => {
  const screen = new Screen(true)
  const view = pictureView(screen)
  for (const event of pictureEvents()) await view(event)
  expect(screen.text).toBe(
    `\n    ${'█'.repeat(10)}${'░'.repeat(10)} step 1 of 2\r    ${'█'.repeat(20)} step 2 of 2\n    ${origin}/apple.png`,
  )
})

test('a terminal with pictures shows previews in one place, the final one over them, and the link', async () => {
  const screen = new Screen(true, 'iterm2')
  const view = pictureView(screen)
  for (const event of pictureEvents()) await view(event)
  const base64 = Buffer.from('picture').toString('base64')
  expect(screen.text.split(base64)).toHaveLength(3)
  expect(screen.text.split('\u001b[10A')).toHaveLength(2)
  expect(screen.text.endsWith(`    ${origin}/apple.png`)).toBe(true)
})

test('a picture that was withheld is told', async () => {
  const screen = new Screen(true, 'kitty')
  await pictureView(screen)({ __typename: 'JobSucceeded', output: { images: [{ image: null }] } })
  expect(screen.text).toBe('\n    withheld by the safety check')
})

test('of a picture that cannot be fetched from here there is the link', async () => {
  const nobody = 'http://127.0.0.1:1/apple.png'
  for (const url of [`${origin}/gone.png`, nobody]) {
    const screen = new Screen(true, 'iterm2')
    const view = pictureView(screen)
    const lost = { url, mimeType: 'image/png' }
    await view({ __typename: 'PreviewReady', image: lost })
    await view({ __typename: 'JobSucceeded', output: { images: [{ image: lost }] } })
    expect(screen.text).toBe(`\n    ${url}`)
  }
})

test('a terminal that takes no previews shows the steps, and the final picture in their place', async () => {
  const screen = new Screen(true, 'kitty')
  const view = pictureView(screen)
  const [started, first, preview, ...others] = pictureEvents()
  const webp = { ...preview!, image: { ...image(), mimeType: 'image/webp' } }
  for (const event of [started!, first!, webp, ...others]) await view(event)
  expect(screen.text).toContain('step 1 of 2\r')
  expect(screen.text).toContain('step 2 of 2\r\u001b[K\u001b_G')
  expect(screen.text.endsWith(`\n    ${origin}/apple.png`)).toBe(true)
})

test('where only the place of a picture is of interest, it is one line', async () => {
  const screen = new Screen(true, 'iterm2')
  const view = linksView(screen)
  for (const event of pictureEvents()) await view(event)
  expect(screen.text).toBe(`\n    ${origin}/apple.png`)
})
