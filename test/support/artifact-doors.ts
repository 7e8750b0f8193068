/** The doors over a real store and real files of artifacts; jobs are fakes. */
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ArtifactUrls } from '../../src/app/artifact-urls.ts'
import { Artifacts } from '../../src/app/artifacts.ts'
import { Ids } from '../../src/app/ids.ts'
import { type ArtifactAddress, openArtifact } from '../../src/app/open-artifact.ts'
import { refuseUpload, takeUpload, type Upload, type UploadContext } from '../../src/app/upload.ts'
import { readConfig } from '../../src/config/config.ts'
import { ArtifactFiles } from '../../src/runtime/artifacts/artifact-files.ts'
import type { ArtifactId, ArtifactRecord } from '../../src/store/records.ts'
import { filesIn } from './artifacts.ts'
import { FakeApp } from './fake-app.ts'
import { type OpenDoors, openDoors } from './open-doors.ts'
import { type TestStore, testStore } from './stores.ts'

export interface ArtifactDoors {
  readonly doors: OpenDoors
  readonly app: ArtifactApp
  readonly store: TestStore['store']
  /** Moves the clock forward. */
  readonly advance: (ms: number) => void
  /** Names of all files, half-written ones too. */
  readonly files: () => Promise<string[]>
}

export async function openArtifactDoors(environment: Readonly<Record<string, string>> = {}): Promise<ArtifactDoors> {
  const { store, folder } = await testStore()
  let aheadMs = 0
  const clock = { now: () => Date.now() + aheadMs }
  const filesFolder = join(folder, 'artifacts')
  const config = readConfig(environment)
  let origin = ''
  const artifacts = new Artifacts({
    files: await ArtifactFiles.open(filesFolder),
    urls: new ArtifactUrls(Buffer.alloc(32, 1), config.HEARTH_ARTIFACT_URL_SECONDS * 1000, () => origin),
    store,
    ids: new Ids(store.opening),
    clock,
    sizeBytesMax: config.HEARTH_MAX_ARTIFACT_BYTES,
    freeBytesMin: config.HEARTH_DISK_RESERVE_BYTES,
  })
  onTestFinished(() => artifacts.close())
  const app = new ArtifactApp({ config, artifacts, store, shell: { draining: false } }, clock)
  const doors = await openDoors(environment, app)
  origin = new URL(doors.url).origin
  return { doors, app, store, advance: (ms) => (aheadMs += ms), files: () => filesIn(filesFolder) }
}

export class ArtifactApp extends FakeApp {
  readonly context: UploadContext
  readonly clock: { now(): number }

  constructor(context: UploadContext, clock: { now(): number }) {
    super()
    this.context = context
    this.clock = clock
  }

  override async artifact(id: ArtifactId) {
    return this.context.artifacts.find(id)
  }
  override artifactUrl(record: ArtifactRecord) {
    return this.context.artifacts.urlOf(record, this.clock.now())
  }
  override async openArtifact(address: ArtifactAddress) {
    return openArtifact({ artifacts: this.context.artifacts, clock: this.clock }, address)
  }
  override refuseUpload(upload: Upload) {
    return refuseUpload(this.context, upload)
  }
  override async upload(upload: Upload, source: AsyncIterable<Uint8Array>) {
    return takeUpload(this.context, upload, source)
  }
}

export interface UploadAnswer {
  readonly id?: string
  readonly sha256?: string
  readonly sizeBytes?: number
  readonly mimeType?: string
  readonly width?: number | null
  readonly height?: number | null
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[]
}

export async function put(
  doors: OpenDoors,
  body: string | Uint8Array | ReadableStream,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly headers: Headers; readonly answer: UploadAnswer }> {
  const response = await fetch(doors.at('/uploads'), {
    method: 'PUT',
    headers,
    body: body as BodyInit,
    ...(body instanceof ReadableStream && { duplex: 'half' }),
  })
  return { status: response.status, headers: response.headers, answer: (await response.json()) as UploadAnswer }
}

/** Where a file can be read, asked for as any client does. */
export async function urlOf(doors: OpenDoors, id: string): Promise<string> {
  const { data } = await doors.askOverHttp('query ($id: ID!) { node(id: $id) { ... on Artifact { url } } }', { id })
  const node = data?.['node'] as { readonly url: string } | null | undefined
  if (!node) throw new Error(`There is no artifact ${id}.`)
  return node.url
}
