/** What comes in at the doors: bodies, addresses, headers, cursors, ids, documents. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { GraphQLError } from 'graphql'
import { type CursorKind, encodeCursor, readCursor } from '../../../schema/cursor.ts'
import { decodeId, encodeId, nodeNames } from '../../../schema/ids.ts'
import { schema } from '../../../schema/schema.ts'
import { ArtifactUrls } from '../../../src/app/artifact-urls.ts'
import type { ArtifactAddress } from '../../../src/app/open-artifact.ts'
import { Documents } from '../../../src/server/graphql/documents.ts'
import { answerArtifact } from '../../../src/server/http/artifacts.ts'
import { readByteRange } from '../../../src/server/http/byte-range.ts'
import { readExpectedDigest } from '../../../src/server/http/content-digest.ts'
import { readAddressParameters, readBodyParameters } from '../../../src/server/http/operation-request.ts'
import type { ArtifactId, ArtifactRecord } from '../../../src/store/records.ts'
import { holds, refusedAs, type Target } from '../target.ts'

const texts = (...all: readonly string[]) => all.map((text) => Buffer.from(text))
const cursorKinds: readonly CursorKind[] = ['job', 'session', 'model', 'version', 'event', 'change']
const documents = new Documents(schema, { tokenCountMax: 4000, depthMax: 16, costMax: 200_000 })

const now = Date.UTC(2027, 0, 1)
const artifact = {
  id: 7 as ArtifactId,
  mimeType: 'image/png',
  sha256: 'ab',
  createdAt: now,
} as unknown as ArtifactRecord
const urls = new ArtifactUrls(Buffer.alloc(32, 1), 3_600_000, () => 'http://localhost')
const signed = new URL(urls.urlOf(artifact, now).url)

export const requestTargets: readonly Target[] = [
  {
    name: 'cursors-and-ids',
    seeds: [
      ...cursorKinds.map((kind) => Buffer.from(encodeCursor(kind, 12_345))),
      ...nodeNames.map((name) => Buffer.from(encodeId(name, 42))),
    ],
    words: ['=', '-', '_', 'OjE', 'Y3Vyc29y', '%3D', '\u0000'],
    read(input) {
      const text = input.toString('latin1')
      for (const kind of cursorKinds) {
        try {
          const position = readCursor(kind, text)
          holds(position !== null && encodeCursor(kind, position) === text, 'a cursor has one form')
        } catch (error) {
          refusedAs(error, GraphQLError)
        }
      }
      const names = nodeNames.filter((name) => decodeId(name, text) !== null)
      holds(names.length <= 1, 'an id is of one noun')
      for (const name of names) holds(encodeId(name, decodeId(name, text) as never) === text, 'an id has one form')
    },
  },
  {
    name: 'byte-range',
    seeds: texts('bytes=0-499', 'bytes=500-', 'bytes=-500', 'bytes=0-0,-1', 'bytes=9-1'),
    words: ['bytes', '=', '-', ',', ' ', '\t', '9007199254740993', '0'],
    read(input) {
      for (const sizeBytes of [0, 1, 1000, 2 ** 40]) {
        const range = readByteRange(input.toString('latin1'), sizeBytes)
        if (range === null || range === 'unsatisfiable') continue
        const { first, last } = range
        holds(
          Number.isSafeInteger(first) && first >= 0 && first <= last && last < sizeBytes,
          `${first}-${last} of ${sizeBytes}`,
        )
      }
    },
  },
  {
    name: 'content-digest',
    seeds: texts(`sha-256=:${'A'.repeat(43)}=:`, `sha-512=:AA==:, sha-256=:${'b'.repeat(43)}=:`, 'a'.repeat(64)),
    words: ['sha-256', '=:', ':', ',', ';', '"', 'SHA-256'],
    read(input) {
      const text = input.toString('latin1')
      for (const headers of [{ 'content-digest': text }, { 'x-content-sha256': text }]) {
        const digest = readExpectedDigest(headers)
        if (typeof digest === 'string') holds(/^[0-9a-f]{64}$/.test(digest), 'a digest is 64 hex digits')
      }
    },
  },
  {
    name: 'artifact-address',
    seeds: texts(
      `${signed.pathname}${signed.search}`,
      '/artifacts/1/x?expires=1&signature=AA',
      '/artifacts/7?expires=&signature=',
    ),
    words: ['expires=', 'signature=', '&', '%', '%00', '../', '/artifacts/', '?', '%2e%2e%2f', '7'],
    async read(input) {
      let isOpened = false
      const openArtifact = async ({ id, expires, signature }: ArtifactAddress) => {
        const check = urls.check(id, expires, signature, now)
        if (check !== 'valid') return check
        isOpened = true
        holds(id === artifact.id && `${expires}` === signed.searchParams.get('expires'), 'only what was signed opens')
        return 'gone' as const
      }
      const answer = new Answer()
      const request = { method: 'GET', url: input.toString('latin1'), headers: {} } as unknown as IncomingMessage
      await answerArtifact(
        { app: { openArtifact }, stalledMsMax: 1000, hasAdaptivePieces: false },
        request,
        answer as unknown as ServerResponse,
      )
      holds(answer.status === (isOpened ? 404 : 403), `status ${answer.status}`)
    },
  },
  {
    name: 'graphql-body',
    seeds: texts(
      '{"query":"{ server { version } }","variables":{"a":[1,2,{"b":null}]},"operationName":"A","extensions":{}}',
      'query=%7B+server+%7B+version+%7D+%7D&variables=%7B%22a%22%3A1%7D&operationName=A',
    ),
    words: ['"query":', '"variables":', '"__proto__":', '[[[[', '{"a":', '\\ud800', '%', '+', '&', 'null', '1e999'],
    read(input) {
      for (const read of [readBodyParameters(input), readAddressParameters(`/graphql?${input.toString('latin1')}`)]) {
        if (typeof read === 'string') holds(read.length > 0 && read.length < 500, 'a refusal is a sentence')
        else holds(typeof read.query === 'string' && typeof read.variables === 'object', 'what is taken is whole')
      }
    },
  },
  {
    name: 'graphql-document',
    seeds: texts(
      '{ server { version } }',
      'query A($first: Int = 3, $after: String) { jobs(first: $first, after: $after) { edges { cursor node { ...J } } pageInfo { endCursor } } } fragment J on Job { id state waitReason }',
      'mutation ($input: SubmitJobInput!) { submitJob(input: $input) { __typename ... on SubmitJobSuccess { job { id } } ... on Error { message } } }',
      'subscription { jobEvents(idempotencyKey: "k", after: null) { __typename cursor ... on TextDelta { offset text } } }',
      '{ __schema { types { name fields { name args { name defaultValue } } } } nodes(ids: ["a", "b"]) { id } }',
      'mutation { submitJob(input: { model: "m", task: { program: { name: "p", parameters: { a: [1, 2.5, true, null, "x", E] } } } }) { __typename } }',
    ),
    words: [
      '{',
      '}',
      '...',
      ' on Job',
      '@skip(if: true)',
      '@include(if: $x)',
      '"""',
      '\\u{110000}',
      '#',
      'fragment F on Query { ...F }',
      '$x: [Int!]! = [1]',
      ':',
      '!',
      '[',
      '-0',
      '1e99',
      '__typename',
      'first: 2147483648',
    ],
    // A bounded number of documents is remembered, each up to a hundred times its text.
    keptBytesMax: 96 * 1024 * 1024,
    read(input) {
      const { errors } = documents.check(input.toString())
      for (const error of errors) {
        holds(error.extensions['code'] === 'BAD_USER_INPUT', `the code of ${error.message}`)
        holds(error.message.length < 1100, 'a message is bounded')
      }
    },
  },
]

/** As much of a response as refusals need. */
class Answer {
  status = 0
  writeHead(status: number): void {
    this.status = status
  }
  setHeader(): void {}
  end(): void {}
}
